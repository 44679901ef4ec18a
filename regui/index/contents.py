"""Manifests from registries with all that belongs to them: requests in other threads, rows in the calling
one.

What is new is asked for level by level, the configs and children of a level at a time, and then written. No
request is made while the database is held. What couldn't be finished stays unread, never half known.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from regui import oci
from regui.index import facts, record
from regui.index.batches import batches
from regui.index.connect import Link, is_outage
from regui.index.models import Repository
from regui.index.talk import Talk, ask, settle

CONFIG_LIMIT = 8 << 20
# Bytes of configs read at one time; they are a few kilobytes each, unless someone means harm.
AT_ONCE = 64 << 20
# Indexes within indexes: nobody nests deeper by accident.
LEVELS = 8


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


def store(
    link: Link,
    found: Sequence[tuple[Repository, oci.Content]],
    deadline: float | None,
    now: datetime,
    outcome: Outcome,
) -> Stored:
    """`storing`, waited for."""
    return settle(storing(found, now, outcome), link, deadline)


def storing(found: Sequence[tuple[Repository, oci.Content]], now: datetime, outcome: Outcome) -> Talk[Stored]:
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
        configs = yield from _configs(sound, outcome)
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
        level = yield from _contents([(repo, digest) for digest, repo in children.items()], outcome, missing)
    outcome.new += len(new)
    stored.ids |= record.manifests(registry, new, now)
    # The same manifest may have come from several repositories at once; each holds it.
    noted = {(repository.pk, one.digest) for repository, one in new}
    record.held(
        (
            (repository, stored.ids[c.digest])
            for repository, c in found
            if c.digest in stored.ids and (repository.pk, c.digest) not in noted
        ),
        now,
    )
    record.senseless(registry, stored.senseless, now)
    note_missing(missing, now)
    return stored


def note_missing(missing: Iterable[tuple[Repository, str]], now: datetime) -> None:
    """Keep that repositories answered they don't have these digests."""
    by_repository: dict[int, tuple[Repository, list[str]]] = {}
    for repository, digest in missing:
        if repository.is_doubted:
            continue
        by_repository.setdefault(repository.pk, (repository, []))[1].append(digest)
    for repository, digests in by_repository.values():
        record.missing(repository, digests, now)


def parsed(
    found: Iterable[tuple[Repository, oci.Content]], stored: Stored
) -> list[tuple[Repository, oci.Content]]:
    """Those that can be understood; why the others can't is noted. What is there for a moment only, to take
    a tag away, is never kept."""
    sound = []
    for repository, content in found:
        try:
            passing = facts.is_untag(content.document)
        except oci.Malformed as error:
            stored.problems[content.digest] = str(error)
            stored.senseless.append(content)
        else:
            if not passing:
                sound.append((repository, content))
    return sound


def _configs(
    found: Sequence[tuple[Repository, oci.Content]], outcome: Outcome
) -> Talk[dict[str, bytes | None]]:
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

    def read(client: oci.Client, job: tuple[str, str, oci.Descriptor]) -> bytes:
        _, name, descriptor = job
        return client.read_blob(name, descriptor.digest, limit=min(descriptor.size, CONFIG_LIMIT))

    for some in weighed(wanted, AT_ONCE, lambda job: min(job[2].size, CONFIG_LIMIT)):
        for (digest, _, _), answer in (yield from ask(read, some)):
            if isinstance(answer, bytes):
                configs[digest] = answer
            elif not outcome.ends(answer):
                configs[digest] = None  # gone, too large, or not what its digest says: it will stay so
    return configs


def _contents(
    wanted: Sequence[tuple[Repository, str]],
    outcome: Outcome,
    missing: list[tuple[Repository, str]],
) -> Talk[dict[oci.Digest, tuple[Repository, oci.Content]]]:
    """Manifests by digest, those that could be had; the ones that aren't there are added to `missing`."""

    def read(client: oci.Client, job: tuple[Repository, str]) -> oci.Content | None:
        repository, digest = job
        return client.manifest(repository.name, digest)

    found: dict[oci.Digest, tuple[Repository, oci.Content]] = {}
    for some in batches(wanted):
        for (repository, digest), answer in (yield from ask(read, some)):
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
    """`reading`, waited for."""
    return settle(reading(repository, digests), link, deadline)


def reading(repository: Repository, digests: Sequence[str]) -> Talk[Outcome]:
    """Read manifests that the index knows by name only, and all below them."""
    outcome, now = Outcome(), timezone.now()
    missing: list[tuple[Repository, str]] = []
    for some in batches(digests, 100):
        found = yield from _contents([(repository, digest) for digest in some], outcome, missing)
        yield from storing(list(found.values()), now, outcome)
        if outcome.ended:
            break
    note_missing(missing, now)
    if outcome.new or missing:
        outcome.changed.add(repository.pk)
    return outcome


def may_be_index(media_type: str) -> bool:
    return not media_type or oci.is_index(media_type)


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
