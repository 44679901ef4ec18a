"""Policies as code: what YAML makes of them, line by line."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from regui.retention import documents
from regui.retention.documents import Wrong
from regui.retention.policy import Policy
from regui.retention.reading import Invalid

GOOD = """\
policies:
  - name: builds
    registry: main
    repositories: [team/**]
    otherwise: drop
    rules:
      - keep: newest
        count: 5
"""


def wrong(text: str | bytes) -> list[tuple[int, str]]:
    """The lines of what is wrong, and what is said of each."""
    with pytest.raises(Wrong) as raised:
        documents.read(text)
    return [(one.line, one.message) for one in raised.value.problems]


def test_a_document_becomes_policies() -> None:
    (policy,) = documents.read(GOOD)

    assert (policy.name, policy.registry, policy.repositories) == ("builds", "main", ("team/**",))
    assert str(policy.rules[0]) == "newest 5"
    assert documents.read(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()) == [policy]


def test_all_that_is_wrong_is_said_at_once_with_its_line() -> None:
    text = """\
policies:
  - name: Builds
    registry: main
    repositories: [team/**]
    otherwise: dorp
    rules:
      - keep: newest
        cuont: 5
      - keep: matching
        tags:
          - v*
          - "b!"
      - drop: older
        than: 30
  - name: b
"""
    found = wrong(text)

    assert [line for line, _ in found] == [2, 5, 7, 8, 10, 14, 15, 15, 15]
    said = dict(found)
    assert said[8] == "There is no cuont here. Did you mean count?"
    assert said[7] == "count is missing."
    assert "'b!'" in said[10]
    assert said[14] == "than must be a length of time such as 12h or 30d."


def test_what_stands_there_counts_as_it_is_written() -> None:
    (policy,) = documents.read("""\
policies:
  - name: on
    registry: main
    note: yes
    repositories: 1.10
    otherwise: keep
    schedule: 0 3 * * *
    rules:
      - {keep: versions, range: 1.10, tags: [1.10, 0x1f, 2026-01-01]}
""")

    assert (policy.name, policy.note, policy.repositories) == ("on", "yes", ("1.10",))
    assert policy.schedule == "0 3 * * *"
    assert policy.rules[0].plain()["range"] == "1.10"


def test_a_document_of_colons_is_refused_where_a_colon_cannot_be() -> None:
    assert wrong("policies: a: b") == [
        (1, "There is a colon where none can be: a text with one in it needs quotes.")
    ]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "There are no policies"),
        ("# nothing\n", 1, "There are no policies"),
        ("policies", 1, "names with values"),
        ("policies: 3", 1, "must be a list"),
        ("policies:\n\t- name: a", 2, "tab"),
        ("policies:\n- tags: *", 2, "quotes"),
        ("policies:\n- tags: [*-rc]", 2, "quotes"),
        ("policies: []\npolicies: []", 2, "policies is there already, on line 1."),
        ("policies: []\n---\npolicies: []", 2, "Another document"),
        ("a: &x [1]\npolicies: *x", 1, "anchor"),
        ("policies: !!python/object/apply:os.getcwd []", 1, "! before it"),
        ("policies: []\n<<: {a: b}", 2, "There is no << here."),
        ("policies:\n- ? [a]\n  : b", 2, "A name has to be a word."),
        ("policies:\n- 'a", 2, "A quote begins here"),
        ("policies: []\n# \x07", 2, "character"),
        (b"policies: []\n# \xff", 2, "UTF-8"),
        ("polices: []", 1, "Did you mean policies?"),
    ],
)
def test_what_yaml_would_trip_over_is_said_in_words(text: str | bytes, line: int, words: str) -> None:
    assert any(at == line and words in said for at, said in wrong(text)), wrong(text)


def test_nothing_grows_and_nothing_is_too_deep_or_too_long() -> None:
    bomb = "a: &a [x, x]\n" + "\n".join(
        f"{name}: &{name} [*{before}, *{before}]" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert all("anchor" in said or "alias" in said for _, said in wrong(bomb))
    assert "deep" in wrong("[" * 100_000)[0][1]
    assert "deep" in wrong("policies: " + "{a: " * 100_000)[0][1]
    assert "1,000,000" in wrong(" " * 1_000_001)[0][1]
    assert len(wrong("policies:\n" + "- 1\n" * 500)) == documents.MOST


@given(st.text(max_size=60) | st.binary(max_size=60))
def test_whatever_else_it_is_it_is_refused_in_words(text: str | bytes) -> None:
    problems = wrong(text)

    assert problems
    assert all(line > 0 and words for line, words in problems)


WORDS = st.sampled_from(["v*", "1.10", "on", "*", "null", "0x1f", "2026-01-01", "pr-?", "_1"])
TAGS = st.lists(WORDS, min_size=1, max_size=3, unique=True)
LENGTHS = st.sampled_from(["90s", "5m", "12h", "30d"])
BY = st.sampled_from(["created", "first-seen", "pushed"])
RULES = st.one_of(
    st.fixed_dictionaries(
        {"keep": st.just("newest"), "count": st.integers(1, 99)},
        optional={"by": BY | st.just("version"), "per": st.just("image"), "tags": TAGS},
    ),
    st.fixed_dictionaries({"keep": st.just("younger"), "than": LENGTHS}, optional={"by": BY, "tags": TAGS}),
    st.fixed_dictionaries({"keep": st.just("pulled"), "within": LENGTHS}, optional={"tags": TAGS}),
    st.fixed_dictionaries({"keep": st.just("matching"), "tags": TAGS}),
    st.fixed_dictionaries({"keep": st.just("matching"), "regex": st.sampled_from([".*", "a{2}: #b", "'\""])}),
    st.fixed_dictionaries({"keep": st.just("versions"), "range": st.sampled_from(["1.10", ">=1 <2", "*"])}),
    st.fixed_dictionaries({"keep": st.just("label"), "label": st.sampled_from(["a=b: c", "on", "# x"])}),
    st.sampled_from(
        [{"keep": "protected"}, {"keep": "in-use"}, {"drop": "pre-releases"}, {"drop": "superseded"}]
    ),
    st.fixed_dictionaries(
        {"drop": st.just("older"), "than": LENGTHS}, optional={"unknown": st.just("drop"), "tags": TAGS}
    ),
    st.fixed_dictionaries({"drop": st.just("not-pulled"), "for": LENGTHS}, optional={"tags": TAGS}),
    st.fixed_dictionaries({"drop": st.just("matching"), "tags": TAGS}),
)
NOTES = st.text(max_size=60).filter(str.isprintable)
POLICIES = st.fixed_dictionaries(
    {
        "name": st.from_regex(r"[a-z0-9][a-z0-9-]{0,8}", fullmatch=True),
        "registry": st.sampled_from(["main", "1", "on"]),
        "repositories": st.lists(st.sampled_from(["**", "team/**", "1.10", "*"]), min_size=1, unique=True),
        "otherwise": st.just("drop"),
    },
    optional={
        "rules": st.lists(RULES, max_size=5),
        "note": NOTES,
        "untagged": LENGTHS,
        "schedule": st.sampled_from(["0 3 * * *", "*/5 * * * 1-5"]),
        "limit": st.integers(1, 100),
    },
)


@given(st.lists(POLICIES, max_size=4, unique_by=lambda one: (one["registry"], one["name"])))
def test_what_is_written_is_read_again(given: list[dict[str, object]]) -> None:
    policies = sorted(map(Policy.read, given), key=lambda one: (one.registry, one.name))
    text = documents.write(reversed(policies))

    assert documents.read(text) == policies
    assert documents.write(documents.read(text)) == text
    # Whoever reads it by the rules of YAML 1.1 finds the same texts.
    assert [Policy.read(one) for one in yaml.safe_load(text)["policies"]] == policies


def test_it_is_written_for_people() -> None:
    (policy,) = documents.read(GOOD)

    assert documents.write([policy]).endswith(
        """
policies:
  - name: builds
    registry: main
    repositories: [team/**]
    rules:
      - keep: newest
        count: 5
    otherwise: drop
"""
    )
    assert documents.write([]).endswith("\npolicies: []\n")


@pytest.mark.parametrize("name", ["add", "preview"])
def test_a_name_that_would_hide_a_policy_behind_a_page_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="must be another than add or preview"):
        Policy.read({"name": name, "registry": "main", "repositories": ["**"], "otherwise": "drop"})
