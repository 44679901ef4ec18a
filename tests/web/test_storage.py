"""The page of what takes the space, and the lists that show it."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from regui.index import snapshots, usage
from regui.index.models import Registry
from regui.index.snapshots import Point
from regui.web import charts, details
from regui.web.charts import Size
from tests import bulk, factories
from tests.people import ASKING
from tests.web.conftest import Visitor

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#results"}

pytestmark = pytest.mark.django_db

# What the page costs, whatever there is.
STORAGE = 10


@pytest.fixture
def shelf() -> Registry:
    """Two applications on one base, a repository by itself, and what no tag reaches."""
    for name, own in (("team/app", 500), ("team/web", 300), ("solo", 40)):
        repository = factories.repository(name)
        layers = {f"own of {name}": own} | ({"base": 2000} if "/" in name else {})
        factories.tag(repository, "1.0", factories.manifest(repository, layers=layers))
        usage.total(repository)
    factories.manifest(repository, layers={"nobody's": 7_000})
    return factories.registry(listed_at=timezone.now())


@pytest.mark.usefixtures("shelf")
def test_the_page_says_what_takes_the_space(bob: Visitor) -> None:
    page = bob.get("/main/-/storage/").text
    assert "9.8 kB" in page, "in all"
    assert "7.0 kB" in page, "reached by no tag"
    assert "1 untagged manifest " in page
    assert "1.7\N{MULTIPLICATION SIGN}" in page, "4.8 kB instead of 2.8 kB"
    cells = page.partition('data-repository="team/app"')[2].partition("</tr>")[0]
    assert "2.5 kB" in cells
    assert "500 B" in cells
    assert "2.0 kB" in cells
    assert "2.8 kB" in page.partition('data-namespace="team"')[2].partition("</tr>")[0]
    assert 'href="/main/solo/"' in page
    assert "style=" not in page


@pytest.mark.usefixtures("shelf")
def test_shared_layers_name_who_shares_them(bob: Visitor) -> None:
    page = bob.get("/main/-/storage/", {"layers": "shared"}).text
    assert "1 layer<" in page
    row = page.partition(f'data-digest="{factories.digest("base")}"')[2].partition("</tr>")[0]
    assert 'href="/main/team/app/"' in row
    assert 'href="/main/team/web/"' in row
    assert "2.0 kB<" in row.partition("c-right")[2], "saved"

    part = bob.get("/main/-/storage/", {"layers": "saved"}, headers=HTMX).text
    assert "<html" not in part


@pytest.mark.usefixtures("shelf")
def test_sizes_over_time_are_drawn_from_the_second_day_on(shelf: Registry, bob: Visitor) -> None:
    assert "from the second day on" in bob.get("/main/-/storage/").text
    today = timezone.now().date()
    snapshots.take(shelf, today - timedelta(days=1))
    assert 'class="spark"' not in bob.get("/main/").text
    snapshots.take(shelf, today)

    assert "chart-line" in bob.get("/main/-/storage/").text
    assert 'class="spark"' in bob.get("/main/").text


@pytest.mark.usefixtures("shelf")
def test_what_is_not_known_is_said(bob: Visitor) -> None:
    repository = factories.repository("team/app")
    factories.tag(repository, "unread")
    usage.total(repository)
    page = bob.get("/main/-/storage/").text
    assert "1 of 3 repositories aren\N{RIGHT SINGLE QUOTATION MARK}t read in full" in page
    assert "in what was read so far" in page


def test_an_empty_registry_has_nothing_to_show(bob: Visitor) -> None:
    factories.registry()
    assert "Nothing takes space yet" in bob.get("/main/-/storage/").text


@pytest.mark.usefixtures("shelf")
def test_a_stranger_sees_no_sizes(charlie: Visitor) -> None:
    assert charlie.get("/main/-/storage/").status_code == 404


def test_pages_cost_the_same_however_much_there_is(
    bob: Visitor, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    registry = factories.registry(listed_at=timezone.now())
    bulk.tags(factories.repository("team/big", listed_at=timezone.now(), tried_at=timezone.now()), 20)
    bulk.repositories(registry, 10)
    usage.settle_now(registry)
    with django_assert_num_queries(STORAGE + ASKING):
        bob.get("/main/-/storage/")
    bulk.tags(factories.repository("team/second"), 1000)
    bulk.repositories(registry, 2000, first=10)
    usage.settle_now(registry)
    with django_assert_num_queries(STORAGE + ASKING):
        bob.get("/main/-/storage/")


def test_a_line_goes_from_the_first_day_to_the_last() -> None:
    today = timezone.now().date()
    assert charts.line([Point(today, 5)], 100, 10) is None
    found = charts.line([Point(today - timedelta(days=4), 0), Point(today, 8)], 100, 10, margin=0)
    assert found is not None
    assert found.path == "M0.0 10.0 L100.0 0.0"
    flat = charts.line([Point(today, 0), Point(today, 0)], 100, 10)
    assert flat is not None
    assert flat.most == 1


def test_areas_are_as_large_as_sizes() -> None:
    inner = [Size("a/x", "x", 300), Size("a/y", "y", 100), Size("a/none", "none", 0)]
    found = charts.treemap([(Size("a", "a", 400), inner), (Size("b", "b", 9), [])], 400, 100)

    (group,) = found.groups
    assert (group.box.width, group.box.height) == (400 - charts.GAP, 100 - charts.GAP)
    x, y = group.boxes
    assert [box.name for box in group.boxes] == ["a/x", "a/y"]
    assert x.width * x.height / (y.width * y.height) == pytest.approx(3, rel=0.05)


def test_a_label_is_cut_to_its_room() -> None:
    assert charts.fitted("a-long-name", 200, 40) == "a-long-name"
    assert charts.fitted("a-long-name", 60, 40) == "a-long…"
    assert charts.fitted("a-long-name", 20, 40) == ""
    assert charts.fitted("a-long-name", 200, 10) == ""


@pytest.mark.usefixtures("shelf")
def test_a_repository_says_how_much_it_shares_and_a_digest_what_only_it_needs(bob: Visitor) -> None:
    usage.settle_now(factories.registry())
    assert "80% shared" in bob.get("/main/team/app/").text
    repository = factories.repository("team/app")
    row = repository.tags.get().manifest
    assert row is not None
    assert details.Detail(repository, row).only_here == 500
