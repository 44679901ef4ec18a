"""What lists can be asked for, and how they answer nonsense."""

import pytest
from django.http import QueryDict
from django.test import RequestFactory

from regui.index.models import Tag
from regui.web import forms, paging

SORTS = ("name", "-name", "created", "-created")


def asked(query: str) -> forms.Wanted:
    return forms.wanted(QueryDict(query), SORTS, "-created")


def test_a_list_is_asked_for_by_its_query_string() -> None:
    found = asked("q=+v1.*+&sort=name&ns=team&kind=helm")
    assert found == forms.Wanted(q="v1.*", sort="name", namespace="team", kind="helm")
    assert found.filtered


@pytest.mark.parametrize("query", ["", "sort=", "sort=evil", "sort=--name", "q=%20&sort=-digest"])
def test_an_order_nobody_knows_is_the_usual_one(query: str) -> None:
    assert asked(query) == forms.Wanted(q="", sort="-created")
    assert not asked(query).filtered


def test_a_filter_is_cut_to_what_a_database_takes() -> None:
    assert asked("q=a%00b").q == "ab"
    assert len(asked("q=" + "x" * 10_000).q) == forms.LONGEST


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", 50),
        ("25", 25),
        ("200", 200),
        ("100000", 200),
        ("0", 50),
        ("-1", 50),
        ("ten", 50),
        ("٢٥", 50),
        ("9" * 5000, 50),
        ("2.5", 50),
    ],
)
def test_the_length_of_a_page_is_bounded(text: str, rows: int) -> None:
    assert paging.per_page(text) == rows


@pytest.mark.parametrize(
    ("text", "number"), [("", 1), ("2", 2), ("99", 4), ("-3", 1), ("0", 1), ("x", 1), ("9" * 9, 4)]
)
def test_a_page_that_there_is_not_is_the_nearest_one(text: str, number: int) -> None:
    request = RequestFactory().get("/", {"page": text, "per_page": "3"})
    assert paging.paginate(request, [Tag(name=str(number)) for number in range(10)]).number == number
