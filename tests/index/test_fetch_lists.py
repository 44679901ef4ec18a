"""Reading through to a registry's list of repositories."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from regui import oci
from regui.index import connect, fetch
from regui.index.models import Registry, Repository
from regui.registries import RegistrySettings
from tests import factories, images
from tests.fake import Fake
from tests.memory import Out, error, out
from tests.registry import RunningRegistry

pytestmark = pytest.mark.django_db


def names(registry: Registry) -> list[str]:
    return list(registry.repositories.listed().order_by("name").values_list("name", flat=True))


def grow_old(registry: Registry) -> None:
    """Let two minutes pass."""
    past = timezone.now() - timedelta(minutes=2)
    Registry.objects.update(listed_at=past, tried_at=past)
    registry.refresh_from_db()


def push(fake: Fake, *repositories: str) -> None:
    with oci.Client(fake.url) as client:
        for name in repositories:
            images.push(client, name, images.image(), ["1"])


class TestCatalog:
    def test_it_is_read_once_a_minute(self, fake: Fake, fake_row: Registry) -> None:
        push(fake, "a/b", "c")
        fake.seen.clear()
        for _ in range(3):
            reading = fetch.catalog(Registry.objects.get())
        assert (reading.problem, reading.complete, len(fake.seen)) == ("", True, 1)
        assert names(fake_row) == ["a/b", "c"]

        grow_old(fake_row)
        fetch.catalog(fake_row)
        assert len(fake.seen) == 2

    def test_an_empty_answer_after_a_full_one_prunes_nothing_and_says_so(
        self, fake: Fake, fake_row: Registry
    ) -> None:
        push(fake, "a", "b", "c")
        fetch.catalog(fake_row)
        fake.on("GET", r"/v2/_catalog", out(200, {"repositories": []}))
        grow_old(fake_row)
        reading = fetch.catalog(fake_row)

        assert "no repository at all" in reading.problem
        assert names(fake_row) == ["a", "b", "c"]
        before = len(fake.seen)
        assert fetch.catalog(fake_row).problem == reading.problem
        assert len(fake.seen) == before

    def test_a_catalog_that_breaks_off_keeps_what_came_and_prunes_nothing(
        self, fake: Fake, fake_row: Registry
    ) -> None:
        push(fake, "a", "b", "c")
        fetch.catalog(fake_row)
        page = out(200, {"repositories": ["new"]}, Link='</v2/_catalog?last=new&n=1>; rel="next"')
        fake.on("GET", r"/v2/_catalog", [page, Out(200, b"{}", cut=1)])
        grow_old(fake_row)
        reading = fetch.catalog(fake_row, budget=5)

        assert not reading.complete
        assert reading.problem
        assert names(fake_row) == ["a", "b", "c", "new"]

    @pytest.mark.parametrize(
        "answer",
        [
            error(405, "UNSUPPORTED"),
            error(403, "DENIED"),
            Out(404, b"404 page not found\n", (("Content-Type", "text/plain"),)),
        ],
        ids=["405", "403", "404"],
    )
    def test_a_registry_without_one_says_so(self, fake: Fake, fake_row: Registry, answer: Out) -> None:
        fake.on("GET", r"/v2/_catalog", answer)
        reading = fetch.catalog(fake_row)

        assert (reading.problem, reading.complete) == ("", True)
        fake_row.refresh_from_db()
        assert fake_row.unlisted.startswith("This registry doesn't list its repositories.")
        assert (fake_row.problem, fake_row.listed_at, fake_row.tried_at) == ("", None, reading.as_of)

    def test_that_there_is_none_is_asked_once_a_minute(self, fake: Fake, fake_row: Registry) -> None:
        fake.on("GET", r"/v2/_catalog", error(403, "DENIED"))
        for _ in range(3):
            fetch.catalog(Registry.objects.get())
        assert len(fake.seen) == 1

        grow_old(fake_row)
        fake.on("GET", r"/v2/_catalog", fake.memory.answer)
        push(fake, "a")
        fetch.catalog(fake_row)
        fake_row.refresh_from_db()
        assert (fake_row.unlisted, names(fake_row)) == ("", ["a"])

    def test_a_sign_in_for_the_catalog_alone_is_none_for_us(self, fake: Fake, fake_row: Registry) -> None:
        fake.on("GET", r"/v2/_catalog", error(401, "UNAUTHORIZED"))
        assert fetch.catalog(fake_row).problem == ""
        fake_row.refresh_from_db()
        assert "asks for a sign-in" in fake_row.unlisted

    def test_a_sign_in_for_everything_is_a_failure(self, fake: Fake, fake_row: Registry) -> None:
        fake.on("GET", r"/v2/.*", error(401, "UNAUTHORIZED"))
        assert fetch.catalog(fake_row).error_code == "unauthorized"
        fake_row.refresh_from_db()
        assert fake_row.unlisted == ""
        assert fake_row.problem

    def test_what_takes_a_page_too_long_is_not_held_against_the_registry(
        self, fake: Fake, fake_row: Registry
    ) -> None:
        fake.on("GET", r"/v2/_catalog", Out(stall=30))
        assert fetch.catalog(fake_row, budget=0.3).error_code == "timed-out"
        fake_row.refresh_from_db()
        assert fake_row.problem == ""


class TestRepositories:
    def test_rows_come_with_their_sums(self, registry: RunningRegistry, index_registry: Registry) -> None:
        registry.wipe()
        for number in range(3):
            registry.push(f"listed/app-{number}", tags=[f"{n}" for n in range(number + 1)])
        registry.push_index("multi", attested=True)
        fetch.catalog(index_registry)
        rows = list(index_registry.repositories.in_order("name"))
        reading = fetch.repositories(rows, budget=10)

        assert (reading.problem, reading.complete) == ("", True)
        assert [row.tag_count for row in rows] == [1, 2, 3, 1]
        assert rows[3].platforms == ["linux/amd64", "linux/arm64"]
        assert all(row.size and row.changed_at for row in rows)

    def test_fresh_rows_ask_nothing(
        self, fake: Fake, fake_row: Registry, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        push(fake, *[f"app-{number}" for number in range(20)])
        fetch.catalog(fake_row)
        fetch.repositories(list(fake_row.repositories.all()), budget=10)
        rows = list(fake_row.repositories.all())
        before = len(fake.seen)

        with django_assert_max_num_queries(1):
            assert fetch.repositories(rows).complete
        assert len(fake.seen) == before

    def test_old_unchanged_rows_cost_a_listing_each_and_few_queries(
        self, fake: Fake, fake_row: Registry, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        push(fake, *[f"app-{number}" for number in range(20)])
        fetch.catalog(fake_row)
        fetch.repositories(list(fake_row.repositories.all()), budget=10)
        Repository.objects.update(listed_at=timezone.now() - timedelta(minutes=2))
        rows = list(fake_row.repositories.all())
        fake.seen.clear()

        with django_assert_max_num_queries(12):
            fetch.repositories(rows)
        assert len(fake.seen) == 20
        assert {ask.path.rpartition("/")[2] for ask in fake.seen} == {"list"}

    def test_one_that_fails_keeps_its_problem_and_the_others_are_read(
        self, fake: Fake, fake_row: Registry
    ) -> None:
        push(fake, "bad", "good")
        fake.on("GET", r"/v2/bad/tags/list", error(403, "DENIED"))
        fetch.catalog(fake_row)
        rows = list(fake_row.repositories.in_order("name"))
        reading = fetch.repositories(rows, budget=10)

        assert reading.problem == ""
        assert rows[0].problem
        assert (rows[0].tag_count, rows[1].tag_count) == (None, 1)

    def test_a_hanging_registry_costs_a_list_its_budget_once(self, fake: Fake, fake_row: Registry) -> None:
        rows = [factories.repository(f"app-{n}", of=fake_row, listed_at=None) for n in range(30)]
        fake.on("GET", r".*", Out(stall=30))
        first = fetch.repositories(rows, budget=0.4)
        before = len(fake.seen)
        second = fetch.repositories(rows, budget=0.4)

        assert first.error_code == second.error_code == "timed-out"
        assert len(fake.seen) == before


class TestConnections:
    def test_rows_follow_the_settings(self, settings: Settings) -> None:
        settings.REGISTRIES = {
            name: RegistrySettings(name, f"http://{name}.example", pull_host=host)
            for name, host in {"one": "", "two": "pull.example:5000"}.items()
        }
        connect.ensure_registries()
        settings.REGISTRIES = {"two": RegistrySettings("two", "https://moved.example")}
        connect.ensure_registries()

        assert not Registry.objects.get(name="one").active
        row = Registry.objects.get(name="two")
        assert (row.active, row.url, row.pull_host) == (True, "https://moved.example", "moved.example")

    def test_one_client_serves_all_who_ask(self, settings: Settings) -> None:
        settings.REGISTRIES = {
            "main": RegistrySettings("main", "http://127.0.0.1:9", username="u", password="p")
        }
        connect.ensure_registries()
        row = Registry.objects.get()

        client = connect.connect(row)
        assert connect.connect(Registry.objects.get()) is client
        settings.REGISTRIES = {
            "main": RegistrySettings("main", "http://127.0.0.1:9", username="u", password="q")
        }
        assert connect.connect(row) is not client

    def test_a_registry_the_settings_forgot_is_unreachable(self, settings: Settings) -> None:
        settings.REGISTRIES = {}

        with pytest.raises(oci.Unreachable):
            connect.connect(factories.registry())
        assert fetch.catalog(factories.registry(), max_age=timedelta(0)).error_code == "unreachable"
