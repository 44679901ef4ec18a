"""JSON as a page shows it: in order, indented, every digest a link."""

import json
import re
from collections.abc import Callable, Iterator

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from regui import oci

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"(?P<colon>:)?')
# Marks that turn text round: in source text they can make one thing look like another.
TURNERS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
BIDI = {ord(mark): f"\\u{ord(mark):04x}" for mark in TURNERS}
# Beyond this a page of links helps nobody.
LONGEST = 512 * 1024


def pretty(body: bytes) -> str:
    """The JSON indented by two, in its own order; bytes that are no JSON as the text they are."""
    try:
        text = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "replace")
    return text.translate(BIDI)


def linked(body: bytes, href: Callable[[str], str]) -> SafeString:
    """The JSON as HTML; `href` says where a digest leads, empty for nowhere."""
    text = pretty(body)
    if len(text) > LONGEST:
        return escape(text)
    return mark_safe("".join(parts(text, href)))  # noqa: S308 — each part is escaped below


def parts(text: str, href: Callable[[str], str]) -> Iterator[str]:
    """The text in escaped parts: what stands between strings, keys, links, other strings."""
    end = 0
    for match in TOKEN.finditer(text):
        yield escape(text[end : match.start()])
        yield token(match, href)
        end = match.end()
    yield escape(text[end:])


def token(match: re.Match[str], href: Callable[[str], str]) -> str:
    """One string of the JSON as HTML: a key, a linked digest, or a value."""
    if match["colon"]:
        return format_html('<span class="k">{}</span>:', match[0][:-1])
    value = match[0][1:-1]
    target = href(value) if oci.is_digest(value) else ""
    if target:
        return format_html('"<a href="{}">{}</a>"', target, value)
    return format_html('<span class="s">{}</span>', match[0])
