"""What takes text for markup, in templates, code and scripts: nothing but what made it."""

import re
from pathlib import Path

import regui
from regui.paths import resource

PACKAGE = Path(regui.__file__).parent
# What says in templates that a text is markup already, and where it may: nowhere.
TRUSTING = re.compile(r"\|\s*(?:safe|safeseq)\b|\bautoescape\b|\{%\s*debug")
# What says so in code; how often each file does, and why that is right.
TRUSTED = re.compile(r"\b(?:mark_safe|SafeString|SafeText|html_safe|__html__|SafeData)\s*[(=]")
TRUSTED_IN = {
    "web/icons.py": (1, "the sprite, a file of our own"),
    "web/marks.py": (1, "nothing at all"),
    "web/rawjson.py": (1, "JSON, of which each part is escaped or made by format_html"),
    "web/templatetags/regui.py": (1, "the place where a line may break, between escaped parts"),
}
# In scripts: what turns text into elements.
PARSING = re.compile(
    r"\.(?:inner|outer)HTML\b|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|srcdoc"
    r"|createContextualFragment|setHTMLUnsafe"
)


def found(folder: Path, ending: str, pattern: re.Pattern[str]) -> dict[str, int]:
    """How often the pattern is in each file below the folder that has it."""
    counted = {
        path.relative_to(folder).as_posix(): len(pattern.findall(path.read_text(encoding="utf-8")))
        for path in folder.rglob(f"*{ending}")
        if "vendor" not in path.parts
    }
    return {path: count for path, count in counted.items() if count}


def test_no_template_takes_text_for_markup() -> None:
    assert found(resource("templates"), ".html", TRUSTING) == {}


def test_code_takes_text_for_markup_only_where_it_made_it() -> None:
    assert found(PACKAGE, ".py", TRUSTED) == {path: count for path, (count, _) in TRUSTED_IN.items()}


def test_what_is_formatted_as_markup_begins_with_a_constant() -> None:
    """format_html escapes what it is given, but not the format itself."""
    formats = re.compile(r"\bformat_html(?:_join)?\(\s*(?![\s'\"])(?!mark_safe\(\"/<wbr>\"\))")
    assert found(PACKAGE, ".py", formats) == {}


def test_no_script_takes_text_for_markup() -> None:
    assert found(resource("static") / "js", ".js", PARSING) == {}
