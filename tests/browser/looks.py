"""Looks at a page the way each visitor sees it: light and dark, at a desk and on a phone.

`LOOKS=1 pytest tests/browser` leaves a picture of each look, for people to look at; else only of faults.
"""

import os
from pathlib import Path
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize, expect

DESK = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)
# What axe judges in each: dark is the same page in other colours.
SCHEMES: dict[Literal["light", "dark"], str] = {
    "light": "{resultTypes: ['violations']}",
    "dark": "{resultTypes: ['violations'], runOnly: ['color-contrast', 'link-in-text-block']}",
}
# What reaches over the right edge, for whoever has to mend it.
OVERHANGING = """() => [...document.body.querySelectorAll("*")]
    .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .slice(-3).map((one) => one.outerHTML.slice(0, 120))"""


class Looks:
    """Judges pages, and leaves pictures of them in `folder`: of what is wrong, or of all."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.all = folder, bool(os.environ.get("LOOKS"))

    def faults(self, page: Page, name: str) -> list[str]:
        """What is wrong with the open page in any of its four looks."""
        # Colours in the midst of a transition would be judged too.
        page.emulate_media(reduced_motion="reduce")
        page.evaluate(Axe().axe_script)
        # While a part is on its way the old one is dimmed.
        expect(page.locator(".htmx-request")).to_have_count(0)
        found = []
        for size in (DESK, PHONE):
            page.set_viewport_size(size)
            for scheme, rules in SCHEMES.items():
                page.emulate_media(color_scheme=scheme)
                faults = sideways(page) + inaccessible(page, rules)
                if faults or self.all:
                    path = self.folder / f"{name}-{size['width']}-{scheme}.png"
                    page.screenshot(path=path, full_page=True)
                found += [f"{size['width']} {scheme}: {fault}" for fault in faults]
        return found


def inaccessible(page: Page, rules: str) -> list[str]:
    """What axe, already in the page, objects to."""
    violations = page.evaluate(f"axe.run({rules})")["violations"]
    return [
        f"{one['id']}: {node['html']} {node['failureSummary']}" for one in violations for node in one["nodes"]
    ]


def sideways(page: Page) -> list[str]:
    """That the page is wider than the window, and what makes it so."""
    wide = page.evaluate("document.scrollingElement.scrollWidth > document.scrollingElement.clientWidth")
    return [f"scrolls sideways: {page.evaluate(OVERHANGING)}"] if wide else []
