"""Reads through to repositories: their tags, and what those are on."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from regui import oci
from regui.index import connect, contents, flight, listing, reader, usage
from regui.index.connect import Link
from regui.index.fetch import catalogs
from regui.index.fetch.reading import BUDGET, MAX_AGE, Reading, answered_at, failed, is_fresh
from regui.index.models import Registry, Repository, Tag, TagQuerySet

Names = Sequence[str] | Callable[[], Sequence[str]]


def repository(
    repository: Repository,
    *,
    first: Names = (),
    budget: float = BUDGET,
    max_age: timedelta = MAX_AGE,
    every: bool = False,
) -> Reading:
    """Make the repository's tags follow the registry's, unless they were read within `max_age`.

    `first` names the tags the page shows (a callable is asked again once the listing is known): they are read
    before the rest that was never read, and read again when they are older. `every`: list in any case and
    confirm all tags older than `max_age`, read all indexes; complete only when that was done.

    A repository without a row gets one once its listing succeeded; else raises the `oci.Error`,
    `oci.NotFound` when the registry has none of that name. One with a row never raises: the reading says
    what went wrong.
    """
    deadline = time.monotonic() + budget
    if not every and not is_due(repository, first, max_age):
        return remembered(repository)
    with flight.alone(repository.registry.name, repository.name, deadline=deadline) as entered:
        listing.reload(repository)
        if not every and entered and not is_due(repository, first, max_age):
            return remembered(repository)
        began = timezone.now()
        try:
            if not entered:
                raise connect.out_of_time()
            link = connect.link(repository.registry)
            if every or not is_fresh(answered_at(repository), timezone.now(), max_age):
                changed = bool(follow(link, [repository], deadline))
            else:
                link.check(repository.name)
                changed = False
            outcome = read_tags(link, repository, first, deadline, max_age, every=every)
        except oci.Error as error:
            # What the catalog lacks and the registry denies is no longer there.
            if repository.pk is None or (repository.gone_at is not None and isinstance(error, oci.NotFound)):
                raise
            return failed(error, repository.listed_at)
        if changed or outcome.changed or repository.tag_count is None:
            usage.total(repository)
        result = remembered(repository)
        if outcome.outage is not None:
            link.failed(repository.name, outcome.outage)
            result = failed(outcome.outage, repository.listed_at)
        return checked(repository, result, outcome, began - max_age) if every else result


def repositories(
    rows: Iterable[Repository], *, budget: float = BUDGET, max_age: timedelta = MAX_AGE
) -> Reading:
    """Make these repositories of one registry, those a list shows, follow the registry: list the tags of
    those that are due, in parallel, and read the tags that never were. Rows are brought up to date in
    place; what went wrong with one is its `problem`, what went wrong with all is the reading's too."""
    deadline, rows = time.monotonic() + budget, list(rows)
    if not rows or not (due(rows, max_age) or unread(rows).exists()):
        return overall(rows)
    registry = rows[0].registry
    with ExitStack() as stack:
        if not stack.enter_context(flight.alone(registry.name, "repositories/", deadline=deadline)):
            return failed(connect.out_of_time(), overall(rows).as_of)
        refresh(rows)
        # A repository that another page is just reading is left to it.
        mine = [
            row
            for row in rows
            if stack.enter_context(flight.alone(registry.name, row.name, deadline=time.monotonic()))
        ]
        result = read_lists(registry, mine, deadline, max_age)
    refresh(rows)
    return result or overall(rows)


def read_lists(
    registry: Registry, rows: list[Repository], deadline: float, max_age: timedelta
) -> Reading | None:
    """List the tags of those that are due and read what never was; what went wrong with all of them."""
    try:
        link = connect.link(registry)
        changed = follow(link, due(rows, max_age), deadline)
    except oci.Error as error:
        return failed(error, overall(rows).as_of)
    outage = None
    for outcome in reader.everything(link, list(unread(rows).values_list("pk", flat=True)), deadline):
        changed |= outcome.changed
        outage = outcome.outage
    for row in rows:
        if row.pk in changed or row.tag_count is None:
            usage.total(row)
    return failed(outage, overall(rows).as_of) if outage else None


def follow(link: Link, rows: Sequence[Repository], deadline: float) -> set[int]:
    """List the tags of these repositories; the keys of those where any changed. Raises the error when there
    is but one, or when none could be listed."""
    resting = list[oci.Error]()
    asked = []
    for row in rows:
        try:
            link.check(row.name)
        except oci.Error as error:
            resting.append(error)
        else:
            asked.append(row)
    changed, errors = reader.listings(link, asked, deadline)
    for row, failure in errors:
        link.failed(row.name, failure)
    all_errors = resting + [failure for _, failure in errors]
    if all_errors and len(all_errors) == len(rows):
        raise all_errors[0]
    return changed


def read_tags(
    link: Link,
    repository: Repository,
    first: Names,
    deadline: float,
    max_age: timedelta,
    *,
    every: bool,
) -> contents.Outcome:
    """Read tags: those shown that are due, then all that are (`every`) or those never read, then what indexes
    among them contain."""
    total = contents.Outcome()
    old = Q(seen_at=None) | Q(seen_at__lte=timezone.now() - max_age)
    if every:
        old |= ~Q(problem="")
    listed = repository.tags.listed()
    shown = listed.filter(old, name__in=named(first))
    rest = listed.filter(old) if every else listed.filter(seen_at=None)
    for chosen in (shown, rest.order_by("folded", "name")):
        for outcome in reader.everything(link, list(chosen.values_list("pk", flat=True)), deadline):
            if total.merge(outcome).ended:
                return total
    if every or repository.size is None or total.changed:
        total.merge(reader.children(link, repository, deadline))
    return total


def checked(repository: Repository, reading: Reading, outcome: contents.Outcome, since: datetime) -> Reading:
    """The reading with how many tags were confirmed since then: complete when all were and every index is
    read."""
    # That the registry has no manifest for a tag is a word about it, too; any other problem leaves it open.
    recent = Q(seen_at__gt=since, problem__in=["", listing.DANGLING])
    counts = repository.tags.listed().aggregate(total=Count("pk"), checked=Count("pk", filter=recent))
    indexes = [digest for digest, kind in usage.unread(repository) if contents.may_be_index(kind)]
    problem = reading.problem
    if indexes and not problem and not outcome.cut:
        why = next((words for _, words in outcome.failures if words.startswith(indexes[0])), indexes[0])
        problem = f"What an index contains could not be read. {why}"
    return replace(
        reading,
        complete=not problem and not indexes and counts["checked"] == counts["total"],
        problem=problem,
        checked=counts["checked"],
        total=counts["total"],
        at=timezone.now(),
    )


def remembered(repository: Repository) -> Reading:
    """The reading of a repository that needn't be asked for."""
    return Reading(
        repository.listed_at,
        complete=repository.listed_at is not None and not unread([repository]).exists(),
        problem=repository.problem or repository.doubt,
    )


def remembered_all(registry: Registry, rows: Sequence[Repository]) -> Reading:
    """The reading of a registry's list that needn't be asked for, as old as the oldest thing on it. A
    repository that can't be read says so itself and makes the others no older."""
    readable = [row for row in rows if not row.problem]
    listed_at = catalogs.remembered(registry).as_of
    moments = [listed_at, *(row.listed_at for row in readable)]
    known = [moment for moment in moments if moment is not None]
    return Reading(
        min(known) if len(known) == len(moments) else listed_at,
        complete=len(known) == len(moments) and not registry.problem,
        problem=registry.problem,
        hint="" if listed_at or registry.problem else catalogs.SO_FAR,
    )


def overall(rows: Sequence[Repository]) -> Reading:
    """The reading of rows that needn't be asked for: as old as the oldest."""
    moments = [row.listed_at for row in rows if row.listed_at is not None]
    oldest = min(moments) if len(moments) == len(rows) and moments else None
    return Reading(oldest, complete=oldest is not None or not rows)


def is_due(repository: Repository, first: Names, max_age: timedelta) -> bool:
    """Whether anything the page shows is unread or older than that, or tags wait to be read at all."""
    now = timezone.now()
    if repository.pk is None or not is_fresh(answered_at(repository), now, max_age):
        return True
    names = named(first)
    old = Q(name__in=names, seen_at__lte=now - max_age) if names else Q(pk=None)
    return repository.tags.listed().filter(old | Q(seen_at=None)).exists()


def due(rows: Iterable[Repository], max_age: timedelta) -> list[Repository]:
    now: datetime = timezone.now()
    return [row for row in rows if not is_fresh(answered_at(row), now, max_age)]


def unread(rows: Sequence[Repository]) -> TagQuerySet:
    """Their listed tags that were never read, repository by repository."""
    return Tag.objects.listed().filter(repository__in=rows, seen_at=None).order_by("repository", "name")


def refresh(rows: Sequence[Repository]) -> None:
    """Bring rows up to date with the database, in one query."""
    fields = [field.attname for field in Repository._meta.concrete_fields if field.attname != "registry_id"]
    found = {
        values["id"]: values
        for values in Repository.objects.filter(pk__in=[r.pk for r in rows]).values(*fields)
    }
    for row in rows:
        for name, value in found.get(row.pk, {}).items():
            setattr(row, name, value)


def named(first: Names) -> Sequence[str]:
    return first() if callable(first) else first
