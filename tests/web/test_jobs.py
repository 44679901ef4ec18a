"""What goes on behind the pages, on a page."""

import re
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from regui import oci
from regui.index.models import Registry, Repository, Sync
from regui.web.templatetags.regui import length_of_time
from tests import factories, images
from tests.fake import Fake
from tests.people import ASKING
from tests.web.conftest import Visitor, registered

ADDRESS = "/-/jobs/"


@pytest.fixture
def now(db: None) -> datetime:
    moment = timezone.now()
    factories.registry(listed_at=moment, due_at=moment + timedelta(minutes=4))
    return moment


def running(now: datetime) -> Sync:
    """A round that began ten seconds ago and has done 30 of 40 repositories."""
    row = factories.registry()
    for number in range(10):
        factories.repository(f"team/app-{number}", due_at=now - timedelta(minutes=1))
    Registry.objects.update(due_at=now - timedelta(seconds=10))
    return Sync.objects.create(
        registry=row,
        started_at=now - timedelta(seconds=10),
        repositories=30,
        tags=1200,
        manifests=80,
        requests=500,
        failures=[{"repository": "team/app-1", "problem": "It took too long."}],
    )


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_a_round_under_way_says_how_far_it_is(now: datetime, bob: Visitor) -> None:
    running(now)
    page = bob.get(ADDRESS).text
    assert '<progress max="40" value="30"' in page
    said = words(page)
    assert "30 of 40 repositories, about 3." in said
    assert "1,200 tags" in said
    assert "80 new manifests" in said
    assert re.search(r"500 requests, \d+ a second", said)
    assert "1 repository failed" in said


def test_the_page_asks_again_while_something_moves_and_stops_then(now: datetime, bob: Visitor) -> None:
    sync = running(now)
    assert 'hx-trigger="load delay:2s"' in bob.get(ADDRESS).text
    Sync.objects.filter(pk=sync.pk).update(finished_at=now)
    Registry.objects.update(due_at=now + timedelta(minutes=5))
    page = bob.get(ADDRESS, headers={"HX-Request": "true", "HX-Target": "div#jobs"}).text
    assert page.strip().startswith('<div id="jobs">')
    assert "30 of" not in words(page)
    assert "partly" in page


def test_rounds_that_ended_say_what_they_took(now: datetime, bob: Visitor) -> None:
    Sync.objects.create(
        registry=factories.registry(),
        started_at=now - timedelta(minutes=6),
        finished_at=now - timedelta(seconds=295),
        repositories=12,
        tags=345,
        requests=678,
        problem="The registry did not answer.",
    )
    said = words(bob.get(ADDRESS).text)
    assert "ended early 12 345 0 678 1 min 5 s" in said
    assert "The registry did not answer." in said


def test_what_could_not_be_read_is_named_with_cause_and_next_try(now: datetime, bob: Visitor) -> None:
    factories.repository(
        "team/broken",
        problem="The registry is in trouble itself.",
        tried_at=now,
        due_at=datetime(2027, 1, 2, 3, 4, 5, tzinfo=now.tzinfo),
    )
    said = words(bob.get(ADDRESS).text)
    assert "1 repository could not be read" in said
    assert "team/broken : The registry is in trouble itself. tried just now ; next try 03:04:05 UTC" in said


def test_what_is_not_believed_is_shown(now: datetime, bob: Visitor) -> None:
    Registry.objects.update(doubt="The registry no longer lists 9 of 10 repositories.")
    factories.repository("team/odd", doubt="It no longer lists 8 of 9 tags.")
    page = bob.get(ADDRESS).text
    assert re.findall(r'data-doubt="([^"]*)"', page) == ["main", "team/odd"]
    assert "9 of 10 repositories" in page
    assert "8 of 9 tags" in page


def test_a_doubted_listing_is_believed_when_an_administrator_says_so(
    alice: Visitor, bob: Visitor, settings: Settings, db: None
) -> None:
    with Fake() as fake:
        row = registered(settings, fake.url)
        with oci.Client(fake.url) as client:
            images.push(client, "team/app", images.image(), ["1.0", "1.1", "1.2"])
        assert alice.get("/main/team/app/").status_code == 200
        fake.memory.repositories["team/app"].tags.pop("1.0")
        fake.memory.repositories["team/app"].tags.pop("1.1")
        Repository.objects.update(doubt="It no longer lists 2 of 3 tags.")
        form = {"repository": "team/app"}
        assert bob.post(f"{ADDRESS}main/believe/", form).status_code == 403
        assert Repository.objects.get().doubt
        assert "let go of the rest" not in bob.get(ADDRESS).text
        assert "let go of the rest" in alice.get(ADDRESS).text
        assert alice.post(f"{ADDRESS}main/believe/", form).status_code == 302
    repository = row.repositories.get()
    assert repository.doubt == ""
    assert [tag.name for tag in repository.tags.listed()] == ["1.2"]
    assert "team/app is now as the registry says." in alice.get(ADDRESS).text


def test_a_registry_that_is_away_confirms_nothing(alice: Visitor, settings: Settings, db: None) -> None:
    with Fake() as fake:
        registered(settings, fake.url)
    Registry.objects.update(doubt="It lists nothing.")
    assert alice.post(f"{ADDRESS}main/believe/").status_code == 502
    assert Registry.objects.get().doubt


def test_without_a_worker_it_says_what_to_start(now: datetime, bob: Visitor) -> None:
    Registry.objects.update(due_at=now - timedelta(hours=1))
    page = bob.get(ADDRESS).text
    assert "regui worker" in page
    assert "hx-trigger" not in page.partition('id="jobs"')[2].partition(">")[0]


def test_a_registry_is_read_now_when_an_administrator_says_so(
    now: datetime, alice: Visitor, bob: Visitor
) -> None:
    later = now + timedelta(hours=1)
    factories.repository("team/app", due_at=later)
    assert bob.post(f"{ADDRESS}main/read/").status_code == 403
    assert Repository.objects.get().due_at == later
    answer = alice.post(f"{ADDRESS}main/read/")
    assert answer.status_code == 302
    assert answer["Location"] == ADDRESS
    due = Repository.objects.get().due_at
    assert due is not None
    assert due <= timezone.now()
    assert Registry.objects.get().due_at is not None
    assert "Read now" not in bob.get(ADDRESS).text
    assert alice.get(f"{ADDRESS}main/read/").status_code == 405


def test_a_stranger_sees_no_jobs(now: datetime, charlie: Visitor) -> None:
    assert charlie.get(ADDRESS).status_code == 403
    assert charlie.post(f"{ADDRESS}main/read/").status_code == 404


def test_the_page_costs_the_same_however_much_goes_on(
    now: datetime, bob: Visitor, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    running(now)
    for number in range(30):
        Sync.objects.create(registry=factories.registry(), started_at=now, finished_at=now)
        factories.repository(f"team/broken-{number}", problem="No.")
    with django_assert_num_queries(8 + ASKING):
        bob.get(ADDRESS)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.42, "0.4 s"), (12, "12 s"), (185, "3 min 5 s"), (7800, "2 h 10 min"), (None, "unknown")],
)
def test_lengths_of_time_are_said_in_their_largest_units(seconds: float | None, said: str) -> None:
    assert length_of_time(seconds) == said
