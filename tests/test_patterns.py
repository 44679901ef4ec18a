"""Patterns mean what they say when read aloud."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regui import patterns

letters = st.text("ab", min_size=1, max_size=3)
paths = st.lists(letters, min_size=1, max_size=5).map("/".join)
part = st.sampled_from(["a", "b", "ab", "*", "a*", "?", "*b", "**"])
shapes = st.lists(part, min_size=1, max_size=5).map("/".join)


@pytest.mark.parametrize(
    ("pattern", "covered", "left"),
    [
        ("latest", ["latest"], ["latest-1", "Latest", "my-latest"]),
        ("v*", ["v", "v1", "v1.2.3-rc.1"], ["V1", "rev1"]),
        ("prod-?", ["prod-1"], ["prod-", "prod-12"]),
        ("*", ["latest", "_", "1"], []),
    ],
)
def test_tags(pattern: str, covered: list[str], left: list[str]) -> None:
    assert [tag for tag in covered + left if patterns.covers_tag(pattern, tag)] == covered


@pytest.mark.parametrize(
    ("pattern", "covered", "left"),
    [
        ("team/app", ["team/app"], ["team/apps", "team/app/x", "x/team/app"]),
        ("team/*", ["team/app"], ["team", "team/a/b", "teams/app"]),
        ("team/**", ["team/app", "team/a/b"], ["team", "teams/app"]),
        ("**", ["team", "team/a/b"], []),
        ("*", ["team"], ["team/app"]),
        ("**/app", ["app", "team/app", "a/b/app"], ["team/app/x", "myapp"]),
        ("team/**/app", ["team/app", "team/a/b/app"], ["team", "app"]),
        ("*/ap?", ["team/app"], ["app", "team/apps"]),
    ],
)
def test_repositories(pattern: str, covered: list[str], left: list[str]) -> None:
    assert [name for name in covered + left if patterns.covers_repository(pattern, name)] == covered


@given(paths, shapes)
def test_a_path_is_covered_as_by_the_expression_that_spells_the_pattern_out(path: str, shape: str) -> None:
    parts = shape.split("/")
    spelt = ""
    for place, one in enumerate(parts):
        last = place == len(parts) - 1
        if one == "**":
            spelt += "[^/]+(/[^/]+)*/" if last else "([^/]+/)*"
        else:
            spelt += one.replace("*", "[^/]*").replace("?", "[^/]") + "/"
    assert patterns.covers_repository(shape, path) == bool(re.fullmatch(spelt, f"{path}/"))


@given(st.lists(letters, min_size=2, max_size=40).map("/".join))
def test_many_stars_take_no_longer_than_they_must(path: str) -> None:
    assert patterns.covers_repository("/".join(["**"] * 60), path)
    assert not patterns.covers_repository("/".join(["**", "*a*b*"] * 40) + "/never", path)


def test_words_are_patterns_of_tags_or_have_one_of_repositories_before_them() -> None:
    assert patterns.parse("latest, v*\n team/**:prod-* latest") == (
        ("**", "latest"),
        ("**", "v*"),
        ("team/**", "prod-*"),
    )
    assert patterns.parse(" , ") == ()


@pytest.mark.parametrize(
    "text", ["v[12]", "a/b", "team/**:", ":v1", "te**am/x:v1", "/a:v1", "a" * 129, "!v1"]
)
def test_what_no_name_could_be_meant_by_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be a (tag|repository), or a pattern of "):
        patterns.parse(text)
