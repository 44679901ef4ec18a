"""The atoms every page is made of."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.paginator import Paginator
from django.template import engines
from django.test import RequestFactory

from regui.web import paging
from regui.web.templatetags import regui as tags

NOON = datetime(2026, 11, 23, 12, 1, 7, tzinfo=UTC)
DIGEST = "sha256:6c159cf2ad23" + "0" * 52


def rendered(source: str, address: str = "/", **context: Any) -> str:
    """The template's text, as a page at that address would render it, without the frame's own queries."""
    context["request"] = RequestFactory().get(address)
    return engines["django"].from_string(source).render(context)


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (None, "unknown"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (36_300_000, "36.3 MB"),
        (99_960_000, "100 MB"),
        (460_000_000, "460 MB"),
        (999_600_000, "1.0 GB"),
        (3_800_000_000, "3.8 GB"),
        (7_000_000_000_000, "7.0 TB"),
        (1_500_000_000_000_000_000, "1,500.0 PB"),
    ],
)
def test_a_size_is_said_in_three_digits_or_so(count: int | None, words: str) -> None:
    assert tags.size(count) == words


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(seconds=50), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=17), "17 h ago"),
        (timedelta(days=4, hours=23), "4 d ago"),
        (timedelta(days=60), "60 d ago"),
        (timedelta(days=90, hours=23), "90 d ago"),
        (timedelta(days=91), "2 mo ago"),
        (timedelta(days=92), "3 mo ago"),
        (timedelta(days=400), "13 mo ago"),
        (timedelta(days=800), "2 y ago"),
        (-timedelta(hours=2), "in 2 h"),
    ],
)
def test_a_distance_in_time_uses_its_largest_sensible_unit(passed: timedelta, words: str) -> None:
    assert tags.since(NOON - passed, NOON) == words


def test_an_unknown_moment_is_said_to_be_unknown() -> None:
    assert tags.ago(None) == "unknown"
    assert rendered("{% when None %}") == '<span class="muted">unknown</span>'
    assert rendered('{% when None "never" %}') == '<span class="muted">never</span>'


def test_a_moment_says_exactly_when_in_utc() -> None:
    moment = NOON.astimezone(datetime.strptime("+0200", "%z").tzinfo)
    text = rendered("{% when moment %}", moment=moment)
    assert '<time datetime="2026-11-23T12:01:07+00:00" title="2026-11-23 12:01:07 UTC">' in text


def test_an_unknown_count_is_not_a_zero() -> None:
    assert tags.number(None) == "unknown"
    assert tags.number(1755) == "1,755"
    assert rendered("{% bar None 10 %}{% bar 3 None %}{% bar 3 0 %}") == ""


def test_a_bar_shows_little_but_not_nothing() -> None:
    assert '<rect width="0" height="4"/>' in rendered("{% bar 0 10 %}")
    assert '<rect width="1.5" height="4"/>' in rendered("{% bar 1 1000000 %}")
    assert '<rect width="100" height="4"/>' in rendered("{% bar 30 10 %}")


def test_text_to_copy_can_not_break_out_of_its_attribute() -> None:
    text = rendered('{% copy text "Copy it" "row-act" %}', text='"><script>')
    assert 'data-copy="&quot;&gt;&lt;script&gt;"' in text
    assert 'aria-label="Copy it"' in text
    assert 'class="icon-btn sm copy row-act"' in text


def test_a_digest_is_short_and_whole_at_once() -> None:
    code = f'<code class="digest" title="{DIGEST}">6c159cf2ad23</code>'
    assert tags.short(DIGEST) == "6c159cf2ad23"
    assert rendered("{% digest_code d %}", d=DIGEST) == code
    assert rendered('{% digest_code d "/there/" %}', d=DIGEST) == f'<a href="/there/">{code}</a>'


def test_an_icon_is_drawn_into_the_page_and_asks_for_no_file() -> None:
    text = rendered('{% icon "check" "i-ok" %}')
    assert text.startswith('<svg class="i i-ok" viewBox="0 0 24 24" aria-hidden="true"><path d="')
    assert "href" not in text
    assert (
        rendered('{% icon "no-such-icon" %}')
        == '<svg class="i" viewBox="0 0 24 24" aria-hidden="true"></svg>'
    )


def test_a_date_that_can_not_be_is_named_but_not_told() -> None:
    assert rendered("{% created None %}") == '<span class="muted">unknown</span>'
    impossible = '<span class="muted" title="The image says 0001-01-01">unknown</span>'
    assert rendered('{% created None "0001-01-01" %}') == impossible
    assert "<time" in rendered('{% created moment "0001-01-01" %}', moment=NOON)


def test_a_moment_can_be_said_to_the_second_and_to_the_minute() -> None:
    moment = NOON.astimezone(datetime.strptime("+0200", "%z").tzinfo)
    assert rendered("{{ moment|second }}", moment=moment) == "2026-11-23 12:01:07 UTC"
    assert rendered("{{ moment|minute }}", moment=moment) == "2026-11-23 12:01 UTC"


@pytest.mark.parametrize(
    ("kind", "names", "words"),
    [
        ("image", ["linux/arm64"], ">arm64</span>"),
        ("image", [], '<span class="muted">unknown</span>'),
        ("helm", [], '<span class="muted">Helm chart</span>'),
        ("", [], '<span class="muted">unknown</span>'),
    ],
)
def test_what_has_no_platform_by_nature_says_what_it_is(kind: str, names: list[str], words: str) -> None:
    assert words in rendered("{% runs_on names kind %}", names=names, kind=kind)


def test_what_is_attached_stands_in_pills_always_in_the_same_order() -> None:
    text = rendered("{% roles found %}", found={"attestation", "signature", "something-else"})
    assert text.count("pill") == 2
    assert text.index("signed") < text.index("attested")
    assert rendered("{% roles found %}", found=frozenset()) == ""


def test_a_name_mutes_its_namespace() -> None:
    assert tags.repo_name("sandbox/igor/tmp") == '<span><span class="ns">sandbox/igor/</span>tmp</span>'
    assert tags.repo_name("alone") == "<span>alone</span>"


def test_platforms_beyond_the_limit_are_counted_and_named() -> None:
    names = ["linux/amd64", "linux/arm64", "windows/amd64", "linux/s390x", "linux/386"]
    text = rendered("{% platforms names 3 %}", names=names)
    assert '<span class="pill" title="linux/amd64">amd64</span>' in text
    assert '<span class="pill" title="windows/amd64">windows/amd64</span>' in text
    assert '<span class="pill" title="linux/s390x, linux/386">+2</span>' in text
    assert rendered("{% platforms names %}", names=[]) == ""


def test_a_query_string_keeps_what_is_not_changed() -> None:
    assert rendered('{% query page=3 q="" %}', "/?q=a%26b&sort=name&page=2") == "?sort=name&amp;page=3"
    assert rendered("{% query page=None %}", "/?page=2") == "?"


@pytest.mark.parametrize(
    ("sort", "field", "next_sort"),
    [
        ("", "name", "name"),
        ("name", "name", "-name"),
        ("-name", "name", "name"),
        ("name", "size", "-size"),
        ("-size", "size", "size"),
    ],
)
def test_a_heading_sorts_and_then_turns_the_order_round(sort: str, field: str, next_sort: str) -> None:
    text = rendered('{% sort_link field "Words" %}', f"/?sort={sort}&page=4", field=field)
    assert f'href="?sort={next_sort}"' in text
    assert f'hx-get="?sort={next_sort}"' in text


def test_a_heading_says_which_way_it_sorts() -> None:
    source = '{% aria_sort "name" %}|{% aria_sort "size" %}'
    assert rendered(source, "/?sort=-size") == '| aria-sort="descending"'
    assert rendered(source, "/", sort="name") == ' aria-sort="ascending"|'


def test_a_pager_offers_only_pages_there_are() -> None:
    first = rendered("{% pager page %}", "/?q=x", page=Paginator(range(60), 25).page(1))
    assert 'rel="next" href="?q=x&amp;page=2"' in first
    assert 'rel="prev"' not in first
    assert "Page 1 of 3" in " ".join(first.split())
    last = rendered("{% pager page %}", "/?page=3&per_page=25", page=Paginator(range(60), 25).page(3))
    assert 'rel="prev" href="?page=2&amp;per_page=25"' in last
    assert 'rel="next"' not in last
    assert rendered("{% pager page %}", page=Paginator(range(25), 25).page(1)).strip() == ""
    for choice in paging.CHOICES:
        assert f'href="?per_page={choice}"' in last


def test_a_command_can_be_copied_whole() -> None:
    text = rendered('{% include "components/command.html" %}', command="docker pull host/a:1")
    assert 'data-copy="docker pull host/a:1"' in text
    assert ">docker pull host/<wbr>a:1</code>" in text


def test_a_text_that_breaks_after_slashes_stays_as_harmless() -> None:
    assert rendered("{{ text|breakable }}", text="a/<b>/c") == "a/<wbr>&lt;b&gt;/<wbr>c"
