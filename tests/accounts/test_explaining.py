"""The sentences say what the policy decided, and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regui.accounts import explaining
from regui.accounts.access import ANY, RIGHTS, Actor, Grant, Holder, Right, Role

READER, DEVELOPER, MAINTAINER, ADMIN = Role.READER, Role.DEVELOPER, Role.MAINTAINER, Role.ADMIN
USER, GROUP, EVERYONE = Holder.USER, Holder.GROUP, Holder.EVERYONE
HOLDERS = {USER: "bob", GROUP: "devs", EVERYONE: ""}


def of(role: Role, pattern: str = "**", registry: str = ANY, kind: Holder = USER) -> Grant:
    return Grant(role, registry, pattern, kind, HOLDERS[kind])


def explained(*grants: Grant, role: Role = Role.NONE, cap: Grant | None = None) -> explaining.Answer:
    return explaining.explain(Actor("bob", role, grants=grants, cap=cap), "main", "team/app")


@pytest.mark.parametrize(
    ("role", "said"),
    [
        (Role.NONE, "bob can't see main/team/app: to them it isn't there."),
        (READER, "bob can see main/team/app, but not set tags, delete or administer."),
        (DEVELOPER, "bob can see main/team/app and set tags there, but not delete or administer."),
        (MAINTAINER, "bob can see main/team/app, set tags and delete there, but not administer."),
        (ADMIN, "bob can see main/team/app, set tags, delete and administer there."),
        (Role.AUDITOR, "bob can see main/team/app, but not set tags, delete or administer."),
    ],
)
def test_each_role_is_one_sentence(role: Role, said: str) -> None:
    assert explained(of(role)).headline == said


@pytest.mark.parametrize(
    ("winner", "other", "why"),
    [
        (of(READER, "team/**"), of(ADMIN), "team/** spells out 5 characters, ** none"),
        (
            of(READER, "team/app"),
            of(ADMIN, "team/*"),
            "team/app spells out 8 characters, team/* only 5 characters",
        ),
        (of(READER, "t*/app"), of(ADMIN, "?*/*"), "t*/app spells out 5 characters, ?*/* only 1 character"),
        (
            of(READER, registry="main"),
            of(ADMIN),
            "the grant that counts names the registry main, this one means any",
        ),
        (
            of(READER),
            of(ADMIN, kind=GROUP),
            "one for a person counts before one for a group or for everyone",
        ),
        (of(READER, kind=GROUP), of(ADMIN, kind=EVERYONE), "one for a group counts before one for everyone"),
        (of(MAINTAINER, kind=GROUP), of(READER, kind=GROUP), "maintainer is the higher role"),
        (of(READER, "team/*"), of(READER, "*/tea?"), ""),
    ],
)
def test_why_one_grant_outweighs_another(winner: Grant, other: Grant, why: str) -> None:
    answer = explained(other, winner)
    assert answer.winner == winner
    assert [one.why for one in answer.outweighed] == ([why] if why else [])
    if why:
        assert answer.reason == "2 grants cover main/team/app. The most particular one counts:"
    else:
        assert answer.reason == "One grant covers main/team/app, and counts:", (
            "the other covers something else"
        )


def test_two_groups_that_say_the_same_are_told_to() -> None:
    other = Grant(READER, ANY, "**", GROUP, "ops")
    answer = explained(of(READER, kind=GROUP), other)
    assert [one.why for one in answer.outweighed] == ["it says no less, but one is enough"]


def test_each_right_has_its_reason() -> None:
    answer = explained(of(DEVELOPER, "team/**"))
    assert {one.word: (one.allowed, one.why) for one in answer.verdicts} == {
        "see": (True, "as developer of team/**"),
        "set tags": (True, "as developer of team/**"),
        "delete": (False, "a developer may not"),
        "administer": (False, "a developer may not"),
    }


def test_what_hides_a_repository_is_named() -> None:
    answer = explained(of(ADMIN), of(Role.NONE, "team/app", kind=EVERYONE))
    assert {one.why for one in answer.verdicts} == {"the grant that counts hides the repository"}
    assert not any(one.allowed for one in answer.verdicts)


def test_without_any_grant_that_is_said() -> None:
    answer = explained(of(ADMIN, "other/**"))
    assert answer.reason == "No grant covers main/team/app."
    assert {one.why for one in answer.verdicts} == {"no grant gives it"}
    assert answer.winner is None


def test_an_auditor_adds_to_what_counts() -> None:
    answer = explained(of(Role.AUDITOR, kind=GROUP), of(Role.NONE, "team/app"))
    assert answer.verdicts[0].why == "as auditor of **, which adds to the rest"
    assert answer.notes == (
        "The group devs is auditor of ** in any registry. That adds seeing it to whatever counts.",
    )
    assert explained(of(Role.AUDITOR)).reason == "No grant but an auditor's covers main/team/app."


def test_what_everybody_is_is_named_with_its_setting() -> None:
    answer = explained(of(Role.NONE), role=READER)
    assert answer.headline == "bob can see main/team/app, but not set tags, delete or administer."
    assert answer.verdicts[0].why == "everybody is a reader here"
    assert answer.notes == ("Everybody is a reader here, signed in or not: REGUI_ANONYMOUS_ROLE says so.",)


def test_what_a_token_leaves_is_said() -> None:
    answer = explained(of(ADMIN), cap=Grant(READER, "main", "team/**"))
    assert [one.allowed for one in answer.verdicts] == [True, False, False, False]
    assert answer.verdicts[1].why == "the token's scope doesn't allow it"
    assert answer.notes == (
        "The token leaves of that what a reader may: it is for reader of team/** in main.",
    )
    outside = explained(of(ADMIN), cap=Grant(READER, "main", "web/**"))
    assert outside.headline.startswith("bob can't see")
    assert outside.notes[0].endswith("of web/** in main, which this isn't.")


parts = st.sampled_from(["team", "app", "*", "**", "t*", "a??"])
patterns = st.lists(parts, min_size=1, max_size=3).map("/".join)
grants = st.builds(
    of, st.sampled_from(Role), patterns, st.sampled_from([ANY, "main", "other"]), st.sampled_from(Holder)
)


@given(
    st.lists(grants, max_size=6, unique=True),
    st.sampled_from(Role),
    st.none() | grants,
    st.sampled_from(["main", "other"]),
    st.sampled_from(["team", "app", "team/app", "team/app/team"]),
)
def test_the_words_are_those_of_the_decision(
    given_: list[Grant], role: Role, cap: Grant | None, registry: str, name: str
) -> None:
    actor = Actor("bob", role, grants=tuple(given_), cap=cap)
    decision = actor.decide(registry, name)
    answer = explaining.explain(actor, registry, name)
    assert answer.winner == decision.winner
    assert tuple(one.grant for one in answer.outweighed) == decision.others
    for one in answer.verdicts:
        assert one.allowed == (one.right in decision.rights)
        assert one.why
        if one.why.startswith("as ") and "auditor" not in one.why:
            assert decision.winner is not None
            assert decision.winner.allows(one.right)
        if one.why.startswith("everybody"):
            assert one.right in RIGHTS[role]
    for outweighed in answer.outweighed:
        assert decision.winner is not None
        assert decision.winner.weight >= outweighed.grant.weight
        assert outweighed.why
    assert ("can't see" in answer.headline) == (Right.SEE not in decision.rights)
    assert len(answer.notes) == len(decision.adds) + bool(RIGHTS[role]) + (cap is not None)
