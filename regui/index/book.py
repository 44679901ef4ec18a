"""The address book: how each registry is reached, as the environment says, or else as people entered it.

What people enter lies in the database, so that every process goes by it at once. A name in the environment
comes before the same name entered, which then rests.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from regui import oci, sealed, secrets
from regui.index.models import Entry, Registry
from regui.registries import RegistrySettings


class Locked(oci.Error):
    """What is kept sealed of a registry can't be opened."""

    code = "locked"
    advice = (
        "It was sealed with another secret key. Enter it again under Settings, or name that key in "
        "REGUI_SECRET_KEY_OLD."
    )


def given(name: str) -> RegistrySettings | None:
    """What the environment says of the registry of that name."""
    found: RegistrySettings | None = settings.REGISTRIES.get(name)
    return found


def look_up(name: str) -> RegistrySettings | None:
    """How the registry of that name is reached; None when nobody says, or it was hidden."""
    if record := given(name):
        return record
    entry = Entry.objects.in_use().filter(name=name).first()
    return read(entry) if entry else None


def read(entry: Entry) -> RegistrySettings:
    """The record an entry comes to, its secrets opened; `locked`, and without them, when they can't be."""
    password = opened(entry.password, sealed.REGISTRY_PASSWORD)
    key = opened(entry.key, sealed.REGISTRY_KEY)
    return RegistrySettings(
        name=entry.name,
        url=entry.url,
        username=entry.username,
        password=password or "",
        verify=entry.verify,
        pull_host=entry.pull_host,
        prefix="",
        ca=entry.ca,
        cert=entry.cert,
        own=entry.own,
        key=key or "",
        locked=password is None or key is None,
    )


def opened(value: str, purpose: str) -> str | None:
    """What was sealed; None when no key opens it."""
    try:
        return secrets.unseal(value, purpose)
    except secrets.Unopened:
        return None


def write(record: RegistrySettings, by: str, now: datetime, *, new: bool) -> None:
    """Keep how a registry is reached, its secrets sealed, and show it. Raises IntegrityError when a `new` one
    has a name that is there already."""
    fields = {
        "url": record.url,
        "username": record.username,
        "password": secrets.seal(record.password, sealed.REGISTRY_PASSWORD),
        "verify": record.verify,
        "ca": record.ca,
        "cert": record.cert,
        "key": secrets.seal(record.key, sealed.REGISTRY_KEY),
        "pull_host": record.pull_host,
        "own": record.own,
        "changed_by": by,
        "changed_at": now,
    }
    with transaction.atomic():
        if new:
            Entry.objects.create(name=record.name, added_by=by, added_at=now, **fields)
        else:
            Entry.objects.filter(name=record.name).update(**fields)
        # Unless somebody has hidden it just now.
        if entry := Entry.objects.in_use().filter(name=record.name).first():
            follow(read(entry))
        # It is to be read, and asked what it can do, as it is reached from now on.
        Registry.objects.filter(name=record.name).update(due_at=now, examined_at=None)


def hide(name: str, by: str, now: datetime) -> None:
    """Take a registry off the pages, and ask nothing of it any more. What is remembered of it stays."""
    with transaction.atomic():
        Entry.objects.filter(name=name).update(hidden=True, changed_by=by, changed_at=now)
        ensure()


def show(name: str, by: str, now: datetime) -> None:
    """Bring a hidden registry back, with what is remembered of it."""
    with transaction.atomic():
        Entry.objects.filter(name=name).update(hidden=False, changed_by=by, changed_at=now)
        ensure()


def ensure(*, hide: bool = True) -> None:
    """Make the rows of registries follow the environment and the address book: create, update, and with
    `hide` hide those whose name is in neither."""
    entries = Entry.objects.in_use()
    with transaction.atomic():
        for record in settings.REGISTRIES.values():
            follow(record)
        # Nobody is to hide one in the meantime that is then shown.
        for entry in entries.select_for_update():
            follow(read(entry))
        if hide:
            gone = Registry.objects.exclude(name__in=settings.REGISTRIES)
            # In one statement: another process may be adding one just now.
            gone.exclude(name__in=entries.values("name")).update(active=False)


def follow(record: RegistrySettings) -> None:
    """Make the row of a registry follow its record."""
    # What was found out about one at another address says nothing about this one.
    moved = Registry.objects.filter(name=record.name).exclude(url=record.url)
    moved.update(capabilities={}, examined_at=None)
    Registry.objects.update_or_create(
        name=record.name,
        defaults={"url": record.url, "pull_host": record.host, "own": record.own, "active": True},
    )


@dataclass(frozen=True)
class Line:
    """One registry of the address book: as the environment gives it, as people entered it, or both, of which
    the latter then rests."""

    name: str
    given: RegistrySettings | None = None
    entry: Entry | None = None

    @property
    def url(self) -> str:
        return self.given.url if self.given else self.entry.url if self.entry else ""

    @property
    def is_hidden(self) -> bool:
        return self.given is None and self.entry is not None and self.entry.hidden

    @property
    def is_locked(self) -> bool:
        return self.given is None and self.entry is not None and read(self.entry).locked


def lines() -> Sequence[Line]:
    """All of the address book: the environment's first, in its order, then what people entered, by name."""
    entries = {entry.name: entry for entry in Entry.objects.all()}
    named = [Line(name, record, entries.pop(name, None)) for name, record in settings.REGISTRIES.items()]
    return [*named, *(Line(name, None, entry) for name, entry in entries.items())]
