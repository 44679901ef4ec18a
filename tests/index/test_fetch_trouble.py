"""Reading through when the registry is slow, breaks off, or is asked by many at once."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from regui import oci
from regui.demo import images as demo
from regui.index import connect, fetch, flight
from regui.index.models import Registry, Repository, Tag
from tests import images
from tests.fake import Fake
from tests.memory import Ask, Out, error, out

NAME = "team/app"
PAST = timedelta(minutes=2)


@pytest.fixture
def pushed(fake: Fake) -> Fake:
    """The fake with twenty tags, each on an image of its own."""
    with oci.Client(fake.url) as client:
        for number in range(20):
            images.push(client, NAME, images.image(), [f"{number:02}"])
    fake.seen.clear()
    return fake


@pytest.fixture
def unsaved(fake_row: Registry) -> Repository:
    return Repository(registry=fake_row, name=NAME, first_seen_at=timezone.now())


@pytest.fixture
def known(pushed: Fake, unsaved: Repository) -> Repository:
    """The repository as it was read two minutes ago."""
    fetch.repository(unsaved)
    age(unsaved)
    pushed.seen.clear()
    return unsaved


def age(repository: Repository) -> None:
    past = timezone.now() - PAST
    repository.tags.update(seen_at=past)
    Repository.objects.filter(pk=repository.pk).update(listed_at=past)
    repository.refresh_from_db()


def slow(seconds: float) -> Callable[[Ask], Out | None]:
    """Answers as usual, but late."""

    def answer(_: Ask) -> Out | None:
        time.sleep(seconds)
        return None

    return answer


def count(fake: Fake, end: str) -> int:
    return sum(1 for ask in fake.seen if ask.path.endswith(end))


@pytest.mark.django_db
class TestSlow:
    def test_a_page_stops_in_time_and_goes_on_at_the_next_visit(
        self, pushed: Fake, unsaved: Repository
    ) -> None:
        pushed.on("GET", r"/v2/.*/manifests/.*", slow(0.25))
        began = time.monotonic()
        reading = fetch.repository(unsaved, budget=0.5)

        assert time.monotonic() - began < 1.5
        assert (reading.complete, reading.problem) == (False, "")
        assert unsaved.tag_count == 20
        assert (unsaved.size, unsaved.changed_at) == (None, None)
        for _ in range(10):
            if fetch.repository(unsaved, budget=0.5).complete:
                break
        assert not Tag.objects.filter(seen_at=None).exists()
        assert unsaved.size is not None
        # What was read once is not read again, though the listing is as fresh as it was.
        assert count(pushed, "/tags/list") == 1
        assert count(pushed, "/manifests/00") == 1

    def test_the_rows_shown_are_read_first(self, pushed: Fake, unsaved: Repository) -> None:
        pushed.on("GET", r"/v2/.*/manifests/.*", slow(0.2))
        fetch.repository(unsaved, first=lambda: ["18", "19"], budget=0.7)

        assert Tag.objects.filter(name__in=["18", "19"], manifest=None).count() == 0
        assert Tag.objects.filter(seen_at=None).exists()

    def test_a_listing_that_hangs_costs_one_page_its_budget_and_the_next_nothing(
        self, pushed: Fake, known: Repository
    ) -> None:
        pushed.on("GET", r"/v2/.*/tags/list", Out(stall=30))
        began = time.monotonic()
        first = fetch.repository(known, budget=0.4)
        assert time.monotonic() - began < 1.2
        began = time.monotonic()
        second = fetch.repository(known, budget=0.4)
        assert time.monotonic() - began < 0.2

        assert first.error_code == second.error_code == "timed-out"
        assert (first.complete, first.as_of) == (False, known.listed_at)
        # That one repository is slow says nothing about another.
        with oci.Client(pushed.url) as client:
            images.push(client, "other/app", images.image(), ["1"])
        pushed.on("GET", r"/v2/other/app/tags/list", pushed.memory.answer)
        other = Repository(registry=known.registry, name="other/app", first_seen_at=timezone.now())
        assert fetch.repository(other).problem == ""

    def test_a_catalog_that_takes_a_minute_does_not_block_the_rest(
        self, pushed: Fake, fake_row: Registry, unsaved: Repository
    ) -> None:
        Registry.objects.update(listed_at=None)
        fake_row.refresh_from_db()
        pushed.on("GET", r"/v2/_catalog", Out(stall=60))

        assert fetch.catalog(fake_row, budget=0.3).error_code == "timed-out"
        assert fetch.repository(unsaved).problem == ""

    def test_a_check_that_runs_out_of_time_is_incomplete(self, pushed: Fake, known: Repository) -> None:
        pushed.on("GET", r"/v2/.*/manifests/.*", slow(0.2))
        reading = fetch.repository(known, every=True, budget=0.6)

        assert not reading.complete
        assert 0 < reading.checked < reading.total == 20
        assert reading.problem == ""


@pytest.mark.django_db
class TestBroken:
    def test_nothing_is_pruned_for_a_listing_that_breaks_off(self, pushed: Fake, known: Repository) -> None:
        """The first of two pages comes, the second doesn't."""
        page = out(
            200, {"name": NAME, "tags": ["00"]}, Link=f'</v2/{NAME}/tags/list?last=00&n=1>; rel="next"'
        )
        broken = Out(200, b'{"tags": [', cut=5)
        pushed.on("GET", r"/v2/.*/tags/list", [page, broken])
        reading = fetch.repository(known, budget=3)

        assert reading.problem
        assert not reading.complete
        assert known.tags.listed().count() == 20

    @pytest.mark.parametrize(
        "answer",
        [
            error(503, "UNAVAILABLE"),
            error(429, "TOOMANYREQUESTS", Retry_After="30"),
            error(401, "UNAUTHORIZED"),
            error(403, "DENIED"),
            error(500, "UNKNOWN"),
            Out(404, b"404 page not found\n", (("Content-Type", "text/plain"),)),
            Out(200, b"<html>", (("Content-Type", "text/html"),)),
            Out(200, b'{"tags": 5}', (("Content-Type", "application/json"),)),
        ],
        ids=["503", "429", "401", "403", "500", "foreign 404", "web page", "no list"],
    )
    def test_no_error_prunes_or_is_swallowed(self, pushed: Fake, known: Repository, answer: Out) -> None:
        pushed.on("GET", r"/v2/.*/tags/list", answer)
        reading = fetch.repository(known, budget=3)

        assert reading.problem
        assert reading.error_code
        assert known.tags.listed().count() == 20
        assert known.problem == reading.problem

    def test_a_registry_that_asks_for_a_pause_gets_it(self, pushed: Fake, known: Repository) -> None:
        pushed.on("GET", r"/v2/.*/tags/list", error(429, "TOOMANYREQUESTS", Retry_After="30"))
        fetch.repository(known)
        before = len(pushed.seen)

        assert fetch.repository(known).error_code == "too-many-requests"
        assert len(pushed.seen) == before

    def test_a_tag_whose_manifest_makes_no_sense_keeps_that_as_its_problem(
        self, pushed: Fake, unsaved: Repository
    ) -> None:
        body = b"[]"
        digest = oci.Digest.of(body)
        answer = out(200, body, oci.OCI_MANIFEST, Docker_Content_Digest=digest)
        pushed.on("GET", rf"/v2/{NAME}/manifests/03", answer)
        reading = fetch.repository(unsaved)

        assert reading.complete
        tag = Tag.objects.get(name="03")
        assert tag.problem
        assert tag.manifest is None
        assert unsaved.tag_count == 20

    def test_a_child_that_makes_no_sense_is_asked_for_once(self, pushed: Fake, fake_row: Registry) -> None:
        """No registry should take such an index, but one that did must not be asked about it for ever."""
        body = b"[]"
        digest = oci.Digest.of(body)
        child = {"mediaType": oci.OCI_INDEX, "digest": digest, "size": len(body)}
        index = demo.index([images.image()], entries=[child])
        answer = out(200, body, oci.OCI_INDEX, Docker_Content_Digest=digest)
        pushed.on("GET", rf"/v2/odd/manifests/{digest}", answer)
        told = out(200, index.body, index.media_type, Docker_Content_Digest=index.digest)
        for reference in ("1", index.digest):
            pushed.on("GET", rf"/v2/odd/manifests/{reference}", told)
        pushed.on("GET", r"/v2/odd/tags/list", out(200, {"name": "odd", "tags": ["1"]}))
        repository = Repository(registry=fake_row, name="odd", first_seen_at=timezone.now())

        for _ in range(3):
            assert fetch.repository(repository, every=True).complete
            manifest, reading = fetch.manifest(repository, "1")
            assert reading.complete
        assert manifest.size is None
        assert count(pushed, f"/manifests/{digest}") == 1

    def test_a_child_index_that_cannot_be_read_leaves_a_check_incomplete_and_says_why(
        self, pushed: Fake, unsaved: Repository
    ) -> None:
        inner = images.index()
        with oci.Client(pushed.url) as client:
            images.push(client, NAME, demo.index([inner]), ["nested"])
        pushed.on("GET", rf"/v2/{NAME}/manifests/{inner.digest}", error(500, "UNKNOWN"))
        reading = fetch.repository(unsaved, every=True, budget=fetch.CHECK_BUDGET)

        assert (reading.complete, reading.checked, reading.total) == (False, 21, 21)
        assert inner.digest in reading.problem

    def test_a_repository_that_left_the_catalog_and_is_denied_is_not_found(
        self, pushed: Fake, known: Repository
    ) -> None:
        Repository.objects.update(gone_at=timezone.now())
        known.refresh_from_db()
        pushed.on("GET", r"/v2/.*/tags/list", error(404, "NAME_UNKNOWN"))

        with pytest.raises(oci.NotFound):
            fetch.repository(known)
        known.refresh_from_db()
        assert known.gone_at is not None

    def test_a_registry_that_stumbles_over_one_manifest_shows_the_others(
        self, pushed: Fake, unsaved: Repository
    ) -> None:
        """distribution 3 answers 500 for schema 1."""
        pushed.on("GET", rf"/v2/{NAME}/manifests/03", error(500, "UNKNOWN"))
        reading = fetch.repository(unsaved)

        assert reading.problem == ""
        assert Tag.objects.get(name="03").problem
        assert Tag.objects.exclude(manifest=None).count() == 19

    def test_a_config_that_is_gone_leaves_the_date_unknown(self, pushed: Fake, unsaved: Repository) -> None:
        pushed.on("GET", r"/v2/.*/blobs/.*", error(404, "BLOB_UNKNOWN"))
        reading = fetch.repository(unsaved)

        assert reading.complete
        tag = Tag.objects.select_related("manifest").get(name="00")
        assert tag.manifest
        assert (tag.manifest.created_at, tag.manifest.platform) == (None, "")
        assert tag.manifest.size is not None

    def test_a_config_that_could_not_be_read_this_time_is_read_the_next(
        self, pushed: Fake, unsaved: Repository
    ) -> None:
        pushed.on("GET", r"/v2/.*/blobs/.*", error(401, "UNAUTHORIZED"))
        assert fetch.repository(unsaved).error_code == "unauthorized"
        assert Tag.objects.exclude(manifest=None).count() == 0

        pushed.on("GET", r"/v2/.*/blobs/.*", pushed.memory.answer)
        connect.link(unsaved.registry).rests.clear()
        assert fetch.repository(unsaved).problem == ""
        assert Tag.objects.exclude(manifest=None).count() == 20

    def test_other_bytes_than_the_digest_says_are_not_kept(self, pushed: Fake, unsaved: Repository) -> None:
        wrong = out(200, b"{}", oci.OCI_MANIFEST, Docker_Content_Digest=oci.Digest.of(b"else"))
        pushed.on("GET", rf"/v2/{NAME}/manifests/03", wrong)
        fetch.repository(unsaved)

        tag = Tag.objects.get(name="03")
        assert (tag.manifest, bool(tag.problem)) == (None, True)


@pytest.mark.django_db(transaction=True)
class TestManyAtOnce:
    """Threads with database connections of their own, on a database in a file."""

    @staticmethod
    def together(*work: Callable[[], object]) -> list[object]:
        """What each made of it, or the error it met, all at the same time."""
        results: list[object] = [None] * len(work)
        start = threading.Barrier(len(work))

        def attempt(number: int) -> None:
            start.wait()
            try:
                results[number] = work[number]()
            except Exception as problem:  # noqa: BLE001 - whatever it is belongs into the test's result
                results[number] = problem
            finally:
                connection.close()

        threads = [threading.Thread(target=attempt, args=(number,)) for number in range(len(work))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        return results

    def test_two_pages_make_one_listing(self, pushed: Fake, fake_row: Registry) -> None:
        pushed.on("GET", r"/v2/.*/tags/list", slow(0.2))

        def page() -> fetch.Reading:
            row = Repository(registry=fake_row, name=NAME, first_seen_at=timezone.now())
            return fetch.repository(row, budget=5)

        readings = self.together(*[page] * 4)
        assert [getattr(reading, "complete", reading) for reading in readings] == [True] * 4
        assert count(pushed, "/tags/list") == 1
        assert count(pushed, "/manifests/00") == 1
        assert Repository.objects.count() == 1

    def test_who_waits_in_vain_shows_what_there_is(self, known: Repository) -> None:
        with flight.alone("main", NAME, deadline=time.monotonic() + 1) as entered:
            assert entered
            results = self.together(lambda: fetch.repository(known, budget=0.3))
        reading = results[0]
        assert isinstance(reading, fetch.Reading)
        assert (reading.complete, reading.as_of) == (False, known.listed_at)

    def test_the_database_is_never_locked(self, pushed: Fake, fake_row: Registry) -> None:
        """Readers and writers of many repositories at once, with images they share."""
        names = [f"team/app-{number}" for number in range(8)]
        shared = [images.image() for _ in range(5)]
        with oci.Client(pushed.url) as client:
            for name in names:
                for number, built in enumerate([*shared, images.index()]):
                    images.push(client, name, built, [f"{number}"])

        def page(name: str) -> Callable[[], str]:
            def work() -> str:
                row = Repository(registry=fake_row, name=name, first_seen_at=timezone.now())
                for _ in range(3):
                    reading = fetch.repository(row, budget=20, max_age=timedelta(0))
                    manifest, _ = fetch.manifest(row, "0", budget=20, max_age=timedelta(0))
                    fetch.referrers(row, manifest, budget=20, max_age=timedelta(0))
                return reading.problem

            return work

        def everything() -> str:
            registry = Registry.objects.get(pk=fake_row.pk)
            for _ in range(3):
                fetch.catalog(registry, budget=20, max_age=timedelta(0))
                rows = list(Repository.objects.filter(registry=registry))
                fetch.repositories(rows, budget=20, max_age=timedelta(0))
            return ""

        assert self.together(*map(page, names), everything, everything) == [""] * 10
        assert Repository.objects.filter(name__in=names, tag_count=6).count() == 8


@pytest.fixture(autouse=True)
def rested() -> Iterator[None]:
    """No memory of another test's failures at a port that came up again."""
    yield
    connect._links.clear()
