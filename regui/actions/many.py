"""Plans that delete many manifests of one repository: those of some tags, all, or all that are untagged.

A tag that is the last of its digest takes the manifest along, for nothing else would ever free its bytes; one
that has siblings outside the selection, or whose digest an index outside it needs, is only taken away.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.utils import timezone

from regui.actions import delete, guard, overriding, plans, touched
from regui.actions.freed import together
from regui.actions.plans import Child as Left
from regui.actions.plans import Plan, Protected, Step, TagOn
from regui.index import fetch, graph, usage
from regui.index.batches import batches
from regui.index.models import Child, Manifest, Repository, Revision

# Tags that are asked for before the others: as many as a database takes in one statement.
FIRST = 500


@dataclass(frozen=True)
class Chosen:
    """What is to go: tags on digests, and manifests by key and digest. `whole` says that nothing stays."""

    tags: tuple[TagOn, ...]
    doomed: Mapping[int, str]
    whole: bool = False


def tags(
    repository: Repository,
    names: Collection[str],
    *,
    max_age: timedelta = fetch.MAX_AGE,
    budget: float = fetch.CHECK_BUDGET,
    override: str = "",
) -> Plan:
    """The plan to delete these tags, after asking the registry what they and their siblings are on."""
    over = overriding.asked(plans.DELETE_TAGS, override)
    reading = look(repository, names, max_age, budget)
    stay = guard.of_tags(repository, names, guard.uses_for(over))
    asked = set(names) - {one.tag for one in stay}
    chosen, needed = spared(repository, of_tags(repository, asked), over)
    there = {tag.name for tag in chosen.tags}
    lost = tuple(f"The tag {name} is not there, or can't be read." for name in sorted(asked - there))
    found = plan(repository, plans.DELETE_TAGS, {"tags": sorted(names), **over}, chosen, reading, lost)
    return replace(found, protected=(*stay, *needed))


def everything(
    repository: Repository,
    *,
    max_age: timedelta = fetch.MAX_AGE,
    budget: float = fetch.CHECK_BUDGET,
    override: str = "",
) -> Plan:
    """The plan to delete all tags of the repository and every manifest that regui knows it holds."""
    reading = look(repository, (), max_age, budget)
    rows = graph.held(repository).exclude(read_at=None)
    on = repository.tags.listed().exclude(manifest=None)
    doomed = dict(rows.values_list("pk", "digest")) | dict(on.values_list("manifest_id", "manifest__digest"))
    chosen = Chosen(touched.tags_of(repository, doomed.values()), doomed, whole=True)
    over = overriding.asked(plans.DELETE_REPOSITORY, override)
    return guard.guarded(repository, plan(repository, plans.DELETE_REPOSITORY, over, chosen, reading))


def untagged(
    repository: Repository,
    *,
    max_age: timedelta = fetch.MAX_AGE,
    budget: float = fetch.CHECK_BUDGET,
    override: str = "",
) -> Plan:
    """The plan to delete the manifests seen in the repository that no tag leads to, through indexes neither,
    and that speak about nothing that a tag leads to."""
    reading = look(repository, (), max_age, budget)
    over = overriding.asked(plans.DELETE_UNTAGGED, override)
    chosen, needed = spared(repository, Chosen((), loose(repository)), over)
    found = plan(repository, plans.DELETE_UNTAGGED, over, chosen, reading)
    return replace(found, protected=needed)


def look(repository: Repository, names: Collection[str], max_age: timedelta, budget: float) -> fetch.Reading:
    """Ask the registry for all tags of the repository, and what each is on; how that went."""
    return fetch.patiently(repository, first=sorted(names)[:FIRST], budget=budget, max_age=max_age)


def of_tags(repository: Repository, names: Collection[str]) -> Chosen:
    """These tags, and the manifests that nothing but them leads to."""
    found: list[tuple[str, int, str, Any]] = []
    for some in batches(sorted(names)):
        rows = repository.tags.listed().filter(name__in=some).exclude(manifest=None)
        found += rows.values_list("name", "manifest_id", "manifest__digest", "seen_at")
    on = {pk: digest for _, pk, digest, _ in found}
    chosen = {name for name, *_ in found}
    siblings = {
        pk
        for some in batches(on)
        for name, pk in repository.tags.listed().filter(manifest__in=some).values_list("name", "manifest_id")
        if name not in chosen
    }
    doomed = {pk: digest for pk, digest in on.items() if pk not in siblings}
    needed = needed_by_others(repository, doomed)
    return Chosen(
        tuple(TagOn(name, digest, touched.role_of_tag(name), seen) for name, _, digest, seen in found),
        {pk: digest for pk, digest in doomed.items() if pk not in needed},
    )


def spared(
    repository: Repository, chosen: Chosen, asked: plans.Facts = guard.NOTHING
) -> tuple[Chosen, tuple[Protected, ...]]:
    """What was chosen without the manifests that protected tags or what runs need, and these: of their tags,
    those that were chosen are only taken away."""
    locked = guard.locks(repository, digests=chosen.doomed.values(), uses=guard.uses_for(asked))
    doomed = {pk: digest for pk, digest in chosen.doomed.items() if digest not in locked.digests}
    needed = [locked.on_digest(digest) for digest in sorted(locked.digests)]
    return replace(chosen, doomed=doomed), tuple(filter(None, needed))


def needed_by_others(repository: Repository, doomed: Mapping[int, str]) -> set[int]:
    """Those of the manifests that an index which stays in the repository contains."""
    lines: list[tuple[int, int]] = []
    for some in batches(doomed):
        found = Child.objects.filter(manifest__in=some, parent__revisions__repository=repository)
        lines += found.filter(parent__revisions__gone_at=None).values_list("manifest_id", "parent_id")
    needed: set[int] = set()
    while more := {pk for pk, parent in lines if parent not in doomed or parent in needed} - needed:
        needed |= more
    return needed


def loose(repository: Repository) -> dict[int, str]:
    """What the repository holds, by key, that no tag leads to and that is about nothing a tag leads to."""
    held = dict(graph.held(repository).exclude(read_at=None).values_list("pk", "digest"))
    tagged = repository.tags.listed().exclude(manifest=None).values_list("manifest_id", flat=True)
    reached = graph.reachable({pk for pk in tagged if pk is not None})
    digests = {held[pk] for pk in reached if pk in held}
    about = dict(graph.held(repository).exclude(subject="").values_list("pk", "subject"))
    while more := {pk for pk, subject in about.items() if subject in digests} - reached:
        reached |= graph.reachable(more)
        digests |= {held[pk] for pk in reached if pk in held}
    return {pk: digest for pk, digest in held.items() if pk not in reached}


def plan(
    repository: Repository,
    kind: str,
    asked: Mapping[str, Any],
    chosen: Chosen,
    reading: fetch.Reading | None,
    lost: Sequence[str] = (),
) -> Plan:
    """The plan that does away with what is chosen, and all that it touches besides."""
    doomed = in_order(chosen.doomed)
    gone = set(chosen.doomed.values())
    # In an order of their own, not in whatever one the database has: the plan made again must be the same.
    away = sorted((tag for tag in chosen.tags if tag.digest not in gone), key=lambda tag: tag.name)
    steps = [Step(plans.DELETE_DIGEST, repository.name, digest) for digest in doomed]
    steps += [Step(plans.UNTAG, repository.name, tag.digest, tag.name, before=tag.digest) for tag in away]
    rows = Manifest.objects.filter(pk__in=chosen.doomed)
    names = {tag.name for tag in chosen.tags}
    stay = tuple(
        tag for tag in touched.tags_of(repository, {tag.digest for tag in away}) if tag.name not in names
    )
    return Plan(
        kind=kind,
        registry=repository.registry.name,
        repository=repository.name,
        asked=asked,
        steps=tuple(steps),
        tags=chosen.tags,
        stay=stay,
        referrers=() if chosen.whole else touched.referrers_of(repository, gone),
        left_behind=() if chosen.whole else left_behind(repository, chosen.doomed),
        lost=tuple(lost),
        bytes=together(repository, rows),
        check=delete.check_of(repository, reading, timezone.now()),
    )


def in_order(doomed: Mapping[int, str]) -> list[str]:
    """The digests, each index before what it contains: some registries delete nothing that an index needs."""
    parents: dict[int, set[int]] = {pk: set() for pk in doomed}
    for some in batches(doomed):
        for parent, child in Child.objects.filter(parent__in=some).values_list("parent_id", "manifest_id"):
            if child in parents:
                parents[child].add(parent)
    order: dict[int, None] = {}

    def place(pk: int, above: frozenset[int]) -> None:
        for parent in sorted(parents[pk] - above):
            if parent not in order:
                place(parent, above | {pk})
        order.setdefault(pk)

    for pk in sorted(doomed):
        place(pk, frozenset())
    return [doomed[pk] for pk in order]


def left_behind(repository: Repository, doomed: Mapping[int, str]) -> tuple[Left, ...]:
    """The children of indexes among these that nothing else leads to."""
    indexes = set(Child.objects.filter(parent__in=doomed).values_list("parent_id", flat=True))
    if not indexes:
        return ()
    below, _ = usage.downwards(indexes)
    tagged = repository.tags.listed().exclude(manifest=None).exclude(manifest__in=doomed)
    kept = graph.reachable({pk for pk in tagged.values_list("manifest_id", flat=True) if pk is not None})
    held = Revision.objects.held().filter(repository=repository).values("manifest")
    rows = Manifest.objects.filter(pk__in=below - kept - doomed.keys()).filter(pk__in=held).order_by("digest")
    lines = Child.objects.filter(manifest__in=rows).order_by("-parent", "-position")
    names = {line.manifest_id: touched.name_of(line) for line in lines}
    return tuple(Left(row.digest, names.get(row.pk, ""), row.size) for row in rows)
