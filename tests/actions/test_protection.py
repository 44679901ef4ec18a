"""What a protected tag needs stays, whatever is asked for, on a real registry."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from regui import oci
from regui.actions import delete, guard, journal, many, plans, protection, retag, run, undo, untag
from regui.actions.models import Action, Item, Protection
from regui.actions.protection import Rule
from regui.demo.images import fallback
from regui.index.models import Registry
from tests import images
from tests.actions.rows import Shelf, digest
from tests.actions.stand import ALICE, Stand

V = "protected by v*"


def protect(stand: Stand, tags: str, repositories: str = "") -> None:
    rule = Rule(repositories or stand.name, tags)
    assert protection.add(Registry.objects.get(), rule, "alice", "", timezone.now())


def named(plan: plans.Plan) -> list[tuple[str, str]]:
    return [(one.tag or one.digest, one.reason) for one in plan.protected]


def where(stand: Stand, tags: str) -> str:
    return f"protected by {tags} in {stand.name}"


def refuse(stand: Stand, plan: plans.Plan) -> None:
    """Running the plan is refused, and nothing in the registry changes nor in the journal."""
    assert plan.refused
    before, actions = stand.tags(), Action.objects.count()
    with pytest.raises(run.Protected) as refusal:
        stand.run(plan)
    assert refusal.value.plan.protected == plan.protected
    assert (stand.tags(), Action.objects.count()) == (before, actions)


# Names alone


def test_a_lock_names_the_first_rule_that_covers() -> None:
    rules = [Rule("team/**", "v*"), Rule("**", "v1"), Rule("**", "latest", given=True), Rule("x", "*")]
    assert protection.locks(rules, "team/app", ["v1", "latest", "edge"]) == {
        "v1": "protected by v* in team/**",
        "latest": "protected by latest (REGUI_PROTECTED_TAGS)",
    }
    assert protection.locks(rules, "app", ["v1", "v2"]) == {"v1": "protected by v1"}


def test_nothing_is_protected_at_first(stand: Stand) -> None:
    digest = stand.registry.push(stand.name, tags=["latest"])
    plan = delete.look(stand.repository, digest)
    assert (plan.protected, plan.facts["protected"]) == ((), [])
    assert stand.run(plan).state == "done"


def test_a_rule_of_another_registry_is_none_of_this_one(stand: Stand) -> None:
    stand.registry.push(stand.name, tags=["v1"])
    other = Registry.objects.create(name="other", url="http://127.0.0.1:1", pull_host="x")
    protection.add(other, Rule("**", "*"), "alice", "", timezone.now())
    assert untag.look(stand.repository, "v1").protected == ()


# One thing at a time


def test_a_protected_tag_is_not_taken_away_and_its_siblings_are(stand: Stand) -> None:
    digest = stand.registry.push(stand.name, tags=["v1", "edge"])
    protect(stand, "v*", "**")
    plan = untag.look(stand.repository, "v1")
    assert named(plan) == [("v1", V)]
    assert plan.as_json()["protected"] == [{"tag": "v1", "digest": digest, "reason": V, "in_use": False}]
    refuse(stand, plan)
    assert stand.run(untag.look(stand.repository, "edge")).state == "done"
    assert stand.tags() == {"v1": digest}


def test_a_digest_that_a_protected_tag_is_on_is_not_deleted(stand: Stand) -> None:
    digest = stand.registry.push(stand.name, tags=["v1", "v1.0", "edge"])
    protect(stand, "v*", "**")
    plan = delete.look(stand.repository, digest, along=True)
    assert named(plan) == [("v1", V), ("v1.0", V)]
    refuse(stand, plan)


def test_a_child_of_a_protected_index_is_not_deleted_nor_its_signature(stand: Stand) -> None:
    built = images.index(attested=True)
    top = stand.registry.push_built(stand.name, built, ["v1"])
    child = built.children[0].digest
    tag = f"{oci.referrers_tag(child)}.sig"
    signature = stand.registry.push(stand.name, tags=[tag])
    protect(stand, "v*", "**")
    assert named(delete.look(stand.repository, child)) == [(child, f"needed by v1, which is {V}")]
    refuse(stand, delete.look(stand.repository, child))
    assert named(delete.look(stand.repository, signature)) == [
        (tag, f"about v1, which is {V}"),
        (signature, f"about v1, which is {V}"),
    ]
    refuse(stand, delete.look(stand.repository, signature))
    refuse(stand, untag.look(stand.repository, tag))
    assert stand.on("v1") == top


def test_what_refers_to_a_protected_tag_by_its_subject_stays_and_so_does_their_list(stand: Stand) -> None:
    image = images.image()
    stand.registry.push_built(stand.name, image, ["v1"])
    sbom = images.artifact("application/spdx+json", subject=image)
    stand.registry.push_built(stand.name, sbom, ["notes"])
    tag = oci.referrers_tag(image.digest)
    listed = stand.registry.push_built(stand.name, fallback([sbom]), [tag])
    protect(stand, "v*", "**")
    about = f"about v1, which is {V}"
    assert named(delete.look(stand.repository, sbom.digest)) == [(sbom.digest, about)]
    assert named(delete.look(stand.repository, listed)) == [(tag, about), (listed, about)]
    assert named(untag.look(stand.repository, tag)) == [(tag, about)]


def test_what_speaks_about_a_protected_tag_loses_its_own_tag_and_stays(stand: Stand) -> None:
    image = images.image()
    stand.registry.push_built(stand.name, image, ["v1"])
    sbom = images.artifact("application/spdx+json", subject=image)
    stand.registry.push_built(stand.name, sbom, ["notes"])
    protect(stand, "v*", "**")
    plan = many.tags(stand.repository, ["notes"])
    assert [(step.do, step.tag) for step in plan.steps] == [("untag", "notes")]
    assert named(plan) == [(sbom.digest, f"about v1, which is {V}")]
    assert stand.run(plan).state == "done"
    assert stand.on(sbom.digest) == sbom.digest


def test_a_protected_tag_is_set_when_it_is_new_and_never_moved(stand: Stand) -> None:
    old = stand.registry.push(stand.name, tags=["1.0"])
    stand.registry.push(stand.name, tags=["2.0"])
    protect(stand, "latest")
    assert stand.run(retag.look(stand.repository, "1.0", "latest")).state == "done"
    assert stand.on("latest") == old
    assert retag.look(stand.repository, "1.0", "latest").protected == (), "it is there already"
    plan = retag.look(stand.repository, "2.0", "latest")
    assert named(plan) == [("latest", where(stand, "latest"))]
    refuse(stand, plan)


def test_taking_back_what_set_or_moved_a_tag_is_refused_once_it_is_protected(stand: Stand) -> None:
    stand.registry.push(stand.name, tags=["1.0", "old"])
    stand.registry.push(stand.name, tags=["2.0"])
    actions = [
        stand.run(retag.look(stand.repository, "2.0", "old")),
        stand.run(retag.look(stand.repository, "1.0", "old-2")),
    ]
    protect(stand, "old*")
    for action, tag in zip(actions, ["old", "old-2"], strict=True):
        plan = undo.look(action)
        assert named(plan) == [(tag, where(stand, "old*"))]
        refuse(stand, plan)


def test_what_was_deleted_comes_back_however_protected(stand: Stand) -> None:
    digest = stand.registry.push(stand.name, tags=["v1", "v2"])
    action = stand.run(delete.look(stand.repository, digest))
    protect(stand, "*", "**")
    assert undo.look(action).protected == ()
    assert stand.run(undo.look(action)).state == "done"
    assert stand.tags() == {"v1": digest, "v2": digest}


# Many at a time


def test_of_many_tags_the_protected_stay_and_are_named(stand: Stand) -> None:
    kept = stand.registry.push(stand.name, tags=["v1", "beside"])
    alone = stand.registry.push(stand.name, tags=["edge"])
    protect(stand, "v*", "**")
    plan = many.tags(stand.repository, ["v1", "beside", "edge", "v9"])
    assert named(plan) == [("v1", V)]
    assert plan.lost == ("The tag v9 is not there, or can't be read.",)
    assert [(step.do, step.digest, step.tag) for step in plan.steps] == [
        ("delete-digest", alone, ""),
        ("untag", kept, "beside"),
    ]
    assert [tag.name for tag in plan.stay] == ["v1"]
    action = stand.run(plan)
    assert (action.state, action.plan["protected"][0]["tag"]) == ("done", "v1")
    assert stand.tags() == {"v1": kept} == stand.indexed()


def test_nothing_but_protected_tags_is_refused(stand: Stand) -> None:
    stand.registry.push(stand.name, tags=["v1", "v2"])
    protect(stand, "v*", "**")
    plan = many.tags(stand.repository, ["v1", "v2"])
    assert named(plan) == [("v1", V), ("v2", V)]
    refuse(stand, plan)


def test_a_repository_with_a_protected_tag_is_not_deleted_and_the_tags_are_named(stand: Stand) -> None:
    built = images.index()
    stand.registry.push_built(stand.name, built, ["v1", "v2"])
    stand.registry.push(stand.name, tags=["edge"])
    protect(stand, "v*", "**")
    plan = many.everything(stand.repository)
    assert named(plan)[:2] == [("v1", V), ("v2", V)]
    assert {one for one, _ in named(plan)[2:]} == {child.digest for child in built.children}
    refuse(stand, plan)


def test_what_is_untagged_goes_and_nothing_that_a_protected_tag_needs(stand: Stand) -> None:
    built = images.index()
    stand.registry.push_built(stand.name, built, ["v1"])
    loose = stand.registry.push(stand.name, tags=["old"])
    stand.run(untag.look(stand.repository, "old"))
    protect(stand, "v*", "**")
    plan = many.untagged(stand.repository)
    assert ([step.digest for step in plan.steps], plan.protected) == ([loose], ())
    assert stand.run(plan).state == "done"
    assert [stand.on(child.digest) for child in built.children] == [one.digest for one in built.children]


# What is protected between the plan and its steps


def test_a_rule_made_since_the_plan_refuses_it(stand: Stand) -> None:
    digest = stand.registry.push(stand.name, tags=["v1"])
    plan = delete.look(stand.repository, digest)
    protect(stand, "v*", "**")
    with pytest.raises(run.Protected, match=r"^v1 is protected by v\*\.$"):
        stand.run(plan)
    assert stand.tags() == {"v1": digest}


def test_a_rule_made_since_the_plan_of_many_is_named_as_a_change(stand: Stand) -> None:
    stand.registry.push(stand.name, tags=["v1"])
    stand.registry.push(stand.name, tags=["edge"])
    plan = many.tags(stand.repository, ["v1", "edge"])
    protect(stand, "v*", "**")
    with pytest.raises(run.Stale) as stale:
        stand.run(plan)
    assert stale.value.changed == [f"The tag v1 stays: {V}."]
    protection.remove(Registry.objects.get(), Rule("**", "v*"), "alice")
    again = plans.changes(stale.value.plan.facts, plan.facts)
    assert again == [
        "The tag v1 is no longer protected.",
        "The tag v1 now points at this digest too: it would go as well.",
    ]


def test_a_plan_made_before_the_rule_loses_its_steps_when_it_is_guarded_again(stand: Stand) -> None:
    digest = stand.registry.push(stand.name, tags=["v1"])
    careless = untag.look(stand.repository, "v1")
    protect(stand, "v*", "**")
    found = guard.guarded(stand.repository, careless)
    assert (found.steps, named(found)) == ((), [("v1", V)])
    assert stand.tags() == {"v1": digest}


@pytest.mark.parametrize("many_at_once", [False, True])
def test_a_rule_made_while_an_action_waits_holds(stand: Stand, many_at_once: bool) -> None:
    kept = stand.registry.push(stand.name, tags=["v1"])
    gone = stand.registry.push(stand.name, tags=["edge"])
    repository = stand.repository
    plan = many.tags(repository, ["v1", "edge"]) if many_at_once else untag.look(repository, "v1")
    waiting = run.start(plan, ALICE, held=False, grace=timedelta(seconds=5))
    protect(stand, "v*", "**")
    mine = journal.claim(waiting, timezone.now() + timedelta(seconds=6))
    assert mine is not None
    action = run.carry_out(mine)
    skipped = action.items.exclude(result=Item.Result.DONE).exclude(do=plans.GOES_ALONG)
    assert [(item.result, item.reason) for item in skipped] == [("skipped", f"v1 is {V}.")]
    if many_at_once:
        assert (action.state, action.reason) == ("partial", f"1 of 2 were not done. v1 is {V}.")
        assert (stand.tags(), stand.on(gone)) == ({"v1": kept}, "")
    else:
        assert (action.state, action.reason) == ("failed", f"v1 is {V}.")
        assert stand.tags() == {"v1": kept, "edge": gone}
    assert stand.indexed() == stand.tags()


def test_a_step_that_was_begun_before_the_rule_is_brought_to_its_end(stand: Stand) -> None:
    kept = stand.registry.push(stand.name, tags=["keep", "v1"])
    waiting = run.start(untag.look(stand.repository, "v1"), ALICE, held=False)
    # As a runner leaves it that died with something on the tag for a moment.
    passing = stand.registry.push(stand.name, tags=["v1"])
    waiting.items.update(begun_at=timezone.now(), passing=passing)
    protect(stand, "v*", "**")
    mine = journal.claim(waiting, timezone.now())
    assert mine is not None
    assert run.carry_out(mine).state == "done"
    assert stand.tags() == {"keep": kept}


def test_a_delete_that_was_asked_for_in_vain_before_the_rule_is_not_asked_for_again(stand: Stand) -> None:
    kept = stand.registry.push(stand.name, tags=["v1"])
    waiting = run.start(delete.look(stand.repository, kept), ALICE, held=False)
    waiting.items.filter(do=plans.DELETE_DIGEST).update(begun_at=timezone.now())
    protect(stand, "v*", "**")
    mine = journal.claim(waiting, timezone.now())
    assert mine is not None
    assert run.carry_out(mine).state == "failed"
    assert stand.tags() == {"v1": kept}


# The settings, and how much is asked of the database


def test_the_settings_protect_in_every_registry(stand: Stand, settings: Settings) -> None:
    stand.registry.push(stand.name, tags=["v1", "latest"])
    settings.PROTECTED_TAGS = (("**", "latest"), ("else/**", "v*"))
    assert named(untag.look(stand.repository, "latest")) == [
        ("latest", "protected by latest (REGUI_PROTECTED_TAGS)")
    ]
    assert untag.look(stand.repository, "v1").protected == ()


@pytest.mark.django_db
def test_how_deep_a_digest_lies_below_a_protected_tag_does_not_matter() -> None:
    shelf = Shelf.new()
    shelf.image("leaf")
    shelf.index("inner", "leaf")
    shelf.index("outer", "inner", tags=["v1"])
    shelf.image("sig", subject="leaf")
    shelf.image("sig-of-sig", subject="sig")
    shelf.image("free", tags=["edge"])
    shelf.index("loose", "free")
    found = guard.locks(
        shelf.repository, digests=[digest(name) for name in shelf.made], rules=[Rule("**", "v*")]
    )
    assert {name: str(found.digests.get(digest(name), "")) for name in shelf.made} == {
        "leaf": f"needed by v1, which is {V}",
        "inner": f"needed by v1, which is {V}",
        "outer": f"the manifest of v1, which is {V}",
        "sig": f"about v1, which is {V}",
        "sig-of-sig": f"about v1, which is {V}",
        "free": "",
        "loose": "",
    }


@pytest.mark.django_db
def test_without_a_rule_or_a_use_for_the_repository_two_queries_are_asked(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    shelf = Shelf.new()
    one = shelf.image("one", tags=["v1"])
    Protection.objects.create(
        registry="main", repositories="else/**", tags="*", created_by="alice", created_at=timezone.now()
    )
    with django_assert_num_queries(2):
        assert guard.locks(shelf.repository, tags=["v1"], digests=[one]) == guard.Locks()


@pytest.mark.django_db
def test_many_digests_are_asked_for_by_the_handful(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    shelf = Shelf.new()
    digests = [shelf.image(f"image {number}", tags=[f"v{number}"]) for number in range(150)]
    with django_assert_max_num_queries(6):
        assert len(guard.locks(shelf.repository, digests=digests, rules=[Rule("**", "v*")]).digests) == 150
