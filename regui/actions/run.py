"""Running a plan: permission, the facts once more, the journal, the registry, the index, in that order.

This is the only place that changes a registry. No transaction spans a request: who dies between two of them
leaves an action whose next steps someone else does. A step that was begun is looked at again before anything
else is done, so nothing is done twice.
"""

import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.utils import timezone

from regui import oci
from regui.accounts import access, people
from regui.accounts.access import Actor, Right
from regui.actions import carried, copying, garbage, guard, journal, kept, kinds, overriding, plans, steps
from regui.actions.journal import Ending, Result, State
from regui.actions.models import Action, Item
from regui.actions.plans import Agreed, Plan
from regui.actions.steps import Outcome, Silent, Steps
from regui.actions.transfer import Halted
from regui.index import capabilities, fetch, graph, history, listing, record, usage
from regui.index.connect import connect
from regui.index.models import Registry, Repository, Tag, TagMove

log = logging.getLogger(__name__)

How = TagMove.How
WELL = frozenset({Result.DONE, Result.GONE})
UNFINISHED = "Left undone, since something before it could not be done."
NEEDED = "An index that came since needs it."
LISTED = "The registry still lists it, though it leads nowhere."

# Seconds in which the bytes that an action needs must be there, before anything is changed.
KEEPING = 60.0
# Seconds between two times of writing down how far a copy is, or of asking whether it may go on.
AGAIN = 1.0
# What a silent registry is given, longer each time, before the rest of an action is given up.
PAUSES = [timedelta(seconds=seconds) for seconds in (2, 5, 15, 60, 120, 300, 600, 1200)]
# A plan that was checked so long ago is checked again before anything is deleted by it.
FRESH = timedelta(seconds=5)
# How many protected things an error's text names; all are in its plan.
NAMED = 3
# Errors that would meet every other step too.
HOPELESS = (
    oci.Unsupported,
    oci.Denied,
    oci.Unauthorized,
    oci.NotARegistry,
    oci.BadCertificate,
    oci.OffLimits,
)


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


class Breaks(Exception):
    """Tagged indexes would break, and nobody has said that they know; `plan.breaks` names them."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("This breaks what needs it.")
        self.plan = plan


class Protected(Exception):
    """What it would touch is protected; `plan.protected` says by what."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(" ".join(map(str, plan.protected[:NAMED])))
        self.plan = plan


class Overtaken(Exception):
    """Someone else carries the action out by now."""


def run(plan: Plan | Agreed, actor: Actor) -> Action:
    """The action, carried out: done, partial or failed with its reason, or still running when the registry
    fell silent and nobody knows yet. Raises like `start`."""
    return carry_out(start(plan, actor))


def start(
    plan: Plan | Agreed,
    actor: Actor,
    *,
    held: bool = True,
    grace: timedelta = timedelta(),
    budget: float = fetch.CHECK_BUDGET,
) -> Action:
    """The action, in the journal with the bytes it needs: `held`, to be carried out by whoever called, or
    left to wait for a worker, no sooner than after the `grace`. The registry is asked once more for at most
    `budget` seconds.

    Raises `Unchecked`, `Protected`, `Stale` or `Breaks` with nothing changed, `oci.NotFound` when what it is
    about is gone already, any other `oci.Error` when its bytes couldn't be kept, and what `access` raises.
    """
    agreed = plan.agreed if isinstance(plan, Plan) else plan
    registry = access.registry(actor, agreed.registry)
    repository = access.repository(actor, registry, agreed.repository, kinds.RIGHTS[agreed.kind])
    see_source(actor, agreed.asked)
    overriding.require(actor, registry, agreed.asked)
    fresh = kinds.again(repository, agreed, budget=budget)
    if not fresh.check.complete:
        raise Unchecked(fresh)
    if fresh.refused:
        raise Protected(fresh)
    if fresh.fingerprint != agreed.fingerprint:
        raise Stale(changed(repository, agreed, fresh), fresh)
    if fresh.breaks and not agreed.understood:
        raise Breaks(fresh)
    client = connect(registry)
    contents = kept.gather(client.until(time.monotonic() + max(KEEPING, budget)), repository, fresh)
    now = timezone.now()
    not_before = now + grace if grace else None
    action = journal.begin(fresh, actor, contents, now, not_before=not_before, held=held)
    log.info("%s %s: %s %s/%s", action.pk, actor.name, action.kind, registry.name, repository.name)
    if reason := overriding.of(fresh.asked):
        log.warning("%s %s goes over what is in use: %s", action.pk, actor.name, reason)
    return action


def see_source(actor: Actor, asked: plans.Facts) -> None:
    """Nothing, when the actor may see what a change that is asked for so copies from; else Http404."""
    if "source" in asked:
        registry, _, name = str(asked["source"]).partition("/")
        access.require(actor, access.registry(actor, registry), name)


def changed(repository: Repository, agreed: Agreed, fresh: Plan) -> list[str]:
    """What differs between the plan that was agreed to and the one made just now, in sentences."""
    if agreed.facts is None:
        return [plans.DIFFERENT]
    rows = repository.tags.listed() if repository.pk else Tag.objects.none()
    moved = rows.filter(name__in=[tag["name"] for tag in agreed.facts["tags"]]).exclude(manifest=None)
    return plans.changes(agreed.facts, fresh.facts, dict(moved.values_list("name", "manifest__digest")))


def next_due(now: datetime, *, without: Collection[str] = ()) -> Action | None:
    """An action that was to be carried out by now, of none of these kinds, to be carried out by whoever
    called."""
    for action in Action.objects.due(now).exclude(kind__in=without).order_by("started_at")[:20]:
        mine = journal.claim(action, now)
        if mine is not None:
            return mine
    return None


def never() -> bool:
    """Nobody stops it."""
    return False


def tell_nobody(action: Action) -> None:
    """Nobody watches it."""


def carry_out(
    action: Action,
    stop: Callable[[], bool] = never,
    watch: Callable[[Action], None] = tell_nobody,
    *,
    budget: float = fetch.CHECK_BUDGET,
) -> Action:
    """The action, which is the caller's by a claim, as it ended; or still running, when the registry fell
    silent, or `stop` said to leave the rest to whoever comes next. `watch` is told of bytes that moved; of a
    plan that was made a while ago all tags are looked at once more, for at most `budget` seconds."""
    try:
        return Runner(action, stop, watch, budget).go()
    except Overtaken:
        return journal.whole(action)


class Runner:
    """Does what is left of an action."""

    def __init__(
        self,
        action: Action,
        stop: Callable[[], bool] = never,
        watch: Callable[[Action], None] = tell_nobody,
        budget: float = fetch.CHECK_BUDGET,
    ) -> None:
        self.action, self.stop, self.watch, self.budget = action, stop, watch, budget
        self.told, self.looked, self.why = 0.0, -AGAIN, ""
        self.items = list(action.items.all())
        self.todo = [item for item in self.items if item.do != plans.GOES_ALONG]
        self.error: oci.Error | None = None

    def go(self) -> Action:
        registry = Registry.objects.filter(name=self.action.registry, active=True).first()
        if registry is None:
            error = oci.Unreachable(
                f"The settings no longer say where the registry {self.action.registry} is."
            )
            return self.later(error)
        known = registry.repositories.filter(name=self.action.repository).first()
        self.repository = known or Repository(
            registry=registry, name=self.action.repository, first_seen_at=timezone.now()
        )
        try:
            self.client = carried.link(self.action, registry).client
            self.steps = self.prepared()
            self.catch_up()
            self.steps = replace(self.steps, joined=self.joined(self.steps.along))
            for item in self.todo:
                if item.result:
                    continue
                if self.stop():
                    return journal.release(self.action)
                self.hold()
                if self.action.stop or (item.begun_at is None and self.shut_out()):
                    self.cancel()
                    break
                self.do(item)
            return self.conclude()
        except Halted:
            return self.halted()
        except Silent as silence:
            return self.later(silence.error)
        except oci.Error as error:  # of what is asked before the first step, or after the last
            return self.later(error)

    def prepared(self) -> Steps:
        """What the steps are done with."""
        along: dict[str, list[str]] = defaultdict(list)
        for item in self.items:
            if item.do == plans.GOES_ALONG:
                along[item.digest].append(item.tag)
        return Steps(
            client=self.client,
            name=self.action.repository,
            begin=lambda item, passing: journal.note_begun(item, passing, timezone.now()),
            kept={one.digest: one for one in self.action.kept.all()},
            along=along,
            transfer=copying.transfer(self.action, self.repository, self.moved),
        )

    def moved(self, count: int) -> None:
        """Write down, once in a while, how many bytes have been moved; raises `Halted` when it is to end."""
        self.action.bytes_done = count
        self.watch(self.action)
        if time.monotonic() - self.told >= AGAIN:
            self.told = time.monotonic()
            self.hold()
        if self.action.stop or self.stop():
            raise Halted

    def halted(self) -> Action:
        """The action that was to end in the midst of a step: for good, or for someone else to go on with."""
        if not self.action.stop:
            return journal.release(self.action)
        self.cancel()
        try:
            return self.conclude()
        except oci.Error as error:
            return self.later(error)

    def catch_up(self) -> None:
        """Note what a runner that died had deleted, before its tags' absence looks like a registry's
        trouble."""
        for item in self.todo:
            begun = item.do == plans.DELETE_DIGEST and item.begun_at is not None and not item.result
            if begun and not self.steps.there(item.digest):
                self.hold()
                self.do(item)

    def joined(self, along: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        """The tags that are on digests to be deleted though the plan names them nowhere: it was made a while
        ago. A plan that was checked just now needn't be again."""
        doomed = [item.digest for item in self.todo if item.do == plans.DELETE_DIGEST and not item.result]
        if not doomed or self.is_fresh() or self.repository.pk is None:
            return {}
        reading = fetch.patiently(self.repository, budget=self.budget, tick=self.hold)
        if not reading.complete:
            raise oci.TimedOut(reading.problem or "Not all tags could be looked at in time.")
        found: dict[str, list[str]] = {}
        for digest in doomed:
            names = graph.tags_on(self.repository, digest).values_list("name", flat=True)
            more = sorted(set(names) - set(along.get(digest, ())))
            if more:
                found[digest] = more
        return found

    def is_fresh(self) -> bool:
        """Whether its plan was checked within the last moment, and it has done nothing yet."""
        young = timezone.now() - self.action.started_at < FRESH
        return young and not any(item.begun_at for item in self.todo)

    def hold(self) -> None:
        if not journal.renew(self.action, timezone.now()):
            raise Overtaken

    def do(self, item: Item) -> None:
        """Do one step, note how it ended, and let the index know."""
        try:
            outcome = self.barred(item) or self.steps.perform(item)
        except Silent as silence:
            if self.action.tries < len(PAUSES):
                raise
            outcome = steps.failed(silence.error)
        journal.note_ended(item, outcome.result, outcome.reason)
        self.error = self.error or outcome.error
        if outcome.result in {Result.DONE, Result.GONE}:
            self.tell(item)
        elif item.do == plans.COPY:
            for other in self.todo:
                if not other.result:
                    journal.note_ended(other, Result.SKIPPED, UNFINISHED)
        elif isinstance(outcome.error, HOPELESS):
            for other in self.todo:
                if not other.result and other.do == item.do:
                    journal.note_ended(other, Result.FAILED, outcome.reason)

    def barred(self, item: Item) -> Outcome | None:
        """The end of a step that what was protected since doesn't allow; None for one that may be done. One
        that was begun is brought to its end, but for a digest that is still there: nothing of it is gone."""
        begun = item.begun_at is not None
        if begun and not (item.do == plans.DELETE_DIGEST and self.steps.there(item.digest)):
            return None
        if found := self.led_to(item):
            return Outcome(Result.SKIPPED, found)
        step = plans.Step(item.do, item.repository, item.digest, item.tag, item.before)
        reason = guard.why(self.repository, step, self.action.plan.get("asked") or {})
        return Outcome(Result.SKIPPED, reason) if reason else None

    def led_to(self, item: Item) -> str:
        """What leads by now to a digest that was to go because nothing else did, as the index has it; empty
        when nothing does. Events tell it of what is pushed while many are deleted."""
        if item.do != plans.DELETE_DIGEST or self.action.kind not in plans.LEAVES or not self.repository.pk:
            return ""
        along = self.steps.along.get(item.digest, ())
        names = graph.tags_on(self.repository, item.digest).exclude(name__in=along)
        if joined := list(names.values_list("name", flat=True)):
            return steps.on_too(joined)
        going = {one.digest for one in self.todo if one.do == plans.DELETE_DIGEST}
        stays = graph.held(self.repository).filter(children__manifest__digest=item.digest)
        return NEEDED if set(stays.values_list("digest", flat=True)) - going else ""

    def tell(self, item: Item) -> None:
        """Let the index know what a step did."""
        now, pk = timezone.now(), self.repository.pk
        if item.do == plans.DELETE_DIGEST and pk is not None:
            record.missing(self.repository, [item.digest], now)
            along = self.steps.along.get(item.digest, ())
            tags = self.repository.tags.listed().filter(name__in=along, manifest__digest=item.digest)
            tags.update(gone_at=now)
        elif item.do == plans.UNTAG and pk is not None:
            self.repository.tags.listed().filter(name=item.tag).update(gone_at=now)
        elif item.do in {plans.PUT, plans.COPY}:
            with contextlib.suppress(oci.Error):  # it is put; who looks at it next reads it
                reference = item.tag or item.digest
                fetch.manifest(self.repository, reference, budget=KEEPING, max_age=timedelta())

    def shut_out(self) -> str:
        """Why who asked for it may no longer do it; empty while they may. Looked at once in a while, for what
        waits or takes long can outlast a right."""
        if time.monotonic() - self.looked >= AGAIN:
            self.looked = time.monotonic()
            action, right = self.action, kinds.RIGHTS[self.action.kind]
            place = (action.registry, action.repository)
            rights = [right, Right.ADMIN] if overriding.of(action.plan.get("asked") or {}) else [right]
            for one in rights:
                if not people.may_still(action.actor, one, *place):
                    self.why = f"{action.actor} may no longer {one.value} {'/'.join(place)}."
        return self.why

    def cancel(self) -> None:
        """Leave what wasn't begun, because a person wanted it, or who asked for it may no longer."""
        for item in self.todo:
            if not item.result:
                journal.note_ended(item, Result.CANCELLED, self.why)

    def later(self, error: oci.Error) -> Action:
        """Leave the rest to someone later; once that was tried often enough, give it up."""
        tries = self.action.tries
        if tries >= len(PAUSES):
            for item in self.todo:
                if not item.result:
                    journal.note_ended(item, Result.FAILED, str(error))
            self.error = self.error or error
            return journal.finish(self.action, self.ending({}), timezone.now())
        return journal.postpone(self.action, error, timezone.now() + PAUSES[tries])

    # The end

    def conclude(self) -> Action:
        """The action with its end, its tags read back once more and the index in step."""
        stayed = self.read_back()
        tags: dict[str, tuple[str, str]] = {
            tag: (Result.SKIPPED, anew(digest)) if digest else (Result.FAILED, LISTED)
            for tag, digest in stayed.items()
        }
        ended = journal.finish(self.action, self.ending(tags), timezone.now())
        self.learn()
        return ended

    def learn(self) -> None:
        """Sum up what waits for a collection now, if that is soon done. Find out anew what the registry can
        do, when this action met something else than is remembered."""
        away = {plans.DELETE_DIGEST, plans.UNTAG}
        worked = any(item.result == Result.DONE and item.do in away for item in self.todo)
        registry = self.repository.registry
        if worked:
            garbage.sum_up(registry, timezone.now(), most=garbage.SOON)
        if isinstance(self.error, oci.Unsupported) or (worked and registry.keeps_all):
            capabilities.look(registry)

    def read_back(self) -> dict[str, str]:
        """The tags that are listed still though their digest was deleted, and what they are on: another
        digest, or nothing. The index follows the registry's list."""
        if self.repository.pk is None or not any(item.result in WELL for item in self.todo):
            return {}
        began = timezone.now()
        try:
            listed = list(self.client.tags(self.action.repository))
        except oci.NotFound:
            listed = []  # some registries drop a repository along with its last manifest
        gone = {item.digest for item in self.todo if item.do == plans.DELETE_DIGEST and item.result in WELL}
        along = [item.tag for item in self.items if item.do == plans.GOES_ALONG and item.digest in gone]
        stayed = {tag: self.steps.on(tag) for tag in sorted(set(along).intersection(listed))}
        # Pushed anew, they lead elsewhere: the next page that shows them must look.
        self.repository.tags.filter(name__in=stayed).update(seen_at=None)
        history.write(self.moves(stayed))
        listing.tags([listing.Listing(self.repository, listed, began)])
        usage.total(self.repository)
        return stayed

    def moves(self, stayed: Mapping[str, str]) -> Iterator[history.Move]:
        """What became of tags: they left or moved by this action, or left before it came, or were pushed anew
        meanwhile. What the registry still lists has not left."""
        ours = {item.digest: item.result == Result.DONE for item in self.todo if item.result in WELL}
        for item in self.items:
            if item.do == plans.GOES_ALONG and item.digest in ours:
                after = stayed.get(item.tag)
                if after != "":
                    yield self.move(item.tag, item.digest, after or "", ours=ours[item.digest] and not after)
            elif item.result not in WELL or not item.tag:
                continue
            elif item.do == plans.UNTAG:
                yield self.move(item.tag, item.digest, "", ours=item.result == Result.DONE)
            elif item.begun_at is not None:
                yield self.move(item.tag, item.before or "", item.digest, ours=True)

    def move(self, tag: str, before: str, after: str, *, ours: bool) -> history.Move:
        how, who = (How.ACTION, self.action.actor) if ours else (How.CRAWL, "")
        return history.Move(self.repository, tag, before, after, timezone.now(), None, how, who)

    def ending(self, tags: dict[str, tuple[str, str]]) -> Ending:
        """How it ended, by how its steps did."""
        results = [item.result for item in self.todo]
        well = sum(result in WELL for result in results)
        dangling = sorted(tag for tag, (result, _) in tags.items() if result == Result.FAILED)
        if well == len(results):
            state = State.PARTIAL if dangling else State.DONE
        elif well:
            state = State.PARTIAL
        else:
            state = State.CANCELLED if Result.CANCELLED in results else State.FAILED
        error = self.error if state in {State.FAILED, State.PARTIAL} else None
        return Ending(
            state,
            self.reason(well, dangling),
            hint=error.hint if error else "",
            code=error.code if error else "",
            tags=tags,
        )

    def reason(self, well: int, dangling: Sequence[str]) -> str:
        """Why it isn't simply done: in its step's words, or the first of many."""
        if dangling:
            return f"The digest is gone, but the registry still lists {', '.join(dangling)}."
        said = [
            item.reason
            for item in self.todo
            if item.reason and (item.result not in WELL or len(self.todo) == 1)
        ]
        if len(self.todo) == 1 or well == len(self.todo):
            return said[0] if said and len(self.todo) == 1 else ""
        stopped = sum(item.result == Result.CANCELLED for item in self.todo)
        if stopped:
            return f"Stopped after {well} of {len(self.todo)}. {self.why}".strip()
        return f"{len(self.todo) - well} of {len(self.todo)} were not done. {said[0] if said else ''}".strip()


def anew(digest: str) -> str:
    return f"Pushed anew meanwhile, to {plans.shortened(digest)}."
