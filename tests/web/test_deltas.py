"""How the sizes of digests differ from those before them."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from regui.index.models import Manifest, Repository, Tag
from regui.web import deltas
from tests import factories
from tests.factories import NOW
from tests.web.conftest import Visitor
from tests.web.test_tags import cells

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def repository() -> Repository:
    return factories.repository(tag_count=3)


def add(of: Repository, name: str, hours_ago: int, size: int | None, **fields: Any) -> Manifest:
    """A tag on an image of its own, made so long ago."""
    row = factories.manifest(of, created_at=NOW - hours_ago * HOUR, size=size, **fields)
    factories.tag(of, name, row)
    return row


def shown(of: Repository, *names: str) -> dict[str, tuple[int, str]]:
    """The differences, by tag, that a page of these tags (all without any) would show."""
    rows = of.tags.visible().select_related("manifest")
    tags = list(rows.filter(name__in=names) if names else rows)
    found = deltas.deltas(of, tags)
    return {
        tag.name: (found[pk].bytes, found[pk].tag) for tag in tags if (pk := tag.manifest_id or 0) in found
    }


def test_each_digest_is_compared_with_the_one_before_it_by_date(repository: Repository) -> None:
    for name, hours_ago, size in (("3", 1, 300), ("1", 9, 120), ("2", 5, 100)):
        add(repository, name, hours_ago, size)

    assert shown(repository) == {"3": (200, "2"), "2": (-20, "1")}


def test_the_one_before_need_not_be_on_the_page(repository: Repository) -> None:
    add(repository, "1", 9, 120)
    add(repository, "2", 5, 100)

    assert shown(repository, "2") == {"2": (-20, "1")}


def test_only_the_like_is_compared(repository: Repository) -> None:
    add(repository, "1", 9, 100)
    add(repository, "1-arm", 8, 50, platforms=["linux/arm64"])
    add(repository, "chart", 7, 1, kind=Manifest.Kind.HELM, platforms=[])
    add(repository, "2", 6, 110)
    add(repository, "2-arm", 5, 50, platforms=["linux/arm64"])

    assert shown(repository) == {"2": (10, "1"), "2-arm": (0, "1-arm")}


def test_what_is_not_known_is_compared_with_nothing(repository: Repository) -> None:
    add(repository, "1", 9, 100)
    add(repository, "unsized", 8, None)
    add(repository, "2", 7, 110)
    row = factories.manifest(repository, created_at=None, size=5)
    factories.tag(repository, "undated", row)
    factories.tag(repository, "unread")

    assert shown(repository) == {}


def test_what_is_of_the_same_moment_or_has_gone_was_not_before(repository: Repository) -> None:
    add(repository, "gone", 9, 100)
    Tag.objects.update(gone_at=NOW)
    add(factories.repository("other"), "elsewhere", 9, 100)
    add(repository, "a", 5, 100)
    add(repository, "b", 5, 200)

    assert shown(repository) == {}


def test_it_is_not_looked_for_endlessly(repository: Repository) -> None:
    add(repository, "1-arm", 99, 100, platforms=["linux/arm64"])
    for number in range(deltas.NEAR):
        add(repository, f"1.{number}", 90 - number, 100)
    add(repository, "2-arm", 1, 100, platforms=["linux/arm64"])

    assert "2-arm" not in shown(repository)
    Tag.objects.filter(name="1.7").delete()
    assert shown(repository)["2-arm"] == (0, "1-arm")


def test_many_cost_one_query(
    repository: Repository, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        add(repository, f"1.{number}", 90 - number, 100 + number)
    tags = list(repository.tags.all().select_related("manifest"))
    with django_assert_num_queries(1):
        assert len(deltas.deltas(repository, tags)) == 29


@pytest.mark.parametrize(
    ("before", "kind", "sign"),
    [(900, "more", "+"), (1100, "less", "\N{MINUS SIGN}"), (1000, "", "±"), (1001, "", "\N{MINUS SIGN}")],
)
def test_what_rounding_hides_is_not_made_much_of(
    before: int, kind: str, sign: str, repository: Repository
) -> None:
    add(repository, "1", 9, before * 1000)
    row = add(repository, "2", 5, 1_000_000)
    found = deltas.deltas(repository, list(repository.tags.all().select_related("manifest")))[row.pk]
    assert (found.kind, found.sign) == (kind, sign)


def test_a_row_says_how_much_and_than_what(repository: Repository, bob: Visitor) -> None:
    for name, hours_ago, size in (("2.0", 1, 5_600_000), ("1.0", 5, 1_000_000), ("0.9", 9, 1_000_000)):
        add(repository, name, hours_ago, size)
    page = bob.get("/main/team/app/").text
    assert 'class="delta more" title="Than 1.0,' in cells(page, "2.0")
    assert "+4.6 MB</small>" in cells(page, "2.0")
    assert "±0 B</small>" in cells(page, "1.0")
    assert "delta" not in cells(page, "0.9")
