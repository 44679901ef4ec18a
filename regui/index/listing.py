"""What a listing said, as rows: the repositories of a registry, the tags of a repository and what they are
on.

Only a complete, error-free listing lets anything leave, and what leaves keeps its row, marked as gone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from regui import oci
from regui.index.batches import batches
from regui.index.models import UNREAD, Manifest, Registry, Repository, Tag, ordering_keys

DANGLING = "The registry lists this tag, but has no manifest for it."


@dataclass(frozen=True)
class Listing:
    """The names of a repository's tags: complete, error-free, begun at that moment. `problem` is a remark."""

    repository: Repository
    names: Sequence[str]
    began: datetime
    problem: str = ""


def tags(listings: Sequence[Listing]) -> set[int]:
    """Make tags follow their listings; the keys of those repositories whose tags are no longer the same.

    Tags that a listing lacks leave, unless someone saw them since it began; tags that came back return, to be
    read again. Names outside the grammar are left out: no address could lead to them. Repositories get a row.
    """
    for one in listings:
        save(one.repository)
    # A listing that another has overtaken says nothing any more.
    current = [one for one in listings if (one.repository.listed_at or one.began) <= one.began]
    there: dict[int, dict[str, tuple[int, datetime | None]]] = {one.repository.pk: {} for one in current}
    rows = Tag.objects.filter(repository__in=list(there))
    for repository, name, pk, gone_at in rows.values_list(
        "repository_id", "name", "pk", "gone_at"
    ).iterator():
        there[repository][name] = (pk, gone_at)
    changed: set[int] = set()
    for one in current:
        if _follow(one, there[one.repository.pk]):
            changed.add(one.repository.pk)
        row = one.repository
        row.listed_at = row.tried_at = one.began
        row.problem, row.gone_at = one.problem, None
    fields = ["listed_at", "tried_at", "problem", "gone_at"]
    Repository.objects.bulk_update([one.repository for one in current], fields, batch_size=100)
    return changed


def _follow(one: Listing, there: dict[str, tuple[int, datetime | None]]) -> bool:
    """Make one repository's tags, given by name with key and `gone_at`, follow its listing; whether any
    changed."""
    listed = {name for name in one.names if is_tag(name)}
    new = sorted(listed - there.keys())
    for names in batches(new):
        rows = [
            Tag(
                repository=one.repository,
                name=name,
                first_seen_at=one.began,
                folded=oci.companion(name) is not None,
            )
            for name in names
        ]
        Tag.objects.bulk_create(rows, ignore_conflicts=True)
    back = [pk for name, (pk, gone_at) in there.items() if gone_at is not None and name in listed]
    for some in batches(back):
        # What it was on before says nothing now.
        Tag.objects.filter(pk__in=some).update(
            gone_at=None, seen_at=None, manifest=None, problem="", created_key=UNREAD, size_key=UNREAD
        )
    lost = [pk for name, (pk, gone_at) in there.items() if gone_at is None and name not in listed]
    unseen = Q(first_seen_at__lte=one.began) & (Q(seen_at=None) | Q(seen_at__lte=one.began))
    for some in batches(lost):
        Tag.objects.filter(unseen, pk__in=some, gone_at=None).update(gone_at=one.began)
    return bool(new or back or lost)


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
        )
        Repository.objects.bulk_create([row], ignore_conflicts=True)
        reload(repository)


@dataclass(frozen=True)
class Sight:
    """What a tag was seen on: a manifest's key; or None along with why it can't be read."""

    tag: Tag
    manifest_id: int | None
    problem: str = ""


def seen(sights: Iterable[Sight], now: datetime) -> set[int]:
    """Note what tags are on, as the registry has just said; the keys of repositories where one moved."""
    same, moved = [], []
    for sight in sights:
        if sight.tag.manifest_id == sight.manifest_id and sight.tag.problem == sight.problem:
            same.append(sight.tag.pk)
        else:
            # Without its key: the row has to be found by its name alone, and may be new.
            moved.append(
                Tag(
                    repository_id=sight.tag.repository_id,
                    name=sight.tag.name,
                    folded=sight.tag.folded,
                    first_seen_at=sight.tag.first_seen_at,
                    manifest_id=sight.manifest_id,
                    problem=sight.problem,
                    seen_at=now,
                )
            )
    for ids in batches(same):
        Tag.objects.filter(pk__in=ids).update(seen_at=now)
    for some in batches(moved):
        on = Manifest.objects.filter(pk__in={tag.manifest_id for tag in some if tag.manifest_id})
        rows = on.values_list("pk", "size", "created_at")
        keys = {pk: ordering_keys(size, created_at) for pk, size, created_at in rows}
        for tag in some:
            tag.created_key, tag.size_key = keys.get(tag.manifest_id or 0, (UNREAD, UNREAD))
        Tag.objects.bulk_create(
            some,
            update_conflicts=True,
            unique_fields=["repository", "name"],
            update_fields=["manifest", "seen_at", "problem", "created_key", "size_key"],
        )
    return {tag.repository_id for tag in moved}


@dataclass(frozen=True)
class Catalog:
    """What a complete catalog changed. `suspicious` says why nothing was pruned, though names are missing."""

    new: int = 0
    gone: int = 0
    suspicious: str = ""


def repositories(registry: Registry, names: Iterable[str], began: datetime, *, complete: bool) -> Catalog:
    """Make the repositories follow a catalog that began at that moment.

    Only a complete one lets any leave, and none does when the catalog has suddenly lost more than half of
    what it had: an unmounted disk answers like that.
    """
    listed = {name for name in names if is_repository(name)}
    there = dict(registry.repositories.values_list("name", "gone_at"))
    new = sorted(listed - there.keys())
    for some in batches(new):
        rows = [
            Repository(registry=registry, name=name, first_seen_at=began, unsettled_at=began) for name in some
        ]
        Repository.objects.bulk_create(rows, ignore_conflicts=True)
    back = [name for name in listed if there.get(name) is not None]
    for some_names in batches(back):
        registry.repositories.filter(name__in=some_names).update(gone_at=None, unsettled_at=began)
    if not complete:
        return Catalog(len(new) + len(back))
    present = [name for name, gone_at in there.items() if gone_at is None]
    lost = [name for name in present if name not in listed]
    suspicious = suspicion(len(present), len(lost), len(listed))
    gone = 0
    for some_names in batches([] if suspicious else lost):
        # Repositories opened since it began are there, whatever it says.
        seen_since = Q(listed_at__gt=began) | Q(first_seen_at__gt=began)
        lost_rows = registry.repositories.filter(name__in=some_names).exclude(seen_since)
        gone += lost_rows.update(gone_at=began, unsettled_at=began)
    registry.tried_at, registry.problem = began, suspicious
    registry.listed_at = began
    registry.save(update_fields=["listed_at", "tried_at", "problem"])
    return Catalog(len(new) + len(back), gone, suspicious)


def suspicion(present: int, lost: int, listed: int) -> str:
    """Why a catalog can't be believed, of so many remembered, missing and listed repositories; empty when
    it can."""
    if not lost or lost * 2 <= present:
        return ""
    if not listed:
        return (
            f"The registry lists no repository at all, where it listed {present} before; they are kept here."
        )
    return f"The registry no longer lists {lost} of {present} repositories; they are kept here."


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
