"""Names that no catalog brings: given by hand, told by events, opened; and a catalog that is too much."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from regui import oci
from regui.index import fetch, inbox, listing, names, reindex, sync
from regui.index.events import Applier
from regui.index.models import Registry, Repository, Sync, Tag
from tests import factories, images
from tests.fake import Fake
from tests.index.conftest import count
from tests.memory import Ask, Out, error, out
from tests.notifications import envelope, event

pytestmark = pytest.mark.django_db

Source = Repository.Source
NO_CATALOG = [
    error(401, "UNAUTHORIZED"),
    error(403, "DENIED"),
    error(404, "NOT_FOUND"),
    error(405, "UNSUPPORTED"),
    Out(404, b"404 page not found\n", (("Content-Type", "text/plain"),)),
]


def push(fake: Fake, *repositories: str) -> None:
    with oci.Client(fake.url) as client:
        for name in repositories:
            images.push(client, name, images.image(), ["1", "2"])


def given(settings: Settings, *, hand: tuple[str, ...] = (), under: tuple[str, ...] = ()) -> None:
    """Let the settings name these."""
    record = settings.REGISTRIES["main"]
    settings.REGISTRIES = {"main": replace(record, names=hand, under=under)}


def unlist(fake: Fake) -> None:
    fake.on("GET", r"/v2/_catalog", error(404, "NOT_FOUND"))


def known(registry: Registry) -> dict[str, str]:
    """The listed repositories and how they are known."""
    return dict(registry.repositories.listed().values_list("name", "source"))


def tell(registry: Registry, repository: str, digest: str) -> None:
    """Let an event of a push arrive, and apply it."""
    now = timezone.now()
    sent = [event("push", repository, tag="1", digest=oci.Digest(digest))]
    inbox.store(registry, inbox.parse(envelope(sent)), now)
    applier = Applier(registry)
    applier.apply()
    applier.release()


@pytest.mark.parametrize("answer", NO_CATALOG, ids=["401", "403", "404", "405", "404 text"])
def test_what_the_settings_name_is_read_without_a_catalog(
    fake: Fake, fake_row: Registry, settings: Settings, answer: Out
) -> None:
    push(fake, "team/app", "team/web", "other")
    fake.on("GET", r"/v2/_catalog", answer)
    given(settings, hand=("team/app", "team/web"))
    run = sync.run(fake_row)

    assert (run.problem, run.failures, run.repositories, run.tags) == ("", [], 2, 4)
    assert known(fake_row) == {"team/app": "hand", "team/web": "hand"}
    fake_row.refresh_from_db()
    assert fake_row.unlisted
    assert fake_row.problem == ""


def test_a_registry_that_refuses_everything_is_no_registry_without_a_catalog(
    fake: Fake, fake_row: Registry
) -> None:
    fake.on("GET", r"/v2/.*", error(401, "UNAUTHORIZED"))
    assert sync.run(fake_row).problem
    fake_row.refresh_from_db()
    assert fake_row.unlisted == ""


def test_names_are_read_beside_a_catalog_that_lacks_them(
    fake: Fake, fake_row: Registry, settings: Settings
) -> None:
    push(fake, "hidden", "shown")
    fake.on("GET", r"/v2/_catalog", out(200, {"repositories": ["shown"]}))
    given(settings, hand=("hidden",))
    for _ in range(2):
        assert sync.run(fake_row).problem == ""
        assert known(fake_row) == {"hidden": "hand", "shown": "catalog"}


def test_a_name_that_leaves_the_settings_takes_its_repository_along(
    fake: Fake, fake_row: Registry, settings: Settings
) -> None:
    push(fake, "a", "b")
    unlist(fake)
    given(settings, hand=("a", "b"))
    sync.run(fake_row)
    given(settings, hand=("b",))
    sync.run(fake_row)
    assert known(fake_row) == {"b": "hand"}
    given(settings, hand=("a", "b"))
    sync.run(fake_row)
    assert known(fake_row) == {"a": "hand", "b": "hand"}


class TestACatalogThatLacksThem:
    """What came another way doesn't leave because a catalog never listed it."""

    @pytest.mark.parametrize("source", [Source.EVENT, Source.OPENED])
    def test_they_stay(self, fake: Fake, fake_row: Registry, source: str) -> None:
        push(fake, "hidden", "shown")
        fake.on("GET", r"/v2/_catalog", out(200, {"repositories": ["shown"]}))
        factories.repository("hidden", of=fake_row, source=source, listed_at=None)
        for _ in range(2):
            sync.run(fake_row)
            assert known(fake_row) == {"hidden": source, "shown": "catalog"}
        fake_row.refresh_from_db()
        assert fake_row.doubt == ""

    def test_once_it_lists_them_they_are_its_own(self, fake: Fake, fake_row: Registry) -> None:
        push(fake, "a", "b", "c")
        for name in ("a", "b"):
            factories.repository(name, of=fake_row, source=Source.EVENT, listed_at=None)
        sync.run(fake_row)
        assert set(known(fake_row).values()) == {"catalog"}
        listing.repositories(fake_row, ["b", "c"], timezone.now(), complete=True)
        assert known(fake_row) == {"b": "catalog", "c": "catalog"}

    def test_what_only_the_catalog_knew_stays_when_it_is_named(
        self, fake: Fake, fake_row: Registry, settings: Settings
    ) -> None:
        push(fake, "a", "b", "c")
        given(settings, hand=("a",))
        sync.run(fake_row)
        assert known(fake_row)["a"] == "catalog"
        fake.on("GET", r"/v2/_catalog", out(200, {"repositories": ["b", "c"]}))
        fetch.catalog(fake_row, max_age=timedelta(0))
        assert known(fake_row)["a"] == "hand"
        assert Tag.objects.listed().filter(repository__name="a").count() == 2


class TestTheRegistryKnowsNone:
    """The registry's own word about a name, asked for its tags."""

    @pytest.mark.parametrize("source", [Source.EVENT, Source.OPENED])
    def test_what_came_by_itself_leaves(self, fake: Fake, fake_row: Registry, source: str) -> None:
        unlist(fake)
        factories.repository("gone", of=fake_row, source=source, listed_at=None)
        sync.run(fake_row)
        assert known(fake_row) == {}

    def test_what_had_tags_is_doubted_first(self, fake: Fake, fake_row: Registry) -> None:
        """A disk that isn't mounted looks the same."""
        push(fake, "a")
        unlist(fake)
        row = factories.repository("a", of=fake_row, source=Source.EVENT, listed_at=None)
        sync.run(fake_row)
        del fake.memory.repositories["a"]
        sync.run(fake_row)
        row.refresh_from_db()
        assert row.doubt
        assert known(fake_row) == {"a": "event"}

        fetch.confirm(row)
        assert known(fake_row) == {}

    def test_what_was_named_stays_and_says_so(
        self, fake: Fake, fake_row: Registry, settings: Settings
    ) -> None:
        unlist(fake)
        given(settings, hand=("typo",))
        sync.run(fake_row)
        assert Repository.objects.listed().get().problem == names.NO_SUCH

    def test_what_something_in_between_says_counts_for_nothing(self, fake: Fake, fake_row: Registry) -> None:
        unlist(fake)
        fake.on("GET", r"/v2/.*/tags/list", Out(404, b"nginx", (("Content-Type", "text/html"),)))
        factories.repository("a", of=fake_row, source=Source.EVENT, listed_at=None)
        sync.run(fake_row)
        assert known(fake_row) == {"a": "event"}


def test_an_opened_repository_is_remembered_as_opened(fake: Fake, fake_row: Registry) -> None:
    push(fake, "a")
    row = Repository(registry=fake_row, name="a", first_seen_at=timezone.now(), source=Source.OPENED)
    fetch.repository(row)
    assert known(fake_row) == {"a": "opened"}


class TestPrefixes:
    def test_nothing_else_is_taken_from_the_catalog(
        self, fake: Fake, fake_row: Registry, settings: Settings
    ) -> None:
        push(fake, "a", "team/app", "team/web", "teams/app", "z/app", "z/web")
        given(settings, under=("team", "z"), hand=("z/app", "a"))
        sync.run(fake_row)
        assert sorted(known(fake_row)) == ["a", "team/app", "team/web", "z/app", "z/web"]
        assert count(fake, "teams/app/tags/list") == 0

    def test_what_lies_outside_leaves_when_they_are_set_and_comes_back_when_not(
        self, fake: Fake, fake_row: Registry, settings: Settings
    ) -> None:
        push(fake, "a", "b", "c", "team/app")
        sync.run(fake_row)
        given(settings, under=("team",))
        run = sync.run(fake_row)
        fake_row.refresh_from_db()
        assert (run.problem, fake_row.doubt, list(known(fake_row))) == ("", "", ["team/app"])
        given(settings)
        sync.run(fake_row)
        assert len(known(fake_row)) == 4

    def test_events_make_nothing_known_that_lies_outside(
        self, fake: Fake, fake_row: Registry, settings: Settings
    ) -> None:
        push(fake, "other/app", "team/app")
        given(settings, under=("team",))
        for name in ("other/app", "team/app"):
            tell(fake_row, name, fake.memory.repositories[name].tags["1"])
        assert known(fake_row) == {"team/app": "event"}


def test_reading_anew_keeps_names_and_how_they_came(
    fake: Fake, fake_row: Registry, settings: Settings
) -> None:
    push(fake, "given", "entered", "told", "opened")
    unlist(fake)
    given(settings, hand=("given",))
    names.enter(fake_row, ["entered"], timezone.now())
    tell(fake_row, "told", fake.memory.repositories["told"].tags["1"])
    factories.repository("opened", of=fake_row, source=Source.OPENED)
    sync.run(fake_row)
    before = known(fake_row)
    assert before == {"given": "hand", "entered": "hand", "told": "event", "opened": "opened"}

    reindex.forget(fake_row, timezone.now())
    run = sync.run(fake_row)

    assert (run.problem, run.repositories) == ("", 4)
    assert known(fake_row) == before
    fake_row.refresh_from_db()
    assert fake_row.names == "entered"
    assert Tag.objects.listed().exclude(manifest=None).count() == 8


class TestNaming:
    def test_names_are_kept_and_read_at_once(self, fake: Fake, fake_row: Registry) -> None:
        push(fake, "a", "b/c")
        unlist(fake)
        fake.seen.clear()
        assert fetch.name(fake_row, ["a", "b/c"]) == fetch.Named()
        assert known(fake_row) == {"a": "hand", "b/c": "hand"}
        assert all(row.tag_count == 2 and row.size for row in fake_row.repositories.all())
        assert count(fake, "/tags/list") == 2

    def test_one_that_the_registry_knows_nothing_of_keeps_them_all_out(
        self, fake: Fake, fake_row: Registry
    ) -> None:
        push(fake, "a")
        assert fetch.name(fake_row, ["a", "typo"]).unknown == ["typo"]
        assert known(fake_row) == {}
        fake_row.refresh_from_db()
        assert fake_row.names == ""

    def test_one_that_cannot_be_read_now_is_kept(self, fake: Fake, fake_row: Registry) -> None:
        push(fake, "a", "b")
        fake.on("GET", r"/v2/b/tags/list", error(403, "DENIED"))
        outcome = fetch.name(fake_row, ["a", "b"])
        assert list(outcome.problems) == ["b"]
        assert set(known(fake_row)) == {"a", "b"}

    def test_it_takes_no_longer_than_its_time(self, fake: Fake, fake_row: Registry) -> None:
        fake.on("GET", r"/v2/.*/tags/list", Out(stall=20))
        began = time.monotonic()
        outcome = fetch.name(fake_row, [f"app-{number}" for number in range(20)], budget=0.5)
        assert time.monotonic() - began < 5
        assert len(outcome.problems) == len(known(fake_row)) == 20

    def test_naming_twice_is_naming_once(self, fake: Fake, fake_row: Registry) -> None:
        push(fake, "a")
        for _ in range(2):
            fetch.name(fake_row, ["a"])
        assert Repository.objects.count() == 1
        fake_row.refresh_from_db()
        assert fake_row.names == "a"

    def test_a_removed_name_takes_its_repository_along_unless_something_else_knows_it(
        self, fake: Fake, fake_row: Registry
    ) -> None:
        push(fake, "a", "told")
        tell(fake_row, "told", fake.memory.repositories["told"].tags["1"])
        fetch.name(fake_row, ["a", "told"])
        for name in ("a", "told"):
            names.remove(fake_row, name, timezone.now())
        assert known(fake_row) == {"told": "event"}


SLOW = 3.0


def stalling(seconds: float, size: int = 1000) -> Callable[[Ask], Out]:
    """A catalog that takes that long for each page, of three names in pages of that size."""
    everything = [f"app-{number}" for number in range(3)]

    def answer(ask: Ask) -> Out:
        at = everything.index(ask.query["last"]) + 1 if "last" in ask.query else 0
        some = everything[at : at + size]
        link = f'</v2/_catalog?last={some[-1]}&n={size}>; rel="next"' if everything[at + size :] else ""
        page = out(200, {"repositories": some}, **({"Link": link} if link else {}))
        return replace(page, stall=seconds)

    return answer


class TestASlowCatalog:
    """Sixty seconds for each page, here a few."""

    def test_a_round_reads_what_is_known_meanwhile(
        self, fake: Fake, fake_row: Registry, settings: Settings
    ) -> None:
        push(fake, "app-0", "app-1", "app-2", "named")
        given(settings, hand=("named",))
        fake.on("GET", r"/v2/_catalog", stalling(SLOW))
        began, read = time.monotonic(), dict[str, float]()

        def watch(state: sync.State) -> None:
            read.setdefault(state.name, time.monotonic() - began)

        run = sync.run(fake_row, watch)

        assert (run.problem, run.repositories) == ("", 4)
        assert read["named"] < SLOW < read["app-0"]

    def test_what_it_lists_is_read_before_the_rest_has_come(self, fake: Fake, fake_row: Registry) -> None:
        push(fake, "app-0", "app-1", "app-2")
        fake.on("GET", r"/v2/_catalog", stalling(SLOW, size=1))
        began, read = time.monotonic(), dict[str, float]()

        def watch(state: sync.State) -> None:
            read.setdefault(state.name, time.monotonic() - began)

        sync.run(fake_row, watch)
        assert read["app-0"] < 2 * SLOW < read["app-2"]

    def test_what_becomes_due_again_is_read_again(
        self, fake: Fake, fake_row: Registry, settings: Settings
    ) -> None:
        """A catalog may take longer than rounds are apart."""
        settings.SYNC_EVERY, settings.SYNC_SHARE = timedelta(seconds=1), 0.5
        push(fake, "app-0", "app-1", "app-2", "named")
        given(settings, hand=("named",))
        fake.on("GET", r"/v2/_catalog", stalling(2 * SLOW))
        fake.seen.clear()
        sync.crawl(fake_row)
        listed = [ask.path for ask in fake.seen if ask.path.endswith("named/tags/list")]
        assert count(fake, "_catalog") == 1
        assert len(listed) >= 3

    def test_a_waiting_round_leaves_the_database_alone(self, fake: Fake, fake_row: Registry) -> None:
        fake.on("GET", r"/v2/_catalog", stalling(SLOW + 3))
        asked = list[str]()

        def counting(execute: Callable[..., object], sql: str, *rest: object) -> object:
            asked.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(counting):
            sync.run(fake_row)
        assert len(asked) < 600

    def test_a_page_takes_no_longer_and_says_so(self, fake: Fake, fake_row: Registry) -> None:
        """Once a worker has been at it for longer than a page may wait."""
        push(fake, "app-0")
        fetch.repository(factories.repository("app-0", of=fake_row, source=Source.EVENT, listed_at=None))
        Registry.objects.update(listed_at=None, leased_until=timezone.now() + timedelta(seconds=20))
        Sync.objects.create(registry=fake_row, started_at=timezone.now() - timedelta(seconds=5))
        fake.on("GET", r"/v2/_catalog", Out(stall=20))
        began = time.monotonic()
        reading = fetch.catalog(fake_row)
        assert time.monotonic() - began < 1
        assert (reading.problem, reading.complete, reading.hint) == ("", False, fetch.SO_FAR)
