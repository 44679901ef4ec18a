"""What the browser gets besides pages: nothing a strict content policy stops, nothing unaccounted for."""

import hashlib
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from regui.paths import PACKAGE, resource

STATIC, TEMPLATES = resource("static"), resource("templates")
SHEETS = sorted(STATIC.glob("css/*.css"))
PAGES = sorted(TEMPLATES.rglob("*.html"))
# Each would need 'unsafe-inline' or 'unsafe-eval' in the policy.
FORBIDDEN = {
    "inline style": re.compile(r"\sstyle\s*=|<style\b", re.IGNORECASE),
    "inline script": re.compile(r"<script\b(?![^>]*\bsrc=)|javascript:", re.IGNORECASE),
    "event handler": re.compile(r"\s(?:on[a-z]+|hx-on[:a-z-]*)\s*=", re.IGNORECASE),
    "evaluated htmx": re.compile(r"\bjs:|hx-trigger=\"[^\"]*\["),
}
COMMENT_OR_TAG = re.compile(r"{% comment %}.*?{% endcomment %}|{%.*?%}", re.DOTALL)
ICON = re.compile(r'''{% icon "([\w-]+)"|\bicon(?:: str)? ?= ?"([\w-]+)"|\bicon\("([\w-]+)"''')


def locked() -> dict[str, tuple[str, str]]:
    """What the lock lists: path → (sha256, path of the licence)."""
    rows = [line.split(" | ") for line in (STATIC / "vendor/vendor.lock").read_text().splitlines()]
    return {row[1]: (row[0], row[5]) for row in rows if not row[0].startswith("#")}


def name(path: Path) -> str:
    return path.name


def test_vendored_files_are_the_ones_the_lock_names() -> None:
    for path, (sha256, licence) in locked().items():
        assert hashlib.sha256((STATIC / path).read_bytes()).hexdigest() == sha256, path
        assert (STATIC / licence).stat().st_size > 200, licence


def test_nothing_foreign_lies_beside_what_the_lock_names() -> None:
    known = set(locked()) | {licence for _, licence in locked().values()}
    beside = [path for folder in ("vendor", "fonts") for path in (STATIC / folder).iterdir()]
    found = {str(path.relative_to(STATIC)) for path in beside}
    assert found - known == {"vendor/vendor.lock"}


@pytest.mark.parametrize("template", PAGES, ids=name)
def test_a_template_has_nothing_the_content_policy_stops(template: Path) -> None:
    text = COMMENT_OR_TAG.sub("", template.read_text())
    assert [what for what, pattern in FORBIDDEN.items() if pattern.search(text)] == []


@pytest.mark.parametrize("sheet", SHEETS, ids=name)
def test_a_sheet_uses_only_tokens_there_are(sheet: Path) -> None:
    defined = set(re.findall(r"(--[\w-]+)\s*:", "".join(each.read_text() for each in SHEETS)))
    assert set(re.findall(r"var\((--[\w-]+)", sheet.read_text())) <= defined


@pytest.mark.parametrize("sheet", [each for each in SHEETS if each.name != "tokens.css"], ids=name)
def test_a_sheet_takes_its_colours_from_tokens(sheet: Path) -> None:
    text = re.sub(r"::selection {[^}]*}", "", sheet.read_text())
    assert re.findall(r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch)\(", text) == []


@pytest.mark.parametrize("sheet", SHEETS, ids=name)
def test_a_sheet_stays_in_the_layers_and_short(sheet: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
    outside = re.sub(r"@font-face {[^}]*}|@layer [\w, ]+;", "", re.sub(r"(?ms)^@layer \w+ {.*?^}", "", text))
    assert outside.strip() == ""
    assert text.count("\n") <= 320


def test_every_sheet_is_on_every_page() -> None:
    frame = (TEMPLATES / "base.html").read_text()
    assert re.findall(r"'css/(\w+\.css)'", frame)[0] == "tokens.css", "it sets the order of the layers"
    assert set(re.findall(r"'css/(\w+\.css)'", frame)) == {sheet.name for sheet in SHEETS}


def test_every_icon_a_page_names_is_in_the_sprite() -> None:
    sprite = ElementTree.parse(STATIC / "img/icons.svg")
    there = {symbol.attrib["id"] for symbol in sprite.iter("{http://www.w3.org/2000/svg}symbol")}
    sources = [*PAGES, *PACKAGE.joinpath("web").rglob("*.py")]
    named = {"".join(found) for source in sources for found in ICON.findall(source.read_text())}
    assert named - there == set()


def test_htmx_is_told_to_bring_no_style_and_to_leave_errors_to_the_script() -> None:
    frame = (TEMPLATES / "base.html").read_text()
    found = re.search(r"name=\"htmx-config\" content='([^']*)'", frame)
    assert found
    config = json.loads(found[1])
    assert config["includeIndicatorCSS"] is False
    assert {"4xx", "5xx"} <= set(config["noSwap"])
    assert 'hx-headers:inherited=\'{"X-CSRFToken"' in frame
