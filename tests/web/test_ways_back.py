"""Where a request says to go afterwards is gone to only when it is on this site."""

import re
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from django.test import Client
from django.utils.http import url_has_allowed_host_and_scheme
from pytest_django import Settings

import regui
from regui.accounts.access import Role
from regui.patterns import ANYWHERE
from tests.people import SignedIn, person

pytestmark = pytest.mark.django_db

HOSTILE = [
    "https://evil.example/",
    "HTTPS://EVIL.EXAMPLE",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "http:evil.example",
    r"/\evil.example",
    r"\/evil.example",
    r"\\evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "/\r\n/evil.example",
    "\x00//evil.example",
    "\x08//evil.example",
    "//evil.example\\@testserver/",
    "https://testserver@evil.example/",
    "https://testserver.evil.example/",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,hello",
    "//testserver:80@evil.example",
]
# Where our own code takes an address, or part of one, from a request.
TAKERS = {
    "accounts/oidc/flow.py": "what the session kept when it began",
    "actions/retention/summary.py": "no request's: where the run's page is, as the summary has it",
    "accounts/adapter.py": "decides for allauth: a path and nothing else",
    "web/http.py": "is_ours, which decides",
    "web/errors.py": "asks is_ours",
    "web/views/theme.py": "asks is_ours",
    "web/views/bearing.py": "asks is_ours",
    "web/views/garbage.py": "one of two pages by name",
}
TAKING = re.compile(
    r"HTTP_REFERER|.Referer.|HX-Current-URL|url_has_allowed_host_and_scheme\("
    r"|(?:\.get\(|\[)(?:[\"'](?:next|back|return_to|url)[\"']|REDIRECT_FIELD_NAME)"
)


@pytest.fixture
def bob() -> SignedIn:
    return SignedIn("bob", (Role.READER, ANYWHERE))


def stays(location: str) -> bool:
    """Whether a browser that came to http://testserver/ would stay there."""
    return bool(location) and url_has_allowed_host_and_scheme(location, {"testserver"})


@pytest.mark.parametrize("back", HOSTILE)
def test_a_theme_leads_home_rather_than_away(bob: SignedIn, back: str) -> None:
    assert bob.post("/-/theme/", {"theme": "dark", "next": back})["Location"] == "/"


@pytest.mark.parametrize("back", HOSTILE)
@pytest.mark.parametrize("address", ["/-/account/sign-in/", "/-/account/sign-out/"])
@pytest.mark.parametrize("hosts", [["testserver"], ["*"]])
def test_who_is_signed_in_or_out_stays_here(
    bob: SignedIn, settings: Settings, address: str, back: str, hosts: list[str]
) -> None:
    """allauth decides; "*" is what stands there when regui listens for others and nobody said its name."""
    settings.ALLOWED_HOSTS = hosts
    there = f"{address}?next={quote(back)}"
    answer = bob.post(there, {"next": back}) if "sign-out" in address else bob.get(there)

    assert answer.status_code == 302
    assert stays(answer["Location"]), answer["Location"]


@pytest.mark.parametrize("back", HOSTILE)
def test_signing_in_leads_nowhere_else(back: str, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    bob = person("bob")
    bob.set_password("correct horse battery")
    bob.save()

    form = {"login": "bob", "password": "correct horse battery", "next": back}
    answer = Client().post(f"/-/account/sign-in/?next={quote(back)}", form)

    assert answer.status_code == 302
    assert stays(answer["Location"]), answer["Location"]


@pytest.mark.parametrize("back", HOSTILE)
def test_looking_for_a_deleted_thing_leads_to_one_of_two_pages(back: str, settings: Settings) -> None:
    alice = SignedIn("alice", (Role.ADMIN, ANYWHERE))
    answer = alice.post("/main/-/garbage/look/", {"next": back})

    assert answer.status_code == 404 or stays(answer["Location"])


@pytest.mark.parametrize(
    "sitting",
    [
        "http://testserver//evil.example/",
        "http://testserver/\\evil.example/",
        "http://testserver/\t/evil.example/",
        "http://testserver",
        "http://evil.example/-/activity/",
        "https://testserver@evil.example/",
        "javascript:alert(1)",
        "http://[",
        "",
    ],
)
def test_where_a_visitor_was_going_is_here(sitting: str, settings: Settings) -> None:
    settings.ANONYMOUS_ROLE = "none"
    answer = Client().get("/main/", headers={"HX-Request": "true", "HX-Current-URL": sitting})

    there = urlsplit(answer["HX-Redirect"])
    assert there.netloc == ""
    assert parse_qs(there.query)["next"] == ["/main/"]


def test_a_visitor_goes_on_to_the_page_that_htmx_sat_in(settings: Settings) -> None:
    settings.ANONYMOUS_ROLE = "none"
    sitting = {"HX-Request": "true", "HX-Current-URL": "http://testserver/-/search/?q=a%20b#part"}
    answer = Client().get("/main/", headers=sitting)

    assert parse_qs(urlsplit(answer["HX-Redirect"]).query)["next"] == ["/-/search/?q=a%20b"]


@pytest.mark.parametrize(
    "path", ["//evil.example/", "//evil.example/..", "/%2F/evil.example/", "/\\evil.example/"]
)
def test_an_address_that_looks_like_another_host_is_not_passed_on(path: str, bob: SignedIn) -> None:
    """Django would put a slash to the end of an address and redirect there."""
    for request in (path, path.rstrip("/")):
        answer = bob.generic("GET", "/", PATH_INFO=request)
        assert answer.status_code in {301, 302, 404}
        assert answer.status_code == 404 or stays(answer["Location"])


def test_nothing_else_takes_an_address_from_a_request() -> None:
    package = Path(regui.__file__).parent
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if TAKING.search(path.read_text(encoding="utf-8"))
    }
    assert found == set(TAKERS)
