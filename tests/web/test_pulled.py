"""How often tags and digests were pulled, and when last: shown only where events say so."""

from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from regui.index import fetch, pulls
from regui.index.models import Registry, Repository
from regui.web import pulled
from tests import factories
from tests.registry import RunningRegistry
from tests.web.conftest import Visitor, registered
from tests.web.test_tags import cells

DAY = timedelta(days=1)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def repository(registry: RunningRegistry, index_registry: Registry, now: datetime) -> Repository:
    """A repository whose events come in since long ago: its tag `1.0` was pulled on two days and by digest on
    a third, long ago too; `quiet` never was."""
    index_registry.events_at, index_registry.events_since = now, now - 100 * DAY
    index_registry.save()
    name = registry.unique()
    digest = str(registry.push(name, tags=["1.0"]))
    registry.push(name, tags=["quiet"])
    fetch.repository(Repository(registry=index_registry, name=name, first_seen_at=now))
    days = {
        ("1.0", digest, 1): 30,
        ("1.0", "sha256:before", 3): 11,
        ("", digest, 2): 500,
        ("1.0", digest, 60): 7_000,
    }
    pulls.add(
        "main",
        {
            (name, tag, on, (now - ago * DAY).date()): (count, now - ago * DAY)
            for (tag, on, ago), count in days.items()
        },
    )
    row = Repository.objects.get(name=name)
    row.tags.filter(name="1.0").update(pulled_at=now - DAY)
    return row


def digest_of(repository: Repository) -> str:
    """What `1.0` is on."""
    return repository.tags.values_list("manifest__digest", flat=True).get(name="1.0") or ""


@pytest.mark.parametrize("told", [True, False])
def test_pulls_are_shown_where_events_come_in(alice: Visitor, settings: Settings, told: bool) -> None:
    now = timezone.now()
    registry = registered(settings, "http://127.0.0.1:9")
    if told:
        registry.events_at = registry.events_since = now
        registry.save()
    repository = factories.repository(of=registry, listed_at=now, tried_at=now)
    factories.tag(repository, "pulled", factories.manifest(repository), pulled_at=now if told else None)
    factories.tag(repository, "quiet", factories.manifest(repository))
    page = alice.get("/main/team/app/").text
    assert ("Pulled</th>" in page) is told
    assert page.count("none seen") == (1 if told else 0)


def test_a_list_says_how_often_each_tag_was_pulled_of_late(bob: Visitor, repository: Repository) -> None:
    page = bob.get(f"/main/{repository.name}/").text
    assert "41 in 30 d" in cells(page, "1.0"), "by name, whatever it was on; not by digest, not long ago"
    assert "1 d ago" in cells(page, "1.0")
    assert "none seen" in cells(page, "quiet")


def test_a_count_goes_no_further_back_than_events(
    bob: Visitor, repository: Repository, now: datetime
) -> None:
    since = now - 2 * DAY
    Registry.objects.update(events_since=since)
    page = bob.get(f"/main/{repository.name}/").text
    assert f"30 since {since.day} {since:%b}" in cells(page, "1.0")
    assert f"without a gap since {since:%Y-%m-%d %H:%M} UTC" in page


def test_a_tags_page_counts_its_pulls_and_its_digests(bob: Visitor, repository: Repository) -> None:
    text = " ".join(bob.get(f"/main/{repository.name}/-/tags/1.0/").text.split())
    assert "41 by this tag" in text
    assert "530 of this digest" in text
    assert 'aria-label="Day by day, at most 500"' in text
    by_digest = bob.get(f"/main/{repository.name}/-/manifests/{digest_of(repository)}/").text
    assert "by this tag" not in by_digest
    assert "530 of this digest" in by_digest


def test_what_was_not_pulled_is_said_to_be_not_seen(bob: Visitor, repository: Repository) -> None:
    text = " ".join(bob.get(f"/main/{repository.name}/-/tags/quiet/").text.split())
    assert "none by this tag seen" in text
    assert "none of this digest seen" in text
    assert "Events come in without a gap since" in text


def test_a_page_without_events_has_no_word_of_pulls(bob: Visitor, repository: Repository) -> None:
    Registry.objects.update(events_at=None, events_since=None)
    for path in ("", "-/tags/1.0/"):
        page = bob.get(f"/main/{repository.name}/{path}").text
        assert "Pulls" not in page
        assert "Pulled</th>" not in page


def test_the_chart_has_every_day_of_the_span(repository: Repository, now: datetime) -> None:
    span = pulled.span(repository.registry)
    assert span is not None
    found = pulled.of_digest(repository, digest_of(repository), span)
    assert found.chart is not None
    assert (found.chart.first.day, found.chart.last.day) == (now.date() - 29 * DAY, now.date())
    assert found.chart.path.count("L") == 29
    assert (found.count, found.last_at) == (530, now - DAY)


def test_a_span_of_one_day_has_no_chart_but_a_count(repository: Repository, now: datetime) -> None:
    span = pulled.Span(date(2026, 1, 1), date(2026, 1, 1), now)
    found = pulled.of_tag(repository, "1.0", span)
    assert (found.count, found.chart, found.last_at) == (0, None, now - DAY)


def test_the_counts_of_a_list_cost_one_query(
    repository: Repository, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    span = pulled.span(repository.registry)
    assert span is not None
    with django_assert_num_queries(1):
        assert pulled.by_tag(repository, ["1.0", "quiet"], span) == {"1.0": 41}
