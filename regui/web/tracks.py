"""A repository's tags in tracks: those on one digest side by side, and what is attached to it on its first
row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.core.paginator import Page
from django.utils import timezone

from regui import oci
from regui.actions import inuse, protection
from regui.index import fetch, search
from regui.index.models import Content, Manifest, Repository, Tag, TagQuerySet
from regui.web import companions, deltas, forms, freshness, links, pulled, pulls
from regui.web.catalog import namespace
from regui.web.deltas import Delta
from regui.web.forms import Wanted
from regui.web.http import Request
from regui.web.paging import by_key

RELEASES = "releases"
SORTS = {
    "-created": "Newest first",
    "created": "Oldest first",
    "name": "Name",
    "-name": "Name, from the end",
    "-size": "Largest first",
    "size": "Smallest first",
}
VERSIONS = SORTS | {"-name": "Newest version first", "name": "Oldest version first"}


def wanted(request: Request, show: str) -> Wanted:
    """What is asked of the list; releases stand by their version unless told otherwise."""
    return forms.wanted(request.GET, SORTS, default="-name" if show == RELEASES else "-created")


def read(
    request: Request, repository: Repository, wanted: Wanted, show: str
) -> tuple[fetch.Reading, Page[Tag]]:
    """The page asked for of the repository's tags, or of its releases: as remembered, unless something on it
    was never read or the registry's own word is asked for.

    Raises `oci.NotFound` for a repository that neither the registry has nor the index remembers.
    """

    def page() -> Page[Tag]:
        known = None if wanted.filtered or show else repository.tag_count
        tags = matching(repository, wanted, show)
        return by_key(request, tags, known, tags.keys_in_groups(wanted.sort))

    shown = page()
    if not freshness.wanted(request) and is_read(repository, shown):
        return fetch.remembered(repository), shown
    reading = fetch.repository(
        repository,
        first=lambda: [tag.name for tag in page()],
        max_age=freshness.max_age(request),
    )
    return reading, page()


def is_read(repository: Repository, tags: Iterable[Tag]) -> bool:
    """Whether there is something to show: the repository was listed, and these tags were read."""
    return repository.listed_at is not None and all(tag.seen_at or tag.problem for tag in tags)


def matching(repository: Repository, wanted: Wanted, show: str = "") -> TagQuerySet:
    """The visible tags, or releases, that the filter lets through, their manifests loaded."""
    return search.tags(tags_of(repository, show), wanted.query).select_related("manifest")


def tags_of(repository: Repository, show: str) -> TagQuerySet:
    """The visible tags, or those of them that are releases."""
    # A repository without a row has no tags yet.
    visible = Tag.objects.filter(repository=repository).visible() if repository.pk else Tag.objects.none()
    return visible.releases() if show == RELEASES else visible


@dataclass(frozen=True)
class TagRow:
    """A tag; `same` when the row above is on the same digest. `claimed` is the date an image gives that can't
    be one, `pull` the command that fetches it, `pulls` how often it was pulled of late; `delta` is to the
    digest before it. The addresses are the tag's, its manifest's, and that of the page that asks before
    deleting it; the latter two are empty while it has none. `lock` is why it is protected, or
    in use."""

    tag: Tag
    same: bool
    roles: frozenset[str]
    claimed: str
    pull: str
    pulls: int
    delta: Delta | None
    href: str
    manifest_href: str
    delete_href: str
    lock: str = ""


@dataclass(frozen=True)
class Tracks:
    """What the page shows of a repository beside its head, all tags or those that `show` says. A part that
    isn't asked for costs no query."""

    repository: Repository
    page: Page[Tag]
    show: str = ""

    @cached_property
    def rows(self) -> list[TagRow]:
        return rows(self.repository, list(self.page), self.span)

    @cached_property
    def span(self) -> pulled.Span | None:
        return pulled.span(self.repository.registry)

    @cached_property
    def total(self) -> int:
        """How many tags there are to filter."""
        if self.repository.tag_count is not None and not self.show:
            return self.repository.tag_count
        return tags_of(self.repository, self.show).count()

    @property
    def noun(self) -> str:
        return "release" if self.show == RELEASES else "tag"

    @property
    def state(self) -> object:
        """What tells whether the page would look different."""
        seen = [
            (tag.name, tag.manifest and (tag.manifest.digest, tag.manifest.size), tag.problem)
            for tag in self.page
        ]
        return seen, self.page.paginator.count

    @property
    def pull(self) -> str:
        """The command for a tag on the page: `latest` if it is there, else the first that was read; empty if
        none."""
        tags = [tag for tag in self.page if tag.manifest]
        chosen = next((tag for tag in tags if tag.name == "latest"), tags[0] if tags else None)
        if chosen is None or chosen.manifest is None:
            return ""
        return pulls.primary(
            self.repository.registry, self.repository.name, chosen.manifest.kind, f":{chosen.name}"
        )

    @property
    def namespace(self) -> str:
        return namespace(self.repository.name)

    @property
    def push(self) -> str:
        return pulls.push(self.repository.registry, self.repository.name)

    @property
    def sorts(self) -> list[tuple[str, str]]:
        return list((VERSIONS if self.show == RELEASES else SORTS).items())


def rows(repository: Repository, tags: Sequence[Tag], span: pulled.Span | None = None) -> list[TagRow]:
    """The rows of these tags, in order, with their pulls in that span; their manifests must be loaded."""
    manifests = {tag.manifest.pk: tag.manifest for tag in tags if tag.manifest}
    attached = companions.roles(repository, list(manifests.values()))
    claims = claimed_dates(manifests.values())
    before = deltas.deltas(repository, tags)
    pulls_of = pulled.by_tag(repository, [tag.name for tag in tags], span) if span else {}
    found: list[TagRow] = []
    place = (repository.registry.name, repository.name)
    used = inuse.of_repository(repository.registry, place[1], timezone.now()).tags
    locked = protection.locks(protection.rules(place[0]), place[1], [tag.name for tag in tags])
    to_tag, to_manifest, to_delete = links.tags(*place), links.manifests(*place), links.deletes(*place)
    for tag in tags:
        above = found[-1].tag.manifest_id if found else None
        key = tag.manifest_id or 0
        kind = tag.manifest.kind if tag.manifest else ""
        digest = tag.manifest.digest if tag.manifest else ""
        found.append(
            TagRow(
                tag=tag,
                same=tag.manifest_id is not None and tag.manifest_id == above,
                roles=attached.get(key, frozenset()),
                claimed=claims.get(key, ""),
                pull=pulls.primary(repository.registry, repository.name, kind, f":{tag.name}"),
                pulls=pulls_of.get(tag.name, 0),
                delta=before.get(key),
                href=to_tag(tag.name),
                manifest_href=digest and to_manifest(digest),
                delete_href=to_delete(tag.name),
                lock=locked.get(tag.name) or used.get(tag.name, ""),
            )
        )
    return found


def claimed_dates(manifests: Iterable[Manifest]) -> dict[int, str]:
    """What images without a sane date say instead, by row: such dates are rare, so only their configs are
    read."""
    dateless = [row.pk for row in manifests if row.kind == Manifest.Kind.IMAGE and row.created_at is None]
    if not dateless:
        return {}
    contents = Content.objects.filter(row__in=dateless)
    return {content.row_id: claimed_date(content) for content in contents}


def claimed_date(content: Content) -> str:
    """The date as the config has it; empty when it has none."""
    try:
        return oci.Config.parse(content.config_bytes).claimed_created if content.config_bytes else ""
    except oci.Malformed:
        return ""
