"""Reads many tags at once: requests in other threads, rows in the calling one."""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from regui import oci
from regui.index import contents, listing, names, usage
from regui.index.connect import THREADS, Link
from regui.index.contents import Outcome
from regui.index.listing import Known
from regui.index.models import Repository, Tag
from regui.index.talk import Talk, ask, settle

# Seconds in which a batch is done when the registry is quick, and the most tags in one.
QUICK, LARGEST_BATCH = 0.3, 128
UNKNOWN = "The registry no longer knows this repository."

Listed = tuple[set[int], list[tuple[Repository, oci.Error]]]


def listings(link: Link, rows: Sequence[Repository], deadline: float | None) -> Listed:
    """`listing_all`, waited for."""
    return settle(listing_all(rows), link, deadline)


def listing_all(rows: Sequence[Repository]) -> Talk[Listed]:
    """List the tags of these repositories and follow those listings that came whole: the keys of repositories
    where any tag came or went, and what went wrong with the others, which is noted on their rows too."""
    began = timezone.now()
    found, errors = list[listing.Listing](), list[tuple[Repository, oci.Error]]()
    unknown = list[Repository]()

    def listed(client: oci.Client, row: Repository) -> list[str]:
        return list(client.tags(row.name))

    for row, answer in (yield from ask(listed, rows)):
        if isinstance(answer, list):
            found.append(listing.Listing(row, answer, began))
        elif is_unknown(row, answer):
            # 2.x lists repositories that nothing was ever pushed to, and knows nothing of them when asked.
            found.append(listing.Listing(row, (), began, unknown_problem(row), unknown=True))
            unknown.append(row)
        else:
            errors.append((row, answer))
            listing.tried(row, str(answer), began)
    changed = listing.tags(found)
    names.leave(unknown, began)
    return changed, errors


def unknown_problem(row: Repository) -> str:
    """What is amiss with a repository that the registry denies."""
    if row.tags.exists():
        return UNKNOWN
    return names.NO_SUCH if row.name in names.by_hand(row.registry) else ""


def is_unknown(row: Repository, error: oci.Error) -> bool:
    """Whether the registry said that a repository which is in its catalog isn't one. A 404 without a
    registry's own words comes from something in between, and says nothing about the repository."""
    remembered = row.pk is not None and row.gone_at is None
    return remembered and isinstance(error, oci.NotFound) and bool(error.codes)


def tags(link: Link, rows: Sequence[Known], deadline: float | None) -> Outcome:
    """`asking`, waited for."""
    return settle(asking(rows), link, deadline)


def asking(rows: Sequence[Known]) -> Talk[Outcome]:
    """Ask the registry what these tags are on now, and keep what is new. A tag read before
    costs one conditional request that moves no bytes."""
    now = timezone.now()
    answers = yield from ask(question, rows)
    return (yield from keeping(answers, now))


def question(client: oci.Client, tag: Known) -> oci.Content | None:
    """What a tag is on; None when that is still what the index has."""
    etag = oci.Digest(tag.digest) if tag.digest else None
    return client.manifest(tag.repository.name, tag.name, etag=etag)


def keeping(answers: Sequence[tuple[Known, Any]], now: datetime) -> Talk[Outcome]:
    """Keep what the registry answered to `question`, asked at that moment, and ask for all that belongs to
    what is new.

    A listed tag without a manifest (dangling), or whose manifest makes no sense, keeps that as its problem,
    and what it was on before. While a repository's listing is doubted, a denial says no more than that.
    """
    outcome = Outcome()
    sights: list[listing.Sight] = []
    found: list[tuple[Known, oci.Content]] = []
    for tag, answer in answers:
        if isinstance(answer, oci.Content):
            found.append((tag, answer))
        elif answer is None:
            sights.append(listing.Sight(tag, tag.manifest_id))
        elif isinstance(answer, oci.NotFound):
            if not tag.repository.is_doubted:
                sights.append(listing.Sight(tag, tag.manifest_id, listing.DANGLING))
        else:
            outcome.failures.append((tag.repository, f"{tag.name}: {answer}"))
            if not outcome.ends(answer):
                sights.append(listing.Sight(tag, tag.manifest_id, str(answer)))
    stored = yield from contents.storing([(tag.repository, content) for tag, content in found], now, outcome)
    for tag, content in found:
        if content.digest in stored.ids:
            sights.append(listing.Sight(tag, stored.ids[content.digest]))
        elif content.digest in stored.problems:
            problem = stored.problems[content.digest]
            outcome.failures.append((tag.repository, f"{tag.name}: {problem}"))
            sights.append(listing.Sight(tag, tag.manifest_id, problem))
    outcome.changed |= listing.seen(sights, now)
    return outcome


def children(link: Link, repository: Repository, deadline: float | None) -> Outcome:
    """`descending`, waited for."""
    return settle(descending(repository), link, deadline)


def descending(repository: Repository) -> Talk[Outcome]:
    """Read what the repository's tags reach through indexes and nobody has read yet."""
    wanted = usage.unread(repository)
    return (yield from contents.reading(repository, [digest for digest, _ in wanted]))


def everything(link: Link, pks: Sequence[int], deadline: float) -> Iterator[Outcome]:
    """Read the tags with these keys, a batch at a time, and yield each one's outcome, until one ends it.

    A batch the time is up for is lost, so the first is small: one tag for each thread. The next is twice as
    large while the registry is quick.
    """
    size, rest = THREADS, list(pks)
    while rest:
        began = time.monotonic()
        if began >= deadline:
            yield Outcome(cut=True)
            return
        some, rest = rest[:size], rest[size:]
        outcome = tags(link, load(some), deadline)
        yield outcome
        if outcome.ended:
            return
        if time.monotonic() - began < QUICK and size < LARGEST_BATCH:
            size *= 2


def load(pks: Sequence[int], repositories: Sequence[Repository] = ()) -> list[Known]:
    """These tags with what reading them needs, in that order. Whoever has their repositories' rows can spare
    looking them up."""
    rows = Tag.objects.filter(pk__in=pks).values_list(
        "pk",
        "repository_id",
        "name",
        "folded",
        "first_seen_at",
        "manifest_id",
        "manifest__digest",
        "manifest__read_at",
        "problem",
    )
    found: dict[int, tuple[Any, ...]] = {values[0]: values for values in rows}
    by_key = {row.pk: row for row in repositories}
    if unknown := {values[1] for values in found.values()} - by_key.keys():
        by_key |= Repository.objects.select_related("registry").in_bulk(unknown)

    def known(values: tuple[Any, ...]) -> Known:
        pk, repository, name, folded, first_seen_at, manifest_id, digest, read_at, problem = values
        # What is to be read anew has to come whole, moved or not; and a registry answers 304 for a tag that
        # leads nowhere.
        etag = digest if read_at and not problem else ""
        return Known(pk, by_key[repository], name, folded, first_seen_at, manifest_id, etag, problem)

    return [known(found[pk]) for pk in pks if pk in found]
