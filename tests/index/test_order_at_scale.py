"""Lists of any length: a page is read off an index."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from regui.index import usage
from regui.index.listing import Sight, seen
from regui.index.models import UNKNOWN, UNREAD, Manifest, Repository, Tag, ordering_keys
from tests import bulk, factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's own words")
@pytest.mark.parametrize("order", ["-created", "-size"])
def test_a_page_of_tags_is_read_off_an_index(order: str) -> None:
    repository = factories.repository()
    bulk.tags(repository, 300)
    plan = repository.tags.visible().grouped(order).values_list("pk")[100:150].explain()

    assert "INDEX tag_by_" in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's own words")
@pytest.mark.parametrize("sign", ["", "-"])
def test_names_are_read_in_order_off_an_index(sign: str) -> None:
    repository = factories.repository()
    bulk.tags(repository, 300)
    with CaptureQueriesContext(connection) as asked:
        keys = repository.tags.visible().keys_in_groups(f"{sign}name")
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {asked[0]['sql']}")
        plan = str(cursor.fetchall())

    assert (len(keys), len(asked)) == (300, 1)
    assert "INDEX tag_by_name" in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's own words")
@pytest.mark.parametrize("order", ["-created", "-size", "-tags", "name", "-name"])
def test_a_page_of_repositories_is_read_off_an_index(order: str) -> None:
    registry = factories.registry()
    bulk.repositories(registry, 300)
    rows = Repository.objects.filter(registry=registry).listed()
    plan = rows.in_order(order).values_list("pk")[100:150].explain()

    assert "USING INDEX" in plan
    assert "TEMP B-TREE" not in plan


def test_a_tag_takes_its_place_from_what_it_is_seen_on() -> None:
    repository = factories.repository()
    row = factories.manifest(repository, size=5, created_at=NOW)
    tag = Tag(repository=repository, name="1.0", first_seen_at=NOW)
    seen([Sight(tag, row.pk)], NOW)
    assert keys("1.0") == ordering_keys(5, NOW) == (int(NOW.timestamp()), 5)

    seen([Sight(Tag.objects.get(), None, "gone")], NOW)
    assert keys("1.0") == (UNREAD, UNREAD)


def test_a_tag_on_an_index_moves_when_what_the_index_contains_is_read() -> None:
    repository = factories.repository()
    child = Manifest.objects.create(registry=repository.registry, digest=factories.digest("child"))
    factories.tag(repository, "1.0", factories.index(repository, [child]))
    assert keys("1.0")[1] == UNKNOWN

    Manifest.objects.filter(pk=child.pk).update(read_at=NOW, kind=Manifest.Kind.IMAGE, size=0, created_at=NOW)
    usage.roll_up([child.pk])
    assert keys("1.0") == (int(NOW.timestamp()), 0)


def keys(name: str) -> tuple[int, int]:
    tag = Tag.objects.get(name=name)
    return tag.created_key, tag.size_key


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's own words")
def test_summing_up_a_repository_looks_through_no_table() -> None:
    """Each of ten thousand is summed up when it is read: what grows with the registry would be felt."""
    repository = factories.repository()
    bulk.tags(repository, 300)
    repository.listed_at = NOW
    with CaptureQueriesContext(connection) as asked:
        usage.total(repository)
    assert repository.size
    plans: list[str] = []
    with connection.cursor() as cursor:
        for query in asked:
            if query["sql"].lstrip().startswith(("SELECT", "WITH")):
                cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
                plans += [row[3] for row in cursor.fetchall()]
    assert plans
    assert not [line for line in plans if line.startswith("SCAN index_")]
