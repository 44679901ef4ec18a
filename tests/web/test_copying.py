"""Copying, from the page that asks where to, to the other registry."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from regui import oci
from regui.actions import run
from regui.actions.models import Action
from regui.index.connect import ensure_registries
from regui.registries import RegistrySettings
from tests import images
from tests.registry import RunningRegistry, open_registry
from tests.web.acting import Page, text

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """A second registry."""
    running = open_registry(tmp_path_factory.mktemp("elsewhere"))
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def both(registry: RunningRegistry, elsewhere: RunningRegistry, settings: Settings, db: None) -> None:
    settings.REGISTRIES = {
        "main": RegistrySettings("main", registry.url),
        "other": RegistrySettings("other", elsewhere.url),
    }
    ensure_registries()


@pytest.fixture
def name(registry: RunningRegistry) -> str:
    return registry.unique()


def address(name: str, reference: str) -> str:
    kind = "manifests" if ":" in reference else "tags"
    return f"/main/{name}/-/{kind}/{reference}/copy/"


def ask(browser: Client, name: str, reference: str, **query: Any) -> Page:
    """The page that shows what would be copied."""
    where = address(name, reference)
    return Page(browser.get(where, query), where)


def submit(browser: Client, page: Page) -> Any:
    """What comes of pressing the page's button, every hidden field of its form going along."""
    form = page.text.partition('id="confirm"')[2]
    sent: dict[str, list[str]] = {}
    for field, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form):
        sent.setdefault(field, []).append(unescape(value))
    return browser.post(page.address, sent)


def work() -> None:
    while action := run.next_due(timezone.now()):
        run.carry_out(action)


def on(registry: RunningRegistry, name: str) -> dict[str, str]:
    with registry.connect() as client:
        try:
            return {tag: client.head_manifest(name, tag).digest for tag in client.tags(name)}
        except oci.NotFound:
            return {}


def test_the_form_offers_the_same_names_and_every_platform(
    alice: Client, registry: RunningRegistry, name: str
) -> None:
    registry.push_index(name, tags=["1.0"], attested=True)
    page = ask(alice, name, "1.0")
    assert page.status == 200
    assert f'value="{name}"' in page.text
    assert 'value="1.0"' in page.text
    assert re.findall(r'name="platform" value="([^"]+)" checked', page.text) == ["linux/amd64", "linux/arm64"]
    assert re.findall(r'<option value="(\w+)"', page.text) == ["main", "other"]
    assert f"/main/{name}/-/tags/1.0/copy/" in text(alice.get(f"/main/{name}/-/tags/1.0/"))


def test_a_tag_is_copied_by_a_worker_and_its_page_tells_how_far_it_is(
    alice: Client, registry: RunningRegistry, elsewhere: RunningRegistry, name: str
) -> None:
    digest = registry.push_index(name, tags=["1.0"])
    page = ask(alice, name, "1.0", registry="other", to="prod/app", tag="2.0", referrers="1")
    assert page.status == 200
    assert "2.0 is new there" in unescape(page.text)
    assert page.rows("copied")[0] == digest
    assert len(page.rows("copied")) == 3
    answer = submit(alice, page)
    assert answer.status_code == 303
    action = Action.objects.get()
    assert answer["Location"] == f"/-/actions/{action.pk}/"
    assert "0 B of" in text(alice.get(answer["Location"]))
    work()
    assert on(elsewhere, "prod/app") == {"2.0": digest}
    told = text(alice.get(answer["Location"]))
    assert 'data-state="done"' in told
    assert f'href="/main/{name}/-/tags/1.0/"' in told
    assert "Copied" in text(alice.get("/-/activity/"))


def test_some_platforms_are_copied_and_what_stood_there_comes_back(
    alice: Client, registry: RunningRegistry, elsewhere: RunningRegistry, name: str
) -> None:
    registry.push_index(name, tags=["1.0"], platforms=["linux/amd64", "linux/arm64", "linux/s390x"])
    old = elsewhere.push(name, tags=["1.0"])
    chosen = ["linux/amd64", "linux/s390x"]
    page = ask(alice, name, "1.0", registry="other", to=name, tag="1.0", platform=chosen, some="1")
    assert "a digest of its own" in page.text
    assert f"1.0 is on {old[:19]} there now" in page.text
    assert submit(alice, page).status_code == 303
    work()
    action = Action.objects.get()
    assert (action.state, on(elsewhere, name)["1.0"]) == ("done", action.digest)
    undo = Page(alice.get(f"/-/actions/{action.pk}/undo/"), f"/-/actions/{action.pk}/undo/")
    assert len(undo.rows("left-behind")) == 3
    submit(alice, undo)
    work()
    assert on(elsewhere, name) == {"1.0": old}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("to", "Prod/App_", "can&#x27;t be the name of a repository"),
        ("to", "", "This is missing."),
        ("tag", "1 0", "can&#x27;t be a tag"),
        ("platform", "linux/s390x", "nothing for linux/s390x"),
        ("some", "1", "Choose at least one."),
    ],
)
def test_what_cant_be_is_said_beside_its_field(
    alice: Client, registry: RunningRegistry, name: str, field: str, value: str, words: str
) -> None:
    registry.push_index(name, tags=["1.0"])
    query = {"registry": "other", "to": "prod/app", "tag": "1.0"} | {field: value}
    page = ask(alice, name, "1.0", **query)
    assert page.status == 422
    assert words in page.text
    wrong = "platform" if field == "some" else field
    assert f'id="wrong-{wrong}"' in page.text


def test_within_one_repository_it_is_a_tag_that_is_set(
    alice: Client, registry: RunningRegistry, name: str
) -> None:
    digest = registry.push(name, tags=["1.0"])
    page = ask(alice, name, "1.0", registry="main", to=name, tag="2.0")
    assert page.response["Location"] == f"/main/{name}/-/manifests/{digest}/tag/?to=2.0"


def test_what_changed_since_it_was_shown_is_named(
    alice: Client, registry: RunningRegistry, elsewhere: RunningRegistry, name: str
) -> None:
    registry.push(name, tags=["1.0"])
    page = ask(alice, name, "1.0", registry="other", to=name, tag="1.0")
    registry.push(name, tags=["1.0"])
    answer = submit(alice, page)
    assert answer.status_code == 409
    assert "Nothing was copied" in text(answer)
    assert on(elsewhere, name) == {}


def test_a_digest_is_copied_too(
    alice: Client, registry: RunningRegistry, elsewhere: RunningRegistry, name: str
) -> None:
    digest = registry.push(name)
    assert 'name="tag"' in ask(alice, name, digest).text
    submit(alice, ask(alice, name, digest, registry="other", to=name, tag="1.0"))
    work()
    assert on(elsewhere, name) == {"1.0": digest}


def test_who_may_only_read_is_told_and_a_stranger_sees_nothing(
    bob: Client, charlie: Client, registry: RunningRegistry, name: str
) -> None:
    registry.push(name, tags=["1.0"])
    assert ask(bob, name, "1.0").status == 403
    assert ask(bob, name, "1.0", registry="other", to="prod/app", tag="1.0").status == 403
    assert ask(charlie, name, "1.0").status == 404
    assert "/copy/" not in text(bob.get(f"/main/{name}/-/tags/1.0/"))


def test_what_isnt_there_cant_be_copied(alice: Client, registry: RunningRegistry, name: str) -> None:
    registry.push(name, tags=["1.0"])
    assert ask(alice, name, "9").status == 404
    assert ask(alice, name, "9", registry="other", to=name, tag="1.0").status == 404
    assert ask(alice, name, "1.0", registry="nowhere", to=name, tag="1.0").status == 404


def test_a_copy_that_fails_can_be_asked_for_again(
    alice: Client, registry: RunningRegistry, client: oci.Client, name: str
) -> None:
    image = images.image()
    registry.push_built(name, image, ["1.0"])
    page = ask(alice, name, "1.0", registry="other", to=name, tag="1.0", referrers="1")
    client.delete_blob(name, oci.Digest.of(image.blobs[1]))
    submit(alice, page)
    work()
    told = text(alice.get(f"/-/actions/{Action.objects.get().pk}/"))
    assert "no longer has the blob" in told
    again = f"/main/{name}/-/tags/1.0/copy/?registry=other&amp;to={name.replace('/', '%2F')}&amp;tag=1.0"
    assert f"{again}&amp;referrers=1" in told


def test_a_copy_that_hasnt_begun_is_stopped(
    alice: Client, registry: RunningRegistry, elsewhere: RunningRegistry, name: str
) -> None:
    registry.push(name, tags=["1.0"])
    submit(alice, ask(alice, name, "1.0", registry="other", to=name, tag="1.0"))
    answer = alice.post(f"/-/actions/{Action.objects.get().pk}/stop/", follow=True)
    assert Action.objects.get().state == "cancelled"
    assert "Stopped: nothing was copied." in text(answer)
    work()
    assert on(elsewhere, name) == {}
