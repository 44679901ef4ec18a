"""Registries to which people show credentials of their own: what each could list there of late.

regui's own account reads such a registry for the index. A person's never does: a registry says 404 to who
lacks the right, and what one lacks must take nothing away from what all share. It decides what they see.
"""

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from regui import oci
from regui.index import connect
from regui.index.batches import batches
from regui.index.models import Listing, Registry

# How long what a registry said counts.
FRESH = timedelta(minutes=5)
# Seconds a page waits for the registry's list, and for its word on one repository.
LIST, TEST = 2.0, 2.0
# The row that says when the list was last asked for.
ALL = ""


@dataclass(frozen=True)
class Bearer:
    """Somebody's credentials of a registry; `id` tells them from all others, without saying anything of
    them."""

    registry: str
    id: str
    credentials: oci.Credentials = field(repr=False)


def listed(bearers: Iterable[Bearer]) -> QuerySet[Listing]:
    """What these could list within the last five minutes, and weren't refused since."""
    ids = [bearer.id for bearer in bearers]
    fresh = Listing.objects.filter(bearer__in=ids, at__gte=timezone.now() - FRESH, refused=False)
    return fresh.exclude(name=ALL)


def check(registry: Registry, credentials: oci.Credentials) -> None:
    """Nothing, when the registry takes these credentials; else raises what it said, `oci.Unauthorized`."""
    connect.as_person(registry, credentials).client.until(time.monotonic() + TEST).ping()


def refresh(registry: Registry, bearer: Bearer) -> None:
    """Ask for the list anew when the last answer is too old. One that fails leaves what was listed so far."""
    if is_fresh(bearer, ALL):
        return
    client = connect.as_person(registry, bearer.credentials).client.until(time.monotonic() + LIST)
    names: list[str] = []
    # Many registries give their whole list to nobody but administrators.
    with contextlib.suppress(oci.Error):
        names.extend(client.catalog())
    note(bearer, [ALL, *names], timezone.now())


def test(registry: Registry, bearer: Bearer, name: str) -> bool:
    """Whether these credentials can list the tags of that repository; asked when the last answer is too old.
    While the registry can't be asked, whether they could list it within the last five minutes."""
    rows = Listing.objects.filter(bearer=bearer.id, registry=bearer.registry, name=name)
    if row := rows.filter(tested_at__gte=timezone.now() - FRESH).first():
        return not row.refused
    client = connect.as_person(registry, bearer.credentials).client.until(time.monotonic() + TEST)
    refused = False
    try:
        next(iter(client.tags(name)), None)
    except oci.Error as error:
        if connect.is_outage(error) and not isinstance(error, oci.Unauthorized):
            return listed([bearer]).filter(name=name).exists()
        refused = True
    now = timezone.now()
    answer = {"at": now, "tested_at": now, "refused": refused}
    Listing.objects.update_or_create(bearer=bearer.id, registry=bearer.registry, name=name, defaults=answer)
    return not refused


def is_fresh(bearer: Bearer, name: str) -> bool:
    rows = Listing.objects.filter(bearer=bearer.id, name=name)
    return rows.filter(at__gte=timezone.now() - FRESH).exists()


def note(bearer: Bearer, names: Iterable[str], now: datetime) -> None:
    """Write down that they could list these; what was refused stays so until it is tested again."""
    rows = [Listing(bearer=bearer.id, registry=bearer.registry, name=name, at=now) for name in set(names)]
    for some in batches(rows):
        Listing.objects.bulk_create(
            some,
            update_conflicts=True,
            unique_fields=["bearer", "registry", "name"],
            update_fields=["at"],
        )


def forget(bearer: Bearer) -> None:
    """Take back all that was written down for somebody."""
    Listing.objects.filter(bearer=bearer.id).delete()


def prune(now: datetime) -> None:
    """Let go of what is too old to count."""
    Listing.objects.filter(at__lt=now - 2 * FRESH).delete()
