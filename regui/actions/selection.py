"""What is to be copied from a repository: a manifest, all it contains, and what speaks about any of that."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from regui import oci
from regui.actions import companions, kept, picking
from regui.actions.companions import Found
from regui.index import connect
from regui.index.models import Repository

SCHEMA1 = "Schema 1 can't be copied: a registry signs it anew for each answer, so its digest can't be kept."
APART = "What speaks about the whole index doesn't speak about a part of it, and stays behind."


@dataclass(frozen=True)
class Selection:
    """`main` is to be tagged, `below` is what it contains, children first, `found` what speaks about any of
    these. `lists` are the lists of referrers that clients keep at the source, by subject, `missing` the
    digests that an index names and the source doesn't have, and `lost` says what stays behind. `part` says
    that it isn't all of what was named."""

    main: oci.Content
    below: tuple[oci.Content, ...]
    found: tuple[Found, ...] = ()
    lists: Mapping[str, oci.Content] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    part: bool = False

    @property
    def contents(self) -> tuple[oci.Content, ...]:
        """All manifests, each once, the main one last."""
        every = (*self.below, *(one.content for one in self.found), self.main)
        return tuple({content.digest: content for content in every}.values())


def select(
    source: Repository, reference: str, platforms: Collection[str], *, referrers: bool, deadline: float
) -> Selection:
    """The selection, as the registry answers by the deadline. Raises `oci.NotFound` when the reference leads
    nowhere, and `picking.Unfit`."""
    client = connect.connect(source.registry).until(deadline)
    content = client.manifest(source.name, reference)
    assert content is not None
    if isinstance(content.document, oci.Legacy):
        raise picking.Unfit(SCHEMA1)
    picked = picking.pick(content, platforms)
    main = picked if isinstance(picked, oci.Content) else kept.contents(client, source, picked)[-1]
    below, missing = contained(client, source, main)
    part = main.digest != content.digest
    if not referrers:
        return Selection(main, below, missing=missing, part=part)
    search = companions.Search.of(client, source)
    found = search.everything([*(one.digest for one in below), main.digest])
    lost = (APART,) if part and any(search.about(content.digest)) else ()
    return Selection(main, below, tuple(found), search.lists, missing, lost, part)


def contained(
    client: oci.Client, source: Repository, main: oci.Content
) -> tuple[tuple[oci.Content, ...], tuple[str, ...]]:
    """All that an index contains, children first; and what of it the source doesn't have."""
    order: dict[str, oci.Content] = {}
    missing: list[str] = []
    for child in kept.children(main):
        try:
            order |= {content.digest: content for content in kept.contents(client, source, child)}
        except oci.NotFound:
            missing.append(child)
    missing += [one for content in order.values() for one in kept.children(content) if one not in order]
    return tuple(order.values()), tuple(dict.fromkeys(missing))
