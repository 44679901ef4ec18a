"""Reads through to one manifest, by tag or digest."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from regui import oci
from regui.index import connect, contents, flight, listing, record, usage
from regui.index.connect import Link
from regui.index.fetch.reading import BUDGET, MAX_AGE, Reading, failed, is_fresh
from regui.index.models import Manifest, Repository, Revision, Tag


@dataclass(frozen=True)
class Known:
    """What is remembered of a reference in one repository: the manifest, and when the registry confirmed
    it."""

    manifest: Manifest | None = None
    seen_at: datetime | None = None


def manifest(
    repository: Repository,
    reference: str,
    *,
    budget: float = BUDGET,
    max_age: timedelta = MAX_AGE,
    lenient: bool = False,
) -> tuple[Manifest, Reading]:
    """The manifest that a tag or digest means in this repository, with its content, config and, for an
    index, its children as far as the budget goes; and how that went.

    What was confirmed within `max_age` is not asked for. Otherwise the registry is, and its answer for this
    very repository counts: that another one holds the digest opens nothing here. When it doesn't answer,
    what is remembered is returned along with the problem; raises the `oci.Error` when nothing is, and
    always `oci.NotFound` when the registry says it isn't there. `lenient`: unless its word is in doubt and
    something is remembered; then that is returned with the doubt as its problem.
    """
    oci.check_reference(reference)
    deadline = time.monotonic() + budget
    known = recall(repository, reference)
    if is_settled(repository, known, max_age):
        return done(known, repository)
    key = (repository.registry.name, repository.name, reference)
    with flight.alone(*key, deadline=deadline) as entered:
        listing.reload(repository)
        known = recall(repository, reference)
        if is_settled(repository, known, max_age):
            return done(known, repository)
        problem: oci.Error | None = None
        try:
            if not entered:
                raise connect.out_of_time()
            link = connect.link(repository.registry)
            link.check("/".join(key))
            if not is_fresh(known.seen_at, timezone.now(), max_age) or known.manifest is None:
                known = ask(link, repository, reference, known, deadline)
            problem = complete(link, repository, known, deadline)
        except oci.NotFound:
            if known.manifest is None or not (lenient and repository.is_doubted):
                raise
            doubt = repository.doubt or repository.registry.doubt
            return known.manifest, Reading(known.seen_at, complete=False, problem=doubt)
        except oci.Error as error:
            if known.manifest is None:
                raise
            problem = error
        if problem is not None:
            connect.link(repository.registry).failed("/".join(key), problem)
        return done(known, repository, problem)


def recall(repository: Repository, reference: str) -> Known:
    """What the index knows of a reference in this repository, and of none other."""
    if repository.pk is None:
        return Known()
    manifests = Manifest.objects.read().select_related("content")
    if oci.is_digest(reference):
        revision = Revision.objects.held().filter(repository=repository, manifest__digest=reference).first()
        found = manifests.filter(pk=revision.manifest_id).first() if revision else None
        return Known(found, revision.seen_at if revision and found else None)
    tag = repository.tags.listed().filter(name=reference).first()
    if tag is None or tag.manifest_id is None:
        return Known()
    return Known(manifests.filter(pk=tag.manifest_id).first(), None if tag.problem else tag.seen_at)


def is_settled(repository: Repository, known: Known, max_age: timedelta) -> bool:
    """Whether it was confirmed a moment ago and nothing below it is unread."""
    if known.manifest is None or not is_fresh(known.seen_at, timezone.now(), max_age):
        return False
    return not (known.manifest.kind == Manifest.Kind.INDEX and below(repository, known.manifest))


def below(repository: Repository, index: Manifest) -> list[str]:
    """The digests below an index that nobody has read, save what the registry said isn't in this
    repository."""
    found, _ = usage.downwards([index.pk])
    gone = Revision.objects.filter(repository=repository).exclude(gone_at=None).values("manifest")
    rows = Manifest.objects.filter(pk__in=found, read_at=None).exclude(pk__in=gone)
    return list(rows.values_list("digest", flat=True))


def ask(link: Link, repository: Repository, reference: str, known: Known, deadline: float) -> Known:
    """Ask the registry what the reference means, and keep it. Not by a conditional request: a registry
    answers 304 for a manifest that is no longer there."""
    now = timezone.now()
    client = link.client.until(deadline)
    try:
        if known.manifest is not None:
            digest = client.head_manifest(repository.name, reference).digest
            if digest == known.manifest.digest:
                return confirm(repository, reference, known.manifest.pk, now)
        content = client.manifest(repository.name, reference)
    except oci.NotFound:
        absent(repository, reference, now)
        raise
    assert content is not None
    listing.save(repository)
    outcome = contents.Outcome()
    stored = contents.store(link, [(repository, content)], deadline, now, outcome)
    if content.digest in stored.problems:
        raise oci.Malformed(stored.problems[content.digest])
    if content.digest not in stored.ids:
        raise outcome.outage or connect.out_of_time()
    return confirm(repository, reference, stored.ids[content.digest], now)


def confirm(repository: Repository, reference: str, pk: int, now: datetime) -> Known:
    """Note that the registry has just said that the reference means this manifest."""
    record.held([(repository, pk)], now)
    if not oci.is_digest(reference):
        repository.tags.filter(name=reference).exclude(gone_at=None).update(gone_at=None, missed=0)
        tag = repository.tags.filter(name=reference).first() or Tag(
            repository=repository,
            name=reference,
            folded=oci.companion(reference) is not None,
            first_seen_at=now,
        )
        if listing.seen([listing.Sight(tag, pk)], now):
            usage.total(repository)
    return Known(Manifest.objects.select_related("content").get(pk=pk), now)


def absent(repository: Repository, reference: str, now: datetime) -> None:
    """Note that the registry has just said the reference means nothing. A tag stays until a listing lacks
    it."""
    if repository.pk is None or repository.is_doubted:
        return
    if oci.is_digest(reference):
        record.missing(repository, [reference], now)
    elif tag := repository.tags.listed().filter(name=reference).first():
        listing.seen([listing.Sight(tag, tag.manifest_id, listing.DANGLING)], now)


def complete(link: Link, repository: Repository, known: Known, deadline: float) -> oci.Error | None:
    """Read what is below an index; why that couldn't be finished, unless it was merely the time."""
    if known.manifest is None or known.manifest.kind != Manifest.Kind.INDEX:
        return None
    outcome = contents.by_digest(link, repository, below(repository, known.manifest), deadline)
    if outcome.changed:
        known.manifest.refresh_from_db()
        usage.total(repository)
    return outcome.outage


def done(known: Known, repository: Repository, problem: oci.Error | None = None) -> tuple[Manifest, Reading]:
    """The manifest and how reading it went."""
    assert known.manifest is not None
    if problem is not None:
        return known.manifest, failed(problem, known.seen_at)
    unread = known.manifest.kind == Manifest.Kind.INDEX and bool(below(repository, known.manifest))
    return known.manifest, Reading(known.seen_at, complete=not unread)


def verify(
    repository: Repository,
    digests: Iterable[str],
    *,
    budget: float = BUDGET,
    max_age: timedelta = MAX_AGE,
) -> Reading:
    """Ask whether the repository still holds these digests, those that weren't confirmed within `max_age`,
    and keep the answers: what is gone is no longer among its revisions. Complete when all were answered."""
    deadline, now = time.monotonic() + budget, timezone.now()
    wanted = set(digests)
    recent = Revision.objects.filter(
        repository=repository, manifest__digest__in=wanted, seen_at__gt=now - max_age
    )
    fresh = set(recent.held().values_list("manifest__digest", flat=True))
    due = sorted(wanted - fresh)
    if not due:
        return Reading(now, checked=len(wanted), total=len(wanted), at=now)
    link = connect.link(repository.registry)
    client = link.client.until(deadline)
    held, missing, problem = list[str](), list[str](), None
    for digest, answer in link.map(lambda one: client.head_manifest(repository.name, one), due, deadline):
        if isinstance(answer, oci.Descriptor):
            held.append(digest)
        elif isinstance(answer, oci.NotFound):
            missing.append(digest)
        else:
            problem = answer
    record.held([(repository, pk) for pk in record.keys(repository.registry, held).values()], now)
    if not repository.is_doubted:
        record.missing(repository, missing, now)
    checked = len(wanted) - len(due) + len(held) + len(missing)
    return Reading(
        now,
        complete=problem is None,
        problem=str(problem or ""),
        error_code=problem.code if problem else "",
        hint=problem.hint if problem else "",
        checked=checked,
        total=len(wanted),
        at=now,
    )
