"""Registries that are added, tested, changed, hidden and shown again on pages."""

import base64
import logging
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from django.db import connection
from pytest_django import Settings

from regui.accounts.access import ANY, Role
from regui.accounts.models import AuditEntry, Grant
from regui.index import book, connect
from regui.index.models import Entry, Registry
from regui.registries import RegistrySettings
from tests.fake import Fake
from tests.memory import Out, out
from tests.people import SignedIn, grant, person
from tests.registry import USER, RunningRegistry, basic_registry
from tests.web.conftest import Visitor

ADD, TEST = "/-/settings/registries/add/", "/-/settings/registries/test/"
PAGE = "/prod/-/settings/connection/"
NOWHERE = "http://127.0.0.1:9"
SIGNED_IN = {"username": USER.username, "password": USER.password}


@pytest.fixture(autouse=True)
def none_given(settings: Settings) -> Iterator[None]:
    """The environment names no registry, and no test meets what another one met."""
    settings.REGISTRIES = {}
    yield
    connect.close()


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """A real registry that wants a password."""
    running = basic_registry(tmp_path_factory.mktemp("locked"))
    running.push("team/app", tags=["1.0"])
    yield running
    running.stop()


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def faults(page: Any) -> dict[str, str]:
    """What is said beside which field."""
    found = re.findall(r'<p class="bad-text" id="([a-z_]+)-fault" role="alert">([^<]+)</p>', page.text)
    return {name: said.replace("&#x27;", "'") for name, said in found}


def findings(page: Any) -> dict[str, str]:
    found = re.findall(r'data-found="([a-z]+)"><span class="pill [a-z]*">(.*?)</span>', page.text, re.DOTALL)
    return {name: words(said) for name, said in found}


def add(alice: Visitor, url: str, **fields: str) -> Registry:
    answer = alice.post(ADD, {"name": "prod", "url": url, **fields})
    assert (answer.status_code, answer["Location"]) == (303, "/prod/")
    return Registry.objects.get(name="prod")


class TestAdding:
    def test_an_added_registry_is_there_at_once(self, alice: Visitor, locked: RunningRegistry) -> None:
        add(alice, f"{locked.url}/", **SIGNED_IN)
        page = alice.get("/prod/")
        assert page.status_code == 200
        assert "team/app" in page.text
        entry = Entry.objects.get()
        assert (entry.url, entry.username, entry.added_by) == (locked.url, USER.username, "anonymous")
        assert "Added by anonymous" in words(alice.get("/-/settings/").text)

    def test_the_empty_state_has_the_form(self, alice: Visitor, bob: SignedIn) -> None:
        page = alice.get("/")
        assert f'action="{ADD}"' in page.text
        assert 'name="password"' in page.text
        assert f'action="{ADD}"' not in bob.get("/").text

    def test_the_password_comes_back_on_no_page_and_in_no_log(
        self, alice: Visitor, locked: RunningRegistry, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        secret = USER.password
        pages = [
            alice.post(TEST, {"name": "prod", "url": locked.url, **SIGNED_IN}),
            alice.post(TEST, {"name": "prod", "url": "nonsense", **SIGNED_IN}),
            alice.post(ADD, {"name": "!", "url": locked.url, **SIGNED_IN}),
            alice.post(ADD, {"name": "prod", "url": locked.url, **SIGNED_IN}, follow=True),
            alice.get(PAGE),
            alice.post(f"{PAGE}test/", {"url": locked.url, **SIGNED_IN}),
            alice.get("/-/settings/"),
            alice.get("/prod/"),
        ]
        assert not any(secret in page.text for page in pages)
        basic = base64.b64encode(f"{USER.username}:{secret}".encode()).decode()
        assert not any(text in caplog.text for text in (secret, basic))
        with connection.cursor() as cursor:
            for table in connection.introspection.django_table_names(only_existing=True):
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                assert secret not in str(cursor.fetchall()), table

    @pytest.mark.parametrize(
        ("fields", "fault"),
        [
            ({"name": "Prod"}, ("name", "A registry's name is 1 to 32 of a-z, 0-9 and -")),
            ({"name": ""}, ("name", "A registry's name is 1 to 32")),
            ({"name": "api"}, ("name", "A registry can't be called api")),
            ({"url": ""}, ("url", "This must be an address such as")),
            ({"url": "registry.example.com"}, ("url", "This must be an address such as")),
            ({"url": "ftp://r"}, ("url", "This must be an address such as")),
            ({"url": "https://u:hunter2@r"}, ("url", "This must hold neither credentials")),
            ({"url": f"https://{'r' * 500}"}, ("url", "This is longer than 500 characters.")),
            ({"password": "hunter2"}, ("username", "This must be filled in along with a password.")),
            ({"username": "u:x"}, ("username", "This can have no colon: the password begins behind one.")),
            ({"pull_host": "https://r"}, ("pull_host", "This must be a host such as")),
            ({"ca": "nonsense"}, ("ca", "This must hold certificates in PEM format.")),
            ({"ca": "ä"}, ("ca", "This must hold certificates in PEM format.")),
            ({"ca": "x", "unverified": "on"}, ("ca", "This has no meaning while any certificate is")),
            ({"cert": "x"}, ("key", "This must be filled in along with a client certificate.")),
            ({"key": "x"}, ("cert", "This must be filled in along with a private key.")),
            ({"cert": "x", "key": "y"}, ("cert", "This and the private key must belong together")),
            ({"cert": "BEGIN PRIVATE KEY", "key": "y"}, ("cert", "This holds a private key")),
        ],
    )
    def test_what_is_wrong_is_said_beside_the_field_and_the_rest_stays(
        self, fields: dict[str, str], fault: tuple[str, str], alice: Visitor
    ) -> None:
        sent = {"name": "prod", "url": NOWHERE, "username": "", "ca": "", "pull_host": ""} | fields
        page = alice.post(ADD, sent)
        assert page.status_code == 422
        name, said = fault
        assert faults(page)[name].startswith(said)
        assert page.text.count(" autofocus") == 1
        for field in ("name", "url", "username", "pull_host", "ca"):
            assert not sent[field] or sent[field] in page.text
        assert not Entry.objects.exists()
        assert not Registry.objects.exists()
        tried = alice.post(TEST, sent)
        assert tried.status_code == 422
        assert "The registry was not asked." in tried.text

    def test_what_no_database_takes_is_no_trouble(self, alice: Visitor) -> None:
        page = alice.post(ADD, {"name": "prod\0", "url": f"{NOWHERE}\0", "username": "u\0"})
        assert page.status_code == 303
        assert Entry.objects.get().username == "u"

    def test_a_name_that_is_taken(self, alice: Visitor, settings: Settings) -> None:
        add(alice, NOWHERE)
        page = alice.post(ADD, {"name": "prod", "url": NOWHERE})
        assert faults(page) == {"name": "There is a registry prod already."}
        alice.post(f"{PAGE}hide/")
        page = alice.post(ADD, {"name": "prod", "url": NOWHERE})
        assert faults(page) == {"name": "There is a registry prod already, which is hidden."}
        settings.REGISTRIES = {"main": RegistrySettings("main", NOWHERE, prefix="REGUI_REGISTRY_MAIN")}
        page = alice.post(ADD, {"name": "main", "url": NOWHERE})
        assert faults(page) == {"name": "REGUI_REGISTRY_MAIN_URL names a registry main already."}

    def test_markup_in_what_was_typed_is_text(self, alice: Visitor) -> None:
        page = alice.post(ADD, {"name": "<b>", "url": "<script>", "ca": "</textarea><script>"})
        assert "<script>" not in page.text
        assert "<b>" not in page.text


class TestTesting:
    def test_what_a_registry_can_do_is_told_and_nothing_is_kept(
        self, alice: Visitor, locked: RunningRegistry
    ) -> None:
        page = alice.post(TEST, {"name": "prod", "url": locked.url, **SIGNED_IN})
        assert page.status_code == 200
        found = findings(page)
        assert (found["auth"], found["catalog"], found["deletes"]) == ("yes", "yes", "yes")
        assert f'value="{locked.url}"' in page.text
        assert not Entry.objects.exists()
        assert not Registry.objects.exists()

    def test_htmx_gets_the_part_alone(self, alice: Visitor, locked: RunningRegistry) -> None:
        headers = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#tested"}
        page = alice.post(TEST, {"name": "prod", "url": locked.url, **SIGNED_IN}, headers=headers)
        assert page.text.lstrip().startswith('<div id="tested"')
        page = alice.post(TEST, {"name": "prod", "url": ""}, headers=headers)
        assert page.status_code == 422
        assert "Address: This must be an address" in page.text

    def test_why_it_can_not_be_used_is_told_with_what_to_do(
        self, alice: Visitor, locked: RunningRegistry
    ) -> None:
        def said(**fields: str) -> str:
            page = alice.post(TEST, {"name": "prod", **fields})
            assert page.status_code == 200
            return words(re.split(r'<div id="tested"', page.text)[1])

        assert "The registry can't be reached" in said(url=NOWHERE).replace("&#x27;", "'")
        wrong = said(url=locked.url, username=USER.username, password="wrong").replace("&#x27;", "'")
        assert "The registry doesn't accept regui's credentials" in wrong
        with Fake() as fake:
            fake.on("GET", "/v2/", out(200, b"[]", Content_Type="text/html"))
            assert "What answers there is not a registry" in said(url=fake.url)
            fake.on("GET", "/v2/", Out(stall=60))
            assert "too long to answer" in said(url=fake.url)

    def test_an_untrusted_certificate_and_the_authority_that_mends_it(
        self, alice: Visitor, tmp_path: Path
    ) -> None:
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        with Fake(context=context) as fake:
            page = alice.post(TEST, {"name": "prod", "url": fake.url})
            assert "certificate is not trusted" in page.text
            ca = authority.cert_pem.bytes().decode()
            assert 'data-tested="yes"' in alice.post(TEST, {"name": "prod", "url": fake.url, "ca": ca}).text
            loose = {"name": "prod", "url": fake.url, "unverified": "on"}
            assert 'data-tested="yes"' in alice.post(TEST, loose).text


class TestChanging:
    def test_an_empty_password_leaves_the_one_that_is_kept(
        self, alice: Visitor, locked: RunningRegistry
    ) -> None:
        row = add(alice, locked.url, **SIGNED_IN)
        tried = alice.post(f"{PAGE}test/", {"url": locked.url, "username": USER.username})
        assert findings(tried)["auth"] == "yes"
        saved = alice.post(PAGE, {"url": locked.url, "username": USER.username, "pull_host": "r.example"})
        assert (saved.status_code, saved["Location"]) == (303, PAGE)
        row.refresh_from_db()
        assert row.host == "r.example"
        assert connect.connect(row).ping()
        page = alice.get(PAGE)
        assert 'placeholder="kept; type to replace it"' in page.text

    def test_a_typed_password_replaces_it_and_a_tick_removes_it(
        self, alice: Visitor, locked: RunningRegistry
    ) -> None:
        add(alice, locked.url, **SIGNED_IN)
        alice.post(PAGE, {"url": locked.url, "username": "u", "password": "another"})
        assert (found := book.look_up("prod")) is not None
        assert found.password == "another"
        alice.post(PAGE, {"url": locked.url, "username": "u", "drop_password": "on"})
        assert Entry.objects.get().password == ""

    def test_a_tick_has_people_show_accounts_of_their_own(
        self, alice: Visitor, locked: RunningRegistry, settings: Settings
    ) -> None:
        row = add(alice, locked.url, **SIGNED_IN)
        assert not row.own
        box = '<input type="checkbox" name="own"'
        assert f"{box}>" in alice.get(PAGE).text
        alice.post(PAGE, {"url": locked.url, "username": USER.username, "own": "on"})
        row.refresh_from_db()
        assert row.own
        assert f"{box} checked>" in alice.get(PAGE).text, "who administers it needs no account to say so"
        assert alice.get("/prod/")["Location"] == "/prod/-/sign-in/?next=%2Fprod%2F"
        assert "whose credentials are used" in AuditEntry.objects.order_by("pk").last().detail
        alice.post(PAGE, {"url": locked.url, "username": USER.username})
        row.refresh_from_db()
        assert not row.own
        assert alice.get("/prod/").status_code == 200
        settings.REGISTRIES = {"given": RegistrySettings("given", NOWHERE, own=True)}
        connect.ensure_registries()
        assert "on: people show it their own account" in words(
            alice.get("/given/-/settings/connection/").text
        )

    @pytest.mark.parametrize("url", ["http://127.0.0.1:8", "https://127.0.0.1:9", "http://evil.example"])
    def test_the_password_that_is_kept_goes_to_no_other_address(self, alice: Visitor, url: str) -> None:
        add(alice, NOWHERE, username="u", password="hunter2")
        for there in (PAGE, f"{PAGE}test/"):
            page = alice.post(there, {"url": url, "username": "u"})
            assert page.status_code == 422
            assert faults(page)["password"].startswith(f"The password that is kept was entered for {NOWHERE}")
        assert Entry.objects.get().url == NOWHERE
        moved = alice.post(PAGE, {"url": url, "username": "u", "password": "again"})
        assert moved.status_code == 303
        assert Registry.objects.get().url == url

    def test_what_can_not_be_opened_is_said_and_asked_for_again(
        self, alice: Visitor, locked: RunningRegistry, settings: Settings
    ) -> None:
        row = add(alice, locked.url, **SIGNED_IN)
        settings.SECRET_KEY = "another"
        page = alice.get("/prod/")
        assert "be opened" in page.text
        assert f'href="{PAGE}"' in page.text
        assert "secrets can\u2019t be opened" in alice.get("/-/settings/").text
        page = alice.get(PAGE)
        assert page.status_code == 200
        assert "can\u2019t be opened any more" in page.text
        assert "enter it again" in faults(page)["password"]
        page = alice.post(PAGE, {"url": locked.url, "username": USER.username})
        assert page.status_code == 422
        assert alice.post(PAGE, {"url": locked.url, **SIGNED_IN}).status_code == 303
        assert "can\u2019t be opened any more" not in alice.get(PAGE).text
        assert connect.connect(row).ping()

    def test_one_of_the_environment_is_only_to_be_read(self, alice: Visitor, settings: Settings) -> None:
        add(alice, "http://127.0.0.1:8")
        given = RegistrySettings("prod", NOWHERE, "u", "hunter2", prefix="REGUI_REGISTRY_PROD")
        settings.REGISTRIES = {"prod": given}
        page = alice.get(PAGE)
        assert "REGUI_REGISTRY_PROD_URL" in page.text
        assert f'action="{PAGE}' not in page.text
        assert "hunter2" not in page.text
        assert alice.post(PAGE, {"url": "http://127.0.0.1:7"}).status_code == 409
        assert alice.post(f"{PAGE}test/", {"url": NOWHERE}).status_code == 404
        assert alice.post(f"{PAGE}hide/").status_code == 404
        listed = words(alice.get("/-/settings/").text)
        assert "Given by REGUI_REGISTRY_PROD_URL , and changed there. What was entered here" in listed


class TestHiding:
    def test_a_hidden_registry_is_gone_from_pages_and_comes_back(self, alice: Visitor) -> None:
        add(alice, NOWHERE)
        assert alice.post(f"{PAGE}hide/").status_code == 303
        assert alice.get("/prod/").status_code == 404
        assert alice.get(PAGE).status_code == 404
        assert 'action="/prod/-/settings/connection/show/"' in alice.get("/-/settings/").text
        assert alice.post(f"{PAGE}show/").status_code == 303
        assert alice.get(PAGE).status_code == 200


class TestWhoMay:
    @pytest.mark.parametrize("path", [ADD, TEST, f"{PAGE}show/"])
    def test_only_who_administers_everything_adds_and_shows(
        self, path: str, alice: Visitor, bob: SignedIn, charlie: SignedIn
    ) -> None:
        add(alice, NOWHERE)
        grant(Role.ADMIN, registry="prod", user=person("bob"))
        for stranger in (bob, charlie):
            assert stranger.post(path, {"name": "other", "url": NOWHERE}).status_code == 403
        assert Entry.objects.count() == 1

    def test_who_administers_one_changes_that_one(self, alice: Visitor, bob: SignedIn) -> None:
        add(alice, NOWHERE)
        for path in (PAGE, f"{PAGE}test/", f"{PAGE}hide/"):
            assert bob.post(path, {"url": NOWHERE}).status_code == 403
        assert bob.get(PAGE).status_code == 403
        Grant.objects.update(registry=ANY)
        grant(Role.ADMIN, registry="prod", user=person("bob"))
        assert bob.post(PAGE, {"url": NOWHERE, "pull_host": "r.example"}).status_code == 303
        page = bob.get("/-/settings/")
        assert 'data-line="prod"' in page.text
        assert ADD not in page.text

    def test_the_journal_of_access_tells_it_all_without_secrets(self, alice: Visitor) -> None:
        add(alice, NOWHERE, username="u", password="hunter2")
        alice.post(PAGE, {"url": NOWHERE, "username": "v", "password": "hunter3"})
        alice.post(f"{PAGE}hide/")
        alice.post(f"{PAGE}show/")
        told = list(AuditEntry.objects.order_by("pk").values_list("what", "who", "about", "detail"))
        assert told == [
            ("registry-added", "anonymous", "prod", NOWHERE),
            ("registry-changed", "anonymous", "prod", "user name, password"),
            ("registry-hidden", "anonymous", "prod", ""),
            ("registry-changed", "anonymous", "prod", "shown again"),
        ]

    @pytest.mark.parametrize("path", [f"{PAGE}hide/", f"{PAGE}show/", f"{PAGE}test/", TEST])
    def test_a_get_changes_nothing(self, path: str, alice: Visitor) -> None:
        add(alice, NOWHERE)
        assert alice.get(path).status_code == 405
        assert Registry.objects.get().active
