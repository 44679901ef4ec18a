"""Names of tags as versions."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from regui.index import listing
from regui.index.models import Tag, is_release, name_key
from tests import factories
from tests.factories import NOW

NAMES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True)
IN_ORDER = (
    *(
        "1",
        "1.2",
        "1.2.3-alpine",
        "1.2.3-rc.2",
        "1.2.3-rc.10",
        "1.2.3",
        "v1.9",
        "1.010",
        "v1.10.0",
        "2024.01",
    ),
    *("build-9", "Build-10", "latest", "latest-alpine", "main", "v", "vv1"),
)


def test_numbers_in_names_count_by_their_value() -> None:
    backwards = list(reversed(IN_ORDER))
    assert sorted(backwards, key=name_key) == list(IN_ORDER)


def test_a_v_before_a_number_makes_no_difference() -> None:
    assert name_key("v1.2") == name_key("1.2") == name_key("V01.2")


@given(name=NAMES)
def test_any_name_has_a_key_little_longer_than_itself(name: str) -> None:
    assert 0 < len(name_key(name)) <= len(name) * 1.5 + 2


@pytest.mark.parametrize(
    "name", ["1", "17", "v2", "1.2.3", "V1.2", "2024.01", "2024", "v20240115", "1.2.3.4"]
)
def test_a_version_as_such_is_a_release(name: str) -> None:
    assert is_release(name)


@pytest.mark.parametrize(
    "name",
    [
        "latest",
        "1.2.3-rc1",
        "v1.2.3-alpine",
        "1.2.3_1",
        "20240115",
        "8273645",
        "1.",
        ".1",
        "1..2",
        "v",
        "main-1",
    ],
)
def test_anything_before_or_behind_a_version_makes_none(name: str) -> None:
    assert not is_release(name)


@pytest.mark.django_db
def test_a_listed_tag_knows_its_place_among_names() -> None:
    repository = factories.repository(listed_at=None)
    listing.tags([listing.Listing(repository, ["v1.10", "latest"], NOW)])
    rows = {tag.name: tag for tag in Tag.objects.all()}
    assert [tag.name for tag in rows.values() if tag.release] == ["v1.10"]
    assert all(bytes(tag.name_key) == name_key(name) for name, tag in rows.items())


@pytest.mark.django_db
def test_tags_from_before_there_were_keys_are_given_theirs() -> None:
    repository = factories.repository()
    for name in ("v1.10", "latest"):
        factories.tag(repository, name, name_key=b"", release=False)
    fill = import_module("regui.index.migrations.0009_fill_names_in_order").fill
    fill(apps, connection.schema_editor())
    found = {tag.name: (bytes(tag.name_key), tag.release) for tag in Tag.objects.all()}
    assert found == {"v1.10": (name_key("1.10"), True), "latest": (name_key("latest"), False)}
