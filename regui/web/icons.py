"""The symbols of the sprite, to be drawn into a page. A list has hundreds, and for each that a browser has to
take from another file, it waits for that file and then lays the page out anew."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from regui.paths import resource

SPRITE = resource("static") / "img" / "icons.svg"
SYMBOL = re.compile(r'<symbol id="([\w-]+)"[^>]*>(.*?)</symbol>', re.DOTALL)
BETWEEN = re.compile(r"\s*(/?>)\s*")


@cache
def shapes() -> Mapping[str, SafeString]:
    """What each symbol consists of, by name."""
    found = SYMBOL.findall(SPRITE.read_text(encoding="utf-8"))
    return {name: mark_safe(BETWEEN.sub(r"\1", inside.strip())) for name, inside in found}  # noqa: S308 — our own file


@lru_cache(maxsize=512)
def drawn(name: str, classes: str = "") -> SafeString:
    """The symbol of that name, hidden from screen readers; its strokes are the style sheet's."""
    return format_html(
        '<svg class="{}" viewBox="0 0 24 24" aria-hidden="true">{}</svg>',
        f"i {classes}".strip(),
        shapes().get(name, ""),
    )
