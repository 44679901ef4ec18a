"""What the repositories hold in which somebody may delete, some at a time, as sums over a registry ask."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from regui import oci
from regui.accounts import access
from regui.accounts.access import Actor, Right
from regui.actions.retention import facts
from regui.actions.retention.facts import Stand
from regui.actions.retention.locks import Locks
from regui.index import record, usage
from regui.index.batches import batches
from regui.index.models import Registry, Revision, Tag, TagMove
from regui.index.usage.terms import NEVER, Place, Terms

# Repositories whose revisions are read with one query; with what tags are on, so many are held in memory.
SOME = 200

# What is said of each tag of a stand, in its order: its terms.
Say = Callable[[Stand], Sequence[int]]


@dataclass(frozen=True)
class Said:
    """What is left of a stand once its tags are judged: the terms by manifest."""

    key: int
    name: str
    tagged: dict[int, int]


def stands(
    registry: Registry, needs: Collection[str], patterns: Collection[str], actor: Actor
) -> Iterator[Stand]:
    """The covered repositories in which this actor may delete, and of which enough is known to do so."""
    everywhere = actor.may(Right.DELETE, registry.name)
    for stand in facts.stands(registry, needs, patterns, access.seen_in(actor, registry)):
        if not stand.wary and (everywhere or actor.may(Right.DELETE, registry.name, stand.name)):
            yield stand


@dataclass
class Places:
    """Tells `Terms` what repositories say. `untagged` is after how many seconds what no tag leads to goes, 0
    for never, and on which terms `loose`."""

    registry: Registry
    terms: Terms
    now: datetime
    untagged: int = 0
    loose: int = 1
    locks: Locks = field(init=False)

    def __post_init__(self) -> None:
        self.locks = Locks.of_registry(self.registry, self.now)

    def tell(
        self, found: Iterator[Stand], say: Say
    ) -> Iterator[tuple[Place, dict[int, int], dict[int, int]]]:
        """Yield each repository from which anything may go, with the terms of what its tags lead to and those
        of the rest."""
        judged = (self._said(stand, say(stand)) for stand in found)
        going = (one for one in judged if self.untagged or any(one.tagged.values()))
        for some in batches(going, SOME):
            for place in self._places(some):
                yield place, *self.terms.add(place)

    def _said(self, stand: Stand, terms: Sequence[int]) -> Said:
        tagged: dict[int, int] = {}
        for tag, one in zip(stand.tags, terms, strict=True):
            if tag.manifest is not None:
                old = tagged.get(tag.manifest)
                tagged[tag.manifest] = one if old is None else self.terms.meet(old, one)
        return Said(stand.key, stand.name, tagged)

    def _places(self, some: Sequence[Said]) -> Iterator[Place]:
        keys = [one.key for one in some]
        held: dict[int, set[int]] = defaultdict(set)
        rows = Revision.objects.held().filter(repository__in=keys).order_by()
        for repository, manifest in rows.values_list("repository_id", "manifest_id").iterator():
            held[repository].add(manifest)
        about, loose = self._about(keys), self._loose(some)
        for one in some:
            uses = self.locks.uses.get(one.name)
            running = (self.locks.manifests.get(digest) for digest in uses.digests) if uses else ()
            # What runs by its digest alone stays as if a tag were on it.
            kept = {key: NEVER for key in running if key is not None and key in held[one.key]}
            without = {key: self.loose for key in loose.get(one.key, ()) if key not in kept}
            yield Place(one.key, one.tagged | kept, held[one.key], about.get(one.key, {}), without)

    def _about(self, keys: Sequence[int]) -> dict[int, dict[int, list[int]]]:
        """For each repository, from manifests to what tags such as signatures' say is about them."""
        rows = Tag.objects.listed().filter(repository__in=keys, folded=True).exclude(manifest=None)
        named = [
            (*row, oci.companion(row[1])) for row in rows.values_list("repository_id", "name", "manifest")
        ]
        subjects = record.keys(self.registry, {about.subject for *_, about in named if about})
        found: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        for repository, _, manifest, about in named:
            if about and about.subject in subjects:
                found[repository][subjects[about.subject]].append(manifest)
        return found

    def _loose(self, some: Sequence[Said]) -> Mapping[int, set[int]]:
        """For each repository, what no tag leads to, and none has left, for long enough."""
        if not self.untagged:
            return {}
        since = self.now - timedelta(seconds=self.untagged)
        keys = {one.key: one.name for one in some}
        rows = Revision.objects.held().filter(usage.untagged(), repository__in=keys, first_seen_at__lte=since)
        found = list(rows.values_list("repository_id", "manifest_id", "manifest__digest"))
        moves = TagMove.objects.filter(
            registry=self.registry.name, repository__in={keys[one] for one, *_ in found}, at__gt=since
        )
        left = set(moves.exclude(before="").values_list("repository", "before"))
        loose: dict[int, set[int]] = defaultdict(set)
        for repository, manifest, digest in found:
            if (keys[repository], digest) not in left:
                loose[repository].add(manifest)
        return loose
