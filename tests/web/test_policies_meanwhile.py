"""A policy's form that somebody else's was saved before: nobody's change is lost without a word."""

import re
from typing import Any

import pytest

from regui.accounts.access import Role
from regui.actions.models import PolicyRow
from tests import factories
from tests.people import SignedIn
from tests.web.conftest import Visitor

pytestmark = pytest.mark.django_db

PAGE = "/main/-/cleanup/policies/"
ADD, PREVIEW, EDIT = f"{PAGE}add/", f"{PAGE}preview/", f"{PAGE}old/edit/"
RULE = {"rule": "1", "1-kind": "drop matching", "1-tags": "pr-*"}
FIELDS = {"name": "old", "repositories": "**", "otherwise": "keep", "limit": "30", **RULE}
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#draft"}


@pytest.fixture(autouse=True)
def old(alice: Visitor) -> None:
    factories.repository("team/app")
    alice.post(ADD, FIELDS)


def mark(page: Any) -> str:
    """What a form carries of the policy as it was opened."""
    found = re.search(r'<input type="hidden" name="mark" value="([0-9a-f]{64})">', page.text)
    assert found, page.text
    return found[1]


def opened(browser: Any, **typed: str) -> dict[str, str]:
    """A form that was opened now, with this typed into it."""
    return FIELDS | {"original": "old", "mark": mark(browser.get(EDIT))} | typed


def said(page: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


@pytest.mark.parametrize(
    "first",
    [{"1-tags": "fromtab1*"}, {"note": "mine"}, {"schedule": "0 3 * * *"}],
    ids=["rule", "note", "schedule"],
)
def test_what_was_saved_meanwhile_is_not_put_back(alice: Visitor, first: dict[str, str]) -> None:
    one, two = opened(alice, **first), opened(alice, limit="50")
    assert alice.post(EDIT, one).status_code == 303
    kept = PolicyRow.objects.get().document
    page = alice.post(EDIT, two)
    assert page.status_code == 409
    assert PolicyRow.objects.get().document == kept
    assert 'name="limit" value="50"' in page.text
    assert "anonymous changed old just now , after this form was opened." in said(page)
    assert "Nothing of it was saved" in said(page)


def test_what_differs_is_named(alice: Visitor) -> None:
    one, two = opened(alice, **{"1-tags": "fromtab1*"}), opened(alice, limit="50")
    alice.post(EDIT, one)
    assert "What differs: rules, limit." in said(alice.post(EDIT, two))


def test_one_saves_over_it_knowingly_or_opens_the_newer_one(alice: Visitor) -> None:
    one, two = opened(alice, note="mine"), opened(alice, limit="50")
    alice.post(EDIT, one)
    page = alice.post(EDIT, two)
    over = re.search(r'<button[^>]* name="over" value="([0-9a-f]{64})"', page.text)
    assert over
    assert f'<a class="btn" id="newer" href="{EDIT}">' in page.text
    assert alice.post(EDIT, two | {"mark": mark(page)}).status_code == 409, "saving again asks again"
    assert alice.post(EDIT, two | {"over": over[1]}).status_code == 303
    policy = PolicyRow.objects.get().policy
    assert (policy.limit, policy.note) == (50, "")


def test_saving_over_what_was_shown_does_not_save_over_what_came_since(alice: Visitor) -> None:
    one, two, three = opened(alice, note="1"), opened(alice, limit="50"), opened(alice, note="3")
    alice.post(EDIT, one)
    over = re.search(r'name="over" value="([0-9a-f]+)"', alice.post(EDIT, two).text)
    assert over
    alice.post(EDIT, three | {"mark": mark(alice.get(EDIT))})
    assert alice.post(EDIT, two | {"over": over[1]}).status_code == 409
    assert PolicyRow.objects.get().policy.note == "3"


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
@pytest.mark.parametrize("does", ["", "add", "remove:1", "schedule:0 3 * * *"])
def test_a_form_on_its_way_round_stays_as_old_as_it_was(
    alice: Visitor, does: str, headers: dict[str, str]
) -> None:
    two = opened(alice)
    alice.post(EDIT, opened(alice, note="mine"))
    page = alice.post(PREVIEW, two | {"do": does, "kind": "keep newest"}, headers=headers)
    assert page.status_code in {200, 422}
    if headers:
        assert 'name="mark"' not in page.text, "the part that is swapped leaves it where it stands"
    else:
        assert mark(page) == two["mark"]


def test_saving_twice_what_one_has_saved_is_no_fault(alice: Visitor) -> None:
    one = opened(alice, note="mine")
    assert [alice.post(EDIT, one).status_code for _ in range(2)] == [303, 303]


def test_a_form_without_a_mark_saves_over_nothing(alice: Visitor) -> None:
    assert alice.post(EDIT, FIELDS | {"original": "old", "limit": "50"}).status_code == 409
    assert PolicyRow.objects.get().policy.limit == 30


def test_who_changed_it_is_told_also_when_that_was_another(alice: Visitor) -> None:
    dora = SignedIn("dora", (Role.MAINTAINER, "**"))
    mine = opened(alice, limit="50")
    dora.post(EDIT, opened(dora, note="<b>hers</b>"))
    page = alice.post(EDIT, mine)
    assert "dora changed old" in said(page)
    assert "<b>hers" not in page.text
