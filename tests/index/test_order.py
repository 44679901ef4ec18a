"""The order of lists, and what a filter box lets through."""

from datetime import timedelta

import pytest

from regui.index import search
from regui.index.models import Repository, Tag
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def shelf() -> Repository:
    """Tags on three digests, one of unknown date and size, beside one never read and one that is broken."""
    repository = factories.repository()
    old = factories.manifest(repository, created_at=NOW - DAY, size=30)
    new = factories.manifest(repository, created_at=NOW, size=20)
    undated = factories.manifest(repository, created_at=None, size=None)
    for name, on in {"b": old, "z": old, "a": new, "y": new, "m": undated}.items():
        factories.tag(repository, name, on)
    factories.tag(repository, "unread")
    factories.tag(repository, "broken", seen_at=NOW, problem="The registry lists this tag …")
    return repository


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("name", "a y b z m broken unread"),
        ("-name", "z b y a m unread broken"),
        ("created", "b z a y m broken unread"),
        ("-created", "a y b z m broken unread"),
        ("size", "a y b z m broken unread"),
        ("-size", "b z a y m broken unread"),
    ],
)
def test_tags_of_one_digest_stand_together_and_the_unread_last(
    shelf: Repository, order: str, names: str
) -> None:
    assert [tag.name for tag in shelf.tags.visible().grouped(order)] == names.split()


def test_a_group_is_led_by_the_tags_that_are_left_by_the_filter(shelf: Repository) -> None:
    found = search.tags(shelf.tags.visible(), "?").grouped("name")

    assert [tag.name for tag in found] == ["a", "y", "b", "z", "m"]
    assert found.count() == 5


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("name", "a b c"),
        ("-name", "c b a"),
        ("created", "b a c"),
        ("-created", "a b c"),
        ("size", "a b c"),
        ("-size", "b a c"),
        ("-tags", "b a c"),
    ],
)
def test_repositories_nothing_is_known_of_come_last(order: str, names: str) -> None:
    factories.repository("a", changed_at=NOW, size=1, tag_count=1)
    factories.repository("b", changed_at=NOW - DAY, size=2, tag_count=2)
    factories.repository("c")

    assert [row.name for row in Repository.objects.in_order(order)] == names.split()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", {"v1.0", "v1.1-rc", "V2", "under_score", "latest"}),
        ("v", {"v1.0", "v1.1-rc", "V2"}),
        ("V1", {"v1.0", "v1.1-rc"}),
        ("v1.*", {"v1.0", "v1.1-rc"}),
        ("v?", {"V2"}),
        ("*", {"v1.0", "v1.1-rc", "V2", "under_score", "latest"}),
        ("1 rc", {"v1.1-rc"}),
        ("r_s", {"under_score"}),
        ("*r_s*", {"under_score"}),
        ("late_t", set()),
        ("late_t*", set()),
        ("%", set()),
        ("*%*", set()),
        ("\\", set()),
        ("'; --", set()),
        ("a\0b", set()),
    ],
)
def test_words_and_patterns(text: str, names: set[str]) -> None:
    repository = factories.repository()
    factories.tags(repository, ["v1.0", "v1.1-rc", "V2", "under_score", "latest"])

    assert {tag.name for tag in search.tags(Tag.objects.visible(), text)} == names


def test_tags_are_found_by_digest() -> None:
    repository = factories.repository()
    one, _ = factories.tags(repository, ["one", "two"])
    assert one.manifest

    assert search.tags(Tag.objects.visible(), one.manifest.digest[:20]).get() == one
    assert search.tags(Tag.objects.visible(), one.manifest.digest.upper()).get() == one
    assert not search.tags(Tag.objects.visible(), f"{one.manifest.digest} two").exists()


def test_repositories_are_found_by_any_part_of_their_name() -> None:
    for name in ("team/app", "team/web", "other/app"):
        factories.repository(name)
    rows = Repository.objects.in_order("name")

    assert [row.name for row in search.repositories(rows, "APP")] == ["other/app", "team/app"]
    assert [row.name for row in search.repositories(rows, "team/*")] == ["team/app", "team/web"]
    assert [row.name for row in search.repositories(rows, "app team")] == ["team/app"]


def test_a_query_of_any_length_is_answered() -> None:
    factories.tags(factories.repository(), ["a"])

    assert not search.tags(Tag.objects.visible(), "*a" * 5000).exists()
    assert search.tags(Tag.objects.visible(), "a " * 5000).exists()
