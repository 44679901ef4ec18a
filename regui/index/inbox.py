"""What a registry tells by itself: its notifications, as rows that wait to be applied.

Whoever knows the secret can write anything here. An event that makes no sense is left out, and those beside
it are kept: a registry sends what was refused again and again, before anything that came after it.
See https://distribution.github.io/distribution/about/notifications/ for what stands in them.
"""

import hashlib
import json
import re
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from regui import oci
from regui.index import batches
from regui.index.models import Event, Registry

ACTIONS = frozenset({"push", "pull", "delete"})
# What regui calls itself when it asks a registry, and blobs' type in events.
OWN, BLOB = "regui/", "application/octet-stream"
# Lengths of the columns.
UID, NAME, ADDRESS, METHOD, TYPE = 128, 255, 64, 8, 255
STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
EARLIEST = datetime(2013, 1, 1, tzinfo=UTC)
FUTURE = timedelta(days=1)
# How often it is noted that events come in.
NOTED = timedelta(seconds=1)


class Garbage(ValueError):
    """What came in is no list of events."""


def parse(body: bytes) -> list[Any]:
    """The events of a body, as they came. Raises `Garbage` when it is no envelope of events at all."""
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        raise Garbage("The body is not JSON.") from None
    events = envelope.get("events") if isinstance(envelope, dict) else None
    if not isinstance(events, list):
        raise Garbage('The body has no list of "events".')
    return events


def rows(registry: str, events: Iterable[Any], now: datetime) -> Iterator[Event]:
    """Yield the events that are worth a row, unsaved.

    Left out: mounts, what is about blobs, regui's own reads, names outside the grammar.
    """
    return (row for event in events if (row := read(registry, event, now)) is not None)


def read(registry: str, event: Any, now: datetime) -> Event | None:
    """One event's row; None when it is none of our business or makes no sense."""
    target, request, actor = part(event, "target"), part(event, "request"), part(event, "actor")
    action, media_type = text(event, "action"), text(target, "mediaType")
    if action not in ACTIONS or media_type == BLOB:
        return None
    if action == "pull" and text(request, "useragent").startswith(OWN):
        return None
    repository, tag, digest = text(target, "repository"), text(target, "tag"), text(target, "digest")
    if not is_sound(repository, tag, digest) or (action != "delete" and not digest):
        return None
    return Event(
        registry=registry,
        uid=uid(event),
        action=action,
        repository=repository,
        tag=tag,
        digest=digest,
        media_type=media_type[:TYPE],
        at=moment(text(event, "timestamp"), now),
        actor=text(actor, "name")[:NAME],
        address=host(text(request, "addr"))[:ADDRESS],
        method=text(request, "method")[:METHOD],
        received_at=now,
    )


def part(event: Any, name: str) -> Mapping[str, Any]:
    """An object inside another; empty when there is none."""
    found = event.get(name) if isinstance(event, dict) else None
    return found if isinstance(found, dict) else {}


def text(mapping: Any, name: str) -> str:
    """A string of an object, fit for any database (no NUL, no half characters); empty when there is none."""
    found = mapping.get(name) if isinstance(mapping, dict) else None
    if not isinstance(found, str):
        return ""
    return found.replace("\0", "").encode("utf-8", "replace").decode()


def is_sound(repository: str, tag: str, digest: str) -> bool:
    """Whether all three could be what they claim, and one of the latter two is there."""
    try:
        oci.check_repository(repository)
        if tag:
            oci.check_tag(tag)
        if digest:
            oci.Digest.parse(digest)
    except oci.InvalidName:
        return False
    return bool(tag or digest)


def uid(event: Mapping[str, Any]) -> str:
    """The id the registry gave the event; a hash where it is too long, or of the event's words where there is
    none. Not of all that stands in it, which may be nested deeper than can be written down."""
    given = text(event, "id")
    if given and len(given) <= UID:
        return given
    parts = [event, *(part(event, name) for name in ("target", "request", "actor"))]
    words = [[(name, text(one, name)) for name in sorted(one)] for one in parts]
    return f"sha256:{hashlib.sha256((given or json.dumps(words)).encode()).hexdigest()}"


def host(address: str) -> str:
    """An address without its port."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.rpartition(":")[0] if address.count(":") == 1 else address


def moment(stamp: str, now: datetime) -> datetime:
    """When it happened by the registry's clock; what can't be is now. Nanoseconds are cut off."""
    found = STAMP.fullmatch(stamp)
    if not found:
        return now
    seconds, fraction, zone = found.groups()
    try:
        at = datetime.fromisoformat(f"{seconds}{(fraction or '.0')[:7].ljust(7, '0')}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return now
    return at if EARLIEST <= at <= now + FUTURE else now


@dataclass(eq=False)
class Arrival:
    """Rows that one request brought, and whether they are kept."""

    registry: Registry
    rows: list[Event]
    now: datetime
    stored: bool = False


_arrivals: deque[Arrival] = deque()
_storing = threading.Lock()


def store(registry: Registry, events: Sequence[Any], now: datetime) -> None:
    """Keep the events to be applied, those that aren't there yet, and that some came in: also when none of
    them is worth a row, but not when there were none.

    Requests that come while another's are being written are written together after it, by whichever is first:
    a transaction for each would have them all wait for the database. When that fails, each tries its own.
    """
    if not events:
        return
    mine = Arrival(registry, list(rows(registry.name, events, now)), now)
    _arrivals.append(mine)
    with _storing:
        if not mine.stored:
            taken = [_arrivals.popleft() for _ in range(len(_arrivals))]
            write(taken if mine in taken else [mine, *taken])


def write(arrivals: Sequence[Arrival]) -> None:
    """Write what these requests brought, all or nothing."""
    with transaction.atomic():
        for some in batches.batches(row for one in arrivals for row in one.rows):
            Event.objects.bulk_create(some, ignore_conflicts=True)
        for one in {arrival.registry.pk: arrival for arrival in arrivals}.values():
            note(one.registry, one.now)
    for one in arrivals:
        one.stored = True


def note(registry: Registry, now: datetime) -> None:
    """Keep that events of the registry came in, now and then."""
    if registry.events_at is None or now - registry.events_at >= NOTED:
        older = Q(events_at=None) | Q(events_at__lt=now)
        Registry.objects.filter(older, pk=registry.pk).update(
            events_at=now, events_since=Coalesce(F("events_since"), now)
        )


def hashed(secret: str) -> str:
    """How a secret is kept."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
