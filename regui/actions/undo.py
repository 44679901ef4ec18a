"""Taking an action back, and putting back what was deleted, as far as the registry still has the blobs.

A manifest can be PUT again while every blob and child it needs is there; a garbage collection ends that. What
can't come back is named before anything is put.
"""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from django.utils import timezone

from regui import oci
from regui.actions import guard, plans, steps
from regui.actions.models import Action, Item, Kept
from regui.actions.plans import Check, Child, Plan, Step, TagOn
from regui.index import connect, graph
from regui.index.models import Registry, Repository

T = TypeVar("T")

# Seconds in which the registry has to say what is still there.
BUDGET = 60.0
WELL = (Item.Result.DONE, Item.Result.GONE)
UNDOABLE = (Action.State.DONE, Action.State.PARTIAL)


def look(action: Action, *, budget: float = BUDGET) -> Plan:
    """The plan that takes an action back, after asking the registry what is there. What of it can't be had
    back is among `lost`; when that is all, there are no steps."""
    items = [item for item in action.items.all() if item.result in WELL]
    back = Back(
        repository_of(action.registry, action.repository),
        {one.digest: one for one in action.kept.all()},
        [*tags_gone(items), *((item.digest, "") for item in items if item.do == plans.DELETE_DIGEST)],
    )
    return plan(back, plans.UNDO, {"action": action.pk}, items, action.digest, budget)


def restore(
    repository: Repository, digest: str, tags: Collection[str] = (), *, budget: float = BUDGET
) -> Plan:
    """The plan that puts a deleted manifest back from the journal's bytes, under these tags; without any,
    under those it had. Its children come along where they are gone."""
    rows = Kept.objects.filter(action__registry=repository.registry.name, repository=repository.name)
    mine = rows.filter(digest=digest).order_by("-action__started_at").first()
    kept = {one.digest: one for one in rows.filter(action=mine.action_id)} if mine else {}
    names = list(tags) or (mine.tags if mine else [])
    back = Back(repository, kept, [*((digest, name) for name in names), (digest, "")])
    asked = {"digest": digest, "tags": sorted(tags)} if tags else {"digest": digest}
    return plan(back, plans.RESTORE, asked, (), digest, budget)


def repository_of(registry: str, name: str) -> Repository:
    """The repository an action was about, perhaps without a row; Registry.DoesNotExist when its registry is
    no longer there."""
    row = Registry.objects.get(name=registry, active=True)
    found = row.repositories.filter(name=name).select_related("registry").first()
    return found or Repository(registry=row, name=name, first_seen_at=timezone.now())


def tags_gone(items: Iterable[Item]) -> list[tuple[str, str]]:
    """The tags that an action took away, with the digest each was on."""
    gone = {plans.UNTAG, plans.GOES_ALONG}
    return [(item.digest, item.tag) for item in items if item.do in gone]


def plan(
    back: "Back",
    kind: str,
    asked: Mapping[str, object],
    items: Sequence[Item],
    digest: str,
    budget: float,
) -> Plan:
    check = Check(total=1, as_of=timezone.now())
    try:
        back.ask(items, time.monotonic() + budget)
    except oci.Error as error:
        check = Check(total=1, as_of=timezone.now(), problem=str(error), hint=error.hint, code=error.code)
    else:
        back.decide()
        back.turn(items)
        check = Check(1, 1, timezone.now(), complete=True)
    found = Plan(
        kind=kind,
        registry=back.repository.registry.name,
        repository=back.repository.name,
        digest=digest,
        asked=asked,
        steps=tuple(back.steps),
        tags=tuple(back.tags),
        left_behind=back.left_behind(items),
        lost=tuple(back.lost),
        check=check,
    )
    return guard.guarded(back.repository, found)


@dataclass
class Back:
    """What is to come back: `wanted` manifests and tags, an empty tag for the manifest itself; and what the
    registry says of it."""

    repository: Repository
    kept: Mapping[str, Kept]
    wanted: Sequence[tuple[str, str]]
    on: dict[str, str] = field(default_factory=dict)
    there: dict[str, bool] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    tags: list[TagOn] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def ask(self, items: Sequence[Item], deadline: float) -> None:
        """Find out what tags are on, which manifests are there, and of the others which blobs are missing.
        Raises `oci.Error` when the registry doesn't say."""
        link = connect.link(self.repository.registry)
        name, client = self.repository.name, link.client.until(deadline)

        def on(reference: str) -> str:
            try:
                return client.head_manifest(name, reference).digest
            except oci.NotFound:
                return ""

        tags = {tag for _, tag in self.wanted if tag} | {item.tag for item in items if item.tag}
        for tag, answer in link.map(on, sorted(tags), deadline):
            self.on[tag] = said(answer)
        wanted = self.below(dict.fromkeys(digest for digest, _ in self.wanted))
        for digest, there in link.map(lambda one: steps.has(client, name, oci.Digest(one)), wanted, deadline):
            self.there[digest] = said(there)
        gone = [self.kept[one] for one in wanted if not self.there[one] and one in self.kept]
        for kept, found in link.map(lambda one: steps.missing(client, name, one), gone, deadline):
            self.missing[kept.digest] = said(found)

    def below(self, digests: Iterable[str]) -> list[str]:
        """These manifests and what they contain, as far as the bytes are at hand; children first."""
        order: dict[str, None] = {}

        def place(digest: str) -> None:
            if digest in order:
                return
            kept = self.kept.get(digest)
            document = oci.parse(kept.body, kept.media_type) if kept else None
            if isinstance(document, oci.Index):
                for one in document.manifests:
                    if one.digest in self.kept:
                        place(one.digest)
            order.setdefault(digest)

        for digest in digests:
            place(digest)
        return list(order)

    def decide(self) -> None:
        """The steps that bring back what can come back, children first; and what can't, in words."""
        tags: dict[str, list[str]] = {}
        for digest, tag in self.wanted:
            tags.setdefault(digest, []).extend([tag] if tag else [])
        coming: set[str] = set()
        for digest in self.there:
            short = plans.shortened(digest)
            if not self.there[digest]:
                if digest not in self.kept:
                    self.lost.append(f"{short} can't come back: nobody has its bytes.")
                    continue
                if missing := [one for one in self.missing[digest] if one not in coming]:
                    what = ", ".join(plans.shortened(one) for one in missing)
                    self.lost.append(f"{short} can't come back: the registry no longer has {what}.")
                    continue
            coming.add(digest)
            free = [tag for tag in tags.get(digest, ()) if self.is_free(tag, digest)]
            name = self.repository.name
            self.steps += [Step(plans.PUT, name, digest, tag, before="") for tag in free]
            if not free and not self.there[digest]:
                self.steps.append(Step(plans.PUT, name, digest))

    def is_free(self, tag: str, digest: str) -> bool:
        """Whether the tag is on nothing by now; on another digest it stays, and that is said."""
        now = self.on[tag]
        if now and now != digest:
            self.lost.append(f"The tag {tag} is on {plans.shortened(now)} by now, and stays there.")
        return not now

    def turn(self, items: Sequence[Item]) -> None:
        """The steps that take back what was put: the tag goes, or returns to where it was."""
        for item in reversed(items):
            if item.do not in {plans.PUT, plans.COPY} or not item.tag or item.begun_at is None:
                continue
            if self.on[item.tag] != item.digest:
                self.lost.append(f"The tag {item.tag} was moved since, and stays where it is.")
                continue
            name = self.repository.name
            if item.before:
                self.steps.append(Step(plans.PUT, name, item.before, item.tag, before=item.digest))
            else:
                self.steps.append(Step(plans.UNTAG, name, item.digest, item.tag, before=item.digest))
            self.tags.append(TagOn(item.tag, item.digest))

    def left_behind(self, items: Iterable[Item]) -> tuple[Child, ...]:
        """What was copied: it stays when its tag goes, unless another leads there."""
        going = {(tag.name, tag.digest) for tag in self.tags}
        came = dict.fromkeys(item.digest for item in items if item.do == plans.COPY and item.begun_at)
        if not going or self.repository.pk is None:
            return ()
        rows = graph.held(self.repository).filter(digest__in=came)
        sizes = {row.digest: (row.pk, row.platform, row.size) for row in rows}
        on = (
            self.repository.tags.listed()
            .exclude(manifest=None)
            .values_list("name", "manifest__digest", "manifest")
        )
        stay = graph.reachable(
            pk for name, digest, pk in on if (name, digest) not in going and pk is not None
        )
        found = ((digest, *sizes[digest]) for digest in came if digest in sizes)
        return tuple(Child(digest, platform, size) for digest, pk, platform, size in found if pk not in stay)


def said(answer: T | oci.Error) -> T:
    """The answer; raises it when it is an error."""
    if isinstance(answer, oci.Error):
        raise answer
    return answer
