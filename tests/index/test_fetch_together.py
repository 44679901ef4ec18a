"""Reading through by many threads at once, each with a database connection of its own, on a database in a
file."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from regui import oci
from regui.index import fetch, flight
from regui.index.models import Registry, Repository
from tests import images
from tests.fake import Fake
from tests.index.conftest import NAME, count, slow


@pytest.mark.django_db(transaction=True)
class TestManyAtOnce:
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
        pushed.on("GET", r"/v2/.*/tags/list", slow(1))

        def page() -> fetch.Reading:
            row = Repository(registry=fake_row, name=NAME, first_seen_at=timezone.now())
            return fetch.repository(row, budget=20)

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
