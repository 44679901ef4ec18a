"""The page on garbage collection, and what the trash says of getting things back."""

import html
import re
import shlex
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from regui import oci
from regui.accounts.access import Actor, Role
from regui.actions import delete, run
from regui.actions.models import Collection, Kept
from regui.index import capabilities
from regui.index.models import Registry, Repository
from regui.web import garbage
from tests.registry import RunningRegistry, binary, open_registry
from tests.web.conftest import Visitor, registered

PAGE, LOOK, TRASH = "/main/-/garbage/", "/main/-/garbage/look/", "/main/-/trash/"
NAME = "team/app"
ALICE = Actor("alice", Role.ADMIN)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[RunningRegistry]:
    """A registry that this test may collect, with a tag that stays."""
    running = open_registry(tmp_path / "registry")
    running.push(NAME, tags=["stays"])
    yield running
    running.stop()


@pytest.fixture
def row(own: RunningRegistry, settings: Settings, db: None) -> Registry:
    return registered(settings, own.url)


def repository(row: Registry) -> Repository:
    found = row.repositories.filter(name=NAME).select_related("registry").first()
    return found or Repository(registry=row, name=NAME, first_seen_at=timezone.now())


def deleted(own: RunningRegistry, row: Registry, tag: str = "1.0") -> oci.Digest:
    """The digest of an image pushed and deleted just now."""
    digest = own.push(NAME, tags=[tag], layers=[f"the layer of {tag}".encode()])
    assert run.run(delete.look(repository(row), digest), ALICE).state == "done"
    return digest


def collect(own: RunningRegistry) -> None:
    command = [str(binary()), "garbage-collect", str(own.folder / "config.yml")]
    subprocess.run(command, check=True, capture_output=True)


def known(row: Registry, family: str) -> None:
    found = {"reachable": oci.Finding("yes"), "family": oci.Finding("yes", family)}
    capabilities.keep(row, found, timezone.now())


def text(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.partition("<main")[2])).split())


def test_before_anything_is_known_nothing_is_claimed(row: Registry, alice: Visitor) -> None:
    page = text(alice.get(PAGE).text)
    assert "not summed up yet" in page
    assert "Nothing was deleted by which one would show." in page


def test_what_waits_is_said_with_since_when(own: RunningRegistry, row: Registry, alice: Visitor) -> None:
    digest = deleted(own, row)
    kept = Kept.objects.get(digest=digest)
    document = oci.parse(kept.body, kept.media_type)
    assert isinstance(document, oci.Manifest)
    size = sum(one.size for one in document.blobs)
    page = text(alice.get(PAGE).text)
    assert f"Waits for collection {size} B" in page
    assert "Deleted manifests 1 since just now" in page
    assert "Nobody has seen yet" in page


def test_a_collection_is_told_as_what_was_seen(own: RunningRegistry, row: Registry, alice: Visitor) -> None:
    deleted(own, row)
    assert alice.post(LOOK)["Location"] == PAGE
    page = alice.get(PAGE).text
    assert "data-spared" in page
    assert "data-collection" not in page
    collect(own)
    alice.post(LOOK)
    page = alice.get(PAGE).text
    assert "data-collection" in page
    assert "data-spared" not in page
    assert "2 blobs that regui looked for went away" in text(page)
    assert "be restored 1 deleted thing whose content was found to be gone" in text(page)


def test_the_trash_says_what_can_come_back_and_when_that_was_seen(
    own: RunningRegistry, row: Registry, alice: Visitor
) -> None:
    first = deleted(own, row, "1.0")
    assert "Nobody has looked yet" in alice.get(TRASH).text
    answer = alice.post(LOOK, {"next": "trash"})
    assert answer["Location"] == TRASH
    assert 'data-remains="there"' in alice.get(TRASH).text
    collect(own)
    second = deleted(own, row, "2.0")
    alice.post(LOOK, {"next": "trash"})
    rows = {
        digest: text("<main" + found)
        for digest, found in re.findall(
            r'<tr [^>]*data-digest="([^"]+)"(.*?)</tr>', alice.get(TRASH).text, re.DOTALL
        )
    }
    assert "2 of its 2 blobs are gone from the registry" in rows[first]
    assert "Restore…" not in rows[first]
    assert "Restore…" in rows[second]
    assert "its content was there" in rows[second]


def test_what_was_pushed_again_after_a_collection_can_be_restored_once_someone_looks(
    own: RunningRegistry, row: Registry, alice: Visitor, settings: Settings
) -> None:
    deleted(own, row)
    collect(own)
    alice.post(LOOK)
    assert 'data-remains="gone"' in alice.get(TRASH).text
    # The registry remembers blobs that are gone until it is started anew, at another port.
    own.stop()
    own.start()
    registered(settings, own.url)
    other = own.push("team/other", layers=[b"the layer of 1.0"])
    with own.connect() as client:
        content = client.manifest("team/other", other)
        assert content is not None
        assert isinstance(content.document, oci.Manifest)
        for one in content.document.blobs:
            client.mount_blob(NAME, one.digest, source="team/other")
    alice.post(LOOK)
    assert 'data-remains="there"' in alice.get(TRASH).text


def commands(page: str) -> str:
    """What the page offers to copy."""
    return html.unescape("\n".join(re.findall(r'data-copy="([^"]*)"', page)))


def test_the_commands_are_those_of_its_version(row: Registry, alice: Visitor) -> None:
    known(row, oci.families.DISTRIBUTION_2)
    page = alice.get(PAGE).text
    dry = "docker exec registry registry garbage-collect --dry-run /etc/docker/registry/config.yml"
    assert dry in commands(page)
    assert "destroys every multi-arch image" in page
    assert "distribution 3" not in page
    known(row, oci.families.DISTRIBUTION_3)
    page = alice.get(PAGE).text
    assert "docker exec registry registry garbage-collect /etc/distribution/config.yml" in commands(page)
    assert "deletes signatures and SBOMs" in page
    assert "destroys every multi-arch image" not in page
    assert "-m" not in commands(page)


def test_where_nothing_proves_the_version_its_reader_chooses(row: Registry, alice: Visitor) -> None:
    page = alice.get(PAGE).text
    assert "known which version this registry is" in page
    assert "destroys every multi-arch image" in page, "the warning of the older stands until it is ruled out"
    assert "/etc/distribution/config.yml" in commands(alice.get(f"{PAGE}?version=distribution+3").text)
    assert alice.get(f"{PAGE}?version=nonsense").status_code == 200


@pytest.mark.parametrize("family", [*garbage.OTHERS, "GitLab 4.36.0-gitlab"])
def test_others_collect_in_their_own_way(row: Registry, alice: Visitor, family: str) -> None:
    known(row, family)
    page = text(alice.get(PAGE).text)
    assert "registry garbage-collect /" not in page
    assert "delete-untagged" not in page
    assert f"How {family} collects" in page


def test_the_steps_as_shown_collect_and_leave_a_registry_that_works(
    own: RunningRegistry, row: Registry
) -> None:
    digest = deleted(own, row)
    with own.connect() as client:
        assert client.has_blob(NAME, blob_of(digest))
        steps = garbage.steps(oci.families.DISTRIBUTION_2)
        own.stop()
        own._sections["storage__maintenance"] = {
            "uploadpurging": {"enabled": False},
            "readonly": {"enabled": True},
        }
        own.start()
    with own.connect() as client, pytest.raises(oci.Unsupported):
        client.put_manifest(NAME, "new", b"{}", oci.OCI_INDEX)
    ran(own, steps[1].package)
    with own.connect() as client:
        assert client.has_blob(NAME, blob_of(digest)), "a dry run takes nothing"
    ran(own, steps[2].package)
    own.stop()
    del own._sections["storage__maintenance"]
    own.start()
    with own.connect() as client:
        assert not client.has_blob(NAME, blob_of(digest))
        assert list(client.tags(NAME)) == ["stays"]
    own.push(NAME, tags=["new"])


def blob_of(digest: str) -> oci.Digest:
    """The config of what was deleted."""
    kept = Kept.objects.get(digest=digest)
    document = oci.parse(kept.body, kept.media_type)
    assert isinstance(document, oci.Manifest)
    assert document.config is not None
    return document.config.digest


def ran(own: RunningRegistry, command: str) -> None:
    """Run a command as shown, on this test's registry."""
    _, _, _, _, *arguments, config = shlex.split(command)
    assert config == "/etc/docker/registry/config.yml"
    subprocess.run(
        [str(binary()), *arguments, str(own.folder / "config.yml")], check=True, capture_output=True
    )


def test_looking_takes_a_right_and_a_post(row: Registry, bob: Visitor, charlie: Visitor) -> None:
    assert bob.get(PAGE).status_code == 200
    assert LOOK not in bob.get(PAGE).text
    assert bob.post(LOOK).status_code == 403
    assert bob.get(LOOK).status_code == 405
    assert charlie.get(PAGE).status_code == 404


def test_the_page_asks_the_registry_nothing(own: RunningRegistry, row: Registry, alice: Visitor) -> None:
    deleted(own, row)
    before = len(own.requests())
    alice.get(PAGE)
    alice.get(TRASH)
    assert len(own.requests()) == before


def test_a_page_costs_as_much_however_much_waits(
    own: RunningRegistry, row: Registry, alice: Visitor, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    deleted(own, row, "1.0")
    alice.post(LOOK)
    with django_assert_num_queries(8):
        alice.get(PAGE)
    deleted(own, row, "2.0")
    alice.post(LOOK)
    with django_assert_num_queries(8):
        alice.get(PAGE)
    now = timezone.now()
    Collection.objects.create(registry="main", after=now - timedelta(hours=1), before=now, blobs=3)
    with django_assert_num_queries(8):
        alice.get(PAGE)
