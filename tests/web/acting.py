"""Walks through the confirm page the way a browser without scripts does."""

import re
from dataclasses import dataclass
from html import unescape
from typing import Any

from django.test import Client
from django.urls import reverse

from regui.index.connect import ensure_registries
from regui.index.models import Registry
from regui.registries import RegistrySettings

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


@dataclass
class Visitor:
    """Someone at a browser, in front of one registry."""

    browser: Client
    registry: str = "main"

    def confirm(self, repository: str, digest: str) -> "Page":
        """The confirm page of that digest."""
        address = self.address(repository, digest)
        return Page(self.browser.get(address), address)

    def address(self, repository: str, digest: str) -> str:
        return reverse("manifest-delete", args=[self.registry, repository, digest])

    def submit(self, page: "Page", **more: str) -> Any:
        """What comes of pressing the page's button; `more` are the boxes ticked."""
        return self.browser.post(page.address, page.form | more)

    def delete(self, repository: str, digest: str, **more: str) -> Any:
        """Look and press at once."""
        return self.submit(self.confirm(repository, digest), **more)


@dataclass
class Page:
    """A confirm page as it came."""

    response: Any
    address: str

    @property
    def status(self) -> int:
        return int(self.response.status_code)

    @property
    def text(self) -> str:
        return text(self.response)

    @property
    def form(self) -> dict[str, str]:
        """The form's hidden fields."""
        return {
            name: unescape(value) for name, value in HIDDEN.findall(self.text.partition('id="confirm"')[2])
        }

    @property
    def going(self) -> list[str]:
        """The tags listed as going, in the page's order."""
        table = self.text.partition('id="going"')[2].partition("</table>")[0]
        return re.findall(r'data-tag="([^"]+)"', table)

    def rows(self, table: str) -> list[str]:
        """The digests in one of its tables."""
        found = self.text.partition(f'id="{table}"')[2].partition("</table>")[0]
        return re.findall(r'<tr [^>]*data-digest="([^"]+)"', found)

    @property
    def files(self) -> list[str]:
        """The addresses of its plan as files."""
        return [unescape(one) for one in re.findall(r'<a class="link" href="([^"]+)" download>', self.text)]

    @property
    def can_submit(self) -> bool:
        button = re.search(r'<button class="btn danger primary"([^>]*)>', self.text)
        return button is not None and "disabled" not in button[1]


def text(response: Any) -> str:
    return str(response.content.decode())


def registered(url: str, name: str = "main") -> dict[str, RegistrySettings]:
    """Settings that name one registry."""
    return {name: RegistrySettings(name=name, url=url)}


def row(name: str = "main") -> Registry:
    """The registry's row, made to follow the settings."""
    ensure_registries()
    return Registry.objects.get(name=name)
