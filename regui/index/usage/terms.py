"""On which terms manifests, and the blobs they need, leave a registry: what all agree on that need them.

Terms are numbers of which 0 says never. What they mean is up to who asks: `meet` makes of those of two what
both agree on, such as `min`, or `&` for bits. So one pass over a registry answers many questions at a time,
with eight bytes for each manifest and each blob.
"""

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from regui.index.models import Registry
from regui.index.usage.edges import Edges
from regui.index.usage.settling import stream
from regui.index.usage.tally import Bits

Meet = Callable[[int, int], int]
NEVER, UNSAID = 0, -1

HELD = """
    SELECT index_revision.repository_id, index_revision.manifest_id
    FROM index_revision JOIN index_repository ON index_repository.id = index_revision.repository_id
    WHERE index_repository.registry_id = %s AND index_repository.gone_at IS NULL
    AND index_revision.gone_at IS NULL
"""
# Whose rows there are of other registries is told by their manifests, which is quicker than to join them.
USES = "SELECT manifest_id, blob_id FROM index_blobuse"
SIZES = "SELECT id, size FROM index_blob WHERE registry_id = %s"
# Unread, and not because the registry hasn't got it.
UNREAD = """
    SELECT id FROM index_manifest WHERE registry_id = %s AND read_at IS NULL AND (
        EXISTS (SELECT 1 FROM index_revision WHERE manifest_id = index_manifest.id AND gone_at IS NULL)
        OR NOT EXISTS (SELECT 1 FROM index_revision WHERE manifest_id = index_manifest.id)
    )
"""


@dataclass(frozen=True)
class Place:
    """What one repository says: `tagged` maps the manifests that its tags are on to the terms of these,
    `loose` some that no tag leads to; `held` is all that it holds, and `about` leads from a manifest to those
    whose tags say that they are about it."""

    key: int
    tagged: Mapping[int, int]
    held: Collection[int]
    about: Mapping[int, Collection[int]] = field(default_factory=dict)
    loose: Mapping[int, int] = field(default_factory=dict)


class Numbers:
    """A number for each key of a row, `UNSAID` while there is none."""

    def __init__(self) -> None:
        self.items = array("q")

    def get(self, key: int) -> int:
        return self.items[key] if key < len(self.items) else UNSAID

    def agree(self, key: int, number: int, meet: Meet) -> bool:
        """Whether it changes what was said of that key that this is said, too."""
        if key >= len(self.items):
            self.items.extend([UNSAID] * (key + 1024 - len(self.items)))
        old = self.items[key]
        new = number if old == UNSAID else meet(old, number)
        self.items[key] = new
        return new != old


class Terms:
    """Those of all manifests of a registry, once every repository has said its own."""

    def __init__(self, registry: Registry, meet: Meet) -> None:
        self.registry, self.meet = registry, meet
        self.children, self.about = Edges.children(registry), Edges.about(registry)
        self.manifests = Numbers()
        self.said = Bits()

    def add(self, place: Place) -> tuple[dict[int, int], dict[int, int]]:
        """What a repository makes of what it says: the terms of all that its tags lead to, and of the rest of
        what it holds."""
        tagged = self._spread(place, place.tagged, {})
        loose = self._spread(place, place.loose, tagged)
        rest = [one for one in place.held if one not in tagged and one not in loose]
        loose = self._spread(place, dict.fromkeys(rest, NEVER), tagged | loose)
        for key, terms in loose.items():
            self.manifests.agree(key, terms, self.meet)
        self.said.add(place.key)
        return {key: loose[key] for key in tagged}, {key: loose[key] for key in loose if key not in tagged}

    def _spread(self, place: Place, roots: Mapping[int, int], known: dict[int, int]) -> dict[int, int]:
        """These terms, and what follows from them for what the roots contain and what is about any of it, on
        top of what is known."""
        found = dict(known)
        for root, said in roots.items():
            frontier = [(root, said)]
            while frontier:
                one, terms = frontier.pop()
                old = found.get(one)
                new = terms if old is None else self.meet(old, terms)
                if new == old:
                    continue
                found[one] = new
                frontier += [(other, new) for other in self.children.get(one)]
                frontier += [(other, new) for other in self.about.get(one) if other in place.held]
                frontier += [(other, new) for other in place.about.get(one, ())]
        return found

    def close(self) -> None:
        """All other repositories keep what they hold; and what an index contains lies where that does."""
        for repository, manifest in stream(HELD, self.registry.pk):
            if repository not in self.said:
                self.manifests.agree(manifest, NEVER, self.meet)
        changed = True
        while changed:
            changed = False
            for parent, child in self.children:
                if (terms := self.manifests.get(parent)) != UNSAID:
                    changed |= self.manifests.agree(child, terms, self.meet)

    def going(self) -> Iterator[int]:
        """The manifests that go on any terms, by key."""
        return (key for key, terms in enumerate(self.manifests.items) if terms > NEVER)

    def blobs(self) -> Iterator[tuple[int | None, int]]:
        """Yield size and terms of each blob that goes on any: bytes, None where that isn't known."""
        found, manifests, meet = Numbers(), self.manifests, self.meet
        for manifest, blob in stream(USES):
            if (terms := manifests.get(manifest)) != UNSAID:
                found.agree(blob, terms, meet)
        for blob, size in stream(SIZES, self.registry.pk):
            if (terms := found.get(blob)) > NEVER:
                yield size, terms

    def unread(self) -> Iterable[int]:
        """Yield the terms of each manifest that goes on any and was never read."""
        for (manifest,) in stream(UNREAD, self.registry.pk):
            if (terms := self.manifests.get(manifest)) > NEVER:
                yield terms
