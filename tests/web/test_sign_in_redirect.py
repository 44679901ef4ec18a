"""Who has to sign in first comes back to where they were going, and nowhere else."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from tests.web.conftest import Visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def nobody() -> Visitor:
    """Nobody has signed in, and visitors may nothing."""
    return Visitor("none")


def back(address: str) -> str:
    """Where the page for signing in leads back to."""
    where = urlsplit(address)
    assert (where.scheme, where.netloc, where.path) == ("", "", reverse("account_login"))
    (found,) = parse_qs(where.query)["next"]
    return found


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/main/team/app/?q=a%26b&sort=-created&page=2",
        "/-/search/?q=%C3%A4pp+%22x%22",
        "/main/team/app/-/tags/1.0/delete/?as=json",
        "/-/nothing/?next=https://evil.example/",
        "/main",
    ],
)
def test_where_one_was_going_is_kept_with_its_query(nobody: Visitor, address: str) -> None:
    answer = nobody.get(address)
    assert answer.status_code == 302
    assert back(answer["Location"]) == address


HOSTILE = [
    "//evil.example/x/",
    "///evil.example/",
    "/\\evil.example/",
    "//evil.example\\@testserver/",
    "/%09/evil",
]


@pytest.mark.parametrize("path", HOSTILE)
@pytest.mark.parametrize("htmx", [False, True])
def test_no_address_leads_to_another_site(nobody: Visitor, path: str, htmx: bool) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{path}"} if htmx else {}
    answer = nobody.generic("GET", "/", PATH_INFO=path, headers=headers)
    there = back(answer["HX-Redirect"] if htmx else answer["Location"])
    assert url_has_allowed_host_and_scheme(there, None), there
    assert there.startswith("/")


def test_htmx_is_led_on_by_the_browser_and_back_to_the_page_it_sits_in(nobody: Visitor) -> None:
    headers = {
        "HX-Request": "true",
        "HX-Target": "section#results",
        "HX-Current-URL": "http://testserver/main/?q=team&page=3",
    }
    answer = nobody.get("/main/?q=tea&refresh=1", headers=headers)
    assert answer.status_code == 200
    assert "Location" not in answer
    assert back(answer["HX-Redirect"]) == "/main/?q=team&page=3"
    assert answer.content == b"", "nothing to be put into the page"


@pytest.mark.parametrize("there", ["https://evil.example/main/", "http://testserver.evil.example/", "", "x"])
def test_a_page_of_another_site_is_not_led_back_to(nobody: Visitor, there: str) -> None:
    answer = nobody.get("/main/?q=a", headers={"HX-Request": "true", "HX-Current-URL": there})
    assert back(answer["HX-Redirect"]) == "/main/?q=a"


@pytest.mark.parametrize("htmx", [False, True])
def test_what_would_have_changed_something_is_not_done_after_signing_in(nobody: Visitor, htmx: bool) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/main/"} if htmx else {}
    answer = nobody.post("/main/team/app/-/tags/1.0/delete/", headers=headers)
    assert answer["HX-Redirect" if htmx else "Location"] == reverse("account_login")


def test_the_way_to_signing_in_is_never_kept(nobody: Visitor) -> None:
    answer = nobody.get("/main/")
    assert "no-store" in answer["Cache-Control"]
    assert "Cookie" in answer["Vary"]
