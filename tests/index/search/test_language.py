"""What a query means, and how a wrong one explains itself."""

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from regui.index import search
from regui.index.search.query import (
    Age,
    Answer,
    Comparison,
    Date,
    Digest,
    Is,
    Label,
    Moment,
    Platform,
    Size,
    Term,
    Text,
    Type,
    Where,
)

MORE, LESS = Comparison.MORE, Comparison.LESS
HEX = "0123456789abcdef" * 4


def test_keys_that_a_list_has_no_answer_to_are_explained() -> None:
    assert search.parse("v1 -tag:v2 sha256:0a1b", search.NAMED).terms
    with pytest.raises(search.Wrong, match=r"no answer|answer to “size:”, only to tag: or repo: or digest:"):
        search.parse("v1 size:>1GB", search.NAMED)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        ("  \t ", []),
        ("app", [Text(Where.ANY, "app")]),
        ("app V1", [Text(Where.ANY, "app"), Text(Where.ANY, "V1")]),
        ("v1.*", [Text(Where.ANY, "v1.*", glob=True)]),
        ("team/**", [Text(Where.ANY, "team/**", glob=True)]),
        ('"v1.*"', [Text(Where.ANY, "v1.*")]),
        ('"two words" x', [Text(Where.ANY, "two words"), Text(Where.ANY, "x")]),
        (r'"a \"b\" \\ c"', [Text(Where.ANY, r'a "b" \ c')]),
        ("-rc", [Text(Where.ANY, "rc", negated=True)]),
        ('-"rc 1"', [Text(Where.ANY, "rc 1", negated=True)]),
        ("-", [Text(Where.ANY, "-")]),
        ("a -", [Text(Where.ANY, "a"), Text(Where.ANY, "-")]),
        ("release-candidate", [Text(Where.ANY, "release-candidate")]),
        ("tag:latest", [Text(Where.TAG, "latest")]),
        ("TAG:latest", [Text(Where.TAG, "latest")]),
        ("-tag:v?", [Text(Where.TAG, "v?", glob=True, negated=True)]),
        ('tag:"v*"', [Text(Where.TAG, "v*")]),
        ("repo:team/", [Text(Where.REPOSITORY, "team/")]),
        ("nginx:1.25", [Text(Where.ANY, "nginx:1.25")]),
        ("localhost:5000/team/app:1.0", [Text(Where.ANY, "localhost:5000/team/app:1.0")]),
        ("digest:0A1b", [Digest("0a1b")]),
        (f"sha256:{HEX}", [Digest(HEX, "sha256")]),
        (f"digest:sha512:{HEX}", [Digest(HEX, "sha512")]),
        (f"team/app@sha256:{HEX}", [Digest(HEX, "sha256")]),
        (f"host:5000/team/app:v1@sha256:{HEX}", [Digest(HEX, "sha256")]),
        ("label:maintainer", [Label("maintainer")]),
        ("label:maintainer=ana", [Label("maintainer", "ana")]),
        ("label:a=b=c", [Label("a", "b=c")]),
        ("label:a=", [Label("a", "")]),
        ('label:maintainer="Ana B"', [Label("maintainer", "Ana B")]),
        ('label:"maintainer=Ana B"', [Label("maintainer", "Ana B")]),
        ("platform:linux/ARM64", [Platform("linux/arm64")]),
        ("platform:arm/v7", [Platform("arm/v7")]),
        ("type:helm", [Type("helm")]),
        ("-type:Helm", [Type("helm", negated=True)]),
        ("size:>500MB", [Size(MORE, 500_000_000)]),
        ("size:<1.5gb", [Size(LESS, 1_500_000_000)]),
        ("size:>=2MiB", [Size(Comparison.AT_LEAST, 2 * 1024**2)]),
        ("size:<=7", [Size(Comparison.AT_MOST, 7)]),
        ("size:>1g", [Size(MORE, 1_000_000_000)]),
        ("created:<90d", [Date(Moment.CREATED, LESS, Age(90, "d"))]),
        ("created:>6weeks", None),
        ("created:>6w", [Date(Moment.CREATED, MORE, Age(6, "w"))]),
        ("created:>=2026-01-31", [Date(Moment.CREATED, Comparison.AT_LEAST, date(2026, 1, 31))]),
        ("pulled:<30d", [Date(Moment.PULLED, LESS, Age(30, "d"))]),
        ("pulled:no", [Is(Answer.PULLED, False)]),
        ("signed:yes", [Is(Answer.SIGNED, True)]),
        ("signed:NO", [Is(Answer.SIGNED, False)]),
        ("-untagged:yes", [Is(Answer.UNTAGGED, True, negated=True)]),
    ],
)
def test_what_a_query_means(text: str, terms: list[Term] | None) -> None:
    if terms is None:
        with pytest.raises(search.Wrong):
            search.parse(text)
        return
    query = search.parse(text)

    assert list(query.terms) == terms
    assert search.parse(str(query)) == query


@pytest.mark.parametrize(
    ("text", "position", "says", "example"),
    [
        ('app "two', 4, "never close", '"release candidate"'),
        ('""', 0, "nothing between", '"release candidate"'),
        ('"a"b', 3, "space is missing", '"v1.0" latest'),
        ("x platfrom:arm64", 2, "Is “platform:” meant", "platform:linux/arm64"),
        ("tags:latest", 0, "Is “tag:” meant", "tag:v1.*"),
        ('colour:"red"', 0, "no key “colour:”", "tag:v1.*"),
        ('tag:a"b"', None, "", ""),
        ("size:", 0, "lacks a value", "size:>500MB"),
        ("size:500MB", 0, "compared", "size:>500MB"),
        ("size:>big", 0, "compared", "size:>500MB"),
        ("size:>1XB", 0, "compared", "size:>500MB"),
        ("size:>999999999TB", 0, "that large", "size:>500MB"),
        ("created:90d", 0, "compared", "created:<90d"),
        ("created:<90", 0, "h, d, w, mo or y", "created:<90d"),
        ("created:<5m", 0, "h, d, w, mo or y", "created:<90d"),
        ("created:>2026-02-30", 0, "no day 2026-02-30", "created:>2026-01-31"),
        ("created:<99999y", 0, "a century", "created:<90d"),
        ("pulled:maybe", 0, "compared", "pulled:<30d"),
        ("signed:maybe", 0, "yes or no", "signed:no"),
        ("type:picture", 0, "image, index", "type:helm"),
        ("platform:a/b/c/d", 0, "os/architecture/variant", "platform:linux/arm64"),
        ("digest:xyz", 0, "4 or more", "digest:sha256:0a1b2c"),
        ("digest:abc", 0, "4 or more", "digest:sha256:0a1b2c"),
        ("sha256:", 0, "4 or more", "digest:sha256:0a1b2c"),
        ("digest:md5:abcdef", 0, "sha256, sha384, sha512", "digest:sha256:0a1b2c"),
        ("label:=x", 0, "has a name", "label:maintainer=ana"),
        ("*a" * 9, 0, "at most 8 stars", "team/*/web-*"),
        ("x" * 301, 300, "at most 300", "team/app v1.*"),
        ("a " * 17, 32, "at most 16", "team/app v1.*"),
    ],
)
def test_a_wrong_query_explains_itself(text: str, position: int | None, says: str, example: str) -> None:
    if position is None:  # a quote inside a word is only a character
        assert search.parse(text)
        return
    with pytest.raises(search.Wrong) as caught:
        search.parse(text)

    assert caught.value.position == position
    assert says in caught.value.why
    assert example in caught.value.example
    search.parse(caught.value.example.split(" or ")[0])


def test_every_example_is_a_query() -> None:
    assert all(search.parse(example) for example in search.EXAMPLES.values())


PARTS = st.sampled_from(
    [
        *search.EXAMPLES,
        *search.EXAMPLES.values(),
        ":",
        "-",
        '"',
        "\\",
        " ",
        "*",
        "?",
        "=",
        ">",
        "<",
        "@",
        "sha256:",
        "0",
    ]
)


@given(
    st.one_of(
        st.text(max_size=320), st.lists(st.one_of(PARTS, st.text(max_size=3)), max_size=12).map("".join)
    )
)
@example('label:"=')
@example("size:>0.001B")
def test_whatever_is_asked_means_something_or_is_wrong(text: str) -> None:
    understood = parsed(text)
    if isinstance(understood, search.Wrong):
        assert understood.why
        assert 0 <= understood.position <= len(text)
    else:
        assert search.parse(str(understood)) == understood


def parsed(text: str) -> search.Query | search.Wrong:
    try:
        return search.parse(text)
    except search.Wrong as error:
        return error
