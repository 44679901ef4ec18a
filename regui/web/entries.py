"""The journal of access as its page tells it, and as a table for other programs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from regui.accounts.models import AuditEntry
from regui.web import told
from regui.web.forms import cleaned

What = AuditEntry.What
ICONS = {
    What.SIGNED_IN: "log-in",
    What.SIGN_IN_FAILED: "shield-alert",
    What.SIGNED_OUT: "log-out",
    What.GROUPS_CHANGED: "users",
    What.GRANT_ADDED: "shield-check",
    What.GRANT_REMOVED: "shield-alert",
    What.TOKEN_MADE: "key-round",
    What.TOKEN_REVOKED: "key-round",
    What.PASSWORD_CHANGED: "key-round",
    What.SECOND_FACTOR_CHANGED: "fingerprint",
    What.REGISTRY_ADDED: "database",
    What.REGISTRY_CHANGED: "database",
    What.REGISTRY_HIDDEN: "database",
}
COLUMNS = ("at", "what", "who", "address", "about", "detail")


@dataclass(frozen=True)
class Wanted:
    """Which entries are wanted."""

    who: str = ""
    what: str = ""
    day: date | None = None

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> "Wanted":
        """What the fields ask for; those that make no sense ask for nothing."""
        what = fields.get("what", "")
        return cls(
            cleaned(fields.get("who", "")), what if what in What.values else "", day(fields.get("day", ""))
        )

    def __bool__(self) -> bool:
        return bool(self.who or self.what or self.day)


@dataclass(frozen=True)
class Row:
    """An entry with its icon."""

    entry: AuditEntry

    @property
    def icon(self) -> str:
        return ICONS.get(What(self.entry.what), "circle-user") if self.entry.what in What.values else "clock"


def day(text: str) -> date | None:
    """The day that was meant; None where the text is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def lines(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    """The lines of a CSV file, its head first."""
    yield told.line(COLUMNS)
    for at, *others in entries.values_list(*COLUMNS).iterator(2000):
        yield told.line([at.isoformat(), *others])


KINDS = What.choices
