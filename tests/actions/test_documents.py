"""A plan survives being a file, and whatever isn't one is refused in a sentence."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regui.actions import delete, documents, many, plans, retag, run
from regui.actions.plans import Plan, Step, TagOn
from tests import images
from tests.actions.stand import ALICE, Stand
from tests.actions.test_plans import anything

A, B = ("sha256:" + letter * 64 for letter in "ab")
PLAN = Plan(
    kind=plans.UNTAG,
    registry="main",
    repository="team/app",
    digest=A,
    asked={"tags": ["1.0"]},
    steps=(Step(plans.UNTAG, "team/app", A, "1.0", before=A),),
    tags=(TagOn("1.0", A),),
    stay=(TagOn("latest", A),),
)


def written(**changed: Any) -> str:
    """The plan's file, with something else in it."""
    return json.dumps(documents.of_plan(PLAN) | changed)


@given(anything)
def test_what_was_agreed_to_survives_a_file(plan: Plan) -> None:
    read = documents.read(documents.text(documents.of_plan(plan)))
    assert read.facts == json.loads(json.dumps(plan.facts))
    assert (read.fingerprint, read.kind, read.digest) == (plan.fingerprint, plan.kind, plan.digest)
    assert not read.understood, "a file can't say that whoever applies it knows what breaks"


def test_a_plan_tells_every_step_and_what_goes_along() -> None:
    plan = Plan(
        plans.DELETE_DIGEST,
        "main",
        "team/app",
        A,
        steps=(Step(plans.DELETE_DIGEST, "team/app", A),),
        tags=(TagOn("1.0", A), TagOn("latest", A)),
    )
    told = documents.of_plan(plan)
    assert (told["id"], told["state"], told["dry_run"]) == (None, "planned", True)
    assert [(one["do"], one["tag"], one["result"]) for one in told["steps"]] == [
        ("delete-digest", "", ""),
        ("goes-along", "1.0", ""),
        ("goes-along", "latest", ""),
    ]
    assert told["siblings"] == ["1.0", "latest"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "no plan"),
        ('{"kind": "untag"}', "no plan"),
        (written(version=2), "version 2"),
        (written(version=None), "version None"),
        (written(state="done"), "what became of a plan"),
        (written(fingerprint="0" * 64), "was changed"),
        (written(repository="team/other"), "was changed"),
        (written(steps=[]), "was changed"),
        (written(tags=[]), "was changed"),
        (written(tags=[{"name": "1.0"}]), "can't be read"),
        (written(tags=["1.0"]), "can't be read"),
        (written(steps=[{"do": "untag"}]), "can't be read"),
        (written(parents=[1]), "can't be read"),
        (written(lost="\ud800"), "can't be read"),
        (written(kind=3), "can't be read"),
    ],
)
def test_what_is_no_plan_is_refused_in_one_sentence(body: str | bytes, why: str) -> None:
    with pytest.raises(documents.Unusable, match=why) as refused:
        documents.read(body)
    assert "\n" not in str(refused.value)


def test_a_plan_that_lacks_something_says_what() -> None:
    document = documents.of_plan(PLAN)
    del document["lost"], document["tags"]
    with pytest.raises(documents.Unusable, match="lacks tags, lost"):
        documents.agreed(document)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"kind": "explode"}, "no kind of change"),
        ({"repository": "../../etc"}, "names what can't be"),
        ({"digest": "sha256:abc"}, "names what can't be"),
        ({"asked": {}}, "doesn't say what was asked: tags"),
        ({"asked": []}, "doesn't say what was asked: tags"),
        ({"asked": {"tags": "1.0"}}, "not told by texts"),
        ({"asked": {"tags": [1]}}, "not told by texts"),
        ({"asked": {"tags": ["a/b"]}}, "names what can't be"),
        ({"kind": "undo", "asked": {}}, "doesn't say what was asked: action"),
        ({"kind": "undo", "asked": {"action": 1}}, "not told by texts"),
    ],
)
def test_a_plan_written_by_hand_is_looked_at_closely(changed: dict[str, Any], why: str) -> None:
    document = documents.of_plan(PLAN) | changed
    document["fingerprint"] = plans.fingerprint(documents.facts_of(document))
    with pytest.raises(documents.Unusable, match=why):
        documents.read(json.dumps(document))


@given(
    st.dictionaries(st.sampled_from(documents.FACTS), st.none() | st.text(max_size=3) | st.lists(st.none()))
)
def test_whatever_stands_in_it_is_a_plan_or_refused(changed: dict[str, Any]) -> None:
    try:
        read = documents.read(written(**changed))
    except documents.Unusable:
        return
    assert read.facts == PLAN.facts


def test_each_kind_of_plan_can_be_carried_out_from_its_file(stand: Stand) -> None:
    built = images.index()
    stand.registry.push_built(stand.name, built, ["multi"])
    stand.registry.push(stand.name, tags=["1.0", "latest"])
    stand.registry.push(stand.name, tags=["2.0"])
    looks: list[Callable[[], Plan]] = [
        lambda: retag.look(stand.repository, "1.0", "1.1"),
        lambda: many.tags(stand.repository, ["2.0", "latest", "nowhere"]),
        lambda: delete.look(stand.repository, built.digest, along=True),
        lambda: many.everything(stand.repository),
    ]
    for look in looks:
        agreed = documents.read(documents.text(documents.of_plan(look())))
        action = run.run(agreed, ALICE)
        told = documents.of_action(action)
        assert told["state"] == "done", told
        assert told["id"] == action.pk
        assert {one["result"] for one in told["steps"]} == {"done"}
    assert stand.tags() == {}
