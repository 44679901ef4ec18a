"""The plan that carries a policy out in one repository: the one that its preview shows and `run` takes."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.utils import timezone

from regui import oci
from regui.actions import delete, guard, many, plans, touched
from regui.actions.many import Chosen
from regui.actions.plans import Check, Plan, Protected, TagOn
from regui.actions.retention import facts
from regui.index import fetch, graph
from regui.index.batches import batches
from regui.index.listing import DANGLING
from regui.index.models import Child, Manifest, Repository, Revision, TagMove
from regui.retention import reading
from regui.retention.deciding import decide, keepers
from regui.retention.policy import Policy
from regui.retention.reach import doomed, reached
from regui.retention.reading import Invalid

Edges = Mapping[int, list[int]]


class Row(NamedTuple):
    """A listed tag as the index has it."""

    name: str
    manifest: int | None
    digest: str
    folded: bool
    seen_at: datetime | None
    problem: str

    @property
    def on(self) -> int | None:
        """The manifest that it leads to; None when it leads nowhere, or nobody knows where."""
        return None if self.problem == DANGLING else self.manifest


@dataclass(frozen=True)
class Asked:
    """What a plan is made again by: a policy, with the others whose keep rules hold too, and what it was to
    drop then. With `tags` and `digests` of None all that the rules say."""

    policy: Policy
    others: Sequence[Policy] = ()
    run: str = ""
    tags: Collection[str] | None = None
    digests: Collection[str] | None = None

    @classmethod
    def read(cls, asked: Mapping[str, Any]) -> "Asked":
        """It from `Plan.asked`; raises `Invalid`, which says where."""
        found: dict[str, list[str]] = {}
        others = asked.get("others") or []
        if not isinstance(others, list):
            raise Invalid(("others",), "others must be a list.")
        for name in ("tags", "digests"):
            found[name] = asked.get(name) or []
            if not isinstance(found[name], list) or not all(isinstance(one, str) for one in found[name]):
                raise Invalid((name,), f"{name} must be a list of texts.")
        return cls(
            Policy.read(asked.get("rules"), ("rules",)),
            [Policy.read(one, ("others", number)) for number, one in enumerate(others)],
            reading.text(asked.get("run", "")),
            frozenset(found["tags"]),
            frozenset(found["digests"]),
        )

    def plain(self, repository: str, tags: Iterable[str], digests: Iterable[str]) -> plans.Facts:
        """It as `Plan.asked`, for what is dropped in that repository. Whoever sees this one may read it, so
        it says nothing of others that the policies are about, and no notes."""

        def here(one: Policy) -> dict[str, Any]:
            return replace(one, repositories=(repository,), note="", schedule="").plain()

        others = [one for one in self.others if keepers(self.policy, [one], repository)]
        return {
            "policy": self.policy.name,
            "rules": here(self.policy),
            "others": [here(one) for one in others],
            "run": self.run,
            "tags": sorted(tags if self.tags is None else self.tags),
            "digests": sorted(digests if self.digests is None else self.digests),
        }


def look(
    repository: Repository,
    policy: Policy,
    others: Sequence[Policy],
    now: datetime,
    *,
    run: str = "",
    max_age: timedelta | None = fetch.MAX_AGE,
    budget: float = fetch.CHECK_BUDGET,
    tick: Callable[[], None] = fetch.nothing,
) -> Plan:
    """The plan of what the policy drops in the repository, after asking the registry what its tags are on.
    `others` are the registry's other policies that are in force, whose keep rules hold here too; `run` is the
    key of the run that it is for, written down with the action. With a `max_age` of None nothing is asked,
    and the plan can't be carried out as it is; `tick` is called now and then while something is."""
    return made(repository, Asked(policy, others, run), now, max_age, budget, tick)


def again(repository: Repository, asked: plans.Facts, *, budget: float = fetch.CHECK_BUDGET) -> Plan:
    """The same plan from what there is now, as far as the rules still say so: a tag that one would keep by
    now stays, and one that was not to go doesn't go. Raises `oci.InvalidName` for what can't be a policy."""
    try:
        found = Asked.read(asked)
    except (Invalid, ValueError) as error:
        raise oci.InvalidName(f"The policy can't be meant: {error}") from error
    return made(repository, found, timezone.now(), timedelta(), budget, fetch.nothing)


def made(
    repository: Repository,
    asked: Asked,
    now: datetime,
    max_age: timedelta | None,
    budget: float,
    tick: Callable[[], None],
) -> Plan:
    deadline, read = time.monotonic() + budget, None
    if max_age is not None:
        read = fetch.patiently(repository, budget=budget, max_age=max_age, tick=tick)
    around = Around.of(repository)
    dropped = dropping(repository, asked, around, now)
    old = untagged(repository, asked, around, now)
    chosen, held, lost = select(repository, around, dropped, old)
    if read is not None and read.complete:
        read = verified(repository, chosen, read, max(deadline - time.monotonic(), 0))
    chosen = replace(chosen, doomed=lying(repository, chosen))
    told = asked.plain(repository.name, dropped, old.values())
    found = many.plan(repository, plans.RETAIN, told, chosen, read, lost)
    found = replace(found, protected=held, check=trusted(repository, found.check))
    return guard.guarded(repository, found)


def verified(repository: Repository, chosen: Chosen, read: fetch.Reading, budget: float) -> fetch.Reading:
    """The reading, after asking for those of the manifests that go of which nobody knows whether they lie in
    this repository: an index named them, and they were read elsewhere."""
    known: set[int] = set()
    for some in batches(chosen.doomed):
        rows = Revision.objects.filter(repository=repository, manifest__in=some)
        known |= set(rows.values_list("manifest_id", flat=True))
    unknown = [digest for pk, digest in chosen.doomed.items() if pk not in known]
    if not unknown:
        return read
    asked = fetch.verify(repository, unknown, budget=budget)
    if asked.complete:
        return read
    return replace(read, **delete.failure(asked.problem, asked.error_code, asked.hint))


def lying(repository: Repository, chosen: Chosen) -> dict[int, str]:
    """Those of the manifests that the repository holds: what isn't there can't be deleted."""
    held: set[int] = set()
    for some in batches(chosen.doomed):
        rows = Revision.objects.held().filter(repository=repository, manifest__in=some)
        held |= set(rows.values_list("manifest_id", flat=True))
    tagged = {tag.digest for tag in chosen.tags}
    return {pk: digest for pk, digest in chosen.doomed.items() if pk in held or digest in tagged}


def trusted(repository: Repository, check: Check) -> Check:
    """The check, incomplete when the repository isn't known well enough to drop anything in it."""
    why = facts.wary(repository)
    return replace(check, complete=False, problem=check.problem or why) if why else check


@dataclass(frozen=True)
class Around:
    """All that hangs together in a repository: its listed tags by name, what an index contains and what
    speaks about a manifest, both by keys, and what no tag leads to, with digests."""

    tags: Mapping[str, Row]
    children: Edges
    about: Edges
    loose: Mapping[int, str]
    digests: Mapping[int, str]

    @classmethod
    def of(cls, repository: Repository) -> "Around":
        columns = ("name", "manifest_id", "manifest__digest", "folded", "seen_at", "problem")
        rows = repository.tags.listed().order_by("name").values_list(*columns)
        tags = {row[0]: Row(*row) for row in rows.iterator(chunk_size=2_000)}
        held = dict(graph.held(repository).values_list("pk", "digest"))
        digests = held | {row.manifest: row.digest for row in tags.values() if row.manifest is not None}
        children = below(digests)
        for pk, digest in keyed({one for some in children.values() for one in some} - digests.keys()):
            digests[pk] = digest
        return cls(
            tags,
            children,
            speaking(repository, tags.values(), digests),
            many.loose(repository),
            digests,
        )

    @property
    def adrift(self) -> set[int]:
        """What speaks, by its tag, about something that isn't there: it is nobody's to take along."""
        seen = [row.manifest for row in self.tags.values() if not row.folded and row.manifest is not None]
        led = reached([*seen, *self.loose], self.children, self.about)
        folded = {row.manifest for row in self.tags.values() if row.folded and row.manifest is not None}
        return folded - led


def below(manifests: Iterable[int]) -> dict[int, list[int]]:
    """What indexes among these contain, at any depth."""
    found: dict[int, list[int]] = {}
    met, frontier = set(manifests), set(manifests)
    while frontier:
        further: set[int] = set()
        for some in batches(frontier):
            for parent, child in Child.objects.filter(parent__in=some).values_list(
                "parent_id", "manifest_id"
            ):
                found.setdefault(parent, []).append(child)
                further.add(child)
        frontier = further - met
        met |= frontier
    return found


def keyed(manifests: Iterable[int]) -> Iterable[tuple[int, str]]:
    for some in batches(manifests):
        yield from Manifest.objects.filter(pk__in=some).values_list("pk", "digest")


def speaking(repository: Repository, tags: Iterable[Row], digests: Mapping[int, str]) -> dict[int, list[int]]:
    """What speaks about each manifest: by its subject, or by a tag that clients make of what is meant."""
    key_of = {digest: pk for pk, digest in digests.items()}
    said = graph.held(repository).exclude(subject="").values_list("pk", "subject")
    pairs = [(pk, str(subject)) for pk, subject in said]
    for row in tags:
        companion = oci.companion(row.name) if row.folded and row.manifest is not None else None
        pairs += [(row.manifest, companion.subject)] if companion and row.manifest is not None else []
    found: dict[int, list[int]] = {}
    for pk, subject in pairs:
        if subject in key_of:
            found.setdefault(key_of[subject], []).append(pk)
    return found


def dropping(repository: Repository, asked: Asked, around: Around, now: datetime) -> set[str]:
    """The names of the tags that go by the rules, of those that were asked for."""
    policy, name = asked.policy, repository.name
    if policy.registry != repository.registry.name or not policy.covers(name):
        return set()
    others = keepers(policy, asked.others, name)
    needs = policy.needs.union(*(other.rule.asks for other in others))
    tags = facts.of_repository(repository, needs)
    decision = decide(policy, tags, facts.moment(repository.registry, now), others)
    # What moved between the two looks at the index stays.
    found = {
        tag.name
        for tag in decision.dropped
        if tag.name in around.tags and around.tags[tag.name].on == tag.manifest
    }
    return found if asked.tags is None else found & set(asked.tags)


def untagged(repository: Repository, asked: Asked, around: Around, now: datetime) -> dict[int, str]:
    """The manifests that no tag leads to and that were there so long that the policy lets them go: neither
    seen for the first time since, nor left by a tag."""
    policy = asked.policy
    if not policy.untagged or not around.loose or not policy.covers(repository.name):
        return {}
    if policy.registry != repository.registry.name or facts.wary(repository):
        return {}
    since = now - timedelta(seconds=policy.untagged)
    young = set(
        Revision.objects.filter(repository=repository, first_seen_at__gt=since).values_list(
            "manifest_id", flat=True
        )
    )
    moves = TagMove.objects.filter(registry=repository.registry.name, repository=repository.name)
    left = set(moves.filter(at__gt=since).exclude(before="").values_list("before", flat=True))
    old = {pk: one for pk, one in around.loose.items() if pk not in young and one not in left}
    return {pk: one for pk, one in old.items() if asked.digests is None or one in asked.digests}


def select(
    repository: Repository, around: Around, dropped: Collection[str], old: Mapping[int, str]
) -> tuple[Chosen, tuple[Protected, ...], list[str]]:
    """What goes: the dropped tags, what only they and what is `old` lead to, and what speaks about that. With
    it what stays though nothing but that leads there, since it may not be touched; and the dropped tags of
    which nobody knows what they are on, in words."""
    going = [around.tags[name] for name in sorted(dropped)]
    lost = [f"The tag {row.name} leads nowhere, or can't be read." for row in going if row.on is None]
    roots = {*old, *(row.on for row in going if row.on is not None)}
    stay = {
        row.manifest
        for row in around.tags.values()
        if row.manifest is not None and not row.folded and row.name not in dropped
    }
    stay |= around.loose.keys() - old.keys() | around.adrift
    gone = doomed(stay, roots, around.children, around.about)
    locked = guard.locks(repository, digests=[around.digests[pk] for pk in gone])
    held = {pk for pk in gone if around.digests[pk] in locked.digests}
    if held:
        gone = doomed(stay | held, roots, around.children, around.about)
    away = {row.name: row for row in going if row.on is not None} | along(around, gone)
    tags = [TagOn(one.name, one.digest, touched.role_of_tag(one.name), one.seen_at) for one in away.values()]
    protected = [locked.on_digest(around.digests[pk]) for pk in sorted(held)]
    whole = {pk: around.digests[pk] for pk in sorted(gone)}
    return Chosen(tuple(tags), whole), tuple(filter(None, protected)), lost


def along(around: Around, gone: Collection[int]) -> dict[str, Row]:
    """The tags that go along: those on what goes, and those about it."""
    digests = {around.digests[pk] for pk in gone}
    found = {}
    for row in around.tags.values():
        companion = oci.companion(row.name) if row.folded else None
        if row.on in gone or (row.on is not None and companion and companion.subject in digests):
            found[row.name] = row
    return found
