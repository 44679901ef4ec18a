"""Running a plan: permission, the facts once more, the journal, the registry, the index, in that order.

This is the only place that changes a registry. No transaction spans a request: a crash between two of them
leaves a running action in the journal, whose end `settle` reads back from the registry.
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from regui import oci
from regui.accounts import access
from regui.accounts.access import Actor, Right
from regui.actions import delete, journal, kept, plans
from regui.actions.journal import Ending, Result, State
from regui.actions.models import Action
from regui.actions.plans import Plan
from regui.index import history, listing, record, usage
from regui.index.connect import connect
from regui.index.models import Registry, Repository, TagMove

log = logging.getLogger(__name__)

How = TagMove.How

# Seconds in which the bytes of an index's children must be there, before anything is deleted.
KEEPING = 60.0


class Stale(Exception):
    """The registry no longer is as the plan says. `changed` has a sentence for each difference, `plan` what
    would be touched now."""

    def __init__(self, changed: list[str], plan: Plan) -> None:
        super().__init__(" ".join(changed))
        self.changed, self.plan = changed, plan


class Unchecked(Exception):
    """The registry couldn't confirm everything the plan says; `plan.check` says why."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan.check.problem or str(plan.check))
        self.plan = plan


@dataclass(frozen=True)
class ReadBack:
    """What the registry says afterwards: whether the digest is gone, the tags it lists, and for those that
    should have gone the digest they lead to; None when they lead nowhere."""

    gone: bool
    listed: list[str]
    stayed: dict[str, str | None]


def run(plan: Plan, actor: Actor) -> Action:
    """The action, carried out: done, partial or failed with its reason, or still running when the registry
    fell silent and nobody knows yet.

    Raises `Stale` or `Unchecked` with nothing changed, `oci.NotFound` when the digest is gone already, any
    other `oci.Error` when its bytes couldn't be kept, and what `access` raises.
    """
    registry = access.registry(actor, plan.registry)
    repository = access.repository(actor, registry, plan.repository, Right.DELETE)
    digest = oci.Digest.parse(plan.digest)
    fresh = delete.look(repository, digest, max_age=timedelta())
    if not fresh.check.complete:
        raise Unchecked(fresh)
    if fresh.fingerprint != plan.fingerprint:
        raise Stale(plans.changes(plan.facts, fresh.facts, delete.now_on(repository, plan)), fresh)
    client = connect(registry)
    contents = kept.contents(client.until(time.monotonic() + KEEPING), repository, digest)
    action = journal.begin(fresh, actor, contents, timezone.now())
    log.info("%s %s deletes %s/%s@%s", action.pk, actor.name, registry.name, repository.name, digest)
    return send(client, repository, action)


def send(client: oci.Client, repository: Repository, action: Action) -> Action:
    """The action after its request, as reading it back tells."""
    error, already = None, False
    try:
        client.delete_manifest(repository.name, action.digest)
    except oci.NotFound:
        already = True  # someone else was faster, which is what was wanted
    except oci.Error as refusal:
        error = refusal
    return conclude(client, repository, action, error, already=already)


def conclude(
    client: oci.Client,
    repository: Repository,
    action: Action,
    error: oci.Error | None,
    *,
    already: bool = False,
    late: bool = False,
) -> Action:
    """The action with its end, read back from the registry: whatever the answer to the request was, or
    whether there was one, the registry's state decides. `late` is when nobody waits for an answer any
    more."""
    began = timezone.now()
    try:
        seen = read_back(client, action)
    except oci.Error as silence:
        return journal.doubt(action, error or silence)
    if seen.gone:
        update_index(repository, action, seen, began)
        history.write(moves(repository, action, seen, timezone.now(), ours=not already))
        return journal.finish(action, ended(seen, error, already=already), timezone.now())
    if error is not None and may_still_happen(error):
        return journal.doubt(action, error)
    return journal.finish(action, not_ended(error, late=late), timezone.now())


def read_back(client: oci.Client, action: Action) -> ReadBack:
    """What the registry has now of what the action was to take away."""
    gone = not there(client, action.repository, action.digest)
    try:
        listed = list(client.tags(action.repository))
    except oci.NotFound:
        listed = []  # some registries drop a repository along with its last manifest
    stayed: dict[str, str | None] = {}
    for tag in set(action.tags).intersection(listed) if gone else ():
        try:
            stayed[tag] = client.head_manifest(action.repository, tag).digest
        except oci.NotFound:
            stayed[tag] = None
    return ReadBack(gone, listed, stayed)


def there(client: oci.Client, name: str, reference: str) -> bool:
    """Whether the registry gives out that manifest."""
    try:
        client.manifest(name, reference)
    except oci.NotFound:
        return False
    return True


def ended(seen: ReadBack, error: oci.Error | None, *, already: bool) -> Ending:
    """The end of an action whose digest is gone."""
    tags: dict[str, tuple[str, str]] = {}
    for tag, digest in seen.stayed.items():
        if digest is None:
            tags[tag] = Result.FAILED, "The registry still lists it, though it leads nowhere."
        else:
            tags[tag] = Result.SKIPPED, f"Pushed anew meanwhile, to {plans.shortened(digest)}."
    dangling = sorted(tag for tag, (result, _) in tags.items() if result == Result.FAILED)
    if dangling:
        reason = f"The digest is gone, but the registry still lists {', '.join(dangling)}."
        return Ending(State.PARTIAL, Result.DONE, reason, tags=tags)
    if already:
        return Ending(State.DONE, Result.GONE, "It was gone already.", tags=tags)
    reason = f"{error} Reading it back showed that it was deleted all the same." if error else ""
    return Ending(State.DONE, Result.DONE, reason, tags=tags)


def not_ended(error: oci.Error | None, *, late: bool) -> Ending:
    """The end of an action whose digest is still there."""
    if error is not None:
        return Ending(State.FAILED, Result.FAILED, str(error), error.hint, error.code)
    if late:
        return Ending(State.FAILED, Result.FAILED, "No answer ever came, and the registry still has it.")
    return Ending(State.FAILED, Result.FAILED, "The registry agreed to delete it, but still has it.")


def may_still_happen(error: oci.Error) -> bool:
    """Whether the registry may be busy deleting although this was the answer: it scans every tag of the
    repository, and a proxy in between may lose patience first."""
    return isinstance(error, oci.Unreachable) or (isinstance(error, oci.Unavailable) and error.status == 504)


def update_index(repository: Repository, action: Action, seen: ReadBack, began: datetime) -> None:
    """Let the index know what the registry has said since that moment."""
    if repository.pk is None:
        return  # dropped since, to be crawled anew
    # Pushed anew, they lead elsewhere: the next page that shows them must look.
    repository.tags.filter(name__in=seen.stayed).update(seen_at=None)
    # Before the listing, which would be doubted if most tags left it and nobody knew why.
    record.deleted(repository, action.digest, timezone.now())
    if listing.tags([listing.Listing(repository, seen.listed, began)]):
        usage.total(repository)


def moves(
    repository: Repository, action: Action, seen: ReadBack, now: datetime, *, ours: bool
) -> list[history.Move]:
    """What became of the digest's tags: they left by the action (`ours`) or before it came, or were pushed
    anew meanwhile. What the registry still lists has not left."""
    left, noticed = (How.ACTION if ours else How.CRAWL), How.CRAWL
    actor = action.actor if ours else ""
    found = []
    for tag in action.tags:
        after = seen.stayed.get(tag, "")
        if after is not None:
            how, who = (noticed, "") if after else (left, actor)
            found.append(history.Move(repository, tag, action.digest, after, now, None, how, who))
    return found


def settle(*, most: int = 5, budget: float = 2.0) -> list[Action]:
    """Find out how abandoned actions ended, by asking their registries; at most that many, in about that many
    seconds. Those of a registry that doesn't answer wait for the next time."""
    settled: list[Action] = []
    silent: set[str] = set()
    deadline = time.monotonic() + budget
    for action in Action.objects.abandoned().order_by("started_at")[:most]:
        registry = Registry.objects.filter(name=action.registry, active=True).first()
        if registry is None or action.registry in silent or time.monotonic() > deadline:
            continue
        known = registry.repositories.filter(name=action.repository).first()
        repository = known or Repository(registry=registry, name=action.repository)
        try:
            client = connect(registry).until(deadline)
        except oci.Unreachable as error:  # the settings no longer say where it is
            concluded = journal.doubt(action, error)
        else:
            concluded = conclude(client, repository, action, None, late=True)
        if concluded.state == State.RUNNING:
            silent.add(action.registry)
        else:
            settled.append(concluded)
    return settled
