"""Writing down who entered, and what was done to who may do what."""

from django.utils import timezone

from regui.accounts.models import AuditEntry

What = AuditEntry.What


def note(what: AuditEntry.What, who: str, address: str = "", about: str = "", detail: str = "") -> None:
    """Write it down: what `who`, an actor's name, did to whom or what. No secret may be among the words;
    those that are too long lose their ends."""
    AuditEntry.objects.create(
        at=timezone.now(),
        what=what,
        who=who[:200],
        address=address[:64],
        about=about[:300],
        detail=detail[:500],
    )
