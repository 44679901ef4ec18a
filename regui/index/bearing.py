"""Registries to which people show credentials of their own: what each could list there of late.

regui's own account reads such a registry for the index. A person's never does: a registry says 404 to who
lacks the right, and what one lacks must take nothing away from what all share. It decides what they see.
"""

import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from regui import oci
from regui.index import connect
from regui.index.batches import batches
from regui.index.connect import Link
from regui.index.models import Listing, Registry

# How long what a registry said counts, and from when on it is asked for its list anew, while nobody waits.
FRESH, RENEW = timedelta(minutes=5), timedelta(minutes=4)
# Seconds a page waits for the registry's list, and for its word on one repository; and a list may take.
LIST, TEST, LISTING = 2.0, 2.0, 60.0
# The row that says when the list was last given, or refused.
ALL = ""
CATALOG = "what a person can list"


@dataclass(frozen=True)
class Bearer:
    """Somebody's credentials of a registry, entered when that was at `url`; `id` tells them from all others,
    without saying anything of them."""

    registry: str
    id: str
    credentials: oci.Credentials = field(repr=False)
    url: str


@dataclass(frozen=True)
class Answer:
    """The names that came, and why not all of them did."""

    began: datetime
    names: list[str]
    error: oci.Error | None


# The lists that are on their way, by the bearers' ids. A long one goes on when its page is answered.
_coming: dict[str, Future[Answer]] = {}
_lock, _writing = threading.Lock(), threading.Lock()


def listed(bearers: Iterable[Bearer]) -> QuerySet[Listing]:
    """What these could list within the last five minutes, and weren't refused since."""
    ids = [bearer.id for bearer in bearers]
    fresh = Listing.objects.filter(bearer__in=ids, at__gte=timezone.now() - FRESH, refused=False)
    return fresh.exclude(name=ALL)


def gives_list(bearer: Bearer) -> bool | None:
    """Whether the registry gave them its list within the last five minutes; None when it said nothing yet."""
    said = Listing.objects.filter(bearer=bearer.id, registry=bearer.registry, name=ALL)
    refused = said.filter(at__gte=timezone.now() - FRESH).values_list("refused", flat=True).first()
    return None if refused is None else not refused


def check(registry: Registry, credentials: oci.Credentials) -> None:
    """Nothing, when the registry takes these credentials; else raises what it said, `oci.Unauthorized`."""
    with connect.trial(registry, credentials) as client:
        client.until(time.monotonic() + TEST).ping()


def refresh(registry: Registry, bearer: Bearer) -> None:
    """Have the list asked for anew when the last answer grows old, and wait a moment for it when that is too
    old to count. What takes longer goes on, for whoever asks next; what fails leaves what was listed so
    far."""
    last = Listing.objects.filter(bearer=bearer.id, registry=bearer.registry, name=ALL)
    at = last.values_list("at", flat=True).first()
    age = timezone.now() - at if at else FRESH
    if age < RENEW:
        return
    try:
        coming = asked(connect.as_person(registry, bearer.credentials), bearer)
    except oci.Error:  # a moment ago it gave no answer
        return
    if age >= FRESH:
        wait([coming], LIST)
    if not coming.done():
        return
    # A long one takes seconds to write: one page does, the others wait for what it writes.
    with _writing:
        if _coming.get(bearer.id) is coming:
            if not coming.cancelled():
                take(bearer, coming.result())
            with _lock:
                _coming.pop(bearer.id, None)


def asked(link: Link, bearer: Bearer) -> Future[Answer]:
    """The list on its way: whoever comes while somebody asks waits for the same. Raises the failure of a
    moment ago."""
    with _lock:
        found = _coming.get(bearer.id)
        if found is None:
            link.check(CATALOG)
            found = _coming[bearer.id] = link.pool.submit(ask, link)
        return found


def ask(link: Link) -> Answer:
    """The registry's list, as far as it comes. It touches no database: it is another thread's."""
    began, names = timezone.now(), list[str]()
    try:
        names.extend(link.client.until(time.monotonic() + LISTING).catalog())
    except oci.Error as error:
        if says_nothing(error):
            link.failed(CATALOG, error)
        return Answer(began, names, error)
    return Answer(began, names, None)


def take(bearer: Bearer, answer: Answer) -> None:
    """Write down what could be listed. What was refused stays so until it is tested again."""
    write([row(bearer, name, answer.began) for name in answer.names], ["at"])
    # Many registries give their whole list to nobody but administrators.
    if answer.error is None or not says_nothing(answer.error):
        write([row(bearer, ALL, answer.began, refused=answer.error is not None)], ["at", "refused"])


def test(registry: Registry, bearer: Bearer, name: str) -> bool:
    """Whether these credentials can list the tags of that repository. They are asked for when the last good
    answer is too old; a bad one is no reason not to ask again. While the registry can't be asked, whether
    they could list it within the last five minutes."""
    now = timezone.now()
    rows = Listing.objects.filter(bearer=bearer.id, registry=bearer.registry, name=name, refused=False)
    if rows.filter(tested_at__gte=now - FRESH).exists():
        return True
    link = connect.as_person(registry, bearer.credentials)
    refused = False
    try:
        link.check(name)
        next(iter(link.client.until(time.monotonic() + TEST).tags(name)), None)
    except oci.Error as error:
        if says_nothing(error):
            link.failed(name, error)
            return listed([bearer]).filter(name=name).exists()
        refused = True
    answer = row(bearer, name, now, refused=refused)
    answer.tested_at = now
    write([answer], ["at", "tested_at", "refused"])
    return not refused


def says_nothing(error: oci.Error) -> bool:
    """Whether the registry didn't say who may list what: it gave no answer. That it doesn't take the
    credentials, for this or at all, is one."""
    return connect.is_outage(error) and not isinstance(error, oci.Unauthorized)


def row(bearer: Bearer, name: str, at: datetime, *, refused: bool = False) -> Listing:
    return Listing(bearer=bearer.id, registry=bearer.registry, name=name, at=at, refused=refused)


def write(rows: Iterable[Listing], fields: list[str]) -> None:
    """Write rows down over those that are there. In one order, so that nobody waits for one another."""
    for some in batches(sorted(rows, key=lambda one: one.name)):
        Listing.objects.bulk_create(
            some,
            update_conflicts=True,
            unique_fields=["bearer", "registry", "name"],
            update_fields=fields,
        )


def forget(bearer: Bearer) -> None:
    """Take back all that was written down for somebody."""
    with _lock:
        _coming.pop(bearer.id, None)
    Listing.objects.filter(bearer=bearer.id).delete()


def prune(now: datetime) -> None:
    """Let go of what is too old to count."""
    Listing.objects.filter(at__lt=now - 2 * FRESH).delete()
