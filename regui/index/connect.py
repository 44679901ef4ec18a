"""Connections to registries: the only place that builds a client.

A `Link` is made once for each registry and lives until it is to be reached another way, or as long as the
process, with its connections, its threads and its memory of the last failure.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

from django.conf import settings

from regui import __version__, oci
from regui.index import book, pages
from regui.index.models import Registry
from regui.registries import RegistrySettings

T = TypeVar("T")
R = TypeVar("R")

THREADS = 8
# Seconds a crawl waits for an answer: a catalog may take a minute.
PATIENCE = 75.0
# Seconds that whoever moves blobs waits for an answer.
CARRYING = 120.0
# What a thread may overrun its deadline by before it is left to finish on its own.
GRACE = 0.25
# How long what didn't answer is left in peace, so that not every page waits for it. A refused connection
# costs nothing to try again, a request that hangs costs a page its whole budget.
REST, LONG_REST, LONGEST_REST = 2.0, 10.0, 60.0
EVERYTHING = ""


@dataclass
class Link:
    """A client for one registry, the threads that use it and what went wrong last."""

    record: RegistrySettings
    client: oci.Client
    pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(THREADS, thread_name_prefix="registry")
    )
    rests: dict[str, tuple[float, oci.Error]] = field(default_factory=dict)

    @cached_property
    def crawler(self) -> oci.Client:
        """A client whose requests cost less here and may take longer; what fails is its user's affair."""
        patient = oci.Timeout(read=PATIENCE, total=2 * PATIENCE)
        size = max(settings.SYNC_CONCURRENCY, THREADS)
        return build(self.record, direct=True, tries=1, timeout=patient, pool_size=size)

    @cached_property
    def carrier(self) -> oci.Client:
        """A client for moving blobs: a registry may take minutes to put away one that it was sent."""
        patient = oci.Timeout(read=CARRYING, total=2 * CARRYING)
        return build(self.record, timeout=patient, pool_size=2 * THREADS)

    def check(self, what: str) -> None:
        """Nothing, or raises the failure of a moment ago without asking again: the registry's, or this one
        question's."""
        for key in (EVERYTHING, what):
            until, error = self.rests.get(key, (0.0, None))
            if error is not None and time.monotonic() < until:
                raise error

    def failed(self, what: str, error: oci.Error) -> None:
        """Remember a failure to answer. A question that took too long says nothing about others: one
        catalog may take a minute where everything else takes a millisecond. Any other outage is the whole
        registry's."""
        if not is_outage(error):
            return
        rest = LONG_REST if isinstance(error, oci.TimedOut) else REST
        if isinstance(error, oci.Refused) and error.retry_after is not None:
            rest = min(error.retry_after, LONGEST_REST)
        now = time.monotonic()
        self.rests = {key: value for key, value in self.rests.items() if value[0] > now}
        self.rests[what if isinstance(error, oci.TimedOut) else EVERYTHING] = now + rest, error

    def map(
        self, work: Callable[[T], R], items: Iterable[T], deadline: float | None
    ) -> Iterator[tuple[T, R | oci.Error]]:
        """Each item with what `work` made of it in a thread, or the error it met, in the items' order.

        Nothing starts after the deadline (monotonic) and nothing is waited for much longer than that: what
        isn't done by then is `TimedOut`. `work` must not touch the database: a thread's connection is its
        own."""
        pages.note()

        def attempt(item: T) -> R | oci.Error:
            if deadline is not None and time.monotonic() >= deadline:
                return out_of_time()
            try:
                return work(item)
            except oci.Error as error:
                return error

        pending: list[tuple[T, Future[R | oci.Error]]] = [
            (item, self.pool.submit(attempt, item)) for item in items
        ]
        try:
            left = None if deadline is None else max(deadline - time.monotonic(), 0) + GRACE
            wait([future for _, future in pending], timeout=left)
            for item, future in pending:
                yield item, future.result() if future.done() else out_of_time()
        finally:
            for _, future in pending:
                future.cancel()


_links: dict[str, Link] = {}
# How many people's links are kept, the last used ones.
PEOPLE = 32
_people: OrderedDict[RegistrySettings, Link] = OrderedDict()
_lock = threading.Lock()


def link(registry: Registry) -> Link:
    """The link to that registry. Raises `oci.Unreachable` when the settings no longer name it."""
    pages.note()
    return _link(registry)


def crawler(registry: Registry) -> oci.Client:
    """The client of that registry's crawls, which no page waits for. Raises `oci.Unreachable` like `link`."""
    return _link(registry).crawler


def recorded(registry: Registry) -> RegistrySettings:
    """How that registry is reached. Raises like `link`."""
    record = book.look_up(registry.name)
    if record is None:
        raise oci.Unreachable(
            f"The settings don't say where the registry {registry.name} is. Set the same REGUI_REGISTRY_… "
            "variables here as where regui serves."
        )
    if record.locked:
        raise book.Locked(f"The password or key kept of the registry {registry.name} can't be opened.")
    return record


def _link(registry: Registry) -> Link:
    record = recorded(registry)
    with _lock:
        found = _links.get(record.name)
        if found is None or found.record != record:
            # Whoever is at something goes on with the link of before, whose connections end with that.
            found = _links[record.name] = Link(record, build(record))
        return found


def as_person(registry: Registry, credentials: oci.Credentials) -> Link:
    """The link to that registry of somebody who shows credentials of their own. Raises like `link`."""
    pages.note()
    record = shown_by(registry, credentials)
    with _lock:
        if record not in _people:
            # Whoever is at something goes on with the link that is let go of.
            _people[record] = Link(record, build(record))
            if len(_people) > PEOPLE:
                _people.popitem(last=False)
        _people.move_to_end(record)
        return _people[record]


def shown_by(registry: Registry, credentials: oci.Credentials) -> RegistrySettings:
    """How the registry is reached with these credentials. Raises like `link`."""
    return replace(recorded(registry), username=credentials.username, password=credentials.password)


@contextmanager
def trial(registry: Registry, credentials: oci.Credentials) -> Iterator[oci.Client]:
    """A client to try credentials with, which nobody else gets: it knows no token yet. Raises like `link`."""
    pages.note()
    client = build(shown_by(registry, credentials))
    try:
        yield client
    finally:
        client.close()


def part(name: str, credentials: oci.Credentials) -> None:
    """Let go of the link of somebody who signed out of the registry of that name; who is at something with it
    goes on."""
    with _lock:
        for record in list(_people):
            if record.name == name and (record.username, record.password) == (
                credentials.username,
                credentials.password,
            ):
                del _people[record]


def connect(registry: Registry) -> oci.Client:
    """A client for that registry, shared by all who ask. Raises `oci.Unreachable` like `link`."""
    return link(registry).client


def close() -> None:
    """End all links, whose threads finish what they are at; whoever asks next gets a new one."""
    with _lock:
        ended = [*_links.values(), *_people.values()]
        _links.clear()
        _people.clear()
    for one in ended:
        one.pool.shutdown(wait=False, cancel_futures=True)
        one.client.close()
        for client in ("crawler", "carrier"):
            if client in vars(one):
                getattr(one, client).close()


def build(record: RegistrySettings, **options: Any) -> oci.Client:
    """A new client with the record's address, credentials and certificates."""
    credentials = oci.Credentials(record.username, record.password) if record.username else None
    return oci.Client(
        record.url,
        credentials=credentials,
        verify=trusted(record) if record.verify else False,
        cert=shown(record),
        user_agent=f"regui/{__version__}",
        link_local=settings.ALLOW_LINK_LOCAL,
        **({"pool_size": THREADS} | options),
    )


def ensure_registries(*, hide: bool = True) -> None:
    """Make the rows of registries follow the settings and the address book (`book.ensure`)."""
    book.ensure(hide=hide)


def trusted(record: RegistrySettings) -> oci.Pem | str | bool:
    """Whose certificates count: those of the authorities that the record names, else everybody's."""
    return oci.Pem(record.ca) if record.ca else record.ca_file or True


def shown(record: RegistrySettings) -> oci.Pem | tuple[str, str] | str | None:
    """The client certificate, with its key where that lies apart."""
    if record.cert:
        return oci.Pem(f"{record.cert}\n{record.key}")
    return (record.client_cert, record.client_key) if record.client_key else record.client_cert or None


def is_outage(error: oci.Error) -> bool:
    """Whether the error says something about the registry, not about what was asked for."""
    return isinstance(
        error,
        oci.Unreachable
        | oci.NotARegistry
        | oci.TooManyRequests
        | oci.Unavailable
        | oci.Unauthorized
        | book.Locked,
    )


def out_of_time() -> oci.TimedOut:
    """What a reading meets that its budget ended."""
    return oci.TimedOut("The registry took longer to answer than a page can wait.")
