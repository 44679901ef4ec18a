"""JSON on a page: readable, every digest a link, and harmless whatever it holds."""

import json

from regui.web import rawjson

DIGEST = "sha256:" + "c" * 64


def shown(value: object) -> str:
    return rawjson.linked(json.dumps(value).encode(), lambda digest: f"/at/{digest}/")


def test_every_digest_is_a_link() -> None:
    page = shown({"config": {"digest": DIGEST, "size": 2}, "note": f"see {DIGEST}"})
    assert f'<a href="/at/{DIGEST}/">{DIGEST}</a>' in page
    assert page.count("<a ") == 1, "a digest inside other words is words"
    assert '<span class="k">&quot;size&quot;</span>: 2' in page


def test_a_digest_as_a_key_is_no_link() -> None:
    assert "<a " not in shown({DIGEST: 1})


def test_a_digest_that_leads_nowhere_is_plain_text() -> None:
    assert "<a " not in rawjson.linked(json.dumps([DIGEST]).encode(), lambda _: "")


def test_html_in_it_stays_text() -> None:
    page = shown({"<script>alert(1)</script>": '"><img src=x onerror=alert(1)>', "n": 'a\\"<b>'})
    assert "<script" not in page
    assert "<img" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;" in page


def test_marks_that_turn_text_round_are_spelt_out() -> None:
    page = shown({"label": "a\u202eb\u2066c", "emoji": "🪁", "name": "שלום"})
    assert "\u202e" not in page
    assert "\\u202e" in page
    assert "🪁" in page
    assert "שלום" in page


def test_order_and_unicode_are_kept() -> None:
    assert rawjson.pretty('{"b": 1, "a": "é"}'.encode()) == '{\n  "b": 1,\n  "a": "é"\n}'


def test_what_is_no_json_is_shown_as_it_is() -> None:
    assert rawjson.linked(b"not <json>", str) == "not &lt;json&gt;"
    assert rawjson.linked(b"[" * 100_000, str).startswith("[[[")


def test_a_very_long_document_is_not_linked_but_still_escaped() -> None:
    page = shown(["<b>" + DIGEST] * 10_000)
    assert "<a " not in page
    assert "<b>" not in page
