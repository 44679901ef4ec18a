"""The search page, the palette's part of it, and the same language in both lists."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.paginator import Paginator
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from regui.index.models import Registry, Repository
from regui.index.search import find
from regui.registries import RegistrySettings
from regui.web import finding
from tests import factories
from tests.web.conftest import Visitor

PALETTE = {"HX-Request": "true", "HX-Target": "div#palette-found", "HX-Request-Type": "partial"}
RESULTS = {"HX-Request": "true", "HX-Target": "div#results", "HX-Request-Type": "partial"}


@pytest.fixture
def shelf(db: None, settings: Any) -> Repository:
    """A repository read a moment ago, in a registry that doesn't answer."""
    settings.REGISTRIES = {"main": RegistrySettings(name="main", url="http://127.0.0.1:9")}
    now = timezone.now()
    factories.registry(listed_at=now, tried_at=now)
    shelf = factories.repository("team/app", listed_at=now, tag_count=3, size=1000)
    for name in ("v1.0", "v1.1", "latest"):
        factories.tag(
            shelf, name, factories.manifest(shelf, name, layers={"base": 7}, labels={"n": name}), seen_at=now
        )
    return shelf


def test_what_is_found_stands_in_groups_with_counts(alice: Visitor, shelf: Repository) -> None:
    page = alice.get("/-/search/", {"q": "v1"}).text
    assert page.count("data-tag=") == 2
    assert 'href="/main/team/app/-/tags/v1.0/"' in page
    assert "Repositories" not in page.split('id="results"')[1].split("</main>")[0]

    page = alice.get("/-/search/", {"q": "app"}).text
    assert 'href="/main/team/app/"' in page
    assert "data-tag=" not in page


def test_a_layer_leads_to_all_that_uses_it(alice: Visitor, shelf: Repository) -> None:
    page = alice.get("/-/search/", {"q": factories.digest("base")}).text
    assert page.count("data-tag=") == 3
    assert "used by 3 manifests" in page
    assert page.count(f"/-/manifests/{factories.digest('v1.0')}/") >= 2

    short = alice.get("/-/search/", {"q": factories.digest("base")[7:11]}).text
    assert "used by 3 manifests" in short


def test_a_group_has_pages_of_its_own(alice: Visitor, shelf: Repository) -> None:
    for number in range(30):
        factories.tag(shelf, f"build-{number}")

    every = alice.get("/-/search/", {"q": "build"}).text
    assert every.count("data-tag=") == 10
    assert "All 30" in every

    second = alice.get("/-/search/", {"q": "build", "in": "tags", "page": "2", "per_page": "25"}).text
    assert second.count("data-tag=") == 5
    assert alice.get("/-/search/", {"q": "build", "in": "tags", "page": "999"}).status_code == 200
    assert alice.get("/-/search/", {"q": "build", "in": "nonsense"}).text.count("data-tag=") == 10


def test_the_palette_gets_its_part_only(alice: Visitor, shelf: Repository) -> None:
    part = alice.get("/-/search/", {"q": "v1"}, headers=PALETTE).text
    assert part.strip().startswith('<div id="palette-found">')
    assert part.count('role="option"') == 3
    assert 'href="/-/search/?q=v1"' in part
    assert "Nothing found" in alice.get("/-/search/", {"q": "zzz"}, headers=PALETTE).text
    assert "lacks a value" in alice.get("/-/search/", {"q": "size:"}, headers=PALETTE).text


def test_without_words_the_page_teaches_the_language(alice: Visitor, shelf: Repository) -> None:
    page = alice.get("/-/search/").text
    assert "What can be asked" in page
    assert "size:&gt;500MB" in page


def test_strangers_find_nothing(charlie: Visitor, bob: Visitor, shelf: Repository) -> None:
    assert charlie.get("/-/search/", {"q": "app"}).status_code == 403
    assert "team/app" in bob.get("/-/search/", {"q": "app"}).text


def test_a_registry_that_left_the_settings_is_not_searched(alice: Visitor, shelf: Repository) -> None:
    Registry.objects.update(active=False)
    assert "team/app" not in alice.get("/-/search/", {"q": "app"}).text


@pytest.mark.parametrize("address", ["/main/", "/main/team/app/", "/-/search/"])
@pytest.mark.parametrize("headers", [{}, RESULTS])
def test_a_wrong_query_explains_itself_and_filters_nothing(
    alice: Visitor, shelf: Repository, address: str, headers: dict[str, str]
) -> None:
    response = alice.get(address, {"q": "app size:big"}, headers=headers)
    assert response.status_code == 200
    assert "A size is compared" in response.text
    assert "At character 5" in response.text
    if address != "/-/search/":
        assert "team/app" in response.text
    if address == "/main/team/app/":
        assert response.text.count("data-tag=") == 3


def test_lists_speak_the_same_language(alice: Visitor, shelf: Repository) -> None:
    factories.repository("other/web", listed_at=timezone.now(), tag_count=0)
    assert alice.get("/main/", {"q": "-web"}).text.count("<tr data-repository=") == 1
    assert alice.get("/main/", {"q": "tag:v1.* label:n=v1.0"}).text.count("<tr data-repository=") == 1
    assert alice.get("/main/team/app/", {"q": "v1.* -tag:1.1"}).text.count("data-tag=") == 1
    assert alice.get("/main/team/app/", {"q": "label:n=latest"}).text.count("data-tag=") == 1


def test_pulls_say_when_none_can_be_known(alice: Visitor, shelf: Repository) -> None:
    assert "No pulls are known here" in alice.get("/main/team/app/", {"q": "pulled:<30d"}).text
    Registry.objects.update(events_since=timezone.now() - timedelta(days=3))
    assert "No pulls are known here" not in alice.get("/main/team/app/", {"q": "pulled:<30d"}).text


def test_a_list_of_tags_says_where_the_untagged_are(alice: Visitor, shelf: Repository) -> None:
    assert "Every row of this list is a tag" in alice.get("/main/team/app/", {"q": "untagged:yes"}).text


@pytest.mark.parametrize(
    "text",
    [
        "%",
        "_",
        "\\",
        "'",
        '"',
        '""',
        '"^"',
        "a AND b",
        "NEAR(a b)",
        "*",
        "?" * 50,
        "-",
        "--",
        ":",
        "=",
        "a:b:c",
        "<script>",
        "\x00",
        "x" * 5000,
        "a " * 500,
        "*a" * 200,
        "é",
        "😀" * 20,
        'label:"a\'b"',
        "label:'",
        "label:$.x",
        "label:[0]=1",
        "tag:%",
    ],
)
@pytest.mark.parametrize("address", ["/main/", "/main/team/app/", "/-/search/"])
def test_hostile_queries_are_answered(alice: Visitor, shelf: Repository, address: str, text: str) -> None:
    response = alice.get(address, {"q": text})
    assert response.status_code == 200
    assert "<script>" not in response.text


@pytest.mark.parametrize("text", ["v1", "app v1", "app", "tag:v1", "size:>1"])
def test_queries_do_not_grow_with_what_is_found(alice: Visitor, shelf: Repository, text: str) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            alice.get("/-/search/", {"q": text}, headers=PALETTE)
        return len(queries)

    before = count()
    for number in range(20):
        factories.tag(shelf, f"v1-{number}", factories.manifest(shelf))
        factories.tags(factories.repository(f"team/app-{number}"), ["v1-0"])

    assert count() == before <= 9


def test_what_may_not_be_all_is_counted_so() -> None:
    def group(keys: list[int], **more: bool) -> finding.Group:
        found = find.Found(keys, **more)
        return finding.Group("tags", "Tags", found, Paginator(found.keys, 10).get_page(1))

    assert (group([1, 2]).count, group([1, 2]).all) == ("2", "All 2")
    assert (group([1, 2], partly=True).count, group([1, 2], partly=True).all) == ("2 or more", "The first 2")
    whole = group(list(range(find.MOST)), more=True)
    assert (whole.count, whole.all) == ("more than 1,000", "The first 1,000")
