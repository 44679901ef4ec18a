"""The settings page: how a registry is told to send its notifications."""

import html
import re
import subprocess
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from pytest_django.live_server_helper import LiveServer

from regui import oci
from regui.accounts.access import Role
from regui.index import inbox
from regui.index.connect import ensure_registries
from regui.index.models import Event, Registry
from regui.registries import RegistrySettings
from tests import images
from tests.notifications import configured, envelope, event, wait
from tests.people import SignedIn, grant
from tests.registry import binary
from tests.web.conftest import Visitor, registered

PAGE, MAKE = "/-/settings/", "/main/-/settings/secret/"


@pytest.fixture(autouse=True)
def main(settings: Settings, db: None) -> Registry:
    return registered(settings, "http://127.0.0.1:9")


def made(alice: Visitor) -> str:
    """A new secret, as the answer shows it."""
    found = re.search(r'aria-label="Secret">([^<]+)<', alice.post(MAKE).text)
    assert found
    return found[1]


def test_it_shows_what_to_put_into_either_version(alice: Visitor) -> None:
    page = html.unescape(alice.get(PAGE).text)
    assert "url: http://testserver/hooks/main" in page
    assert 'Authorization: ["Bearer <secret>"]' in page
    assert "      ignoredmediatypes: [application/octet-stream]" in page
    assert "      ignore:\n        mediatypes: [application/octet-stream]" in page
    assert "none yet: events are refused" in page


def test_the_address_is_the_public_one(alice: Visitor, settings: Settings) -> None:
    settings.URL = "https://regui.example.com"
    assert "url: https://regui.example.com/hooks/main" in alice.get(PAGE).text


def test_the_address_is_the_one_registries_know(alice: Visitor, settings: Settings) -> None:
    settings.URL, settings.EVENTS_URL = "https://regui.example.com", "http://regui:8000"
    page = alice.get(PAGE).text
    assert "url: http://regui:8000/hooks/main" in page
    assert "example.com" not in page


def test_a_secret_is_shown_once_and_kept_as_a_hash(alice: Visitor, main: Registry) -> None:
    answer = alice.post(MAKE)
    secret = re.search(r'aria-label="Secret">([^<]+)<', answer.text)
    assert secret
    assert f'"Bearer {secret[1]}"' in html.unescape(answer.text)
    assert "no-store" in answer["Cache-Control"]
    main.refresh_from_db()
    assert main.events_token == inbox.hashed(secret[1])
    page = alice.get(PAGE).text
    assert secret[1] not in page
    assert "Make a new one" in page


def test_the_secret_opens_the_hook_until_a_new_one_is_made(alice: Visitor) -> None:
    first = made(alice)
    second = made(alice)

    def post(secret: str) -> int:
        headers = {"Authorization": f"Bearer {secret}"}
        answer = alice.post("/hooks/main", envelope([]), content_type="application/json", headers=headers)
        return int(answer.status_code)

    assert post(first) == 401
    assert post(second) == 202


def test_a_secret_from_the_settings_is_neither_shown_nor_replaced(alice: Visitor, settings: Settings) -> None:
    record = RegistrySettings(name="main", url="http://127.0.0.1:9", events_token="given-by-hand")
    settings.REGISTRIES = {"main": record}
    ensure_registries()
    page = alice.get(PAGE).text
    assert "given-by-hand" not in page
    assert "REGUI_REGISTRY_EVENTS_TOKEN" in page
    assert "Make a" not in page
    answer = alice.post(MAKE)
    assert answer.status_code == 409
    assert "REGUI_REGISTRY_EVENTS_TOKEN" in answer.text
    assert Registry.objects.get().events_token == ""


def test_it_says_whether_events_arrive(alice: Visitor, main: Registry) -> None:
    assert "not yet" in alice.get(PAGE).text
    now = timezone.now()
    sent = [event("push", "team/app", tag=str(n), digest=oci.Digest.of(b"x")) for n in range(3)]
    inbox.store(main, inbox.parse(envelope(sent)), now)
    Event.objects.filter(tag="0").update(applied_at=now)
    page = " ".join(alice.get(PAGE).text.split())
    assert "Without a known gap" in page
    assert "3 events, 2 of them still to be applied" in page


def test_only_who_administers_may_see_or_change_it(bob: Visitor, charlie: Visitor, main: Registry) -> None:
    assert bob.get(PAGE).status_code == 403
    assert bob.post(MAKE).status_code == 403
    assert charlie.get(PAGE).status_code == 403
    assert charlie.post(MAKE).status_code == 404
    main.refresh_from_db()
    assert main.events_token == ""
    assert 'href="/-/settings/"' not in bob.get("/-/activity/").text


def test_a_secret_is_made_by_post_only(alice: Visitor) -> None:
    assert alice.get(MAKE).status_code == 405
    assert alice.post("/other/-/settings/secret/").status_code == 404


def test_it_costs_the_same_whatever_has_come_in(
    alice: Visitor, main: Registry, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Registry.objects.update(events_at=timezone.now(), events_since=timezone.now())
    with django_assert_num_queries(5):
        alice.get(PAGE)


def test_a_registry_set_up_as_shown_sends_its_events(
    alice: Visitor, live_server: LiveServer, tmp_path: Path, settings: Settings
) -> None:
    settings.URL = live_server.url
    shown = re.findall(r"<code>(notifications:.*?)</code>", html.unescape(alice.post(MAKE).text), re.DOTALL)
    version = subprocess.run([str(binary()), "--version"], capture_output=True, text=True, check=True)
    with configured(tmp_path, shown[1 if re.search(r"\bv?3\.", version.stdout) else 0]) as url:
        with oci.Client(url) as client:
            images.push(client, "team/app", images.image(), ["v1"])
        wait(Event.objects.exists)
    told = Event.objects.get()
    assert (told.action, told.repository, told.tag) == ("push", "team/app", "v1")


def test_a_hidden_namespace_leaves_its_registry_to_who_administers_regui(main: Registry) -> None:
    root = SignedIn("root", (Role.ADMIN, "**"))
    grant(Role.NONE, "i18n/**")
    for place in ("/-/settings/", "/main/-/settings/connection/", "/main/-/settings/protection/"):
        assert root.get(place).status_code == 200, place
