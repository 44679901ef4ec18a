"""Reads many tags and manifests at once: requests in the link's threads, rows in the calling one.

A round asks for the tags, then for the configs and children of what is new, level by level, and then writes.
No request is made while the database is held. What a round couldn't finish stays unread, never half known.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from regui import oci
from regui.index import facts, listing, record, usage
from regui.index.batches import batches
from regui.index.connect import THREADS, Link, is_outage
from regui.index.models import Repository, Tag

CONFIG_LIMIT = 8 << 20
# Bytes of configs read at one time; they are a few kilobytes each, unless someone means harm.
AT_ONCE = 64 << 20
# Indexes within indexes: nobody nests deeper by accident.
LEVELS = 8
# Seconds in which a batch is done when the registry is quick, and the most tags in one.
QUICK, LARGEST_BATCH = 0.3, 128
UNKNOWN = "The registry no longer knows this repository."


@dataclass
class Outcome:
    """What a reading came to. `changed` holds the keys of repositories whose rows did; `new` counts manifests
    fetched; `outage` is why it ended early; `cut` says that the time was up; `failures` names tags in
    trouble."""

    changed: set[int] = field(default_factory=set)
    new: int = 0
    outage: oci.Error | None = None
    cut: bool = False
    failures: list[tuple[Repository, str]] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        return self.cut or self.outage is not None

    def merge(self, other: "Outcome") -> "Outcome":
        """This outcome, with that of a later part added."""
        self.changed |= other.changed
        self.new += other.new
        self.outage, self.cut = self.outage or other.outage, self.cut or other.cut
        self.failures += other.failures
        return self

    def ends(self, error: oci.Error) -> bool:
        """Whether the error ends the reading rather than concern what was asked for; noted when it does."""
        if isinstance(error, oci.TimedOut):
            self.cut = True
            return True
        if is_outage(error) and not is_internal(error):
            self.outage = error
            return True
        return False


@dataclass
class Stored:
    """Keys of the manifests that have rows now, by digest, and why others, which make no sense, never
    will."""

    ids: dict[str, int] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    senseless: list[oci.Content] = field(default_factory=list)


def listings(
    link: Link, rows: Sequence[Repository], deadline: float | None
) -> tuple[set[int], list[tuple[Repository, oci.Error]]]:
    """List the tags of these repositories and follow those listings that came whole: the keys of repositories
    where any tag came or went, and what went wrong with the others, which is noted on their rows too."""
    began = timezone.now()
    client = link.client.until(deadline)
    found, errors = list[listing.Listing](), list[tuple[Repository, oci.Error]]()
    for row, answer in link.map(lambda row: list(client.tags(row.name)), rows, deadline):
        if isinstance(answer, list):
            found.append(listing.Listing(row, answer, began))
        elif is_unknown(row, answer):
            # 2.x lists repositories that nothing was ever pushed to, and knows nothing of them when asked.
            found.append(listing.Listing(row, (), began, UNKNOWN if row.tags.exists() else ""))
        else:
            errors.append((row, answer))
            listing.tried(row, str(answer), began)
    return listing.tags(found), errors


def is_unknown(row: Repository, error: oci.Error) -> bool:
    """Whether the registry said that a repository which is in its catalog isn't one. A 404 without a
    registry's own words comes from something in between, and says nothing about the repository."""
    remembered = row.pk is not None and row.gone_at is None
    return remembered and isinstance(error, oci.NotFound) and bool(error.codes)


def tags(link: Link, rows: Sequence[Tag], deadline: float | None) -> Outcome:
    """Ask the registry what these tags are on now, and keep what is new. Each row needs its repository and,
    when it has one, its manifest; a tag read before costs one conditional request that moves no bytes.

    A listed tag without a manifest (dangling), or whose manifest makes no sense, keeps that as its problem.
    """
    outcome, now = Outcome(), timezone.now()
    client = link.client.until(deadline)

    def ask(tag: Tag) -> oci.Content | None:
        etag = oci.Digest(tag.manifest.digest) if tag.manifest else None
        return client.manifest(tag.repository.name, tag.name, etag=etag)

    sights: list[listing.Sight] = []
    contents: list[tuple[Tag, oci.Content]] = []
    for tag, answer in link.map(ask, rows, deadline):
        if isinstance(answer, oci.Content):
            contents.append((tag, answer))
        elif answer is None:
            sights.append(listing.Sight(tag, tag.manifest_id))
        elif isinstance(answer, oci.NotFound):
            sights.append(listing.Sight(tag, None, listing.DANGLING))
        else:
            outcome.failures.append((tag.repository, f"{tag.name}: {answer}"))
            if not outcome.ends(answer):
                sights.append(listing.Sight(tag, tag.manifest_id, str(answer)))
    stored = store(link, [(tag.repository, content) for tag, content in contents], deadline, now, outcome)
    for tag, content in contents:
        if content.digest in stored.ids:
            sights.append(listing.Sight(tag, stored.ids[content.digest]))
        elif content.digest in stored.problems:
            sights.append(listing.Sight(tag, None, stored.problems[content.digest]))
    outcome.changed |= listing.seen(sights, now)
    return outcome


def store(
    link: Link,
    found: Sequence[tuple[Repository, oci.Content]],
    deadline: float | None,
    now: datetime,
    outcome: Outcome,
) -> Stored:
    """Keep manifests that these repositories answered with, along with configs and children.

    One whose config couldn't be read this time is left out, to be read again; children that couldn't stay
    named.
    """
    if not found:
        return Stored()
    registry = found[0][0].registry
    wanted = [content.digest for _, content in found]
    known = record.keys(registry, wanted, read=True)
    stored = Stored(ids=known)
    level = {c.digest: (repository, c) for repository, c in found if c.digest not in known}
    visited = set(known) | set(level)
    new: list[tuple[Repository, facts.Facts]] = []
    missing: list[tuple[Repository, str]] = []
    for _ in range(LEVELS):
        if not level:
            break
        sound = parsed(level.values(), stored)
        configs = _configs(link, sound, deadline, outcome)
        for repository, content in sound:
            if content.digest in configs:
                new.append((repository, facts.of(content, configs[content.digest])))
        children = {
            child: repository
            for repository, content in sound
            if isinstance(content.document, oci.Index)
            for child in (one.digest for one in content.document.manifests)
            if child not in visited
        }
        visited |= set(children)
        for digest in record.keys(registry, children, read=True):
            del children[oci.Digest(digest)]
        level = _contents(
            link, [(repo, digest) for digest, repo in children.items()], deadline, outcome, missing
        )
    outcome.new += len(new)
    stored.ids |= record.manifests(registry, new, now)
    # The same manifest may have come from several repositories at once; each holds it.
    record.held(
        [(repository, stored.ids[c.digest]) for repository, c in found if c.digest in stored.ids], now
    )
    record.senseless(registry, stored.senseless, now)
    note_missing(missing, now)
    return stored


def note_missing(missing: Iterable[tuple[Repository, str]], now: datetime) -> None:
    """Keep that repositories answered they don't have these digests."""
    by_repository: dict[int, tuple[Repository, list[str]]] = {}
    for repository, digest in missing:
        by_repository.setdefault(repository.pk, (repository, []))[1].append(digest)
    for repository, digests in by_repository.values():
        record.missing(repository, digests, now)


def parsed(
    found: Iterable[tuple[Repository, oci.Content]], stored: Stored
) -> list[tuple[Repository, oci.Content]]:
    """Those that can be understood; why the others can't is noted."""
    sound = []
    for repository, content in found:
        try:
            _ = content.document
        except oci.Malformed as error:
            stored.problems[content.digest] = str(error)
            stored.senseless.append(content)
        else:
            sound.append((repository, content))
    return sound


def _configs(
    link: Link,
    found: Sequence[tuple[Repository, oci.Content]],
    deadline: float | None,
    outcome: Outcome,
) -> dict[str, bytes | None]:
    """The config of each manifest by its digest: None when it has none worth reading, or none that can be
    read. Manifests whose config may yet be readable another time are left out."""
    configs: dict[str, bytes | None] = {}
    wanted: list[tuple[str, str, oci.Descriptor]] = []
    for repository, content in found:
        descriptor = facts.wants_config(content.document)
        if descriptor is None:
            configs[content.digest] = None
        elif descriptor.data is not None and oci.Digest.of(descriptor.data) == descriptor.digest:
            configs[content.digest] = descriptor.data
        else:
            wanted.append((content.digest, repository.name, descriptor))
    client = link.client.until(deadline)

    def read(job: tuple[str, str, oci.Descriptor]) -> bytes:
        _, name, descriptor = job
        return client.read_blob(name, descriptor.digest, limit=min(descriptor.size, CONFIG_LIMIT))

    for some in weighed(wanted, AT_ONCE, lambda job: min(job[2].size, CONFIG_LIMIT)):
        for (digest, _, _), answer in link.map(read, some, deadline):
            if isinstance(answer, bytes):
                configs[digest] = answer
            elif not outcome.ends(answer):
                configs[digest] = None  # gone, too large, or not what its digest says: it will stay so
    return configs


def _contents(
    link: Link,
    wanted: Sequence[tuple[Repository, str]],
    deadline: float | None,
    outcome: Outcome,
    missing: list[tuple[Repository, str]],
) -> dict[oci.Digest, tuple[Repository, oci.Content]]:
    """Manifests by digest, those that could be had; the ones that aren't there are added to `missing`."""
    client = link.client.until(deadline)

    def read(job: tuple[Repository, str]) -> oci.Content | None:
        repository, digest = job
        return client.manifest(repository.name, digest)

    found: dict[oci.Digest, tuple[Repository, oci.Content]] = {}
    for some in batches(wanted):
        for (repository, digest), answer in link.map(read, some, deadline):
            if isinstance(answer, oci.Content):
                found[answer.digest] = (repository, answer)
            elif isinstance(answer, oci.NotFound):
                missing.append((repository, digest))
            elif answer is not None:
                outcome.failures.append((repository, f"{digest}: {answer}"))
                outcome.ends(answer)
        if outcome.ended:
            break
    return found


def by_digest(link: Link, repository: Repository, digests: Sequence[str], deadline: float | None) -> Outcome:
    """Read manifests that the index knows by name only, and all below them."""
    outcome, now = Outcome(), timezone.now()
    missing: list[tuple[Repository, str]] = []
    for some in batches(digests, 100):
        found = _contents(link, [(repository, digest) for digest in some], deadline, outcome, missing)
        store(link, list(found.values()), deadline, now, outcome)
        if outcome.ended:
            break
    note_missing(missing, now)
    if outcome.new or missing:
        outcome.changed.add(repository.pk)
    return outcome


def children(link: Link, repository: Repository, deadline: float | None) -> Outcome:
    """Read what the repository's tags reach through indexes and nobody has read yet."""
    wanted = usage.unread(repository)
    return by_digest(link, repository, [digest for digest, _ in wanted], deadline)


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


def load(pks: Sequence[int]) -> list[Tag]:
    """These tags with what reading them needs, in that order."""
    rows = Tag.objects.filter(pk__in=pks).select_related("repository__registry", "manifest")
    found = {row.pk: row for row in rows.defer("manifest__labels", "manifest__platforms")}
    return [found[pk] for pk in pks if pk in found]


def is_internal(error: oci.Error) -> bool:
    """Whether a registry stumbled over this one thing: distribution 3 answers 500 for a schema 1 manifest."""
    return isinstance(error, oci.Unavailable) and error.status == 500


def weighed(
    items: Iterable[tuple[str, str, oci.Descriptor]],
    limit: int,
    weight: Callable[[tuple[str, str, oci.Descriptor]], int],
) -> Iterator[list[tuple[str, str, oci.Descriptor]]]:
    """The items in lists that weigh no more than the limit together, save a single one that does alone."""
    some: list[tuple[str, str, oci.Descriptor]] = []
    total = 0
    for item in items:
        if some and total + weight(item) > limit:
            yield some
            some, total = [], 0
        some.append(item)
        total += weight(item)
    if some:
        yield some


def may_be_index(media_type: str) -> bool:
    return not media_type or oci.is_index(media_type)
