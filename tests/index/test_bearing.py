"""What a person's own account can list: asked in time, never twice at once, and only believed for a while."""

import base64
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from regui import oci
from regui.index import bearing, connect
from regui.index.bearing import Bearer
from regui.index.models import Listing, Registry
from regui.registries import RegistrySettings
from tests.fake import Fake
from tests.memory import Ask, Out, error, out

pytestmark = pytest.mark.django_db

CATALOG, TAGS = r"/v2/_catalog", r"/v2/.+/tags/list"


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as one:
        yield one


@pytest.fixture
def main(fake: Fake, settings: Settings) -> Iterator[Registry]:
    settings.REGISTRIES = {"main": RegistrySettings("main", fake.url, "regui", "of-regui", own=True)}
    connect.ensure_registries()
    yield Registry.objects.get(name="main")
    connect.close()


def bob(fake: Fake, number: int = 0) -> Bearer:
    return Bearer("main", f"{number:064}", oci.Credentials("bob", f"of-bob-{number}"), fake.url)


def listed(bearer: Bearer) -> set[str]:
    return set(bearing.listed([bearer]).values_list("name", flat=True))


def catalog(*names: str, stall: float = 0) -> Out:
    answer = out(200, {"repositories": list(names)})
    return Out(answer.status, answer.body, answer.headers, stall=stall)


def asked(fake: Fake, path: str) -> int:
    return sum(ask.path.endswith(path) for ask in fake.seen)


def test_a_list_that_takes_long_holds_up_one_page_and_comes_to_the_next(fake: Fake, main: Registry) -> None:
    fake.on("GET", CATALOG, catalog("team/app", "team/web", stall=3.5))
    began = time.monotonic()
    bearing.refresh(main, bob(fake))
    assert time.monotonic() - began < 3
    assert listed(bob(fake)) == set()
    assert bearing.gives_list(bob(fake)) is None
    bearing.refresh(main, bob(fake))
    assert listed(bob(fake)) == {"team/app", "team/web"}
    assert bearing.gives_list(bob(fake)) is True
    assert asked(fake, "_catalog") == 1


def test_a_list_grown_old_is_asked_for_while_nobody_waits(fake: Fake, main: Registry) -> None:
    fake.on("GET", CATALOG, catalog("team/app"))
    bearing.refresh(main, bob(fake))
    Listing.objects.update(at=timezone.now() - timedelta(minutes=4, seconds=30))
    fake.on("GET", CATALOG, catalog("team/app", "team/new", stall=0.3))
    began = time.monotonic()
    bearing.refresh(main, bob(fake))
    assert time.monotonic() - began < 0.3
    assert listed(bob(fake)) == {"team/app"}, "it counts for half a minute yet"
    time.sleep(0.6)
    bearing.refresh(main, bob(fake))
    assert listed(bob(fake)) == {"team/app", "team/new"}


def test_an_outage_ends_nothing_that_counts_and_is_not_waited_for_twice(fake: Fake, main: Registry) -> None:
    fake.on("GET", CATALOG, catalog("team/app"))
    bearing.refresh(main, bob(fake))
    assert bearing.test(main, bob(fake), "team/app") is False, "the memory knows no such repository"
    Listing.objects.update(refused=False, tested_at=None)
    Listing.objects.filter(name="").update(at=timezone.now() - timedelta(minutes=6))
    fake.on("GET", CATALOG, error(503, "UNAVAILABLE"))
    fake.on("GET", TAGS, error(503, "UNAVAILABLE"))
    bearing.refresh(main, bob(fake))
    count = len(fake.seen)
    bearing.refresh(main, bob(fake))
    assert bearing.test(main, bob(fake), "team/app"), "it could be listed a moment ago"
    assert not bearing.test(main, bob(fake), "team/web")
    assert len(fake.seen) == count, "a moment is waited before it is asked again"
    assert listed(bob(fake)) == {"team/app"}
    assert bearing.gives_list(bob(fake)) is None


@pytest.mark.parametrize(("status", "code"), [(401, "UNAUTHORIZED"), (403, "DENIED"), (404, "NOT_FOUND")])
def test_a_list_that_is_refused_is_not_asked_for_with_every_page(
    fake: Fake, main: Registry, status: int, code: str
) -> None:
    fake.on("GET", CATALOG, error(status, code))
    for _ in range(3):
        bearing.refresh(main, bob(fake))
    assert asked(fake, "_catalog") == 1
    assert bearing.gives_list(bob(fake)) is False


def test_what_was_not_there_a_moment_ago_is_asked_for_again(fake: Fake, main: Registry) -> None:
    fake.on("GET", TAGS, [error(404, "NAME_UNKNOWN"), out(200, {"name": "team/new", "tags": ["1"]})])
    assert not bearing.test(main, bob(fake), "team/new")
    assert bearing.test(main, bob(fake), "team/new")
    assert bearing.test(main, bob(fake), "team/new")
    assert asked(fake, "tags/list") == 2, "a good answer is remembered"


def test_a_list_does_not_give_back_what_was_refused(fake: Fake, main: Registry) -> None:
    fake.on("GET", TAGS, error(403, "DENIED"))
    fake.on("GET", CATALOG, catalog("secret/app", "team/app"))
    assert not bearing.test(main, bob(fake), "secret/app")
    bearing.refresh(main, bob(fake))
    assert listed(bob(fake)) == {"team/app"}


def test_each_account_is_asked_with_its_own_password_and_sees_its_own(fake: Fake, main: Registry) -> None:
    def answer(ask: Ask) -> Out | None:
        shown = ask.headers.get("Authorization", "")
        if not shown.startswith("Basic "):
            return out(401, b"", WWW_Authenticate="Basic realm=x")
        name = base64.b64decode(shown[6:]).decode().rpartition("-")[2]
        return catalog(f"team/of-{name}")

    fake.on("GET", CATALOG, answer)
    for number in (1, 2):
        bearing.refresh(main, bob(fake, number))
    assert [listed(bob(fake, number)) for number in (1, 2)] == [{"team/of-1"}, {"team/of-2"}]
    bearing.forget(bob(fake, 1))
    assert [listed(bob(fake, number)) for number in (1, 2)] == [set(), {"team/of-2"}]


def test_what_is_too_old_to_count_is_let_go_of(fake: Fake, main: Registry) -> None:
    fake.on("GET", CATALOG, catalog("team/app"))
    bearing.refresh(main, bob(fake))
    bearing.prune(timezone.now())
    assert Listing.objects.count() == 2
    bearing.prune(timezone.now() + timedelta(minutes=11))
    assert Listing.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_many_pages_at_once_ask_once_and_write_without_hindering_each_other(
    fake: Fake, main: Registry
) -> None:
    names = [f"team/app-{number}" for number in range(1000)]
    fake.on("GET", CATALOG, catalog(*names, stall=0.3))
    fake.on("GET", TAGS, out(200, {"name": "any", "tags": ["1"]}))
    start = threading.Barrier(6)

    def page(number: int) -> bool:
        try:
            start.wait(20)
            bearing.refresh(main, bob(fake))
            return all(bearing.test(main, bob(fake), name) for name in names[number::200])
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(page, range(6)))
    assert listed(bob(fake)) == set(names)
    assert asked(fake, "_catalog") == 1
