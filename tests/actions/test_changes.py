"""Each kind of change and its undo, on a real registry: what was planned happens, and nothing else."""

import subprocess
from pathlib import Path

from regui import oci
from regui.actions import delete, many, retag, undo, untag
from regui.demo.images import fallback
from tests import images
from tests.actions.stand import Stand

NONE = oci.Digest(f"sha256:{'0' * 64}")


def results(action: object) -> list[str]:
    return [item.result for item in action.items.all()]  # type: ignore[attr-defined]


def test_untagging_leaves_siblings_and_the_digest(stand: Stand) -> None:
    digest = stand.registry.push(stand.name, tags=["1.0", "latest", "stable"])
    other = stand.registry.push(stand.name, tags=["2.0"])
    plan = untag.look(stand.repository, "1.0")
    assert [tag.name for tag in plan.stay] == ["latest", "stable"]
    assert plan.as_json()["siblings"] == ["latest", "stable"]
    action = stand.run(plan)
    assert (action.state, results(action)) == ("done", ["done"])
    assert stand.tags() == {"latest": digest, "stable": digest, "2.0": other} == stand.indexed()
    assert stand.on(digest) == digest


def test_untagging_the_last_tag_says_what_is_left_behind(stand: Stand) -> None:
    digest = stand.registry.push(stand.name, tags=["1.0"])
    plan = untag.look(stand.repository, "1.0")
    assert [child.digest for child in plan.left_behind] == [digest]
    assert stand.run(plan).state == "done"
    assert (stand.tags(), stand.on(digest)) == ({}, digest)


def test_an_untag_is_undone(stand: Stand) -> None:
    digest = stand.registry.push(stand.name, tags=["1.0", "latest"])
    action = stand.run(untag.look(stand.repository, "1.0"))
    back = stand.run(undo.look(action))
    assert back.state == "done"
    assert stand.tags() == {"1.0": digest, "latest": digest} == stand.indexed()
    action.refresh_from_db()
    assert action.state == "undone"


def test_a_digest_with_three_tags_comes_back_with_all(stand: Stand) -> None:
    digest = stand.registry.push(stand.name, tags=["1", "1.0", "latest"])
    action = stand.run(delete.look(stand.repository, digest))
    assert (action.state, stand.tags()) == ("done", {})
    plan = undo.look(action)
    assert plan.lost == ()
    assert stand.run(plan).state == "done"
    assert stand.tags() == dict.fromkeys(["1", "1.0", "latest"], digest) == stand.indexed()


def test_an_index_comes_back_with_its_children_and_signature(stand: Stand) -> None:
    built = images.index()
    digest = stand.registry.push_built(stand.name, built, ["1.0"])
    signature = stand.registry.push(stand.name, tags=[f"{oci.referrers_tag(digest)}.sig"])
    plan = delete.look(stand.repository, digest, along=True)
    assert {step.digest for step in plan.steps} == {
        digest,
        signature,
        *(one.digest for one in built.children),
    }
    before = stand.tags()
    action = stand.run(plan)
    assert action.state == "done"
    assert stand.tags() == {}
    assert [stand.on(child.digest) for child in built.children] == ["", ""]
    assert stand.run(undo.look(action)).state == "done"
    assert stand.tags() == before == stand.indexed()
    assert [stand.on(child.digest) for child in built.children] == [one.digest for one in built.children]


def test_some_tags_go_and_what_shares_their_digests_stays(stand: Stand) -> None:
    alone = stand.registry.push(stand.name, tags=["a1", "a2"])
    shared = stand.registry.push(stand.name, tags=["b1", "keep"])
    plan = many.tags(stand.repository, ["a1", "a2", "b1", "nowhere"])
    assert [(step.do, step.digest, step.tag) for step in plan.steps] == [
        ("delete-digest", alone, ""),
        ("untag", shared, "b1"),
    ]
    assert [tag.name for tag in plan.stay] == ["keep"]
    assert plan.lost == ("The tag nowhere is not there, or can't be read.",)
    action = stand.run(plan)
    assert action.state == "done"
    assert stand.tags() == {"keep": shared} == stand.indexed()
    assert stand.run(undo.look(action)).state == "done"
    assert stand.tags() == {"a1": alone, "a2": alone, "b1": shared, "keep": shared} == stand.indexed()


def test_a_tag_of_an_indexs_child_leaves_the_child(stand: Stand) -> None:
    built = images.index()
    digest = stand.registry.push_built(stand.name, built, ["multi"])
    child = built.children[0]
    stand.registry.push_built(stand.name, child, ["amd64"])
    plan = many.tags(stand.repository, ["amd64"])
    assert [step.do for step in plan.steps] == ["untag"]
    assert stand.run(plan).state == "done"
    assert stand.tags() == {"multi": digest}
    assert stand.on(child.digest) == child.digest


def test_a_repository_goes_whole_and_comes_back_whole(stand: Stand) -> None:
    built = images.index(attested=True)
    stand.registry.push_built(stand.name, built, ["1.0", "latest"])
    image = images.image()
    stand.registry.push_built(stand.name, image, ["0.9"])
    sbom = images.artifact("application/spdx+json", subject=image)
    stand.registry.push_built(stand.name, sbom)
    stand.registry.push_built(stand.name, fallback([sbom]), [oci.referrers_tag(image.digest)])
    before = stand.tags()
    plan = many.everything(stand.repository)
    assert {tag.name for tag in plan.tags} == set(before)
    action = stand.run(plan)
    assert action.state == "done"
    assert stand.tags() == {}
    assert [stand.on(one.digest) for one in built.children] == [""] * len(built.children)
    assert stand.run(undo.look(action)).state == "done"
    assert stand.tags() == before == stand.indexed()
    assert stand.on(sbom.digest) == sbom.digest


def test_what_is_untagged_goes_alone(stand: Stand) -> None:
    built = images.index()
    digest = stand.registry.push_built(stand.name, built, ["1.0"])
    loose = stand.registry.push(stand.name, tags=["old"])
    stand.run(untag.look(stand.repository, "old"))
    assert stand.on(loose) == loose
    plan = many.untagged(stand.repository)
    assert [step.digest for step in plan.steps] == [loose]
    assert plan.bytes.frees
    assert stand.run(plan).state == "done"
    assert stand.on(loose) == ""
    assert (stand.tags(), stand.on(built.children[1].digest)) == ({"1.0": digest}, built.children[1].digest)


def test_a_tag_is_set_moved_and_rolled_back(stand: Stand) -> None:
    old = stand.registry.push(stand.name, tags=["1.0", "latest"])
    new = stand.registry.push(stand.name, tags=["2.0"])
    assert stand.run(retag.look(stand.repository, "2.0", "edge")).state == "done"
    plan = retag.look(stand.repository, "2.0", "latest")
    assert [(tag.name, tag.digest) for tag in plan.tags] == [("latest", old)], "what it overwrites"
    moved = stand.run(plan)
    assert stand.tags() == {"1.0": old, "latest": new, "2.0": new, "edge": new}
    assert (stand.indexed()["latest"], stand.indexed()["edge"]) == (new, new)
    assert stand.run(retag.look(stand.repository, old, "latest")).state == "done"
    assert stand.on("latest") == old
    assert undo.look(moved).lost == ("The tag latest was moved since, and stays where it is.",)


def test_a_moved_tag_is_undone(stand: Stand) -> None:
    old = stand.registry.push(stand.name, tags=["latest"])
    stand.registry.push(stand.name, tags=["2.0"])
    moved = stand.run(retag.look(stand.repository, "2.0", "latest"))
    new = stand.run(retag.look(stand.repository, "2.0", "3.0"))
    assert stand.run(undo.look(moved)).state == "done"
    assert stand.run(undo.look(new)).state == "done"
    assert (stand.on("latest"), stand.on("3.0")) == (old, "")


def test_a_tag_taken_meanwhile_is_left_alone_by_an_undo(stand: Stand) -> None:
    digest = stand.registry.push(stand.name, tags=["1.0", "latest"])
    action = stand.run(delete.look(stand.repository, digest))
    newer = stand.registry.push(stand.name, tags=["latest"])
    plan = undo.look(action)
    assert plan.lost == (f"The tag latest is on {'sha256:' + newer.short} by now, and stays there.",)
    assert stand.run(plan).state == "done"
    assert stand.tags() == {"1.0": digest, "latest": newer}


def test_a_restore_puts_back_under_another_tag(stand: Stand) -> None:
    digest = stand.registry.push(stand.name, tags=["1.0"])
    stand.run(delete.look(stand.repository, digest))
    assert stand.run(undo.restore(stand.repository, digest, ["rescued"])).state == "done"
    assert stand.tags() == {"rescued": digest}
    assert undo.restore(stand.repository, NONE).lost


def test_an_undo_is_undone(stand: Stand) -> None:
    stand.registry.push(stand.name, tags=["1.0", "latest"])
    action = stand.run(untag.look(stand.repository, "1.0"))
    back = stand.run(undo.look(action))
    assert stand.run(undo.look(back)).state == "done"
    assert set(stand.tags()) == {"latest"}


def test_what_an_undo_brought_back_a_foreign_client_pulls_whole(stand: Stand, tmp_path: Path) -> None:
    built = images.index(attested=True)
    digest = stand.registry.push_built(stand.name, built, ["1.0", "latest"])
    action = stand.run(many.everything(stand.repository))
    assert stand.tags() == {}
    assert stand.run(undo.look(action)).state == "done"
    for tag in ("1.0", "latest"):
        source = f"docker://127.0.0.1:{stand.registry.port}/{stand.name}:{tag}"
        command = ["skopeo", "--insecure-policy", "copy", "--src-tls-verify=false", "--all", source]
        subprocess.run([*command, f"dir:{tmp_path / tag}"], check=True, capture_output=True)
        assert oci.Digest.of((tmp_path / tag / "manifest.json").read_bytes()) == digest


def test_two_hundred_tags_go_and_come_back(stand: Stand) -> None:
    digests: dict[str, str] = {}
    for number in range(40):
        names = [f"{number}.{minor}" for minor in range(5)]
        digests |= dict.fromkeys(names, stand.registry.push(stand.name, tags=names))
    kept = stand.registry.push(stand.name, tags=["stays"])
    action = stand.run(many.tags(stand.repository, list(digests)))
    assert (action.state, stand.tags()) == ("done", {"stays": kept})
    assert stand.run(undo.look(action)).state == "done"
    assert stand.tags() == digests | {"stays": kept} == stand.indexed()
