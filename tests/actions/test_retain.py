"""What a policy drops in a repository of a real registry, and that nothing else goes."""

import shutil
import subprocess
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from regui import oci
from regui.actions import documents, kinds, plans, protection, retain, run, undo, untag
from regui.actions.models import Action, InUse, Source
from regui.actions.plans import Plan
from regui.actions.protection import Rule
from regui.demo.images import fallback
from regui.demo.images import index as index_of
from regui.index import connect, fetch, sync
from regui.index.models import Manifest, PullCount, Registry, Repository, Revision, Tag, TagMove
from regui.registries import RegistrySettings
from regui.retention.policy import Policy
from tests import images
from tests.actions.stand import ALICE, Stand

OLD, NEW = "2020-01-01T00:00:00Z", "2026-11-20T00:00:00Z"
Rules = Mapping[str, Any]
DROP_OLD = {"drop": "matching", "tags": ["old*"]}


def policy(stand: Stand, *rules: Rules, name: str = "tidy", **more: Any) -> Policy:
    """A policy for the stand's repository that keeps what no rule speaks of."""
    said: dict[str, Any] = {"otherwise": "keep", "repositories": [stand.name], "rules": list(rules)}
    return Policy.read({"name": name, "registry": "main"} | said | more)


def look(stand: Stand, one: Policy, *others: Policy, **more: Any) -> Plan:
    return retain.look(stand.repository, one, others, timezone.now(), **more)


def steps(plan: Plan) -> list[tuple[str, str]]:
    """What it does, and to which tag or else digest."""
    return [(step.do, step.tag or step.digest) for step in plan.steps]


def goes(plan: Plan) -> set[str]:
    return {step.digest for step in plan.steps if step.do == plans.DELETE_DIGEST}


def pulled(stand: Stand, tag: str, folder: Path) -> oci.Digest:
    """The digest of what skopeo pulls whole by that tag."""
    source = f"docker://127.0.0.1:{stand.registry.port}/{stand.name}:{tag}"
    command = ["skopeo", "--insecure-policy", "copy", "--src-tls-verify=false", "--all", source]
    subprocess.run([*command, f"dir:{folder / tag}"], check=True, capture_output=True)
    return oci.Digest.of((folder / tag / "manifest.json").read_bytes())


def crawled(stand: Stand) -> tuple[dict[str, str], list[str]]:
    """What a crawl into an index that knew nothing finds: tags with their digests, and what of them, and of
    all they lead to, the registry doesn't have."""
    for model in (Tag, Revision, Manifest, Repository):
        model.objects.all().delete()
    sync.run(Registry.objects.get(name="main"))
    repository = stand.repository
    rows = list(repository.tags.listed().select_related("manifest"))
    lacking = [tag.name for tag in rows if tag.manifest is None or tag.problem]
    wanted = retain.below([tag.manifest_id for tag in rows if tag.manifest_id])
    for children in wanted.values():
        digests = Manifest.objects.filter(pk__in=children).values_list("digest", flat=True)
        lacking += [digest for digest in digests if not stand.on(digest)]
    return {tag.name: tag.manifest.digest if tag.manifest else "" for tag in rows}, lacking


# Tags that share


def test_a_dropped_tag_whose_sibling_stays_is_only_taken_away(stand: Stand, tmp_path: Path) -> None:
    shared = stand.registry.push(stand.name, tags=["old", "stable"])
    alone = stand.registry.push(stand.name, tags=["old-2", "old-3"])
    plan = look(stand, policy(stand, DROP_OLD))
    assert steps(plan) == [("delete-digest", alone), ("untag", "old")]
    assert [tag.name for tag in plan.stay] == ["stable"]
    assert plan.asked["tags"] == ["old", "old-2", "old-3"]
    action = stand.run(plan)
    assert (action.state, action.kind) == ("done", "retain")
    assert stand.tags() == {"stable": shared} == stand.indexed()
    assert pulled(stand, "stable", tmp_path) == shared
    assert stand.run(undo.look(action)).state == "done"
    assert stand.tags() == {"old": shared, "stable": shared, "old-2": alone, "old-3": alone}


def test_a_keep_rule_of_another_policy_holds(stand: Stand) -> None:
    stand.registry.push(stand.name, tags=["old"])
    other = policy(stand, {"keep": "newest", "count": 1}, name="careful")
    assert look(stand, policy(stand, DROP_OLD), other).steps == ()
    elsewhere = policy(stand, {"keep": "newest", "count": 1}, name="careful", repositories=["else/where"])
    assert steps(look(stand, policy(stand, DROP_OLD), elsewhere)) == [("delete-digest", stand.on("old"))]


def test_a_repository_that_the_policy_is_not_about_loses_nothing(stand: Stand) -> None:
    stand.registry.push(stand.name, tags=["old"])
    assert look(stand, policy(stand, DROP_OLD, repositories=["else/where"], untagged="1s")).steps == ()


def test_what_has_no_date_stays_and_is_not_counted(stand: Stand) -> None:
    undated = stand.registry.push(stand.name, tags=["undated"], created="1970-01-01T00:00:00Z")
    never = stand.registry.push(stand.name, tags=["never"], created=None)
    old = stand.registry.push(stand.name, tags=["one"], created=OLD)
    new = stand.registry.push(stand.name, tags=["two"], created=NEW)
    plan = look(stand, policy(stand, {"keep": "newest", "count": 1}, otherwise="drop"))
    assert goes(plan) == {old}
    stand.run(plan)
    assert stand.tags() == {"undated": undated, "never": never, "two": new}


def test_a_tag_that_leads_nowhere_takes_no_place_among_the_newest(stand: Stand) -> None:
    """A registry may go on listing a tag whose manifest is gone."""
    old = stand.registry.push(stand.name, tags=["1.0"], created=OLD)
    new = stand.registry.push(stand.name, tags=["2.0"], created=NEW)
    sync.run(Registry.objects.get(name="main"))
    folder = stand.registry.storage / f"docker/registry/v2/repositories/{stand.name}/_manifests"
    shutil.rmtree(folder / "revisions/sha256" / new.partition(":")[2])
    rules: list[Rules] = [{"keep": "newest", "count": 1}, {"drop": "older", "than": "30d"}]
    with pytest.raises(oci.NotFound):
        fetch.manifest(stand.repository, "2.0", max_age=timedelta())
    plan = look(stand, policy(stand, *rules), max_age=timedelta())
    assert plan.check.complete, plan.check
    assert plan.steps == ()
    assert stand.on("1.0") == old


# Indexes


def test_a_dropped_index_takes_its_children_but_not_a_tagged_one(stand: Stand, tmp_path: Path) -> None:
    built = images.index(attested=True)
    top = stand.registry.push_built(stand.name, built, ["old"])
    child, other, *attestations = built.children
    stand.registry.push_built(stand.name, child, ["amd64"])
    plan = look(stand, policy(stand, DROP_OLD))
    gone = {top, other.digest, *(one.digest for one in attestations)}
    assert goes(plan) == gone
    assert plan.steps[0].digest == top, "an index goes before what it contains"
    action = stand.run(plan)
    assert action.state == "done"
    assert stand.tags() == {"amd64": child.digest}
    assert [stand.on(one) for one in gone] == [""] * len(gone)
    assert pulled(stand, "amd64", tmp_path) == child.digest
    assert stand.run(undo.look(action)).state == "done"
    assert stand.tags() == {"amd64": child.digest, "old": top}
    assert pulled(stand, "old", tmp_path) == top


def test_a_child_of_a_kept_index_loses_its_tag_alone(stand: Stand, tmp_path: Path) -> None:
    built = images.index()
    top = stand.registry.push_built(stand.name, built, ["1.0"])
    stand.registry.push_built(stand.name, built.children[0], ["old"])
    plan = look(stand, policy(stand, DROP_OLD))
    assert steps(plan) == [("untag", "old")]
    stand.run(plan)
    assert (stand.tags(), pulled(stand, "1.0", tmp_path)) == ({"1.0": top}, top)


def test_two_indexes_share_a_child_and_one_is_dropped(stand: Stand, tmp_path: Path) -> None:
    shared, one, two = (images.image(platform=f"linux/{name}") for name in ("amd64", "arm64", "s390x"))
    gone = stand.registry.push_built(stand.name, index_of([shared, one]), ["old"])
    kept = stand.registry.push_built(stand.name, index_of([shared, two]), ["1.0"])
    plan = look(stand, policy(stand, DROP_OLD))
    assert goes(plan) == {gone, one.digest}
    stand.run(plan)
    assert pulled(stand, "1.0", tmp_path) == kept


def test_an_index_in_an_index_goes_with_it_and_stays_with_a_kept_one(stand: Stand) -> None:
    inner = images.index()
    outer = index_of([inner])
    top = stand.registry.push_built(stand.name, outer, ["old"])
    whole = {top, inner.digest, *(one.digest for one in inner.children)}
    assert goes(look(stand, policy(stand, DROP_OLD))) == whole
    stand.registry.push_built(stand.name, index_of([inner, images.image()]), ["1.0"])
    assert goes(look(stand, policy(stand, DROP_OLD))) == {top}


def test_an_index_that_no_tag_leads_to_any_more_keeps_what_it_needs(stand: Stand) -> None:
    built = images.index()
    top = stand.registry.push_built(stand.name, built, ["was"])
    stand.registry.push_built(stand.name, built.children[0], ["old"])
    look(stand, policy(stand, DROP_OLD))
    stand.run(untag.look(stand.repository, "was"))
    plan = look(stand, policy(stand, DROP_OLD))
    assert steps(plan) == [("untag", "old")]
    stand.run(plan)
    assert stand.on(top) == top
    assert stand.on(built.children[0].digest) == built.children[0].digest


def test_a_child_that_was_read_in_another_repository_goes_too(stand: Stand) -> None:
    built = images.index()
    other = f"{stand.name}-first"
    stand.registry.push_built(other, built, ["1.0"])
    sync.run(Registry.objects.get(name="main"))
    top = stand.registry.push_built(stand.name, built, ["old"])
    plan = look(stand, policy(stand, DROP_OLD))
    assert goes(plan) == {top, *(one.digest for one in built.children)}
    assert stand.run(plan).state == "done"
    assert [stand.on(one.digest) for one in built.children] == ["", ""]
    assert stand.client.head_manifest(other, built.children[0].digest).digest == built.children[0].digest


# Signatures


def test_a_signature_goes_and_stays_with_what_it_signs(stand: Stand) -> None:
    signed: dict[str, tuple[str, str]] = {}
    for tag in ("old", "1.0"):
        digest = stand.registry.push(stand.name, tags=[tag])
        name = f"{oci.referrers_tag(digest)}.sig"
        signed[tag] = name, stand.registry.push(stand.name, tags=[name])
    name, signature = signed["old"]
    plan = look(stand, policy(stand, DROP_OLD))
    assert goes(plan) == {stand.on("old"), signature}
    assert [tag.name for tag in plan.tags] == ["old", name]
    action = stand.run(plan)
    assert (action.state, set(stand.tags())) == ("done", {"1.0", signed["1.0"][0]})
    assert stand.run(undo.look(action)).state == "done"
    assert set(stand.tags()) == {"old", "1.0", name, signed["1.0"][0]}


def test_everything_being_dropped_takes_every_signature_but_one_about_nothing(stand: Stand) -> None:
    digest = stand.registry.push(stand.name, tags=["old"])
    stand.registry.push(stand.name, tags=[f"{oci.referrers_tag(digest)}.sig"])
    adrift = f"sha256-{'0' * 64}.sig"
    stand.registry.push(stand.name, tags=[adrift])
    stand.run(look(stand, policy(stand, otherwise="drop")))
    assert set(stand.tags()) == {adrift}


def test_what_refers_by_subject_goes_and_stays_with_it_and_so_does_their_list(stand: Stand) -> None:
    lists: dict[str, set[str]] = {}
    for tag in ("old", "1.0"):
        image = images.image()
        stand.registry.push_built(stand.name, image, [tag])
        sbom = images.artifact("application/spdx+json", subject=image)
        stand.registry.push_built(stand.name, sbom, [f"{tag}-notes"])
        listed = stand.registry.push_built(stand.name, fallback([sbom]), [oci.referrers_tag(image.digest)])
        lists[tag] = {image.digest, sbom.digest, listed}
    plan = look(stand, policy(stand, DROP_OLD, {"drop": "matching", "tags": ["*-notes"]}))
    assert goes(plan) == lists["old"]
    assert [step.tag for step in plan.steps if step.do == plans.UNTAG] == ["1.0-notes"]
    stand.run(plan)
    assert [stand.on(one) for one in sorted(lists["1.0"])] == sorted(lists["1.0"])


# Protected and in use


def test_what_a_protected_tag_needs_stays(stand: Stand) -> None:
    built = images.index()
    top = stand.registry.push_built(stand.name, built, ["old-1"])
    stand.registry.push_built(stand.name, built.children[0], ["old-2"])
    gone = stand.registry.push(stand.name, tags=["old-3"])
    protection.add(Registry.objects.get(), Rule(stand.name, "old-1"), "alice", "", timezone.now())
    plan = look(stand, policy(stand, DROP_OLD))
    assert steps(plan) == [("delete-digest", gone), ("untag", "old-2")]
    assert stand.run(plan).state == "done"
    assert stand.tags() == {"old-1": top}


def test_what_was_protected_meanwhile_is_not_touched(stand: Stand) -> None:
    stand.registry.push(stand.name, tags=["old-1"])
    stand.registry.push(stand.name, tags=["old-2"])
    before = stand.tags()
    plan = look(stand, policy(stand, DROP_OLD))
    protection.add(Registry.objects.get(), Rule(stand.name, "old-1"), "alice", "", timezone.now())
    with pytest.raises(run.Stale) as stale:
        stand.run(plan)
    assert stale.value.changed == ["The tag old-1 would be kept by now."]
    assert (stand.tags(), Action.objects.count()) == (before, 0)


def use(stand: Stand, tag: str, digest: str) -> None:
    """A cluster says that it runs this."""
    now = timezone.now()
    until = now + timedelta(hours=1)
    source = Source.objects.create(name="prod", actor="alice", told_at=now, expires_at=until)
    place = {"registry": "main", "repository": stand.name}
    InUse.objects.create(source=source, tag=tag, digest=digest, since=now, **place)


def test_what_runs_somewhere_stays(stand: Stand) -> None:
    running = stand.registry.push(stand.name, tags=["old-1", "old-1b"])
    gone = stand.registry.push(stand.name, tags=["old-2"])
    use(stand, "old-1", running)
    plan = look(stand, policy(stand, DROP_OLD))
    assert gone in goes(plan)
    assert running not in goes(plan)
    stand.run(plan)
    assert stand.on("old-1") == running


# What no tag leads to


def aged(stand: Stand, days: int, *digests: str) -> None:
    """As if these had been seen first so long ago, and no tag had been on them since."""
    at = timezone.now() - timedelta(days=days)
    Revision.objects.filter(manifest__digest__in=digests).update(first_seen_at=at)
    TagMove.objects.filter(repository=stand.name, before__in=digests).update(at=at)


def test_what_is_untagged_goes_once_it_was_so_long_enough(stand: Stand) -> None:
    stand.registry.push(stand.name, tags=["1.0"])
    one, two = (stand.registry.push(stand.name, tags=[tag]) for tag in ("a", "b"))
    tidy = policy(stand, untagged="30d")
    look(stand, tidy)
    for tag in ("a", "b"):
        stand.run(untag.look(stand.repository, tag))
    Revision.objects.update(first_seen_at=timezone.now() - timedelta(days=60))
    assert look(stand, tidy).steps == (), "a tag left them just now"
    aged(stand, 31, one)
    plan = look(stand, tidy)
    assert (goes(plan), plan.asked["digests"]) == ({one}, [one])
    assert kinds.again(stand.repository, plan.agreed).fingerprint == plan.fingerprint
    aged(stand, 31, two)
    assert goes(kinds.again(stand.repository, plan.agreed)) == {one}, "what wasn't asked for isn't added"
    action = stand.run(plan)
    assert (stand.on(one), stand.on(two)) == ("", two)
    stand.run(undo.look(action))
    assert stand.on(one) == one


def test_what_a_young_untagged_index_needs_stays(stand: Stand) -> None:
    stand.registry.push(stand.name, tags=["1.0"])
    built = images.index()
    top = stand.registry.push_built(stand.name, built, ["a"])
    children = [one.digest for one in built.children]
    tidy = policy(stand, untagged="30d")
    look(stand, tidy)
    stand.run(untag.look(stand.repository, "a"))
    aged(stand, 31, *children)
    assert look(stand, tidy).steps == ()
    aged(stand, 31, top)
    assert goes(look(stand, tidy)) == {top, *children}


# Between the plan and its running


def test_the_same_again_has_the_same_fingerprint(stand: Stand) -> None:
    stand.registry.push_index(stand.name, tags=["old", "1.0"], attested=True)
    stand.registry.push(stand.name, tags=["old-2"], created=OLD)
    rules: list[Rules] = [DROP_OLD, {"drop": "older", "than": "30d"}, {"keep": "younger", "than": "1d"}]
    plan = look(stand, policy(stand, *rules), policy(stand, name="other", untagged="1d"), run="a1")
    assert plan.steps
    repeated = kinds.again(stand.repository, plan.agreed)
    assert (repeated.facts, repeated.fingerprint) == (plan.facts, plan.fingerprint)
    read = documents.read(documents.text(documents.of_plan(plan)))
    assert kinds.again(stand.repository, read).fingerprint == plan.fingerprint


def test_a_push_to_a_dropped_tag_changes_nothing_but_the_plan(stand: Stand) -> None:
    stand.registry.push(stand.name, tags=["old-1"], created=OLD)
    stand.registry.push(stand.name, tags=["old-2"], created=OLD)
    plan = look(stand, policy(stand, {"drop": "older", "than": "30d"}))
    assert len(plan.steps) == 2
    stand.registry.push(stand.name, tags=["old-1"], created=timezone.now().isoformat())
    before = stand.tags()
    with pytest.raises(run.Stale) as stale:
        stand.run(plan)
    assert "old-1" in stale.value.changed[0]
    assert (stand.tags(), Action.objects.count()) == (before, 0)
    assert [tag.name for tag in stale.value.plan.tags] == ["old-2"]


def test_a_tag_that_is_dropped_by_now_and_was_not_asked_for_is_not_added(stand: Stand) -> None:
    stand.registry.push(stand.name, tags=["old-1"])
    plan = look(stand, policy(stand, DROP_OLD))
    late = stand.registry.push(stand.name, tags=["old-2"])
    assert stand.run(plan).state == "done"
    assert stand.tags() == {"old-2": late}


def test_a_pull_in_between_keeps_the_tag(stand: Stand) -> None:
    digest = stand.registry.push(stand.name, tags=["old-1"])
    stand.registry.push(stand.name, tags=["old-2"])
    keep = {"keep": "pulled", "within": "7d", "unknown": "drop"}
    plan = look(stand, policy(stand, DROP_OLD, keep))
    assert [tag.name for tag in plan.tags] == ["old-1", "old-2"]
    now = timezone.now()
    Tag.objects.filter(name="old-1").update(pulled_at=now)
    place = {"registry": "main", "repository": stand.name, "day": now.date(), "last_at": now, "count": 1}
    PullCount.objects.create(tag="old-1", digest=digest, **place)
    with pytest.raises(run.Stale) as stale:
        stand.run(plan)
    assert stale.value.changed == ["The tag old-1 would be kept by now."]
    assert set(stand.tags()) == {"old-1", "old-2"}


# What can't be known


def test_nothing_is_asked_where_that_is_not_wanted_and_nothing_can_be_run_then(stand: Stand) -> None:
    stand.registry.push(stand.name, tags=["old"])
    sync.run(Registry.objects.get(name="main"))
    asked = len(stand.registry.requests())
    plan = look(stand, policy(stand, DROP_OLD), max_age=None)
    assert steps(plan) == [("delete-digest", plan.tags[0].digest)]
    assert (plan.check.complete, len(stand.registry.requests())) == (False, asked)


def test_a_list_that_is_doubted_drops_nothing(stand: Stand) -> None:
    for number in range(12):
        stand.registry.push(stand.name, tags=[f"1.{number}"])
    stand.registry.push(stand.name, tags=["old"])
    sync.run(Registry.objects.get(name="main"))
    folder = stand.registry.storage / f"docker/registry/v2/repositories/{stand.name}/_manifests/tags"
    away = folder.rename(folder.with_name("away"))
    folder.mkdir()
    (away / "old").rename(folder / "old")
    plan = look(stand, policy(stand, DROP_OLD), max_age=timedelta())
    assert stand.repository.is_doubted
    assert (plan.check.complete, plan.steps) == (False, ())
    with pytest.raises(run.Unchecked):
        stand.run(plan)
    assert set(stand.tags()) == {"old"}


def test_a_registry_that_does_not_answer_has_nothing_dropped(stand: Stand, settings: Settings) -> None:
    stand.registry.push(stand.name, tags=["old"])
    sync.run(Registry.objects.get(name="main"))
    plan = look(stand, policy(stand, DROP_OLD), max_age=timedelta())
    settings.REGISTRIES = {"main": RegistrySettings("main", "http://127.0.0.1:9")}
    connect.ensure_registries()
    broken = look(stand, policy(stand, DROP_OLD), max_age=timedelta())
    assert plan.check.complete
    assert (broken.check.complete, bool(broken.check.problem)) == (False, True)


# Asking for it


def test_a_program_can_not_make_one_up(stand: Stand) -> None:
    with pytest.raises(oci.InvalidName):
        kinds.plan(stand.repository, plans.RETAIN, {"tags": ["1.0"]})


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"rules": {"name": "x"}}, "registry is missing"),
        ({"rules": 1}, "names with values"),
        ({"others": 1}, "others must be a list"),
        ({"digests": [1]}, "digests must be a list"),
    ],
)
def test_a_file_whose_policy_means_nothing_is_refused(stand: Stand, more: dict[str, Any], said: str) -> None:
    stand.registry.push(stand.name, tags=["old"])
    made = look(stand, policy(stand, DROP_OLD))
    facts = made.facts | {"asked": dict(made.asked) | more}
    whole = documents.of_plan(made) | {"asked": facts["asked"], "fingerprint": plans.fingerprint(facts)}
    with pytest.raises(documents.Unusable, match=said):
        documents.read(documents.text(whole))


# All of it


def test_every_kept_tag_is_whole_afterwards_and_an_undo_brings_all_back(stand: Stand, tmp_path: Path) -> None:
    shared = images.image()
    built = images.index(attested=True)
    parts = [
        (built, ["1.0", "old-a"]),
        (index_of([shared, images.image(platform="linux/arm64")]), ["old-b"]),
        (index_of([shared, images.image(platform="linux/s390x")]), ["2.0"]),
        (built.children[0], ["old-c"]),
        (images.image(), ["old-d", "old-e", "3.0"]),
        (images.index(attested=True), ["old-f"]),
        (shared, ["old-g"]),
    ]
    for one, tags in parts:
        digest = stand.registry.push_built(stand.name, one, tags)
        stand.registry.push(stand.name, tags=[f"{oci.referrers_tag(digest)}.sig"])
        stand.registry.push_built(stand.name, images.artifact(subject=one))
    before, lacking = crawled(stand)
    assert not lacking
    action = stand.run(look(stand, policy(stand, DROP_OLD)))
    assert action.state == "done"
    after, lacking = crawled(stand)
    assert not lacking
    kept = {tag: digest for tag, digest in before.items() if not oci.companion(tag)}
    kept = {tag: digest for tag, digest in kept.items() if not tag.startswith("old")}
    assert kept.items() <= after.items()
    assert not [tag for tag in after if tag.startswith("old")]
    for tag, on in kept.items():
        assert pulled(stand, tag, tmp_path) == on
        assert f"{oci.referrers_tag(oci.Digest(on))}.sig" in after
    assert stand.run(undo.look(action)).state == "done"
    assert crawled(stand) == (before, [])


def late(stand: Stand) -> Action:
    """An action that drops two images, as if whoever began it had died before its first step."""
    plan = look(stand, policy(stand, DROP_OLD))
    action = run.start(plan, ALICE)
    Action.objects.filter(pk=action.pk).update(started_at=timezone.now() - timedelta(hours=1))
    action.refresh_from_db()
    return action


def test_an_index_that_came_before_a_run_was_gone_on_with_keeps_what_it_needs(
    stand: Stand, tmp_path: Path
) -> None:
    image = images.image()
    stand.registry.push_built(stand.name, image, ["old-1"])
    stand.registry.push(stand.name, tags=["old-2"])
    action = late(stand)
    top = stand.registry.push_built(stand.name, index_of([image]), ["2.0"])
    action = run.carry_out(action)
    assert (action.state, set(stand.tags())) == ("partial", {"old-1", "2.0"})
    reasons = {item.digest: item.reason for item in action.items.exclude(do=plans.GOES_ALONG)}
    assert reasons[image.digest] == "An index that came since needs it."
    assert pulled(stand, "2.0", tmp_path) == top


def test_what_is_tagged_anew_in_the_midst_of_a_run_stays(stand: Stand) -> None:
    image = images.image()
    digest = stand.registry.push_built(stand.name, image, ["old-1"])
    stand.registry.push(stand.name, tags=["old-2"])
    action = run.start(look(stand, policy(stand, DROP_OLD)), ALICE)
    stand.registry.push_built(stand.name, image, ["2.0"])
    fetch.manifest(stand.repository, "2.0", max_age=timedelta())  # as an event would tell
    action = run.carry_out(action)
    assert action.state == "partial"
    assert stand.tags() == {"old-1": digest, "2.0": digest}
