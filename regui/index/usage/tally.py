"""Adds up who needs which blob, of a stream sorted by blob. Pure: no row is read or written here."""

import heapq
from collections.abc import Mapping

# How many blobs are kept by each of their orders, and how many names of repositories with each.
KEPT, NAMED = 100, 50


class Bits:
    """A set of row numbers, an eighth of a byte each."""

    def __init__(self) -> None:
        self.bytes = bytearray()

    def add(self, number: int) -> bool:
        """Whether it wasn't there yet; it is then."""
        at, bit = number >> 3, 1 << (number & 7)
        if at >= len(self.bytes):
            self.bytes.extend(bytes(at + 1024 - len(self.bytes)))
        new = not self.bytes[at] & bit
        self.bytes[at] |= bit
        return new

    def __contains__(self, number: int) -> bool:
        at = number >> 3
        return at < len(self.bytes) and bool(self.bytes[at] & 1 << (number & 7))


class Tally:
    """The sums over the repositories of these names: what tags reach is `size` in all, `unique[key]` of it
    only one repository's; `spaces[name]` is what a namespace's visible tags reach; `layers` maps the largest
    and most shared blobs to how many repositories reach them, and the keys of some. All in bytes."""

    def __init__(self, names: Mapping[int, str]) -> None:
        self.names = names
        self.space_of = {key: name.partition("/")[0] if "/" in name else "" for key, name in names.items()}
        self.blobs = Bits()
        self.size = 0
        self.unique: dict[int, int] = {}
        self.spaces: dict[str, int] = {}
        self.largest: list[tuple[int, int, tuple[int, ...], int]] = []
        self.sharedmost: list[tuple[int, int, int, tuple[int, ...]]] = []
        self.blob = self.bytes = 0
        self.visible: set[int] = set()
        self.folded: set[int] = set()

    def add(self, blob: int, repository: int, folded: bool, size: int) -> None:
        """That a tag of that repository, one folded away or not, reaches that blob."""
        if blob != self.blob:
            self.finish()
            self.blob, self.bytes = blob, size
        (self.folded if folded else self.visible).add(repository)

    def finish(self) -> None:
        """Add up the blob that has come to its end."""
        if not self.blob:
            return
        # A repository that came after the names were read is left to the next pass, which its mark asks for.
        users = (self.visible | self.folded) & self.names.keys()
        if users:
            self._sum(users)
        self.blob = 0
        self.visible.clear()
        self.folded.clear()

    def _sum(self, users: set[int]) -> None:
        size, count = self.bytes, len(users)
        self.blobs.add(self.blob)
        self.size += size
        seen = self.visible & users
        if count == 1 and seen:
            (only,) = users
            self.unique[only] = self.unique.get(only, 0) + size
        for space in {self.space_of[key] for key in seen}:
            self.spaces[space] = self.spaces.get(space, 0) + size
        some = tuple(heapq.nsmallest(NAMED, users)) if count > 1 else tuple(users)
        keep(self.largest, (size, self.blob, some, count))
        if count > 1:
            keep(self.sharedmost, (count, size, self.blob, some))

    @property
    def layers(self) -> dict[int, tuple[int, tuple[int, ...]]]:
        found = {blob: (count, some) for _, blob, some, count in self.largest}
        return found | {blob: (count, some) for count, _, blob, some in self.sharedmost}


def keep(heap: list[tuple], one: tuple) -> None:  # type: ignore[type-arg]
    """Add one to a heap of the largest few."""
    if len(heap) < KEPT:
        heapq.heappush(heap, one)
    elif one > heap[0]:
        heapq.heapreplace(heap, one)
