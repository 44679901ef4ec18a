"""Finds out what a batch of events comes to: reads from the registry what is new, and asks what is in doubt.

Nothing but content, and repositories nobody knew, is written on the way."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.utils import timezone

from regui import oci
from regui.index import connect, contents, names, reader, record, timeline
from regui.index.connect import Link
from regui.index.models import Event, Registry, Repository, Revision, Tag
from regui.index.timeline import Key, Told, happened
from regui.index.verdict import Answer, Found, digest_on, tags


def read(registry: Registry, events: Sequence[Event], deadline: float) -> Found:
    """What these events come to, nothing but content and new repositories written yet. Raises `oci.Error`
    when the registry doesn't answer what has to be asked."""
    link = connect.link(registry)
    found = Found(registry)
    found.repositories = repositories(link, registry, events, deadline)
    about = found.repositories
    changes = [event for event in events if event.action != "pull" and event.repository in about]
    ours = [(about[event.repository], event) for event in changes]
    stored = pushed(link, found, ours, deadline)
    ours = [one for one in ours if is_believed(one, stored)]
    ours = without_doubtful_deletes(link, found, ours, deadline)
    told_of_tags(link, found, ours, stored, deadline)
    return found


def is_believed(one: tuple[Repository, Event], stored: contents.Stored) -> bool:
    """Whether there is, or was, what the event tells of: a push of what can't be read is none we can show."""
    _, event = one
    return event.action != "push" or event.digest in stored.ids or event.digest in stored.problems


def repositories(
    link: Link, registry: Registry, events: Sequence[Event], deadline: float
) -> dict[str, Repository]:
    """The repositories that these events are about, by name. Those nobody knew get a row, and those nobody
    ever tried to list are listed; a delete alone makes nobody known, nor does anything outside the prefixes
    of the settings."""
    first: dict[str, Event] = {}
    for event in events:
        if event.action != "delete" and names.is_wanted(registry, event.repository):
            first.setdefault(event.repository, event)
    rows = registry.repositories.filter(name__in={event.repository for event in events})
    known = {row.name: row for row in rows.select_related("registry")}
    new = [
        Repository(
            registry=registry,
            name=name,
            first_seen_at=happened(event),
            source=Repository.Source.EVENT,
        )
        for name, event in first.items()
        if name not in known
    ]
    Repository.objects.bulk_create(new, ignore_conflicts=True)
    back = [row.pk for row in known.values() if row.gone_at is not None and row.name in first]
    Repository.objects.filter(pk__in=back).update(gone_at=None)
    if not new and all(row.tried_at for row in known.values()):
        return known
    fresh = list(rows.filter(name__in=first, listed_at=None, tried_at=None).select_related("registry"))
    _, errors = reader.listings(link, fresh, deadline)
    outage(error for _, error in errors)
    return {row.name: row for row in rows.select_related("registry")}


def outage(errors: Iterable[oci.Error]) -> None:
    """Raise the first that says the registry doesn't answer; others concern what was asked for."""
    for error in errors:
        if contents.Outcome().ends(error):
            raise error


def pushed(
    link: Link, found: Found, ours: Sequence[tuple[Repository, Event]], deadline: float
) -> contents.Stored:
    """The manifests that were pushed; those nobody has read yet are read."""
    wanted = {event.digest: repository for repository, event in ours if event.action == "push"}
    stored = contents.Stored(ids=record.keys(found.registry, wanted, read=True))
    unknown = [(repository, digest) for digest, repository in wanted.items() if digest not in stored.ids]
    if not unknown:
        return stored
    new, outcome = fetched(link, unknown, deadline)
    stored.ids |= new.ids
    stored.problems |= new.problems
    found.due |= {repository.pk for repository, _ in outcome.failures}
    return stored


def fetched(
    link: Link, wanted: Sequence[tuple[Repository, str]], deadline: float
) -> tuple[contents.Stored, contents.Outcome]:
    """These manifests with all below them, by digest; those that aren't there are left out."""
    now, outcome, client = timezone.now(), contents.Outcome(), link.client.until(deadline)

    def one(job: tuple[Repository, str]) -> oci.Content | None:
        return client.manifest(job[0].name, job[1])

    found: list[tuple[Repository, oci.Content]] = []
    missing: list[tuple[Repository, str]] = []
    for job, answer in link.map(one, wanted, deadline):
        if isinstance(answer, oci.Content):
            found.append((job[0], answer))
        elif isinstance(answer, oci.NotFound):
            missing.append(job)
        elif answer is not None and not outcome.ends(answer):
            outcome.failures.append((job[0], f"{job[1]}: {answer}"))
    stored = contents.store(link, found, deadline, now, outcome)
    contents.note_missing(missing, now)
    silence(outcome)
    return stored, outcome


def silence(outcome: contents.Outcome) -> None:
    """Raise what ended a reading before all was read."""
    if outcome.outage is not None:
        raise outcome.outage
    if outcome.cut:
        raise connect.out_of_time()


def without_doubtful_deletes(
    link: Link, found: Found, ours: Sequence[tuple[Repository, Event]], deadline: float
) -> list[tuple[Repository, Event]]:
    """These events without deletes of what wasn't a manifest of ours, or is there all the same; what came and
    went with them is noted."""
    deletes = [one for one in ours if one[1].action == "delete" and not one[1].tag]
    holds = revisions(found.registry, deletes)
    pushes = {(repository.pk, event.digest) for repository, event in ours if event.action == "push"}
    asked = {
        (repository.pk, event.digest): (repository, event)
        for repository, event in deletes
        if (repository.pk, event.digest) in holds
        and not timeline.is_sure([Told("", event)], holds[repository.pk, event.digest])
    }
    there = still_there(link, list(asked.values()), deadline)
    kept: list[tuple[Repository, Event]] = []
    words: dict[tuple[int, str], tuple[Repository, bool]] = {}
    for repository, event in ours:
        key = (repository.pk, event.digest)
        if event.action == "push":
            words[key] = repository, True
        elif not event.tag:
            if key in there or (key not in holds and key not in pushes):
                continue
            words[key] = repository, False
        kept.append((repository, event))
    ids = record.keys(found.registry, {digest for _, digest in words})
    for (_, digest), (repository, is_held) in words.items():
        if is_held and digest in ids:
            found.held.append((repository, ids[digest]))
        elif digest in ids:
            found.missing.append((repository, digest))
    return kept


def revisions(
    registry: Registry, deletes: Sequence[tuple[Repository, Event]]
) -> dict[tuple[int, str], datetime | None]:
    """Which of what was deleted the repositories held by the index, by repository and digest, and when each
    was last seen."""
    rows = Revision.objects.held().filter(
        repository__in={repository.pk for repository, _ in deletes},
        manifest__digest__in={event.digest for _, event in deletes},
        manifest__registry=registry,
    )
    seen = rows.values_list("repository_id", "manifest__digest", "seen_at")
    return {(repository, digest): seen_at for repository, digest, seen_at in seen}


def still_there(
    link: Link, asked: Sequence[tuple[Repository, Event]], deadline: float
) -> set[tuple[int, str]]:
    """Which of these digests their repositories hold still, though they were told to be deleted."""
    client = link.client.until(deadline)

    def ask(one: tuple[Repository, Event]) -> bool:
        repository, event = one
        try:
            client.head_manifest(repository.name, event.digest)
        except oci.NotFound:
            return False
        return True

    there: set[tuple[int, str]] = set()
    for (repository, event), answer in link.map(ask, asked, deadline):
        if isinstance(answer, oci.Error):
            outage([answer])
        if answer is not False:  # an answer that is neither yes nor no deletes nothing
            there.add((repository.pk, event.digest))
    return there


def told_of_tags(
    link: Link,
    found: Found,
    ours: Sequence[tuple[Repository, Event]],
    stored: contents.Stored,
    deadline: float,
) -> None:
    """Find out what the tags are on that the events tell of: by their word where that is sure, else by asking
    the registry."""
    gone = {(repository.pk, event.digest) for repository, event in ours if event.action == "delete"}
    along = Tag.objects.listed().filter(
        repository__in={pk for pk, digest in gone if digest},
        manifest__digest__in={digest for _, digest in gone if digest},
    )
    keys: set[Key] = set(along.values_list("repository_id", "name"))
    keys |= {(repository.pk, event.tag) for repository, event in ours if event.tag}
    found.tags = tags(keys)
    on = {key: digest_on(row) for key, row in found.tags.items()}
    found.told = timeline.of_tags([(repository.pk, event) for repository, event in ours], on)
    rows = {row.pk: row for row in found.repositories.values()}
    doubtful: list[Key] = []
    for key, told in found.told.items():
        row, last = found.tags.get(key), told[-1]
        if not timeline.is_sure(told, row.seen_at if row else None):
            doubtful.append(key)
            continue
        found.sure.add(key)
        found.answers[key] = Answer(
            digest=last.digest,
            manifest=stored.ids.get(last.digest),
            seen_at=happened(last.event),
            problem=stored.problems.get(last.digest, ""),
        )
    ask(link, found, [(rows[key[0]], key) for key in doubtful], deadline)


def ask(link: Link, found: Found, doubtful: Sequence[tuple[Repository, Key]], deadline: float) -> None:
    """Ask the registry what these tags are on now."""
    now, client = timezone.now(), link.client.until(deadline)

    def one(job: tuple[Repository, Key]) -> oci.Content | None:
        repository, key = job
        on = digest_on(found.tags.get(key))
        # A registry may answer 304 for what is no longer there: not where that is the question.
        row = found.tags.get(key)
        sound = on and row is not None and not row.problem
        etag = oci.Digest(on) if sound and found.told[key][-1].digest else None
        return client.manifest(repository.name, key[1], etag=etag)

    read: list[tuple[Repository, Key, oci.Content]] = []
    for (repository, key), answer in link.map(one, doubtful, deadline):
        row = found.tags.get(key)
        if isinstance(answer, oci.Content):
            read.append((repository, key, answer))
        elif answer is None:
            found.answers[key] = Answer(digest_on(row), row.manifest_id if row else None, now)
        elif isinstance(answer, oci.NotFound):
            found.answers[key] = Answer("", None, now)
        else:
            outage([answer])
            found.due.add(repository.pk)
    outcome = contents.Outcome()
    stored = contents.store(link, [(one[0], one[2]) for one in read], deadline, now, outcome)
    silence(outcome)
    for repository, key, content in read:
        if content.digest in stored.ids:
            found.answers[key] = Answer(content.digest, stored.ids[content.digest], now)
        elif content.digest in stored.problems:
            found.answers[key] = Answer(content.digest, None, now, stored.problems[content.digest])
        else:
            found.due.add(repository.pk)
