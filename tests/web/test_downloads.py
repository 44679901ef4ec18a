"""A plan taken away as a file, from the page that asks."""

import csv
import io
import json

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from regui import oci
from regui.accounts.access import Role
from regui.actions import documents, run
from regui.actions.models import Action
from tests import images
from tests.actions.stand import ALICE
from tests.people import SignedIn
from tests.registry import RunningRegistry
from tests.web.acting import Page, Visitor, registered, row, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(registry: RunningRegistry, settings: Settings) -> Visitor:
    settings.REGISTRIES, settings.ANONYMOUS_ROLE = registered(registry.url), "admin"
    row()
    return Visitor(Client())


def page(alice: Visitor, view: str, *where: str, **query: str) -> Page:
    address = reverse(view, args=["main", *where])
    return Page(alice.browser.get(address, query), address)


def test_the_file_is_the_plan_on_the_page_and_can_be_carried_out(
    alice: Visitor, registry: RunningRegistry, client: oci.Client
) -> None:
    name = registry.unique()
    digest = registry.push(name, tags=["1.0", "latest"])
    shown = alice.confirm(name, digest)
    as_json, _ = shown.files
    answer = alice.browser.get(as_json)
    assert answer["Content-Type"] == "application/json; charset=utf-8"
    assert answer["Cache-Control"].startswith("max-age=0")
    fingerprint = shown.form["fingerprint"]
    file = f"delete-digest-{name.replace('/', '-')}-{fingerprint[:8]}.json"
    assert answer["Content-Disposition"] == f'attachment; filename="{file}"'
    assert json.loads(answer.content)["fingerprint"] == fingerprint
    assert not Action.objects.exists()
    assert run.run(documents.read(answer.content), ALICE).state == "done"
    assert set(client.tags(name)) == set()


def test_the_table_names_everything_touched(alice: Visitor, registry: RunningRegistry) -> None:
    name = registry.unique()
    built = images.index()
    registry.push_built(name, built, ["multi"])
    child = built.children[0]
    registry.push_built(name, child, ["amd64"])
    signature = registry.push(name, tags=[f"{oci.referrers_tag(child.digest)}.sig"])
    answer = alice.browser.get(alice.confirm(name, child.digest).files[1])
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(text(answer))))
    assert {(one["registry"], one["repository"]) for one in rows} == {("main", name)}
    assert [(one["fate"], one["what"], one["tag"], one["digest"]) for one in rows] == [
        ("goes", "tag", "amd64", child.digest),
        ("goes", "manifest", "", child.digest),
        ("breaks", "index", "multi", built.digest),
        ("refers", "signature", f"{oci.referrers_tag(child.digest)}.sig", signature),
    ]
    digest = registry.push(name, tags=["1.0", "latest"])
    moved = alice.browser.get(page(alice, "manifest-tag", name, digest, to="amd64").files[1])
    rows = list(csv.DictReader(io.StringIO(text(moved))))
    assert [(one["fate"], one["tag"], one["digest"], one["about"]) for one in rows] == [
        ("comes", "amd64", digest, f"now on {child.digest}")
    ]


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_what_was_chosen_from_a_list_comes_as_a_file_too(
    alice: Visitor, registry: RunningRegistry, client: oci.Client, kind: str
) -> None:
    name = registry.unique()
    registry.push(name, tags=["1.0"])
    registry.push(name, tags=["1.1"])
    alice.browser.get(reverse("repository", args=["main", name]))
    address = reverse("bulk", args=["main", name])
    shown = Page(alice.browser.post(address, {"ticked": "1", "tag": ["1.0", "1.1"]}), address)
    assert shown.text.count('name="as"') == 2
    answer = alice.browser.post(address, shown.form | {"as": kind})
    assert answer["Content-Disposition"].endswith(f'.{kind}"')
    assert "1.1" in text(answer)
    assert not Action.objects.exists()
    assert set(client.tags(name)) == {"1.0", "1.1"}
    if kind == "json":
        assert documents.read(answer.content).fingerprint == shown.form["fingerprint"]


def test_a_whole_repository_and_an_undo_come_as_files(alice: Visitor, registry: RunningRegistry) -> None:
    name = registry.unique()
    digest = registry.push(name, tags=["1.0"])
    alice.browser.get(reverse("repository", args=["main", name]))
    for kind in ("json", "csv"):
        whole = alice.browser.get(reverse("repository-delete", args=["main", name]), {"as": kind})
        assert digest in text(whole)
        assert "attachment" in whole["Content-Disposition"]
    alice.delete(name, digest)
    undo = alice.browser.get(reverse("action-undo", args=[Action.objects.get().pk]), {"as": "json"})
    assert documents.read(undo.content).kind == "undo"


def test_bob_gets_no_file_and_an_unknown_kind_is_the_page(
    alice: Visitor, registry: RunningRegistry, settings: Settings
) -> None:
    name = registry.unique()
    digest = registry.push(name, tags=["1.0"])
    address = alice.address(name, digest)
    assert "text/html" in alice.browser.get(address, {"as": "exe"})["Content-Type"]
    assert (
        alice.browser.get(reverse("tag-delete", args=["main", name, "2.0"]), {"as": "json"}).status_code
        == 404
    )
    bob = SignedIn("bob", (Role.READER, "**"))
    assert bob.get(address, {"as": "json"}).status_code == 403
