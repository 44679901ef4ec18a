"""What leads from manifests to others, for all of a registry at once."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from regui.index.models import Registry
from regui.index.usage.settling import stream

CHILDREN = """
    SELECT DISTINCT index_child.parent_id, index_child.manifest_id
    FROM index_child JOIN index_manifest ON index_manifest.id = index_child.parent_id
    WHERE index_manifest.registry_id = %s ORDER BY index_child.parent_id
"""
ABOUT = """
    SELECT subject.id, referrer.id FROM index_manifest AS referrer
    JOIN index_manifest AS subject
    ON subject.registry_id = referrer.registry_id AND subject.digest = referrer.subject
    WHERE referrer.registry_id = %s AND referrer.subject <> '' ORDER BY subject.id
"""


class Edges:
    """From keys to keys, sixteen bytes for each pair. The pairs come sorted by the first."""

    def __init__(self, pairs: Iterable[Sequence[int]]) -> None:
        self.heads, self.tails = array("q"), array("q")
        for head, tail in pairs:
            self.heads.append(head)
            self.tails.append(tail)

    @classmethod
    def children(cls, registry: Registry) -> "Edges":
        """From each index of the registry to what it contains."""
        return cls(stream(CHILDREN, registry.pk))

    @classmethod
    def about(cls, registry: Registry) -> "Edges":
        """From each manifest to those that name it as their subject."""
        return cls(stream(ABOUT, registry.pk))

    def get(self, one: int, default: Sequence[int] = ()) -> Sequence[int]:
        """Where it leads from that key."""
        first = bisect_left(self.heads, one)
        last = first
        while last < len(self.heads) and self.heads[last] == one:
            last += 1
        return self.tails[first:last] if last > first else default

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self.heads, self.tails, strict=True)
