"""Writing down who entered, and what was done to who may do what."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from regui.accounts.models import AuditEntry

What = AuditEntry.What
BATCH = 500


def note(what: AuditEntry.What, who: str, address: str = "", about: str = "", detail: str = "") -> None:
    """Write it down: what `who`, an actor's name, did to whom or what. No secret may be among the words;
    those that are too long lose their ends."""
    AuditEntry.objects.create(
        at=timezone.now(),
        what=what,
        who=written(who, 200),
        address=written(address, 64),
        about=written(about, 300),
        detail=written(detail, 500),
    )


def written(words: str, longest: int) -> str:
    """The words as any database takes them: PostgreSQL has no place for NUL."""
    return words.replace("\0", "")[:longest]


def found(who: str = "", what: str = "", day: date | None = None) -> QuerySet[AuditEntry]:
    """The entries, newest first: of one kind, of one day in UTC, and with these words among the names of who
    did it, or of whom or what it is about."""
    rows = AuditEntry.objects.all()
    if who:
        rows = rows.filter(Q(who__icontains=who) | Q(about__icontains=who))
    if what:
        rows = rows.filter(what=what)
    if day:
        begins = datetime.combine(day, time(), tzinfo=UTC)
        rows = rows.filter(at__gte=begins, at__lt=begins + timedelta(days=1))
    return rows


def forget(before: datetime) -> Iterator[int]:
    """Let go of what was written down earlier than that; yields how many rows each batch took."""
    rows = AuditEntry.objects.filter(at__lt=before).order_by("at")
    while keys := list(rows.values_list("pk", flat=True)[:BATCH]):
        yield AuditEntry.objects.filter(pk__in=keys).delete()[0]
