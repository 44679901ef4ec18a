"""The order of lists, and what a filter box lets through."""

from datetime import timedelta

import pytest

from regui.index import search
from regui.index.models import Repository, TagQuerySet
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


def named(tags: TagQuerySet, order: str) -> list[str]:
    """The names of these tags in that order."""
    names = dict(tags.values_list("pk", "name"))
    return [names[key] for key in tags.keys_in_groups(order)]


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
    assert named(shelf.tags.visible(), order) == names.split()


def test_a_group_is_led_by_the_tags_that_are_left_by_the_filter(shelf: Repository) -> None:
    found = search.tags(shelf.tags.visible(), search.parse("?"))

    assert named(found, "name") == ["a", "y", "b", "z", "m"]


def test_versions_are_put_in_order_by_their_numbers_and_their_digests() -> None:
    repository = factories.repository()
    new, old = factories.manifest(repository), factories.manifest(repository)
    for name, on in {"v1.10": new, "1": new, "latest": new, "v1.9": old, "v1.9.0-rc1": old}.items():
        factories.tag(repository, name, on)

    assert named(repository.tags.all(), "name") == ["1", "v1.10", "latest", "v1.9", "v1.9.0-rc1"]
    assert named(repository.tags.releases(), "-name") == ["v1.10", "1", "v1.9"]


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
