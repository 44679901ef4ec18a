"""What proxies say: believed of those that are set, not there of anyone else."""

import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from pytest_django import Settings

from regui.accounts import forwarded
from regui.accounts.access import Right, Role
from regui.accounts.forwarded import Person
from regui.accounts.models import AuditEntry, Identity, User
from regui.mapping import Mapping
from regui.proxies import Proxies, parse_networks
from tests.people import enter, grant, session_of
from tests.serving import serving

OURS, FOREIGN = "10.0.0.1", "203.0.113.9"


@pytest.fixture(autouse=True)
def proxies(settings: Settings) -> Proxies:
    settings.ANONYMOUS_ROLE = "none"
    settings.PROXIES = Proxies(
        parse_networks("10.0.0.0/8"),
        "X-Forwarded-User",
        "X-Forwarded-Groups",
        Mapping((("idp-staff", "staff"),)),
    )
    found: Proxies = settings.PROXIES
    return found


def passed(**meta: str) -> HttpRequest:
    """A request as what stands behind the middleware sees it."""
    seen: list[HttpRequest] = []

    def behind(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse()

    forwarded.forwarded(behind)(RequestFactory(HTTP_HOST="localhost").get("/", **meta))  # type: ignore[arg-type]
    return seen[0]


SAID = {
    "HTTP_X_FORWARDED_PORT": "443",
    "HTTP_X_FORWARDED_FOR": "198.51.100.4",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_HOST": "evil.example",
    "HTTP_X_FORWARDED_USER": "alice",
    "HTTP_X_FORWARDED_GROUPS": "idp-staff",
    "HTTP_X_REAL_IP": "198.51.100.5",
    "HTTP_FORWARDED": "for=198.51.100.6;proto=https",
}


def test_a_proxy_of_ours_says_who_asks_and_by_which_scheme() -> None:
    request = passed(REMOTE_ADDR=OURS, **SAID)
    assert (request.META["REMOTE_ADDR"], request.scheme) == ("198.51.100.4", "https")
    assert request.is_secure()
    assert request.named == Person("alice", ("idp-staff",))  # type: ignore[attr-defined]


def test_anyone_else_says_nothing() -> None:
    request = passed(REMOTE_ADDR=FOREIGN, **SAID)
    assert (request.META["REMOTE_ADDR"], request.scheme) == (FOREIGN, "http")
    assert request.named == Person()  # type: ignore[attr-defined]


@pytest.mark.parametrize("peer", [OURS, FOREIGN])
def test_no_such_header_is_left_for_what_comes_behind(peer: str) -> None:
    request = passed(REMOTE_ADDR=peer, **SAID)
    assert not set(SAID) & set(request.META)
    assert not [name for name in request.headers if "orward" in name or "Real" in name]
    assert request.get_host() == "localhost"


@pytest.mark.parametrize(
    ("said", "scheme"), [("http", "http"), ("https, http", "http"), ("x", "http"), ("HTTPS", "https")]
)
def test_of_several_schemes_the_last_counts(said: str, scheme: str) -> None:
    assert passed(REMOTE_ADDR=OURS, HTTP_X_FORWARDED_PROTO=said).scheme == scheme


def test_without_a_header_set_a_proxy_names_nobody(settings: Settings) -> None:
    settings.PROXIES = Proxies(parse_networks(OURS))
    request = passed(REMOTE_ADDR=OURS, **SAID)
    assert request.named == Person()  # type: ignore[attr-defined]
    assert "HTTP_X_FORWARDED_USER" not in request.META


class Behind(Client):
    """A browser behind a proxy that says who it is."""

    def named(self, name: str, *, peer: str = OURS, path: str = "/", groups: str = "", **more: Any) -> Any:
        said: dict[str, Any] = {"REMOTE_ADDR": peer}
        if name:
            said |= {"HTTP_X_FORWARDED_USER": name, "HTTP_X_FORWARDED_GROUPS": groups}
        return self.get(path, **said, **more)


@pytest.fixture
def behind(db: None) -> Behind:
    return Behind()


def actor(answer: Any) -> str:
    """Who asked, as the site saw them."""
    found: str = answer.wsgi_request.actor.name
    return found


def test_who_is_named_is_who_asks(behind: Behind) -> None:
    answer = behind.named("alice", HTTP_X_FORWARDED_FOR=FOREIGN)
    assert actor(answer) == "alice"
    assert Identity.objects.get().source == "proxy"
    assert not User.objects.get().has_usable_password()
    added = AuditEntry.objects.get(what=AuditEntry.What.PERSON_ADDED)
    assert (added.who, added.address, added.about) == ("from:proxy", FOREIGN, "alice")
    assert actor(behind.named("")) == "anonymous"


def test_from_anywhere_else_nobody_is_named(behind: Behind) -> None:
    assert actor(behind.named("alice", peer=FOREIGN)) == "anonymous"
    assert actor(behind.named("alice", peer="", HTTP_X_FORWARDED_FOR=OURS)) == "anonymous"
    assert not User.objects.exists()


def test_groups_follow_the_header(behind: Behind) -> None:
    behind.named("alice", groups="idp-staff,other")
    alice = User.objects.get()
    assert list(alice.groups.values_list("name", flat=True)) == ["staff"]
    behind.named("alice", groups="idp-staff")
    assert AuditEntry.objects.filter(what=AuditEntry.What.GROUPS_CHANGED).count() == 1  # the same as before
    behind.named("alice", groups="")
    assert not alice.groups.exists()
    assert Group.objects.filter(name="staff").exists()


def test_what_the_groups_were_granted_is_theirs_at_once_and_gone_at_once(behind: Behind) -> None:
    grant(Role.READER, group=Group.objects.create(name="staff"))
    assert behind.named("alice", groups="idp-staff").wsgi_request.actor.may(Right.SEE)
    assert not behind.named("alice").wsgi_request.actor.ever(Right.SEE)


@pytest.mark.parametrize("name", ["al ice", "alice, bob", "anonymous", "a/b", "x" * 151, "<b>"])
def test_a_name_that_cant_be_is_nobodys(name: str, behind: Behind, caplog: pytest.LogCaptureFixture) -> None:
    assert actor(behind.named(name)) == "anonymous"
    assert not User.objects.exists()
    assert any("may not come in" in line for line in caplog.messages)


def test_names_are_utf_8(behind: Behind) -> None:
    assert actor(behind.named("zoë".encode().decode("latin-1"))) == "zoë"


def test_a_local_account_of_the_same_name_is_nobody_elses(behind: Behind) -> None:
    User.objects.create_user("Alice", password="local and long enough")
    assert actor(behind.named("alice")) == "anonymous"
    assert not Identity.objects.exists()
    page = behind.named("alice", path="/-/account/sign-in/")
    assert "The proxy in front of regui names you, but you may not come in." in page.text
    assert "alice" in page.text


def test_who_is_disabled_here_is_nobody(behind: Behind) -> None:
    behind.named("alice")
    User.objects.update(is_active=False)
    assert actor(behind.named("alice")) == "anonymous"


def test_a_session_ends_when_another_is_named_or_nobody(behind: Behind) -> None:
    behind.named("alice")
    session = session_of(behind)
    session["kept"] = "Alice's"
    session.save()
    behind.named("alice")
    assert session_of(behind)["kept"] == "Alice's"
    assert session_of(behind)["proxied"] == User.objects.get().pk
    behind.named("bob")
    assert "kept" not in session_of(behind)
    session = session_of(behind)
    session["kept"] = "Bob's"
    session.save()
    behind.named("bob")
    behind.named("")
    assert "kept" not in session_of(behind)


def test_who_signed_in_here_is_not_who_the_proxy_names(behind: Behind) -> None:
    root = User.objects.create_user("root", password="local and long enough")
    enter(behind, root)
    assert actor(behind.named("")) == "root"
    assert actor(behind.named("alice")) == "alice"
    assert actor(behind.named("")) == "anonymous"


def test_a_name_that_may_not_come_in_ends_the_session_too(behind: Behind) -> None:
    root = User.objects.create_user("root", password="local and long enough")
    enter(behind, root)
    assert actor(behind.named("no name")) == "anonymous"
    assert actor(behind.named("")) == "anonymous"


@pytest.fixture(scope="module")
def site(started: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The site as it is served, told to believe this machine's addresses."""
    folder = tmp_path_factory.mktemp("site")
    settings: dict[str, Any] = {
        "REGUI_ANONYMOUS_ROLE": "none",
        "REGUI_TRUSTED_PROXIES": "127.0.0.1",
        "REGUI_PROXY_USER_HEADER": "Remote-User",
        "REGUI_PROXY_GROUPS_HEADER": "Remote-Groups",
        "REGUI_ADMIN_GROUPS": "bosses",
    }
    with serving(folder / "data", "serve", "--no-worker", **settings) as running:
        yield running.url


def asked(url: str, headers: dict[str, str], peer: str = "127.0.0.1") -> int:
    """The status of a page for administrators, asked for from that address of this machine."""
    host, port = str(urlsplit(url).hostname), urlsplit(url).port
    connection = http.client.HTTPConnection(host, port, timeout=60, source_address=(peer, 0))
    try:
        connection.request("GET", "/-/settings/", headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_as_it_is_served_only_the_proxy_says_who_somebody_is(site: str) -> None:
    named = {"Remote-User": "alice", "Remote-Groups": "bosses"}
    assert asked(site, named) == 200
    assert asked(site, {}) == 302
    assert asked(site, named, peer="127.0.0.2") == 302


@pytest.mark.parametrize("spelled", ["Remote_User", "remote_user", "REMOTE_USER"])
def test_another_spelling_of_the_header_names_nobody(site: str, spelled: str) -> None:
    assert asked(site, {spelled: "alice", "Remote-Groups": "bosses"}) == 302
