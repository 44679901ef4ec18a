"""People with accounts of their own at a registry: who they are there, and a browser of theirs."""

from dataclasses import dataclass, field
from typing import Any

from django.apps import apps

from regui.accounts.access import Role
from tests.people import SignedIn
from tests.tokens import TokenServer

USERS = {"regui": "of-regui", "alice": "of-alice", "bob": "of-bob"}
ENTER = "/main/-/sign-in/"


@dataclass
class Rights(TokenServer):
    """Of the registry's own: regui's account reads, Alice may do everything, Bob may read what is Team's, and
    nobody but regui and Alice gets the list."""

    taken: set[str] = field(default_factory=set)

    def grant(self, user: str, scope: str) -> dict[str, Any]:
        kind, name, wanted = scope.split(":")
        actions = set(wanted.split(","))
        if user == "bob":
            mine = kind == "repository" and name.startswith("team/") and name not in self.taken
            actions = actions & {"pull"} if mine else set()
        elif user == "regui" and kind == "repository":
            actions &= {"pull"}
        return {"type": kind, "name": name, "actions": sorted(actions)}


def entered(name: str) -> SignedIn:
    """An administrator of regui who showed the registry an account of that name."""
    browser = SignedIn(f"{name}-here", (Role.ADMIN, "**"))
    page = browser.post(ENTER, {"username": name, "password": USERS[name], "next": "/main/?page=1"})
    assert (page.status_code, page["Location"]) == (303, "/main/?page=1")
    return browser


def dumped(secret: str) -> list[str]:
    """The tables in which those words stand anywhere."""
    return [
        model._meta.db_table
        for model in apps.get_models()
        if any(secret in str(cell) for row in model._base_manager.values_list() for cell in row)
    ]
