"""Copying from one real registry to another, and within one."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from regui import oci
from regui.actions import copying, picking, plans, run, undo
from regui.actions.models import Action
from regui.actions.plans import Plan
from regui.actions.transfer import PIECE, SMALL
from regui.demo.images import fallback, noise, signature
from regui.index.connect import close, ensure_registries
from regui.index.models import Registry, Repository, TagMove
from regui.registries import RegistrySettings
from tests import images
from tests.actions.stand import ALICE
from tests.registry import USER, RunningRegistry, bearer_registry, open_registry
from tests.tokens import TokenServer

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """A second registry."""
    running = open_registry(tmp_path_factory.mktemp("elsewhere"))
    yield running
    running.stop()


@dataclass(frozen=True)
class Pair:
    """Two registries, and a repository in each that nobody else uses."""

    here: RunningRegistry
    there: RunningRegistry
    name: str

    def repository(self, registry: str, name: str = "") -> Repository:
        row = Registry.objects.get(name=registry)
        name = name or self.name
        found = row.repositories.filter(name=name).select_related("registry").first()
        return found or Repository(registry=row, name=name, first_seen_at=timezone.now())

    def look(self, reference: str, tag: str, to: str = "", registry: str = "other", **how: object) -> Plan:
        target = self.repository(registry, to)
        return copying.look(self.repository("main"), reference, target, tag, **how)  # type: ignore[arg-type]

    def copy(self, reference: str, tag: str, to: str = "", registry: str = "other", **how: object) -> Action:
        return run.run(self.look(reference, tag, to, registry, **how), ALICE)

    def tags(self, registry: RunningRegistry | None = None, name: str = "") -> dict[str, str]:
        """What the registry itself says that its tags are on."""
        name = name or self.name
        with (registry or self.there).connect() as client:
            try:
                return {tag: client.head_manifest(name, tag).digest for tag in client.tags(name)}
            except oci.NotFound:
                return {}


@pytest.fixture
def pair(
    registry: RunningRegistry, elsewhere: RunningRegistry, settings: Settings, db: None
) -> Iterator[Pair]:
    settings.REGISTRIES = {
        "main": RegistrySettings("main", registry.url),
        "other": RegistrySettings("other", elsewhere.url),
    }
    ensure_registries()
    yield Pair(registry, elsewhere, registry.unique())
    close()


def inspected(registry: RunningRegistry, name: str, reference: str) -> dict[str, object]:
    """What skopeo says of it, after reading it whole."""
    where = f"docker://{registry.url.removeprefix('http://')}/{name}{reference}"
    done = subprocess.run(
        ["skopeo", "inspect", "--tls-verify=false", where], capture_output=True, check=True, text=True
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_an_index_goes_to_another_registry_whole(pair: Pair) -> None:
    digest = pair.here.push_index(pair.name, tags=["1.0"], attested=True)
    plan = pair.look("1.0", "1.0", "prod/app")
    assert plan.digest == digest
    assert plan.check.complete
    assert plan.load.sent == plan.load.total > 0
    action = run.run(plan, ALICE)
    assert (action.state, action.reason) == ("done", "")
    assert action.bytes_done == action.bytes_total == plan.load.total
    assert pair.tags(name="prod/app") == {"1.0": digest}
    assert inspected(pair.there, "prod/app", ":1.0")["Digest"] == digest


def test_signatures_and_what_else_speaks_about_it_come_along(pair: Pair) -> None:
    image = images.image()
    sbom = images.artifact("application/spdx+json", subject=image)
    about = images.artifact("application/vnd.example.signature", subject=sbom)
    signed, listed, deeper = signature(image, pair.name), fallback([sbom]), fallback([about])
    pair.here.push_built(pair.name, image, ["1.0"])
    for built in (sbom, about):
        pair.here.push_built(pair.name, built)
    prefix = oci.referrers_tag(image.digest)
    pair.here.push_built(pair.name, signed, [f"{prefix}.sig"])
    pair.here.push_built(pair.name, listed, [prefix])
    pair.here.push_built(pair.name, deeper, [oci.referrers_tag(sbom.digest)])

    plan = pair.look("1.0", "2.0")
    assert {one.role for one in plan.copied} == {"image", "signature", "sbom", "referrers"}
    assert plan.steps[-1].tag == "2.0"
    assert run.run(plan, ALICE).state == "done"
    assert pair.tags() == {"2.0": image.digest} | {
        tag: digest for tag, digest in pair.tags(pair.here).items() if tag != "1.0"
    }
    with pair.there.connect() as client:
        assert [one.digest for one in client.referrers(pair.name, image.digest).descriptors] == [sbom.digest]
        for built in (signed, sbom, about):
            found = client.manifest(pair.name, built.digest)
            assert found is not None
            assert found.body == built.body
            assert all(client.has_blob(pair.name, oci.Digest.of(blob)) for blob in built.blobs)


def test_without_referrers_only_the_image_goes(pair: Pair) -> None:
    image = images.image()
    pair.here.push_built(pair.name, image, ["1.0"])
    tag = f"{oci.referrers_tag(image.digest)}.sig"
    pair.here.push_built(pair.name, signature(image, pair.name), [tag])
    assert pair.copy("1.0", "1.0", referrers=False).state == "done"
    assert pair.tags() == {"1.0": image.digest}


def test_a_list_of_referrers_at_the_target_keeps_what_it_has(pair: Pair) -> None:
    image = images.image()
    ours, theirs = images.artifact(subject=image), images.artifact(subject=image)
    prefix = oci.referrers_tag(image.digest)
    for registry, note in ((pair.here, ours), (pair.there, theirs)):
        registry.push_built(pair.name, image, ["1.0"])
        registry.push_built(pair.name, note)
        registry.push_built(pair.name, fallback([note]), [prefix])
    before = pair.tags()
    action = pair.copy("1.0", "1.0")
    assert (action.state, action.reason) == ("done", "")
    with pair.there.connect() as client:
        found = client.referrers(pair.name, image.digest).descriptors
    assert {one.digest for one in found} == {ours.digest, theirs.digest}
    assert next(one for one in found if one.digest == ours.digest).artifact_type == ours.artifact_type
    run.run(undo.look(action), ALICE)
    assert pair.tags() == before


def test_a_signature_made_at_the_target_stays(pair: Pair) -> None:
    image = images.image()
    tag = f"{oci.referrers_tag(image.digest)}.sig"
    for registry in (pair.here, pair.there):
        registry.push_built(pair.name, image, ["1.0"])
        registry.push_built(pair.name, signature(image, registry.url), [tag])
    before = pair.tags()
    plan = pair.look("1.0", "2.0")
    assert [line for line in plan.lost if tag in line]
    assert run.run(plan, ALICE).state == "done"
    assert pair.tags() == before | {"2.0": image.digest}


def test_an_artifact_that_is_copied_is_listed_with_its_subject(pair: Pair) -> None:
    image = images.image()
    note = images.artifact(subject=image)
    pair.here.push_built(pair.name, note, ["note"])
    pair.there.push_built(pair.name, image, ["1.0"])
    assert pair.copy("note", "note").state == "done"
    with pair.there.connect() as client:
        assert [one.digest for one in client.referrers(pair.name, image.digest).descriptors] == [note.digest]


# Platforms


def test_one_platform_of_an_index_goes_under_its_own_digest(pair: Pair) -> None:
    built = images.index(("linux/amd64", "linux/arm64"), attested=True)
    pair.here.push_built(pair.name, built, ["1.0"])
    child = built.children[1]
    assert pair.copy("1.0", "1.0", platforms=["linux/arm64"]).state == "done"
    assert pair.tags() == {"1.0": child.digest}
    assert inspected(pair.there, pair.name, ":1.0")["Architecture"] == "arm64"


def test_some_platforms_make_an_index_of_these_with_what_is_said_about_them(pair: Pair) -> None:
    built = images.index(("linux/amd64", "linux/arm64", "linux/arm/v7"), attested=True)
    pair.here.push_built(pair.name, built, ["1.0"])
    pair.here.push_built(pair.name, signature(built, pair.name), [f"{oci.referrers_tag(built.digest)}.sig"])
    plan = pair.look("1.0", "1.0", platforms=["linux/amd64", "linux/arm"])
    assert plan.digest != built.digest
    assert "stays behind" in plan.lost[0]
    action = run.run(plan, ALICE)
    assert (action.state, action.reason) == ("done", "")
    assert pair.tags() == {"1.0": plan.digest}
    with pair.there.connect() as client:
        content = client.manifest(pair.name, "1.0")
        assert content is not None
        assert isinstance(content.document, oci.Index)
        amd64, arm64, arm, *notes = built.children
        expected = [amd64.digest, arm.digest, notes[0].digest, notes[2].digest]
        assert [one.digest for one in content.document.manifests] == expected
        with pytest.raises(oci.NotFound):
            client.head_manifest(pair.name, arm64.digest)


def test_all_platforms_by_name_are_the_index_itself(pair: Pair) -> None:
    digest = pair.here.push_index(pair.name, tags=["1.0"])
    assert pair.look("1.0", "1.0", platforms=["linux/arm64", "linux/amd64"]).digest == digest


def test_a_platform_that_isnt_there_is_refused(pair: Pair) -> None:
    pair.here.push_index(pair.name, tags=["1.0"])
    pair.here.push(pair.name, tags=["2.0"])
    with pytest.raises(picking.Unfit, match=r"nothing for linux/s390x, only for linux/amd64, linux/arm64"):
        pair.look("1.0", "1.0", platforms=["linux/amd64", "linux/s390x"])
    with pytest.raises(picking.Unfit, match="no platforms to choose from"):
        pair.look("2.0", "2.0", platforms=["linux/amd64"])


def test_an_index_that_lacks_an_image_is_not_copied(pair: Pair) -> None:
    built = images.index()
    pair.here.push_built(pair.name, built, ["1.0"])
    with pair.here.connect() as client:
        client.delete_manifest(pair.name, built.children[0].digest)
    plan = pair.look("1.0", "1.0")
    assert plan.steps == ()
    assert plans.shortened(built.children[0].digest) in plan.lost[0]
    assert pair.copy("1.0", "1.0", platforms=["linux/arm64"]).state == "done"


# Within one registry


def uploads(registry: RunningRegistry, name: str) -> list[str]:
    """The requests by which bytes of blobs came into a repository."""
    return [
        one.method
        for one in registry.requests()
        if one.method in {"PATCH", "PUT"} and one.path.startswith(f"/v2/{name}/blobs/")
    ]


def test_within_one_registry_no_byte_of_a_layer_is_sent(pair: Pair) -> None:
    digest = pair.here.push_index(pair.name, tags=["1.0"])
    plan = pair.look("1.0", "1.0", f"{pair.name}-prod", "main")
    assert (plan.load.sent, plan.load.mounted) == (0, plan.load.total)
    assert run.run(plan, ALICE).state == "done"
    assert pair.tags(pair.here, f"{pair.name}-prod") == {"1.0": digest}
    assert uploads(pair.here, f"{pair.name}-prod") == []


def test_what_another_repository_of_the_target_has_is_mounted(pair: Pair) -> None:
    image = images.image()
    pair.here.push_built(pair.name, image, ["1.0"])
    pair.there.push_built(f"{pair.name}-base", image, ["1.0"])
    assert pair.copy("1.0", "1.0", f"{pair.name}-first").state == "done"
    plan = pair.look("1.0", "1.0", f"{pair.name}-second")
    assert (plan.load.sent, plan.load.mounted) == (0, plan.load.total)
    assert run.run(plan, ALICE).state == "done"
    assert uploads(pair.there, f"{pair.name}-second") == []


def test_within_one_repository_it_is_a_tag_that_is_set(pair: Pair) -> None:
    digest = pair.here.push(pair.name, tags=["1.0"])
    plan = pair.look("1.0", "2.0", pair.name, "main")
    assert plan.kind == plans.RETAG
    run.run(plan, ALICE)
    assert pair.tags(pair.here) == {"1.0": digest, "2.0": digest}


# Again, changed meanwhile, and back


def test_what_is_there_already_is_not_sent_again(pair: Pair) -> None:
    pair.here.push_index(pair.name, tags=["1.0"])
    pair.copy("1.0", "1.0")
    sent = len(uploads(pair.there, pair.name))
    plan = pair.look("1.0", "1.1")
    assert plan.load.there == plan.load.total
    assert run.run(plan, ALICE).state == "done"
    assert run.run(pair.look("1.0", "1.1"), ALICE).state == "done"
    assert len(uploads(pair.there, pair.name)) == sent
    assert len(pair.tags()) == 2


def test_a_tag_that_is_overwritten_is_named_and_comes_back(pair: Pair) -> None:
    old = pair.there.push(pair.name, tags=["1.0"])
    new = pair.here.push(pair.name, tags=["1.0"])
    plan = pair.look("1.0", "1.0")
    assert [(one.name, one.digest) for one in plan.tags] == [("1.0", old)]
    assert [one.digest for one in plan.left_behind] == [old]
    action = run.run(plan, ALICE)
    assert pair.tags() == {"1.0": new}
    back = undo.look(action)
    assert [one.digest for one in back.left_behind] == [new]
    assert run.run(back, ALICE).state == "done"
    assert pair.tags() == {"1.0": old}


def test_undo_takes_a_new_tag_away_and_says_what_stays(pair: Pair) -> None:
    built = images.index()
    pair.here.push_built(pair.name, built, ["1.0"])
    action = pair.copy("1.0", "1.0")
    back = undo.look(action)
    assert [one.digest for one in back.left_behind] == [*(one.digest for one in built.children), built.digest]
    assert run.run(back, ALICE).state == "done"
    assert pair.tags() == {}


def test_a_source_that_moved_since_it_was_shown_is_not_copied(pair: Pair) -> None:
    pair.here.push(pair.name, tags=["1.0"])
    plan = pair.look("1.0", "1.0")
    moved = pair.here.push(pair.name, tags=["1.0"])
    with pytest.raises(run.Stale) as caught:
        run.run(plan, ALICE)
    assert caught.value.changed == [f"1.0 is on {plans.shortened(moved)} by now."]
    assert pair.tags() == {}


def test_a_tag_set_at_the_target_meanwhile_stays_and_nothing_is_sent(pair: Pair) -> None:
    pair.here.push(pair.name, tags=["1.0"])
    action = run.start(pair.look("1.0", "1.0"), ALICE)
    theirs = pair.there.push(pair.name, tags=["1.0"])
    sent = len(uploads(pair.there, pair.name))
    done = run.carry_out(action)
    assert (done.state, done.reason) == ("failed", f"The tag is on {plans.shortened(theirs)} by now.")
    assert pair.tags() == {"1.0": theirs}
    assert len(uploads(pair.there, pair.name)) == sent


def test_a_blob_that_cant_be_had_leaves_the_target_without_the_tag(pair: Pair) -> None:
    image = images.image(layers=[b"one", b"two"])
    pair.here.push_built(pair.name, images.index(), ["2.0"])
    pair.here.push_built(pair.name, image, ["1.0"])
    plan = pair.look("1.0", "1.0")
    lost = oci.Digest.of(image.blobs[2])
    with pair.here.connect() as client:
        client.delete_blob(pair.name, lost)
    done = run.run(plan, ALICE)
    assert done.state == "failed"
    assert done.reason == f"main/{pair.name} no longer has the blob {plans.shortened(lost)}."
    assert pair.tags() == {}


def test_what_is_copied_stands_in_the_index_and_its_history(pair: Pair) -> None:
    digest = pair.here.push(pair.name, tags=["1.0"])
    pair.copy("1.0", "1.0", "prod/fresh")
    row = pair.repository("other", "prod/fresh")
    assert row.pk is not None
    assert {tag.name: tag.manifest and tag.manifest.digest for tag in row.tags.listed()} == {"1.0": digest}
    move = TagMove.objects.get(registry="other", repository="prod/fresh")
    assert (move.tag, move.before, move.after, move.actor) == ("1.0", "", digest, "alice")


@pytest.mark.parametrize(("name", "tag"), [("Prod/App_", "1.0"), ("prod/app", "1 0"), ("", "1.0")])
def test_names_that_cant_be_are_refused(pair: Pair, name: str, tag: str) -> None:
    pair.here.push(pair.name, tags=["1.0"])
    row = Registry.objects.get(name="other")
    target = Repository(registry=row, name=name, first_seen_at=timezone.now())
    with pytest.raises(oci.InvalidName):
        copying.look(pair.repository("main"), "1.0", target, tag)


def test_a_docker_list_keeps_its_digest_too(pair: Pair) -> None:
    digest = pair.here.push_index(pair.name, tags=["1.0"], docker=True)
    assert pair.copy("1.0", "1.0").state == "done"
    assert pair.tags() == {"1.0": digest}


def test_skopeo_takes_it_from_the_target(pair: Pair, tmp_path: Path) -> None:
    digest = pair.here.push_index(pair.name, tags=["1.0"])
    pair.copy("1.0", "1.0")
    where = f"docker://{pair.there.url.removeprefix('http://')}/{pair.name}:1.0"
    command = ["skopeo", "copy", "--all", "--src-tls-verify=false", where, f"oci:{tmp_path}/layout:1.0"]
    subprocess.run([*command[:2], "--insecure-policy", *command[2:]], check=True, capture_output=True)
    layout = json.loads((tmp_path / "layout" / "index.json").read_text())
    assert layout["manifests"][0]["digest"] == digest


def test_to_a_registry_that_wants_tokens_and_within_it(
    registry: RunningRegistry, settings: Settings, tmp_path: Path
) -> None:
    with TokenServer({USER.username: USER.password}) as tokens:
        signed = bearer_registry(tmp_path / "bearer", tokens)
        try:
            settings.REGISTRIES = {
                "main": RegistrySettings("main", registry.url),
                "other": RegistrySettings("other", signed.url, USER.username, USER.password),
            }
            ensure_registries()
            pair = Pair(registry, signed, registry.unique())
            large = images.image(layers=[noise("large", SMALL + PIECE)])
            pair.here.push_built(pair.name, large, ["1.0"])
            assert pair.copy("1.0", "1.0").state == "done"
            plan = copying.look(pair.repository("other"), "1.0", pair.repository("other", "prod/app"), "1.0")
            assert run.run(plan, ALICE).state == "done"
            assert pair.tags(name="prod/app") == pair.tags() == {"1.0": large.digest}
            assert uploads(signed, "prod/app") == []
        finally:
            close()
            signed.stop()
