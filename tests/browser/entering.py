"""Somebody who has signed in to a site of a test's own, without going by its forms."""

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

from tests.serving import Answer, Running, regui

# Makes the person with a role over everything, and prints the cookie of a session of theirs.
ENTER = """
from django.conf import settings
from django.test import Client
from django.utils import timezone
from regui.accounts import cookies
from regui.accounts.models import Grant, User
user, _ = User.objects.get_or_create(username={name!r})
if {role!r} and not user.grants.exists():
    Grant.objects.create(user=user, role={role!r}, created_at=timezone.now(), created_by="alice")
client = Client()
client.force_login(user, "regui.accounts.passwords.Passwords")
key = client.cookies[settings.SESSION_COOKIE_NAME].value
print("cookie", settings.SESSION_COOKIE_NAME, cookies.sealed(key))
"""


@dataclass(frozen=True)
class Closed:
    """A site in which visitors may nothing, with a registry called main."""

    running: Running
    data: Path
    settings: dict[str, str]

    @property
    def url(self) -> str:
        return self.running.url

    def get(self, path: str, **headers: str) -> Answer:
        return self.running.get(path, **headers)

    def enter(self, page: Page, name: str, role: str = "") -> None:
        """From now on the browser is that person's, who has that role if they had none."""
        done = regui(self.data, "shell", "-c", ENTER.format(name=name, role=role), **self.settings)
        assert done.returncode == 0, done.stderr
        cookie = next(line for line in done.stdout.splitlines() if line.startswith("cookie "))
        _, key, value = cookie.split()
        page.context.add_cookies([{"name": key, "value": value, "url": self.url, "httpOnly": True}])
