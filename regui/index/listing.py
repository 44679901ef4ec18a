"""What a listing said, as rows: the repositories of a registry, the tags of a repository and what they are
on.

Only a complete, error-free listing lets anything leave, and what leaves keeps its row, marked as gone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from regui import oci
from regui.index import bulk, history
from regui.index.batches import batches
from regui.index.models import (
    UNREAD,
    Manifest,
    Registry,
    Repository,
    Tag,
    TagMove,
    is_release,
    name_key,
    ordering_keys,
)

DANGLING = "The registry lists this tag, but has no manifest for it."


@dataclass(frozen=True)
class Listing:
    """The names of a repository's tags: complete, error-free, begun at that moment. `problem` is a remark;
    `unknown` says that the registry denied the repository itself, which has no names then."""

    repository: Repository
    names: Sequence[str]
    began: datetime
    problem: str = ""
    unknown: bool = False


@dataclass(slots=True)
class Before:
    """A tag as it was before a listing."""

    pk: int
    manifest_id: int | None
    gone_at: datetime | None
    missed: int
    first_seen_at: datetime


def tags(listings: Sequence[Listing], *, believe: bool = False) -> set[int]:
    """Make tags follow their listings; the keys of those repositories whose tags are no longer the same.

    Tags that a listing lacks leave, unless someone saw them since it began, and those that the next lacks too
    are buried; tags that came back return, to be read again. A listing that suddenly lacks most is doubted:
    then nothing leaves, unless we are to `believe` it. Names outside the grammar are left out: no address
    could lead to them. Repositories get a row.
    """
    for one in listings:
        save(one.repository)
    # A listing that another has overtaken says nothing any more.
    current = [one for one in listings if (one.repository.listed_at or one.began) <= one.began]
    there: dict[int, dict[str, Before]] = {one.repository.pk: {} for one in current}
    rows = Tag.objects.filter(repository__in=list(there))
    columns = rows.values_list(
        "repository_id", "name", "pk", "manifest_id", "gone_at", "missed", "first_seen_at"
    )
    for repository, name, pk, manifest, gone_at, missed, first_seen_at in columns.iterator():
        there[repository][name] = Before(pk, manifest, gone_at, missed, first_seen_at)
    changed: set[int] = set()
    arrived: list[tuple[Listing, list[str]]] = []
    for one in current:
        row = one.repository
        listed = {name for name in one.names if is_tag(name)}
        present = {name: tag.first_seen_at for name, tag in there[row.pk].items() if tag.gone_at is None}
        row.doubt = "" if believe else doubt(present, listed, row.listed_at, "tag", "tags")
        new = sorted(listed - there[row.pk].keys())
        arrived.append((one, new))
        if _follow(one, listed, there[row.pk]) or new:
            changed.add(row.pk)
    bulk.insert(
        Tag,
        ["repository_id", "first_seen_at", *NAMED],
        ((one.repository.pk, one.began, *named(name)) for one, new in arrived for name in new),
    )
    _followed(current)
    return changed


def _followed(listings: Iterable[Listing]) -> None:
    """Note on repositories that their tags are as listed; most rows get the same values, by one statement."""
    alike: dict[tuple[datetime, bool, bool, str, str], list[int]] = {}
    for one in listings:
        row = one.repository
        # Denied, it is no later proven to be there than before: a catalog that lacks it is to be believed.
        # And what is doubted makes what is known no younger.
        proven = not (one.unknown or row.doubt) or row.listed_at is None
        key = (one.began, proven, row.filled_at is None, one.problem, row.doubt)
        alike.setdefault(key, []).append(row.pk)
        row.tried_at, row.problem, row.filled_at = one.began, one.problem, row.filled_at or one.began
        if proven:
            row.listed_at, row.gone_at = one.began, None
    for (began, proven, first, problem, doubt), keys in alike.items():
        values: dict[str, Any] = {"tried_at": began, "problem": problem, "doubt": doubt}
        values |= {"listed_at": began, "gone_at": None} if proven else {}
        values |= {"filled_at": began} if first else {}
        for some in batches(keys):
            Repository.objects.filter(pk__in=some).update(**values)


def _follow(one: Listing, listed: set[str], there: dict[str, Before]) -> bool:
    """Let one repository's tags leave or come back as its listing says; whether any did. A doubted one lets
    none leave."""
    back = [tag.pk for name, tag in there.items() if name in listed and (tag.gone_at or tag.missed)]
    for some in batches(back):
        # It keeps what it was on, so that whoever reads it finds out whether it moved.
        Tag.objects.filter(pk__in=some).update(gone_at=None, missed=0, seen_at=None)
    if one.repository.doubt:
        return bool(back)
    lost = [tag.pk for name, tag in there.items() if name not in listed and tag.missed == 0]
    unseen = Q(first_seen_at__lte=one.began) & (Q(seen_at=None) | Q(seen_at__lte=one.began))
    for some in batches(lost):
        rows = Tag.objects.filter(unseen, pk__in=some)
        rows.filter(gone_at=None).update(gone_at=one.began, missed=1)
        # Gone already, by a deletion or an event; this is the first listing without it.
        rows.filter(missed=0).update(missed=1)
    again = [name for name, tag in there.items() if name not in listed and tag.missed and tag.gone_at]
    bury(one.repository, again, one.began)
    return bool(back or lost or again)


def bury(repository: Repository, names: Iterable[str], now: datetime) -> None:
    """Remove tags that two complete listings have lacked, and keep that they left."""
    for some in batches(names):
        rows = repository.tags.filter(name__in=some, gone_at__lt=now)
        left = list(rows.values_list("pk", "name", "manifest__digest", "gone_at"))
        history.write(
            history.Move(repository, name, digest or "", "", gone_at or now, None, TagMove.How.CRAWL)
            for _, name, digest, gone_at in left
        )
        Tag.objects.filter(pk__in=[pk for pk, *_ in left]).delete()


def tried(row: Registry | Repository, problem: str, now: datetime) -> None:
    """Note on a registry or repository that reading it failed, and why; a row not yet saved stays so."""
    row.tried_at, row.problem = now, problem
    if row.pk is not None:
        row.save(update_fields=["tried_at", "problem"])


def reload(repository: Repository) -> None:
    """Bring a repository up to date with what another thread may have written, its row even."""
    if repository.pk is None:
        found = Repository.objects.filter(registry=repository.registry, name=repository.name).first()
        if found is None:
            return
        repository.pk = found.pk
        repository._state.adding = False
    repository.refresh_from_db()


def save(repository: Repository) -> None:
    """Give the repository a row, or find the one that another thread has given it meanwhile."""
    if repository.pk is None:
        row = Repository(
            registry=repository.registry,
            name=oci.check_repository(repository.name),
            first_seen_at=repository.first_seen_at,
            source=repository.source,
        )
        Repository.objects.bulk_create([row], ignore_conflicts=True)
        reload(repository)


@dataclass(slots=True)
class Known:
    """A tag as the index has it, with no more than what reading it again needs; `digest` is empty when it was
    never read."""

    pk: int
    repository: Repository
    name: str
    folded: bool
    first_seen_at: datetime
    manifest_id: int | None
    digest: str
    problem: str

    @property
    def repository_id(self) -> int:
        return self.repository.pk


@dataclass(frozen=True, slots=True)
class There:
    """A tag's row at the moment of writing."""

    seen_at: datetime | None
    first_seen_at: datetime
    digest: str | None


@dataclass(frozen=True, slots=True)
class Sight:
    """What a tag was seen on: a manifest's key; with a `problem`, why it can't be read, and what it was on
    before, None when nobody knows."""

    tag: Tag | Known
    manifest_id: int | None
    problem: str = ""


def seen(sights: Iterable[Sight], now: datetime) -> set[int]:
    """Note what tags are on, as the registry said at that moment; the keys of repositories where one moved.
    What was seen later, by an event or another reading, stays."""
    same, moved = list[Sight](), list[Sight]()
    for sight in sights:
        unmoved = sight.tag.manifest_id == sight.manifest_id and sight.tag.problem == sight.problem
        (same if unmoved else moved).append(sight)
    earlier = Q(seen_at=None) | Q(seen_at__lte=now)
    for ids in batches(sight.tag.pk for sight in same):
        Tag.objects.filter(earlier, pk__in=ids).update(seen_at=now)
    repositories = {sight.tag.repository_id: sight.tag.repository for sight in moved}
    for some in batches(moved):
        on = Manifest.objects.filter(pk__in={sight.manifest_id for sight in some if sight.manifest_id})
        facts: dict[int | None, Any] = {
            pk: values for pk, *values in on.values_list("pk", "digest", "size", "created_at")
        }
        keys = {pk: ordering_keys(size, created_at) for pk, (_, size, created_at) in facts.items()}
        with transaction.atomic():
            # They may be new, so they are found by name.
            rows = Tag.objects.select_for_update(of=("self",)).filter(
                repository__in=repositories, name__in=[sight.tag.name for sight in some]
            )
            values = rows.values_list("repository_id", "name", "seen_at", "first_seen_at", "manifest__digest")
            there = {
                (repository, name): There(seen_at, first_seen_at, digest)
                for repository, name, seen_at, first_seen_at, digest in values
            }
            due = [
                sight
                for sight in some
                if (known := there.get((sight.tag.repository_id, sight.tag.name))) is None
                or known.seen_at is None
                or known.seen_at <= now
            ]
            bulk.insert(
                Tag,
                [*SIGHT, "repository_id", "first_seen_at", *NAMED],
                (
                    (
                        sight.manifest_id,
                        now,
                        sight.problem,
                        *keys.get(sight.manifest_id, (UNREAD, UNREAD)),
                        sight.tag.repository_id,
                        sight.tag.first_seen_at,
                        *named(sight.tag.name),
                    )
                    for sight in due
                ),
                unique=["repository_id", "name"],
                update=SIGHT,
            )
        history.write(
            move
            for sight in due
            if sight.manifest_id in facts
            for known in [there.get((sight.tag.repository_id, sight.tag.name))]
            for move in _moves(sight, known, facts[sight.manifest_id][0], now)
        )
    return set(repositories)


SIGHT = ["manifest_id", "seen_at", "problem", "created_key", "size_key"]
# What follows from a tag's name alone.
NAMED = ["name", "folded", "name_key", "release"]


def named(name: str) -> tuple[str, bool, bytes, bool]:
    """The values of `NAMED` for a tag of that name."""
    return name, oci.companion(name) is not None, name_key(name), is_release(name)


def _moves(sight: Sight, there: There | None, digest: str, now: datetime) -> Iterator[history.Move]:
    """The move that a sight is news of, if it is."""
    repository = sight.tag.repository
    first_seen_at = there.first_seen_at if there else sight.tag.first_seen_at
    if there and there.digest:
        yield history.Move(repository, sight.tag.name, there.digest, digest, now, None, TagMove.How.CRAWL)
    elif repository.filled_at is not None and first_seen_at > repository.filled_at:
        yield history.Move(repository, sight.tag.name, "", digest, first_seen_at, None, TagMove.How.CRAWL)


@dataclass(frozen=True)
class Catalog:
    """What a complete catalog changed. `suspicious` says why nothing was pruned, though names are missing."""

    new: int = 0
    gone: int = 0
    suspicious: str = ""


def repositories(
    registry: Registry, names: Iterable[str], began: datetime, *, complete: bool, believe: bool = False
) -> Catalog:
    """Make the repositories follow a catalog that began at that moment.

    Only a complete one lets any leave, of those it listed before, and none does when the catalog has suddenly
    lost more than half of them: an unmounted disk answers like that.
    """
    listed = {name for name in names if is_repository(name)}
    columns = registry.repositories.values_list("name", "gone_at", "source", "first_seen_at")
    there = {
        name: (gone_at, source == Repository.Source.CATALOG, first_seen_at)
        for name, gone_at, source, first_seen_at in columns
    }
    new = sorted(listed - there.keys())
    for some in batches(new):
        rows = [
            Repository(registry=registry, name=name, first_seen_at=began, unsettled_at=began) for name in some
        ]
        Repository.objects.bulk_create(rows, ignore_conflicts=True)
    back = [name for name in listed if name in there and there[name][0] is not None]
    for some_names in batches(back):
        registry.repositories.filter(name__in=some_names).update(gone_at=None, unsettled_at=began)
    for some_names in batches(name for name in listed if name in there and not there[name][1]):
        registry.repositories.filter(name__in=some_names).update(source=Repository.Source.CATALOG)
    if not complete:
        return Catalog(len(new) + len(back))
    present = {
        name: first_seen_at
        for name, (gone_at, before, first_seen_at) in there.items()
        if before and gone_at is None
    }
    lost = [name for name in present if name not in listed]
    suspicious = "" if believe else doubt(present, listed, registry.listed_at, "repository", "repositories")
    gone = 0 if suspicious else leave(registry, lost, listed, began)
    registry.tried_at = began
    if not suspicious or registry.listed_at is None:
        registry.listed_at = began
    registry.problem, registry.unlisted, registry.doubt = "", "", suspicious
    registry.save(update_fields=["listed_at", "tried_at", "problem", "unlisted", "doubt"])
    return Catalog(len(new) + len(back), gone, suspicious)


def leave(registry: Registry, lost: Sequence[str], listed: set[str], began: datetime) -> int:
    """Let repositories leave that a believed catalog lacks, with their tags, and bury the tags of those that
    an earlier one lacked already; how many left."""
    gone = 0
    for some in batches(lost):
        # Repositories opened since it began are there, whatever it says.
        seen_since = Q(listed_at__gt=began) | Q(first_seen_at__gt=began)
        rows = registry.repositories.filter(name__in=some).exclude(seen_since)
        keys = list(rows.values_list("pk", flat=True))
        Tag.objects.filter(repository__in=keys, gone_at=None).update(gone_at=began, missed=1)
        gone += Repository.objects.filter(pk__in=keys).update(gone_at=began, doubt="", unsettled_at=began)
    before = registry.repositories.filter(gone_at__lt=began, source=Repository.Source.CATALOG)
    for row in before.filter(tags__isnull=False).distinct():
        if row.name not in listed:
            row.registry = registry
            bury(row, list(row.tags.exclude(gone_at=None).values_list("name", flat=True)), began)
    return gone


def doubt(
    present: Mapping[str, datetime], listed: set[str], believed_at: datetime | None, one: str, many: str
) -> str:
    """Why a listing can't be believed; empty when it can. `present` is what is remembered, by when it was
    first seen. What came since a list was last believed speaks for no other: an empty disk fills up."""
    before = [name for name, seen in present.items() if believed_at is None or seen <= believed_at]
    for names in (before, present):
        lost = sum(name not in listed for name in names)
        if found := suspicion(len(names), lost, len(listed.intersection(names)), one, many):
            return found
    return ""


def suspicion(present: int, lost: int, listed: int, one: str, many: str) -> str:
    """Why a listing can't be believed, of so many remembered, missing and listed things; empty when it can.
    What regui deleted itself, or events told of, is no longer among those remembered."""
    if not lost or lost * 2 <= present:
        return ""
    if not listed:
        before = f"{present} {one if present == 1 else many}"
        return f"The registry lists no {one} at all, where it listed {before} before; what is known is kept."
    return f"The registry no longer lists {lost} of {present} {many}; they are kept here."


def is_tag(name: str) -> bool:
    try:
        oci.check_tag(name)
    except oci.InvalidName:
        return False
    return True


def is_repository(name: str) -> bool:
    try:
        oci.check_repository(name)
    except oci.InvalidName:
        return False
    return True
