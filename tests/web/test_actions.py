"""From the confirm page to the delete, on a real registry."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from regui import oci
from regui.accounts.access import Role
from regui.actions.models import Action, Item
from regui.demo.images import fallback, noise
from regui.index.models import Revision, Tag
from regui.web.templatetags.regui import size
from tests import images
from tests.people import SignedIn
from tests.registry import RunningRegistry, open_registry
from tests.web.acting import Visitor, registered, row, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(registry: RunningRegistry, settings: Settings) -> Visitor:
    """Alice, who may delete."""
    settings.REGISTRIES, settings.ANONYMOUS_ROLE = registered(registry.url), "admin"
    row()
    return Visitor(Client())


def tags(client: oci.Client, repository: str) -> set[str]:
    return set(client.tags(repository))


def holds(client: oci.Client, repository: str, reference: str) -> bool:
    try:
        client.head_manifest(repository, reference)
    except oci.NotFound:
        return False
    return True


def test_the_page_names_every_tag_on_the_digest(alice: Visitor, registry: RunningRegistry) -> None:
    name = registry.unique()
    digest = registry.push(name, tags=["1.0", "latest"])
    registry.push(name, tags=["0.9"])
    page = alice.confirm(name, digest)
    assert page.status == 200
    assert page.going == ["1.0", "latest"]
    assert "2 tags share this digest: both go." in page.text
    assert f"{oci.Digest(digest).short}" in page.text
    assert re.search(r"checked 3 of 3 at \d\d:\d\d:\d\d UTC", page.text)
    assert page.can_submit


def test_to_look_deletes_nothing(alice: Visitor, registry: RunningRegistry, client: oci.Client) -> None:
    name = registry.unique()
    digest = registry.push(name, tags=["1.0"])
    alice.confirm(name, digest)
    assert tags(client, name) == {"1.0"}
    assert not Action.objects.exists()


def test_that_the_last_tags_are_gone_is_no_surprise(alice: Visitor, registry: RunningRegistry) -> None:
    name = registry.unique()
    alice.delete(name, registry.push(name, tags=["1.0", "latest"]))
    page = text(alice.browser.get(reverse("repository", args=["main", name])))
    assert "No tags left" in page
    assert "what is known is kept" not in page


def test_pressing_the_button_deletes_the_digest_and_its_tags(
    alice: Visitor, registry: RunningRegistry, client: oci.Client
) -> None:
    name = registry.unique()
    digest = registry.push(name, tags=["1.0", "latest"])
    kept = registry.push(name, tags=["0.9"])
    answer = alice.delete(name, digest)
    assert (answer.status_code, answer["Location"]) == (303, reverse("repository", args=["main", name]))
    assert tags(client, name) == {"0.9"}
    assert not holds(client, name, digest)
    assert holds(client, name, kept)
    (message,) = get_messages(answer.wsgi_request)
    assert str(message) == (f"Deleted sha256:{digest.short} from {name}, and with it the tags 1.0, latest.")


def test_the_index_knows_at_once(alice: Visitor, registry: RunningRegistry) -> None:
    name = registry.unique()
    digest = registry.push(name, tags=["1.0", "latest"])
    registry.push(name, tags=["0.9"])
    alice.delete(name, digest)
    assert set(Tag.objects.listed().filter(repository__name=name).values_list("name", flat=True)) == {"0.9"}
    assert Revision.objects.get(repository__name=name, manifest__digest=digest).gone_at is not None
    page = alice.browser.get(reverse("repository", args=["main", name]))
    assert 'data-tag="latest"' not in text(page)


def test_the_journal_says_who_when_from_where_and_what(alice: Visitor, registry: RunningRegistry) -> None:
    name = registry.unique()
    digest = registry.push(name, tags=["1.0", "latest"])
    alice.delete(name, digest)
    action = Action.objects.get()
    assert (action.registry, action.repository, action.digest) == ("main", name, digest)
    assert (action.actor, action.address, action.state) == ("anonymous", "127.0.0.1", "done")
    assert action.finished_at is not None
    assert action.finished_at > action.started_at
    assert [(item.tag, item.result) for item in action.items.all()] == [
        ("", Item.Result.DONE),
        ("1.0", Item.Result.DONE),
        ("latest", Item.Result.DONE),
    ]
    assert action.plan["siblings"] == ["1.0", "latest"]
    assert action.plan["fingerprint"] == action.fingerprint


def test_the_bytes_kept_put_back_give_the_same_digest(
    alice: Visitor, registry: RunningRegistry, client: oci.Client
) -> None:
    name = registry.unique()
    digest = registry.push(name, tags=["1.0", "latest"])
    alice.delete(name, digest)
    kept = Action.objects.get().kept.get()
    assert kept.tags == ["1.0", "latest"]
    for tag in kept.tags:
        assert client.put_manifest(name, tag, kept.body, kept.media_type) == digest
    assert tags(client, name) == {"1.0", "latest"}


@pytest.mark.parametrize("docker", [False, True])
def test_an_index_is_kept_with_its_children_in_the_order_to_put_them_back(
    alice: Visitor, registry: RunningRegistry, client: oci.Client, docker: bool
) -> None:
    name = registry.unique()
    digest = registry.push_index(name, tags=["1.0"], docker=docker, attested=not docker)
    page = alice.confirm(name, digest)
    left = page.rows("left-behind")
    assert len(left) == (2 if docker else 4)
    alice.submit(page)
    for child in left:
        assert holds(client, name, child), "the registry leaves an index's children"
        client.delete_manifest(name, child)
    kept = list(Action.objects.get().kept.all())
    assert [one.digest for one in kept][-1] == digest
    for one in kept:
        assert client.put_manifest(name, one.tags[0] if one.tags else one.digest, one.body, one.media_type)
    assert client.head_manifest(name, "1.0").digest == digest


def test_a_tag_that_moved_since_stops_everything(
    alice: Visitor, registry: RunningRegistry, client: oci.Client
) -> None:
    name = registry.unique()
    digest = registry.push(name, tags=["1.0", "latest"])
    page = alice.confirm(name, digest)
    newer = registry.push(name, tags=["latest"])
    answer = alice.submit(page)
    assert answer.status_code == 409
    assert f"The tag latest moved to sha256:{newer.short}." in text(answer)
    assert "Nothing was deleted" in text(answer)
    assert client.head_manifest(name, "1.0").digest == digest
    assert client.head_manifest(name, "latest").digest == newer
    assert not Action.objects.exists()


def test_a_tag_that_joined_since_stops_everything(
    alice: Visitor, registry: RunningRegistry, client: oci.Client
) -> None:
    name = registry.unique()
    built = images.image()
    registry.push_built(name, built, ["1.0"])
    other = registry.push(name, tags=["stable"])
    page = alice.confirm(name, built.digest)
    registry.push_built(name, built, ["new", "stable"])
    answer = alice.submit(page)
    assert answer.status_code == 409
    assert "The tag new now points at this digest too" in text(answer)
    assert "The tag stable now points at this digest too" in text(answer)
    assert tags(client, name) == {"1.0", "new", "stable"}
    assert holds(client, name, other)


def test_a_new_tag_elsewhere_in_the_repository_stops_nothing(
    alice: Visitor, registry: RunningRegistry, client: oci.Client
) -> None:
    name = registry.unique()
    digest = registry.push(name, tags=["1.0"])
    page = alice.confirm(name, digest)
    registry.push(name, tags=["2.0"])
    assert alice.submit(page).status_code == 303
    assert tags(client, name) == {"2.0"}


def test_what_the_index_learnt_meanwhile_is_named_too(
    alice: Visitor, registry: RunningRegistry, client: oci.Client
) -> None:
    name = registry.unique()
    built = images.image()
    registry.push_built(name, built, ["1.0"])
    page = alice.confirm(name, built.digest)
    registry.push_built(name, built, ["new"])
    alice.browser.get(reverse("tag", args=["main", name, "new"]))  # someone looked: the index has it
    answer = alice.submit(page)
    assert answer.status_code == 409
    assert "The tag new now points at this digest too" in text(answer)
    assert tags(client, name) == {"1.0", "new"}


@pytest.mark.parametrize("fields", [{}, {"fingerprint": "0" * 64}, {"fingerprint": "", "agreed": "x"}])
def test_without_the_right_fingerprint_nothing_is_deleted(
    alice: Visitor, registry: RunningRegistry, client: oci.Client, fields: dict[str, str]
) -> None:
    name = registry.unique()
    digest = registry.push(name, tags=["1.0"])
    page = alice.confirm(name, digest)
    assert alice.browser.post(page.address, fields).status_code == 409
    assert tags(client, name) == {"1.0"}


def test_the_fingerprint_alone_is_enough(
    alice: Visitor, registry: RunningRegistry, client: oci.Client
) -> None:
    name = registry.unique()
    digest = registry.push(name, tags=["1.0"])
    page = alice.confirm(name, digest)
    answer = alice.browser.post(page.address, {"fingerprint": page.form["fingerprint"]})
    assert answer.status_code == 303
    assert tags(client, name) == set()


def test_a_child_of_a_tagged_index_needs_a_tick(
    alice: Visitor, registry: RunningRegistry, client: oci.Client
) -> None:
    name = registry.unique()
    index = registry.push_index(name, tags=["1.0"])
    document = client.manifest(name, index)
    assert document is not None
    assert isinstance(document.document, oci.Index)
    child = document.document.manifests[0].digest
    page = alice.confirm(name, child)
    assert page.rows("parents") == [index]
    assert f"{name}:1.0" in page.text
    assert "I understand that" in page.text
    refused = alice.submit(page)
    assert refused.status_code == 422
    assert "tick the box" in text(refused)
    assert holds(client, name, child)
    assert alice.submit(page, understood="yes").status_code == 303
    assert not holds(client, name, child)
    assert holds(client, name, "1.0")


def test_an_index_made_of_it_since_stops_everything(
    alice: Visitor, registry: RunningRegistry, client: oci.Client
) -> None:
    name = registry.unique()
    built = images.index()
    registry.push_built(name, built.children[0])
    child = built.children[0].digest
    page = alice.confirm(name, child)
    registry.push_built(name, built, ["multi"])
    answer = alice.submit(page)
    assert answer.status_code == 409
    assert f"The index sha256:{built.digest.short} (multi) now contains this digest." in text(answer)
    assert holds(client, name, child)


def test_signatures_and_sboms_are_named(alice: Visitor, registry: RunningRegistry) -> None:
    name = registry.unique()
    built = images.image()
    digest = registry.push_built(name, built, ["1.0"])
    signature = registry.push(name, tags=[f"{oci.referrers_tag(digest)}.sig"])
    sbom = images.artifact("application/spdx+json", subject=built)
    registry.push_built(name, sbom)
    listed = registry.push_built(name, fallback([sbom]), [oci.referrers_tag(digest)])
    page = alice.confirm(name, digest)
    assert set(page.rows("referrers")) == {signature, sbom.digest, listed}
    assert page.going == ["1.0"]


def test_what_is_shared_is_told_from_what_is_freed(
    alice: Visitor, registry: RunningRegistry, client: oci.Client
) -> None:
    name, base = registry.unique(), registry.unique("team/base")
    shared, own = noise("shared", 400_000), noise(name, 50_000)
    registry.push(base, tags=["3"], layers=[shared])
    alice.browser.get(reverse("repository", args=["main", base]))
    digest = registry.push(name, tags=["1.0"], layers=[shared, own])
    content = client.manifest(name, digest)
    assert content is not None
    assert isinstance(content.document, oci.Manifest)
    config, (layer, rest) = content.document.config, content.document.layers
    assert config is not None
    page = alice.confirm(name, digest)
    assert f"with {base}:3" in page.text
    freed, stays = re.findall(r"<dd>\s*([\d.]+ kB)", page.text)
    assert (freed, stays) == (size(config.size + rest.size), size(layer.size))


def test_what_is_gone_already_is_said_so(
    alice: Visitor, registry: RunningRegistry, client: oci.Client
) -> None:
    name = registry.unique()
    digest = registry.push(name, tags=["1.0"])
    page = alice.confirm(name, digest)
    client.delete_manifest(name, digest)
    late = alice.submit(page)
    assert late.status_code == 409
    again = alice.confirm(name, digest)
    assert again.status == 404
    assert "Gone meanwhile" in again.text


def test_who_deleted_it_stands_on_the_page_of_what_is_gone(alice: Visitor, registry: RunningRegistry) -> None:
    name = registry.unique()
    digest = registry.push(name, tags=["1.0"])
    alice.delete(name, digest)
    assert "anonymous deleted it" in alice.confirm(name, digest).text


def test_a_digest_the_registry_never_had_is_not_found(alice: Visitor, registry: RunningRegistry) -> None:
    name = registry.unique()
    registry.push(name)
    assert alice.confirm(name, f"sha256:{'0' * 64}").status == 404
    assert alice.confirm(registry.unique("no/such"), f"sha256:{'0' * 64}").status == 404


def test_it_works_behind_the_oddest_name(
    alice: Visitor, registry: RunningRegistry, client: oci.Client
) -> None:
    digest = registry.push("a/tags/list", tags=["v2"])
    assert alice.delete("a/tags/list", digest).status_code == 303
    assert tags(client, "a/tags/list") == set()


def test_bob_reads_but_does_not_delete(
    alice: Visitor, registry: RunningRegistry, client: oci.Client, settings: Settings
) -> None:
    name = registry.unique()
    digest = registry.push(name, tags=["1.0"])
    form = alice.confirm(name, digest)
    bob = Visitor(SignedIn("bob", (Role.READER, "**")))
    assert bob.confirm(name, digest).status == 403
    assert bob.submit(form).status_code == 403
    assert tags(client, name) == {"1.0"}


def test_charlie_sees_nothing(alice: Visitor, registry: RunningRegistry, settings: Settings) -> None:
    name = registry.unique()
    digest = registry.push(name, tags=["1.0"])
    assert Visitor(SignedIn("charlie")).confirm(name, digest).status == 404
    settings.ANONYMOUS_ROLE = "none"
    assert alice.confirm(name, digest).status == 302, "a visitor is asked to sign in"


def test_a_form_from_another_site_is_refused(
    alice: Visitor, registry: RunningRegistry, client: oci.Client
) -> None:
    name = registry.unique()
    page = alice.confirm(name, registry.push(name, tags=["1.0"]))
    foreign = Visitor(Client(enforce_csrf_checks=True))
    assert foreign.submit(page).status_code == 403
    assert tags(client, name) == {"1.0"}


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[RunningRegistry]:
    """A registry with deletes switched off."""
    running = open_registry(tmp_path / "locked", delete=False)
    yield running
    running.stop()


def test_deletes_switched_off_are_explained_and_recorded(
    alice: Visitor, locked: RunningRegistry, settings: Settings
) -> None:
    settings.REGISTRIES = registered(locked.url)
    row()
    digest = locked.push("team/app", tags=["1.0"])
    answer = alice.delete("team/app", digest)
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    assert "REGISTRY_STORAGE_DELETE_ENABLED=true" in text(answer)
    assert "enabled: true" in text(answer)
    action = Action.objects.get()
    assert (action.state, action.error_code) == ("failed", "unsupported")
    assert {item.result for item in action.items.all()} == {Item.Result.FAILED}
    with locked.connect() as client:
        assert holds(client, "team/app", "1.0")
    assert Tag.objects.listed().filter(name="1.0").exists()
