"""Lists by the page: each row once, whatever comes and goes in between."""

import re

import pytest
from pytest_django import Settings

from regui.actions.models import Action
from regui.index import history
from regui.index.models import Registry, Repository, TagMove
from tests import factories
from tests.api.calling import Caller
from tests.index.conftest import registered

NOW = factories.NOW
REPOSITORIES = "/registries/main/repositories"
TAGS = f"{REPOSITORIES}/team/app/-/tags"


@pytest.fixture
def shelf(settings: Settings, db: None) -> Repository:
    registered(settings, "http://127.0.0.1:9")
    Registry.objects.update(listed_at=NOW, tried_at=NOW)
    shelf = factories.repository("team/app", tag_count=25, size=500)
    for number in range(25):
        on = factories.manifest(shelf, layers={f"layer {number}": 100 + number // 2})
        factories.tag(shelf, f"v1.{number}", on)
    return shelf


def names(pages: list[list[dict[str, str]]], key: str = "name") -> list[str]:
    return [one[key] for page in pages for one in page]


def test_the_cursor_leads_through_all(bob: Caller, shelf: Repository) -> None:
    pages = list(bob.pages(TAGS, {"limit": 10}))
    assert [len(page) for page in pages] == [10, 10, 5]
    assert names(pages) == [f"v1.{number}" for number in range(25)]


@pytest.mark.parametrize("sort", ["name", "-name", "created", "-created", "size", "-size"])
def test_every_order_of_tags_leads_through_all(bob: Caller, shelf: Repository, sort: str) -> None:
    for number in range(5):
        factories.tag(shelf, f"unread-{number}", problem="It leads nowhere.")
        factories.tag(shelf, f"dateless-{number}", factories.manifest(shelf, created_at=None, size=None))
    whole = bob.get(TAGS, {"sort": sort}).json()["items"]
    assert len(whole) == 35
    assert names(list(bob.pages(TAGS, {"sort": sort, "limit": 3}))) == names([whole])
    if "name" not in sort:
        assert all(tag["digest"] is None for tag in whole[-5:]), "what was never read comes last"


@pytest.mark.parametrize("sort", ["name", "-name", "created", "-created", "size", "-size", "tags", "-tags"])
def test_every_order_of_repositories_leads_through_all(bob: Caller, shelf: Repository, sort: str) -> None:
    for number in range(20):
        factories.repository(f"a/{number}", tag_count=number % 3, size=number % 4, changed_at=NOW)
        factories.repository(f"b/{number}", tag_count=None, problem="It can't be read.")
    whole = names([bob.get(REPOSITORIES, {"sort": sort}).json()["items"]])
    assert len(whole) == 41
    assert names(list(bob.pages(REPOSITORIES, {"sort": sort, "limit": 4}))) == whole


def test_rows_that_come_and_go_move_no_others(bob: Caller, shelf: Repository) -> None:
    pages = []
    for page in bob.pages(TAGS, {"limit": 5}):
        pages.append(page)
        factories.tag(shelf, f"v0.{len(pages)}", factories.manifest(shelf))
        factories.tag(shelf, f"v2.{len(pages)}", factories.manifest(shelf))
        shelf.tags.filter(name=page[-1]["name"]).delete()
    seen = names(pages)
    assert len(seen) == len(set(seen))
    assert set(seen) >= {f"v1.{number}" for number in range(25)}
    assert not any(name.startswith("v0.") for name in seen), "they came before where the cursor stood"
    assert "v2.1" in seen


def test_the_filter_goes_along(bob: Caller, shelf: Repository) -> None:
    assert names(list(bob.pages(TAGS, {"q": "v1.1*", "limit": 3}))) == [
        "v1.1",
        *(f"v1.{number}" for number in range(10, 20)),
    ]


def test_the_history_and_the_journal_have_pages_too(bob: Caller, shelf: Repository) -> None:
    for number in range(12):
        how = TagMove.How.CRAWL
        history.write([history.Move(shelf, f"v1.{number}", "", factories.digest("x"), NOW, None, how)])
        Action.objects.create(registry="main", repository="team/app", kind="untag", started_at=NOW)
    moves = list(bob.pages(f"{REPOSITORIES}/team/app/-/history", {"limit": 5}))
    assert names(moves, "tag") == [f"v1.{number}" for number in reversed(range(12))]
    actions = names(list(bob.pages("/actions", {"limit": 5})), "id")
    assert actions == sorted(Action.objects.values_list("id", flat=True), reverse=True)


def test_a_link_leads_to_the_next_page(bob: Caller, shelf: Repository) -> None:
    answer = bob.get(TAGS, {"limit": 20, "q": "v1"})
    link = re.fullmatch(r'<(/api/v1/[^>]+)>; rel="next"', answer["Link"])
    assert link
    last = bob.get(link[1])
    assert names([last.json()["items"]]) == [f"v1.{number}" for number in range(20, 25)]
    assert "Link" not in last


def test_a_cursor_is_its_own_list_s_alone(bob: Caller, shelf: Repository) -> None:
    cursor = bob.get(TAGS, {"limit": 5}).json()["next"]
    assert bob.get(TAGS, {"limit": 7, "cursor": cursor}).status_code == 200, "a page may be longer"
    for query in ({"cursor": "x"}, {"cursor": f"{cursor}x"}, {"cursor": cursor, "sort": "-name"}):
        error = bob.get(TAGS, query).json()["error"]
        assert error["code"] == "bad-cursor"
    assert bob.get(REPOSITORIES, {"cursor": cursor}).status_code == 422


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "many"])
def test_a_page_holds_one_row_at_least_and_a_thousand_at_most(
    bob: Caller, shelf: Repository, limit: str
) -> None:
    answer = bob.get(TAGS, {"limit": limit})
    assert answer.status_code == 422
    assert answer.json()["error"]["details"][0]["where"] == "query.limit"
    assert bob.get(TAGS, {"limit": "1000"}).status_code == 200
