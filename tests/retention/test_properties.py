"""What holds of every policy and any tags."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from regui.retention import reach
from regui.retention.deciding import UNSURE, Other, decide
from regui.retention.policy import Policy
from regui.retention.rules import KINDS, Rule
from regui.retention.tags import Moment, Tag
from tests.retention.made import DAY, NOW

names = st.sampled_from(
    [
        "latest",
        "v1",
        "v2",
        "1.0",
        "1.0-rc1",
        "1.1-alpine",
        "1.2.3",
        "pr-7",
        "pr-12",
        "main",
        "20240101",
        "a.b_c",
    ]
)
days = st.none() | st.integers(-5, 400).map(lambda ago: NOW - ago * DAY)
length = st.sampled_from(["1d", "30d", "90d", "36h"])
choices: dict[str, st.SearchStrategy[Any]] = {
    "tags": st.sampled_from([["*"], ["v*"], ["pr-*", "main"], ["1.?"]]),
    "regex": st.sampled_from(["v[0-9]+", ".*", "(main|latest)"]),
}
by = st.sampled_from(["created", "first-seen", "pushed"])
unknown = st.sampled_from(["keep", "drop"])
aged = {"than": length}
dates = {"by": by, "unknown": unknown}
wanted: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "newest": (
        {"count": st.integers(1, 4)},
        {"by": by | st.just("version"), "unknown": unknown, "per": st.sampled_from(["tag", "image"])},
    ),
    "younger": (aged, dates),
    "older": (aged, dates),
    "pulled": ({"within": length}, {"unknown": unknown}),
    "not-pulled": ({"for": length}, {}),
    "versions": ({"range": st.sampled_from([">=1 <2", "^1.1", "*"])}, {}),
    "label": ({"label": st.sampled_from(["a", "a=1"])}, {}),
    "matching": ({"tags": choices["tags"]}, {}),
}


def rule_of(kind: tuple[str, str]) -> st.SearchStrategy[dict[str, Any]]:
    verb, what = kind
    asked, more = wanted.get(what, ({}, {}))
    optional = {**choices, **more}
    fixed = {verb: st.just(what), **asked}
    return st.fixed_dictionaries(
        fixed, optional={name: one for name, one in optional.items() if name not in fixed}
    )


rules = st.sampled_from(list(KINDS)).flatmap(rule_of)
keeping = st.sampled_from([kind for kind in KINDS if kind[0] == "keep"]).flatmap(rule_of)
dropping = st.sampled_from([kind for kind in KINDS if kind[0] == "drop"]).flatmap(rule_of)
otherwise = st.sampled_from(["keep", "drop"])
moments = st.builds(Moment, st.just(NOW), st.none() | st.integers(0, 400).map(lambda ago: NOW - ago * DAY))
tags = st.lists(
    st.builds(
        Tag,
        name=names,
        manifest=st.none() | st.integers(1, 4),
        created=days,
        first_seen=days,
        pushed=days,
        pulled=days,
        labels=st.sampled_from([{}, {"a": "1"}, {"a": "2"}]),
        protected=st.sampled_from(["", "", "", "protected by x"]),
        used=st.sampled_from(["", "", "", "running in y"]),
    ),
    unique_by=lambda tag: tag.name,
    max_size=12,
)


def made(given_rules: list[dict[str, Any]], default: str) -> Policy:
    given = {"name": "p", "registry": "main", "repositories": ["**"], "untagged": "1d"}
    return Policy.read({**given, "rules": given_rules, "otherwise": default})


def drops(given_rules: list[dict[str, Any]], default: str, some: list[Tag], moment: Moment) -> set[str]:
    return {tag.name for tag in decide(made(given_rules, default), some, moment).dropped}


def one(given_rule: dict[str, Any]) -> Rule:
    return made([given_rule], "keep").rules[0]


many = st.lists(rules, max_size=5)


@given(many, otherwise, tags, moments)
def test_keep_always_wins_and_so_does_a_keep_rule_in_doubt(
    some_rules: list[dict[str, Any]], default: str, some: list[Tag], moment: Moment
) -> None:
    gone = drops(some_rules, default, some, moment)
    for rule in map(one, some_rules):
        if rule.keeps:
            found = rule.find(some, moment)
            assert not gone & {some[place].name for place in [*found.matched, *found.unsure]}
    assert not gone & {tag.name for tag in some if tag.protected or tag.used}


@given(many, otherwise, tags, moments, keeping, st.integers(0, 5))
def test_another_keep_rule_never_drops_more(
    some_rules: list[dict[str, Any]],
    default: str,
    some: list[Tag],
    moment: Moment,
    more: dict[str, Any],
    at: int,
) -> None:
    after = drops([*some_rules[:at], more, *some_rules[at:]], default, some, moment)
    before = drops(some_rules, default, some, moment)
    assert after <= before
    beside = decide(made(some_rules, default), some, moment, (Other("other", 1, one(more)),))
    assert {tag.name for tag in beside.dropped} == after


@given(many, otherwise, tags, moments, dropping, st.integers(0, 5))
def test_another_drop_rule_never_keeps_more(
    some_rules: list[dict[str, Any]],
    default: str,
    some: list[Tag],
    moment: Moment,
    more: dict[str, Any],
    at: int,
) -> None:
    after = drops([*some_rules[:at], more, *some_rules[at:]], default, some, moment)
    assert after >= drops(some_rules, default, some, moment)


@given(many, otherwise, tags, moments, st.randoms())
def test_neither_the_order_of_rules_nor_that_of_tags_decides_anything(
    some_rules: list[dict[str, Any]], default: str, some: list[Tag], moment: Moment, chance: Any
) -> None:
    before = drops(some_rules, default, some, moment)
    turned, mixed = list(some_rules), list(some)
    chance.shuffle(turned)
    chance.shuffle(mixed)
    assert drops(turned, default, mixed, moment) == before


@given(many, otherwise, tags, moments)
def test_every_verdict_has_a_reason_in_words(
    some_rules: list[dict[str, Any]], default: str, some: list[Tag], moment: Moment
) -> None:
    found = decide(made(some_rules, default), some, moment)
    for place, verdict in enumerate(found.verdicts):
        said = found.reason(place)
        assert said.startswith("kept: " if verdict.keep else "dropped: ")
        assert "None" not in said
        assert said.isprintable()
        assert len(said) > len("dropped: ")


@given(many, otherwise, tags, moments)
def test_no_rule_but_one_on_names_drops_an_unread_tag(
    some_rules: list[dict[str, Any]], default: str, some: list[Tag], moment: Moment
) -> None:
    found = decide(made(some_rules, default), some, moment)
    for tag, verdict in zip(some, found.verdicts, strict=True):
        if tag.manifest is None and not verdict.keep and verdict.rule:
            assert found.policy.rules[verdict.rule - 1].kind in {"matching", "pre-releases", "superseded"}
        if verdict.how == UNSURE:
            assert verdict.keep


@given(tags, moments, st.integers(1, 4), by | st.just("version"), st.sampled_from(["tag", "image"]))
def test_the_unknown_is_never_counted_among_the_newest(
    some: list[Tag], moment: Moment, count: int, order: str, per: str
) -> None:
    rule = {"keep": "newest", "count": count, "by": order, "per": per}
    unread = [tag._replace(name=f"zz-{tag.name}", manifest=None) for tag in some]
    undated = [Tag(f"yy-{tag.name}", 100 + place, protected="", used="") for place, tag in enumerate(some)]
    before = drops([rule], "drop", some, moment)
    assert drops([rule], "drop", [*some, *unread, *undated], moment) == before


@given(many, otherwise, st.sampled_from([30, 1, 100]), st.text(max_size=20).filter(str.isprintable))
def test_a_policy_reads_what_it_writes(
    some_rules: list[dict[str, Any]], default: str, limit: int, note: str
) -> None:
    plain = made(some_rules, default).plain() | {"limit": f"{limit}%", "note": note, "schedule": "0 3 * * 1"}
    policy = Policy.read(plain)
    assert Policy.read(policy.plain()) == policy
    assert policy.fingerprint == Policy.read({**policy.plain(), "note": "other"}).fingerprint


keys = st.integers(1, 9)
edges = st.dictionaries(keys, st.lists(keys, max_size=3), max_size=6)


@given(st.sets(keys), st.sets(keys), edges, edges)
def test_what_a_kept_manifest_reaches_never_goes(
    stays: set[int], goes: set[int], children: dict[int, list[int]], about: dict[int, list[int]]
) -> None:
    doomed = reach.doomed(stays, goes, children, about)
    needed = set(stays)
    while True:
        more = {other for key in needed for other in (*children.get(key, ()), *about.get(key, ()))} - needed
        if not more:
            break
        needed |= more
    assert not doomed & needed
    assert goes - needed <= doomed
