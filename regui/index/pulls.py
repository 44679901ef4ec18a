"""Which of a client's requests are a pull, and how many there were.

One `docker pull` asks for a tag by HEAD, gets the index by its digest, then the platform's manifest by its
own; podman and skopeo get the tag right away. A pull is counted when a manifest is fetched: once for each
digest asked for first, client and minute. A HEAD alone, as updaters send every few minutes, counts for
nothing, but names the tag of the fetch that follows.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from regui import oci
from regui.index.models import Event, PullCount, Repository, Tag
from regui.index.timeline import happened

TOGETHER = timedelta(minutes=1)


@dataclass(frozen=True)
class Pull:
    """One pull, of a digest, by a tag or without one (empty)."""

    repository: str
    tag: str
    digest: str
    at: datetime


@dataclass
class Recent:
    """What clients asked for within the last minute. `asked` holds, by repository and client, the digests
    with tag, whether it was an index, and when; `counted` when a pull of theirs was last counted."""

    asked: dict[tuple[str, str], dict[str, tuple[str, bool, datetime]]] = field(default_factory=dict)
    counted: dict[tuple[str, str, str], datetime] = field(default_factory=dict)
    swept_at: datetime | None = None

    def take(self, event: Event, parents: Mapping[str, Collection[str]]) -> Pull | None:
        """The pull that a request for a manifest is; None when it is none, or part of one. `parents` are the
        indexes that contain a digest, for those the index knows; a digest missing there is unknown."""
        at, who = event.at, event.actor or event.address
        self.sweep(at)
        asked = self.asked.setdefault((event.repository, who), {})
        tag, _, before = asked.get(event.digest, ("", False, at))
        known = bool(tag) and at - before <= TOGETHER
        if not event.tag and not known and self.is_part(event, asked, parents):
            return None
        tag = event.tag or (tag if known else "")
        asked[event.digest] = tag, oci.is_index(event.media_type), at
        key = (event.repository, who, event.digest)
        last = self.counted.get(key)
        if event.method == "HEAD" or (last is not None and abs(at - last) < TOGETHER):
            return None
        self.counted[key] = at
        return Pull(event.repository, tag, event.digest, happened(event))

    def is_part(
        self,
        event: Event,
        asked: Mapping[str, tuple[str, bool, datetime]],
        parents: Mapping[str, Collection[str]],
    ) -> bool:
        """Whether the digest belongs to an index that the client has just asked for."""
        recent = {
            digest: is_index
            for digest, (_, is_index, at) in asked.items()
            if abs(event.at - at) <= TOGETHER and digest != event.digest
        }
        if event.digest in parents:
            return any(parent in recent for parent in parents[event.digest])
        return any(recent.values())

    def sweep(self, now: datetime) -> None:
        """Forget what is too old to matter, once a minute."""
        if self.swept_at is not None and abs(now - self.swept_at) < TOGETHER:
            return
        self.swept_at = now
        for key, digests in list(self.asked.items()):
            kept = {digest: one for digest, one in digests.items() if abs(now - one[2]) <= TOGETHER}
            if kept:
                self.asked[key] = kept
            else:
                del self.asked[key]
        self.counted = {key: at for key, at in self.counted.items() if abs(now - at) <= TOGETHER}


def count(registry: str, pulls: Iterable[Pull]) -> None:
    """Add these pulls to their days. Whoever calls is alone with the registry's events, in a transaction that
    marks them as applied, so that none counts twice."""
    sums: dict[tuple[str, str, str, date], tuple[int, datetime]] = {}
    for pull in pulls:
        key = (pull.repository, pull.tag, pull.digest, pull.at.date())
        so_far, last_at = sums.get(key, (0, pull.at))
        sums[key] = so_far + 1, max(last_at, pull.at)
    if sums:
        add(registry, sums)


def add(registry: str, sums: Mapping[tuple[str, str, str, date], tuple[int, datetime]]) -> None:
    """Add counts and last moments to the rows of these repositories, tags, digests and days."""
    there = PullCount.objects.filter(
        registry=registry,
        repository__in={key[0] for key in sums},
        digest__in={key[2] for key in sums},
        day__in={key[3] for key in sums},
    )
    rows = {(row.repository, row.tag, row.digest, row.day): row for row in there}
    new: list[PullCount] = []
    known: list[PullCount] = []
    for key, (times, last_at) in sums.items():
        repository, tag, digest, day = key
        if row := rows.get(key):
            row.count, row.last_at = row.count + times, max(row.last_at, last_at)
            known.append(row)
        else:
            new.append(
                PullCount(
                    registry=registry,
                    repository=repository,
                    tag=tag,
                    digest=digest,
                    day=day,
                    count=times,
                    last_at=last_at,
                )
            )
    PullCount.objects.bulk_create(new, batch_size=200)
    PullCount.objects.bulk_update(known, ["count", "last_at"], batch_size=100)


def note(repositories: Mapping[str, Repository], pulls: Iterable[Pull]) -> None:
    """Note on tags when they were last pulled by name."""
    last: dict[tuple[int, str], datetime] = {}
    for pull in pulls:
        row = repositories.get(pull.repository)
        if row is not None and pull.tag:
            key = (row.pk, pull.tag)
            last[key] = max(last.get(key, pull.at), pull.at)
    rows = Tag.objects.filter(
        repository__in={pk for pk, _ in last}, name__in={name for _, name in last}
    ).only("repository_id", "name", "pulled_at")
    changed = []
    for tag in rows:
        at = last.get((tag.repository_id, tag.name))
        if at is not None and (tag.pulled_at is None or tag.pulled_at < at):
            tag.pulled_at = at
            changed.append(tag)
    Tag.objects.bulk_update(changed, ["pulled_at"], batch_size=100)
