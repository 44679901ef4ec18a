"""Headers with a grammar: challenges, links, pauses, ranges."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regui.oci import headers
from regui.oci.auth import merge
from regui.oci.headers import Challenge

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
BASIC = Challenge("basic", {"realm": "my realm"})
BEARER = Challenge(
    "bearer", {"realm": "https://x/token", "service": "s", "scope": "repository:a/b:pull,push"}
)

words = st.text(st.sampled_from("abcXYZ019-_.!~*"), min_size=1, max_size=8)
quoted = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
given_challenges = st.lists(
    st.builds(
        Challenge, words.map(str.lower), st.dictionaries(words.map(str.lower), quoted, min_size=1, max_size=4)
    ),
    max_size=3,
)


def written(challenge: Challenge) -> str:
    """The challenge as a header has it."""
    escaped = {
        name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in challenge.parameters.items()
    }
    return f"{challenge.scheme} " + ", ".join(f'{name}="{value}"' for name, value in escaped.items())


@pytest.mark.parametrize(
    "lines",
    [
        [written(BEARER), written(BASIC)],
        [f"{written(BEARER)}, {written(BASIC)}"],
        [
            'BEARER Scope="repository:a/b:pull,push" , realm = "https://x/token",service=s',
            'basic realm="my realm"',
        ],
        [f", {written(BEARER)},, {written(BASIC)} ,"],
    ],
)
def test_challenges_come_in_one_header_or_in_several(lines: list[str]) -> None:
    assert headers.challenges(lines) == [BEARER, BASIC]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Negotiate", [Challenge("negotiate")]),
        ("Negotiate, Basic realm=x", [Challenge("negotiate"), Challenge("basic", {"realm": "x"})]),
        ("NTLM TlRMTVNTUAAC==, Basic realm=x", [Challenge("ntlm"), Challenge("basic", {"realm": "x"})]),
        ("Basic", [Challenge("basic")]),
        # zot leaves the quotes out.
        (
            "Bearer realm=https://x/t,service=s",
            [Challenge("bearer", {"realm": "https://x/t", "service": "s"})],
        ),
        (r'Basic realm="a \"b\" \\c"', [Challenge("basic", {"realm": 'a "b" \\c'})]),
        ('Bearer realm="https://x/t?a=b,c"', [Challenge("bearer", {"realm": "https://x/t?a=b,c"})]),
        ("", []),
        ("=", []),
    ],
)
def test_odd_challenges(line: str, found: list[Challenge]) -> None:
    assert headers.challenges([line]) == found


@given(given_challenges)
def test_written_challenges_are_read_again(challenges: list[Challenge]) -> None:
    assert headers.challenges([", ".join(map(written, challenges))]) == challenges
    assert headers.challenges(map(written, challenges)) == challenges


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_end_of_the_world(text: str) -> None:
    headers.challenges([text])
    headers.next_link([text])
    headers.content_range(text)
    headers.received(text)
    pause = headers.retry_after({"Retry-After": text, "X-Retry-After": text}, NOW)
    assert pause is None or pause >= 0


@pytest.mark.parametrize(
    ("lines", "target"),
    [
        (['</v2/_catalog?last=a%2Fb&n=1>; rel="next"'], "/v2/_catalog?last=a%2Fb&n=1"),
        (
            ["<https://x/v2/a/tags/list?next_page=gAA%3D>; rel=next"],
            "https://x/v2/a/tags/list?next_page=gAA%3D",
        ),
        (['<?n=1>; rel="last next"; title="a, b"'], "?n=1"),
        (['</first>; rel="first", </next?a=1,2>; title="x;y"; REL="NEXT"'], "/next?a=1,2"),
        (['</prev>; rel="prev"', '</next>; rel="next"'], "/next"),
        (['</prev>; rel="prev"'], None),
        (["</x>"], None),
        (["/v2/x; rel=next"], None),
        ([""], None),
        ([], None),
    ],
)
def test_the_next_link_is_found_in_any_form(lines: list[str], target: str | None) -> None:
    assert headers.next_link(lines) == target


@given(st.text(st.characters(exclude_characters="<>", max_codepoint=126, min_codepoint=33), min_size=1))
def test_a_link_survives_its_header(target: str) -> None:
    assert headers.next_link([f'</other>; rel="prev", <{target}>; rel="next"']) == target


@pytest.mark.parametrize(
    ("sent", "pause"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "Wed, 04 Mar 2026 05:06:17 GMT"}, 10),
        ({"Retry-After": "Wed, 04 Mar 2026 05:06:00 GMT"}, 0),
        ({"X-Retry-After": str(int(NOW.timestamp()) + 30)}, 30),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-1"}, None),
        ({}, None),
    ],
)
def test_a_pause_is_seconds_or_a_moment(sent: dict[str, str], pause: float | None) -> None:
    assert headers.retry_after(sent, NOW) == pause


def test_ranges() -> None:
    assert headers.content_range("bytes 5-9/100") == (5, 100)
    assert headers.content_range("bytes */100") is None
    assert headers.received("0-999") == 999
    assert headers.received("bytes=0-0") == 0
    assert headers.received("5-9") is None


def test_scopes_are_sets_of_actions() -> None:
    assert merge(["repository:a/b:push,pull"], ["repository:a/b:pull"]) == {"repository:a/b:pull,push"}
    assert merge(["repository:host:5000/x:pull"]) == {"repository:host:5000/x:pull"}
    assert merge(["repository:c/d:pull", "repository:a/b:push,pull"]) == merge(
        ["repository:a/b:pull,push"], ["repository:c/d:pull"]
    )
    assert merge(["", "nonsense"]) == frozenset()
