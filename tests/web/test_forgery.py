"""No page of another site makes a visitor's browser change anything here: each address of the configuration
refuses what comes without its form's token."""

from typing import Any

import pytest

from regui.accounts.access import Role
from regui.index.models import Registry
from regui.patterns import ANYWHERE
from tests.addresses import API, addresses, nameless
from tests.api.calling import Caller
from tests.people import SignedIn

pytestmark = pytest.mark.django_db

# Addresses for programs, which prove who they are by what no browser sends by itself.
MACHINES = {"hooks": "a bearer token: tests/api/test_hooks.py"}
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
EVIL = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}


PAGES = addresses()


@pytest.fixture(scope="module")
def careful() -> dict[str, Any]:
    """What makes the test client send what a browser would of another site's form."""
    return {"enforce_csrf_checks": True, "raise_request_exception": False}


@pytest.fixture
def alice(careful: dict[str, Any]) -> SignedIn:
    """Alice has signed in and may do everything, so that nothing but the missing token is in the way."""
    return SignedIn("alice", (Role.ADMIN, ANYWHERE), **careful)


def refused(answer: Any, method: str) -> bool:
    """Whether a page takes nothing that comes by this method, or not without its form's token."""
    if answer.status_code == 405:
        return method not in answer["Allow"]
    return answer.status_code == 403 and "The form has grown stale" in answer.text


@pytest.mark.parametrize("method", UNSAFE)
def test_no_page_takes_anything_without_the_forms_token(alice: SignedIn, method: str) -> None:
    answers = {name: alice.generic(method, path) for name, path in PAGES.items() if name not in MACHINES}

    assert [name for name, answer in answers.items() if not refused(answer, method)] == []


def test_no_page_takes_another_sites_form_though_it_knew_the_token(alice: SignedIn) -> None:
    alice.cookies["regui_csrftoken"] = token = "t" * 32
    form = {"csrfmiddlewaretoken": token}
    sent = {
        name: alice.post(path, form, headers=EVIL) for name, path in PAGES.items() if name not in MACHINES
    }

    assert [name for name, answer in sent.items() if not refused(answer, "POST")] == []


def test_with_the_token_it_would_be_taken(alice: SignedIn) -> None:
    """So what is refused above is refused for want of it."""
    alice.cookies["regui_csrftoken"] = token = "t" * 32

    assert alice.post(PAGES["theme"], {"csrfmiddlewaretoken": token, "theme": "dark"}).status_code == 303


def test_machines_get_in_by_no_cookie(alice: SignedIn) -> None:
    Registry.objects.create(name="main", url="http://127.0.0.1:9")

    assert {name: alice.post(PAGES[name]).status_code for name in MACHINES} == {"hooks": 401}


def test_all_addresses_were_looked_at() -> None:
    assert nameless() == set()
    assert set(MACHINES) < set(PAGES)
    assert len(PAGES) > 60


def test_the_api_takes_nothing_from_another_sites_page() -> None:
    alice = Caller("admin")
    for name, address in addresses(API).items():
        answers = [
            alice.send("POST", address, body="{}", headers=EVIL),
            alice.send("POST", address, body="a=1", content_type="application/x-www-form-urlencoded"),
            alice.send("POST", address, body="{}", content_type="text/plain"),
        ]
        # At its root there is nothing at all.
        expected = {404} if name == "api-root" else {403, 405, 415}
        assert {answer.status_code for answer in answers} <= expected, name
        assert all(set(answer.json()) == {"error"} for answer in answers), name
