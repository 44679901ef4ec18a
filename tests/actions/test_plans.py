"""Plans are values: touching the same gives the same fingerprint, and a difference has words."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from regui.actions import plans
from regui.actions.plans import Bytes, Check, Child, Parent, Plan, Protected, Referrer, Step, TagOn

A, B, C = ("sha256:" + letter * 64 for letter in "abc")
NOON = datetime(2026, 11, 23, 12, 1, 7, tzinfo=UTC)
PLAN = Plan(
    kind=plans.DELETE_DIGEST,
    registry="main",
    repository="team/app",
    digest=A,
    steps=(Step(plans.DELETE_DIGEST, "team/app", A),),
    tags=(TagOn("1.0", A), TagOn("latest", A)),
)

digests = st.sampled_from([f"sha256:{n:064x}" for n in range(6)])
names = st.sampled_from(["1.0", "1.1", "latest", "edge", "größe"])
tags = st.builds(TagOn, name=names, digest=digests, seen_at=st.none() | st.just(NOON))
parents = st.builds(Parent, digest=digests, tags=st.lists(names, unique=True, max_size=3).map(tuple))
referrers = st.builds(Referrer, digest=digests, role=st.sampled_from(["signature", "sbom"]), tag=names)
reasons = st.sampled_from(["protected by v*", "needed by v1, which is protected by v*"])
locked = st.builds(Protected, tag=names | st.just(""), digest=digests, reason=reasons)
children = st.builds(Child, digest=digests, size=st.none() | st.integers(0, 9))


def unique(things: st.SearchStrategy, key: str) -> st.SearchStrategy:
    return st.lists(things, max_size=4, unique_by=lambda thing: getattr(thing, key)).map(tuple)


anything = st.builds(
    Plan,
    kind=st.just(plans.DELETE_DIGEST),
    registry=st.just("main"),
    repository=st.sampled_from(["team/app", "a/tags/list"]),
    digest=digests,
    tags=unique(tags, "name"),
    parents=unique(parents, "digest"),
    referrers=unique(referrers, "digest"),
    left_behind=unique(children, "digest"),
    protected=unique(locked, "digest"),
)


def test_a_fingerprint_is_64_hex_characters() -> None:
    assert len(PLAN.fingerprint) == 64
    assert int(PLAN.fingerprint, 16) >= 0


def test_times_bytes_and_the_check_do_not_change_the_fingerprint() -> None:
    later = replace(
        PLAN,
        tags=tuple(replace(tag, seen_at=NOON) for tag in PLAN.tags),
        bytes=Bytes(frees=12),
        check=Check(2, 2, NOON, complete=True),
    )
    assert later.fingerprint == PLAN.fingerprint


def test_one_more_tag_changes_the_fingerprint() -> None:
    more = replace(PLAN, tags=(*PLAN.tags, TagOn("edge", A)))
    assert more.fingerprint != PLAN.fingerprint
    assert plans.changes(PLAN.facts, more.facts) == [
        "The tag edge now points at this digest too: it would go as well."
    ]


def test_a_moved_tag_is_named_with_where_it_went() -> None:
    fewer = replace(PLAN, tags=PLAN.tags[:1])
    assert plans.changes(PLAN.facts, fewer.facts, {"latest": B}) == [
        "The tag latest moved to sha256:bbbbbbbbbbbb."
    ]
    assert plans.changes(PLAN.facts, fewer.facts) == ["The tag latest is gone."]


def test_a_new_index_and_a_lost_signature_are_named() -> None:
    signed = replace(PLAN, referrers=(Referrer(B, "signature", "sha256-aaa.sig"),))
    indexed = replace(PLAN, parents=(Parent(C, ("1.0", "multi")),))
    assert plans.changes(signed.facts, indexed.facts) == [
        "The index sha256:cccccccccccc (1.0, multi) now contains this digest.",
        "The signature sha256-aaa.sig no longer refers to this digest.",
    ]


def test_an_index_that_lost_its_tag_is_said_so() -> None:
    tagged, bare = (replace(PLAN, parents=(Parent(C, tags),)) for tags in (("multi",), ()))
    assert plans.changes(tagged.facts, bare.facts) == [
        "The index sha256:cccccccccccc is now tagged by nothing."
    ]
    assert tagged.breaks
    assert not bare.breaks


def test_another_digest_altogether_is_never_no_change() -> None:
    assert plans.changes(PLAN.facts, replace(PLAN, repository="team/other").facts)


def test_a_check_says_how_many_and_when() -> None:
    assert str(Check(512, 512, NOON, complete=True)) == "checked 512 of 512 at 12:01:07 UTC"
    assert str(Check(0, 3)) == "checked 0 of 3"


@given(anything)
def test_order_never_matters(plan: Plan) -> None:
    turned = replace(
        plan,
        tags=plan.tags[::-1],
        parents=tuple(replace(one, tags=one.tags[::-1]) for one in plan.parents[::-1]),
        referrers=plan.referrers[::-1],
        left_behind=plan.left_behind[::-1],
        protected=plan.protected[::-1],
    )
    assert turned.fingerprint == plan.fingerprint
    assert plans.changes(plan.facts, turned.facts) == []


@given(anything, anything)
def test_plans_differ_in_words_exactly_when_their_fingerprints_differ(one: Plan, other: Plan) -> None:
    assert bool(plans.changes(one.facts, other.facts)) == (one.fingerprint != other.fingerprint)


@given(anything)
def test_a_plan_survives_json(plan: Plan) -> None:
    told = plan.as_json()
    assert plans.canonical(told)
    assert told["fingerprint"] == plan.fingerprint
    assert told["siblings"] == sorted(tag.name for tag in plan.tags)


@given(anything)
def test_the_facts_of_a_plan_can_be_read_back_from_its_json(plan: Plan) -> None:
    whole = json.loads(json.dumps(plan.as_json()))
    assert plans.facts_of(whole) == plan.facts
    for name in plan.facts:
        assert plans.facts_of({key: value for key, value in whole.items() if key != name}) is None


def test_what_is_no_plan_has_no_facts() -> None:
    whole = PLAN.as_json()
    for name, value in {"tags": 5, "parents": [{}], "referrers": None, "asked": {"x": "\ud800"}}.items():
        assert plans.facts_of(whole | {name: value}) is None
