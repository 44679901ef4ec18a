"""A registry's page: its repositories, filtered, sorted, paged, and as true as what was read."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from regui import oci
from regui.index.models import Registry, Repository
from tests import factories, images
from tests.fake import Fake
from tests.memory import error
from tests.people import ASKING
from tests.registry import RunningRegistry
from tests.web.conftest import Visitor, registered

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#results"}


def names(text: str) -> list[str]:
    """The repositories a page lists, in order."""
    return re.findall(r'data-repository="([^"]*)"', text)


def fresh(**fields: Any) -> Registry:
    """A registry whose list was read just now, so that a page asks nothing."""
    return factories.registry(listed_at=timezone.now(), **fields)


def row(name: str, **fields: Any) -> Repository:
    """A repository that was read just now."""
    now = timezone.now()
    defaults: dict[str, Any] = {
        "listed_at": now,
        "tried_at": now,
        "tag_count": 1,
        "size": 1000,
        "kind": "image",
    }
    return factories.repository(name, **(defaults | fields))


@pytest.fixture
def shelf(db: None) -> Registry:
    """Some repositories, all freshly read."""
    registry, now = fresh(), timezone.now()
    row("team/web", size=300, tag_count=3, changed_at=now - timedelta(days=1), platforms=["linux/arm64"])
    row("team/api", size=100, tag_count=9, changed_at=now - timedelta(days=3))
    row("charts/web", size=200, tag_count=1, changed_at=now - timedelta(days=2), kind="helm")
    row("solo", size=None, tag_count=2, changed_at=None)
    row("old/empty", size=0, tag_count=0, kind="")
    return registry


def test_a_push_shows_up(registry: RunningRegistry, index_registry: Registry, bob: Visitor) -> None:
    name = registry.unique("deep/er/app")
    registry.push(name, labels={"org.opencontainers.image.description": "Says <b>hello</b>"})
    page = bob.get("/main/", {"q": name})
    assert names(page.text) == [name]
    assert "Says &lt;b&gt;hello&lt;/b&gt;" in page.text
    assert "as of" in page.text
    assert '<caption class="vh">1 repository</caption>' in page.text
    assert f'href="/main/{name}/"' in page.text


def test_an_empty_registry_teaches_how_to_push_to_it(
    registry: RunningRegistry, settings: Settings, bob: Visitor
) -> None:
    registry.wipe()
    registered(settings, registry.url, "empty")
    page = bob.get("/empty/")
    assert f"docker tag app:latest 127.0.0.1:{registry.port}/app:latest" in page.text
    assert f"docker push 127.0.0.1:{registry.port}/app:latest" in page.text
    assert "insecure-registries" not in page.text, "docker trusts this machine as it is"


def test_an_empty_registry_elsewhere_without_tls_names_the_setting_docker_needs(bob: Visitor) -> None:
    fresh(url="http://10.0.0.5:5000", pull_host="10.0.0.5:5000")
    page = bob.get("/main/")
    assert "insecure-registries" in page.text
    assert "10.0.0.5:5000" in page.text


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["team/web", "charts/web", "team/api", "solo"]),
        ("empty=1", ["team/web", "charts/web", "team/api", "old/empty", "solo"]),
        ("sort=created", ["team/api", "charts/web", "team/web", "solo"]),
        ("sort=name", ["charts/web", "solo", "team/api", "team/web"]),
        ("empty=1&sort=name", ["charts/web", "old/empty", "solo", "team/api", "team/web"]),
        ("sort=-size", ["team/web", "charts/web", "team/api", "solo"]),
        ("sort=-tags", ["team/api", "team/web", "solo", "charts/web"]),
        ("sort=nonsense", ["team/web", "charts/web", "team/api", "solo"]),
        ("q=old", ["old/empty"]),
        ("ns=old", ["old/empty"]),
        ("q=WEB&sort=name", ["charts/web", "team/web"]),
        ("q=team/*&sort=name", ["team/api", "team/web"]),
        ("q=team+web", ["team/web"]),
        ("ns=team&sort=name", ["team/api", "team/web"]),
        ("kind=helm", ["charts/web"]),
        ("per_page=2&page=2&sort=name", ["team/api", "team/web"]),
        ("per_page=2&page=99&sort=name&empty=1", ["team/web"]),
    ],
)
def test_repositories_are_filtered_sorted_and_paged(query: str, found: list[str], bob: Visitor) -> None:
    assert names(bob.get(f"/main/?{query}").text) == found


def test_a_filter_finds_what_is_not_on_the_page(bob: Visitor) -> None:
    fresh()
    for number in range(60):
        row(f"team/app-{number:02}")
    assert len(names(bob.get("/main/").text)) == 50
    page = bob.get("/main/", {"q": "*app-5?"})
    assert len(names(page.text)) == 10
    assert "10 of 60 repositories" in page.text


@pytest.mark.usefixtures("shelf")
def test_no_match_offers_to_clear_the_filters(bob: Visitor) -> None:
    page = bob.get("/main/", {"q": "zzz<script>"})
    assert "No repository matches “zzz&lt;script&gt;”" in page.text
    assert "Clear filters" in page.text
    assert "<script>" not in page.text


@pytest.mark.usefixtures("shelf")
def test_the_numbers_say_what_is_known_and_no_more(bob: Visitor) -> None:
    row("not/read", tag_count=None, size=None, listed_at=timezone.now())
    page = " ".join(bob.get("/main/").text.split())
    assert re.search(r"<dt>Repositories</dt> <dd>6<small>1 of them empty", page)
    assert re.search(r"<dt>Tags</dt> <dd> ?<span[^>]*>≥ 15</span> ?<small>1 repositories? not read yet", page)
    unread = page.partition('data-repository="not/read"')[2].partition("</tr>")[0]
    assert "not read yet" in unread
    assert "unknown" not in unread
    unsized = page.partition('data-repository="solo"')[2].partition("</tr>")[0]
    assert unsized.count("unknown") == 3, "platform, size and date"


def test_a_layer_that_many_share_is_counted_once(bob: Visitor) -> None:
    fresh()
    web, api = row("team/web"), row("team/api")
    for repository, layers in ((web, {"base": 4000, "web": 500}), (api, {"base": 4000, "api": 300})):
        factories.tag(repository, "1.0", factories.manifest(repository, layers=layers))
    page = " ".join(bob.get("/main/").text.split())
    assert "<dt>Used</dt> <dd> 4.8 kB <small>each layer counted once" in page
    assert re.search(r"<dt>Images</dt> <dd> ?2 ?<small>", page)


def test_sizes_nobody_can_have_break_nothing(bob: Visitor) -> None:
    fresh()
    repository = row("team/web")
    for number in range(3):
        factories.manifest(repository, layers={f"huge {number}": 2**62}, size=2**62)
    assert "PB" in bob.get("/main/").text


@pytest.mark.usefixtures("shelf")
def test_an_empty_repository_is_hidden_until_it_is_asked_for(bob: Visitor) -> None:
    page = bob.get("/main/").text
    assert 'data-repository="old/empty"' not in page
    assert "1 empty hidden" in page
    assert 'href="?empty=1"' in page
    cells = (
        bob.get("/main/", {"empty": "1"})
        .text.partition('data-repository="old/empty"')[2]
        .partition("</tr>")[0]
    )
    assert "empty" in cells
    assert "ago" not in cells


@pytest.mark.usefixtures("shelf")
def test_the_way_into_a_namespace_is_offered(bob: Visitor) -> None:
    page = bob.get("/main/", {"ns": "team"}).text
    options = re.findall(r"<option( selected)?>([^<]*)</option>", page)
    assert options == [("", "charts"), ("", "old"), (" selected", "team")]


@pytest.mark.usefixtures("shelf")
def test_htmx_gets_the_list_alone_and_a_browser_the_page(bob: Visitor) -> None:
    part, page = bob.get("/main/", {"q": "api"}, headers=HTMX), bob.get("/main/", {"q": "api"})
    assert part.text.lstrip().startswith('<div id="results">')
    assert names(part.text) == names(page.text) == ["team/api"]
    for answer in (part, page):
        assert {"HX-Request", "HX-Request-Type"} <= set(answer["Vary"].split(", "))
    assert page.text.lstrip().startswith("<!doctype html>")


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    "headers",
    [
        HTMX | {"HX-Target": "div#other"},
        HTMX | {"HX-Target": "errors/page.html#x"},
        HTMX | {"HX-Request-Type": "full"},
        {"HX-History-Restore-Request": "true", "HX-Request-Type": "full"},
    ],
)
def test_no_header_pulls_out_another_part(headers: dict[str, str], bob: Visitor) -> None:
    assert bob.get("/main/", headers=headers).text.lstrip().startswith("<!doctype html>")


def test_a_list_costs_the_same_however_long_it_is(
    bob: Visitor, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    bob.cookies["scripts"] = "1"
    fresh()
    for number in range(3):
        row(f"team/app-{number}")
    bob.get("/main/")
    with django_assert_num_queries(12 + ASKING):
        bob.get("/main/")
    for number in range(3, 40):
        row(f"team/app-{number}")
    with django_assert_num_queries(12 + ASKING):
        bob.get("/main/")
    with django_assert_num_queries(6 + ASKING):
        bob.get("/main/", headers=HTMX)


def test_a_registry_that_is_down_shows_what_is_remembered_dated_and_why(
    bob: Visitor, settings: Settings
) -> None:
    with Fake() as fake:
        registered(settings, fake.url)
    row("team/app", listed_at=timezone.now())
    Registry.objects.update(listed_at=timezone.now() - timedelta(hours=3))
    assert "3 h ago" in bob.get("/main/").text
    page = bob.get("/main/?refresh=1")
    assert page.status_code == 200
    assert names(page.text) == ["team/app"]
    assert "3 h ago" in page.text
    assert "Retry" in page.text
    assert "Check that the registry runs" in page.text


def test_a_registry_that_was_never_read_and_is_down_is_an_error_page(
    bob: Visitor, settings: Settings
) -> None:
    with Fake() as fake:
        registered(settings, fake.url)
    page = bob.get("/main/")
    assert page.status_code == 502
    assert "can&#x27;t be reached" in page.text
    assert "Try again" in page.text
    assert f"curl -i {fake.url}/v2/" in page.text


def test_a_registry_that_lists_nothing_says_how_to_go_on(bob: Visitor, settings: Settings) -> None:
    with Fake() as fake:
        fake.on("GET", "/v2/_catalog", error(401, "UNAUTHORIZED"))
        fake.on("GET", "/v2/_catalog", error(404, "NOT_FOUND"))
        registered(settings, fake.url)
        page = bob.get("/main/")
        assert page.status_code == 200
        assert "Open a repository by its name" in page.text
        assert page.text.count("list its repositories") == 1, "once is enough"
        assert "Add repositories by name" not in page.text, "Bob only reads"
        numbers = " ".join(page.text.partition('<dl class="stats">')[2].partition("</dl>")[0].split())
        assert re.findall("<dd> ?([^<]+)<small>", numbers) == ["unknown"] * 4, "not zero"
        assert 'name="open"' in page.text

        with oci.Client(fake.url) as client:
            images.push(client, "team/app", images.image(), ["1.0"])
        found = bob.get("/main/", {"open": f" {fake.url.removeprefix('http://')}/team/app "}, follow=True)
        assert found.redirect_chain == [("/main/team/app/", 302)]
        assert 'data-tag="1.0"' in found.text
        page = bob.get("/main/")
    assert names(page.text) == ["team/app"]
    assert re.search(
        r"<dt>Repositories</dt>\s*<dd><span[^>]*>≥ 1</span><small>the registry lists none", page.text
    )


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize("name", ["", "/", "Upper", "a//b", "a/-/b", "a\0b", "x" * 300])
def test_a_name_that_nothing_can_have_is_not_opened(name: str, bob: Visitor) -> None:
    page = bob.get("/main/", {"open": name})
    assert page.status_code == 404
    assert "Nothing can be called that" in page.text


@pytest.mark.usefixtures("shelf")
def test_opening_by_name_asks_for_permission_first(charlie: Visitor) -> None:
    assert charlie.get("/main/", {"open": "team/web"}).status_code == 404


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_a_list_can_only_be_looked_at(method: str, alice: Visitor) -> None:
    answer = getattr(alice, method)("/main/")
    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD"
    assert "This address works another way" in answer.text
