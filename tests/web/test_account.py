"""One's own account: what one may do, where one is signed in, and one's password."""

import re
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from regui.accounts import roster
from regui.accounts.access import Actor, Role
from regui.accounts.local import local
from regui.accounts.models import AuditEntry
from regui.patterns import ANYWHERE
from tests.people import PASSWORD, enter, grant, person, sign_in, with_password
from tests.web.conftest import Visitor

PAGE, CHANGE = "/-/account/", "/-/account/password/"
NEW = "a quite different staple"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)


@pytest.fixture(autouse=True)
def quick(quick_passwords: None, db: None) -> None:
    """Passwords cost nothing here."""


def signed_in(agent: str, address: str = "127.0.0.1") -> Visitor:
    """A browser of that kind, in which Bob has signed in from that address."""
    browser = Visitor("none", headers={"User-Agent": agent}, REMOTE_ADDR=address)
    assert sign_in(browser, "bob").status_code == 302
    return browser


@pytest.fixture
def desk() -> Visitor:
    """Bob at his desk."""
    with_password("bob", "bob@example.com")
    return signed_in(FIREFOX)


@pytest.fixture
def phone(desk: Visitor) -> Visitor:
    """Bob on the way, signed in at his desk, too."""
    return signed_in(IPHONE, "10.0.0.7")


def text(page: str) -> str:
    """The words of a page, each space once."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split()).replace(" ,", ",")


def test_it_says_who_one_is_and_what_one_may_do(desk: Visitor) -> None:
    bob, devs = person("bob"), Group.objects.create(name="devs")
    bob.groups.add(devs)
    grant(Role.READER, ANYWHERE)
    grant(Role.MAINTAINER, "team/**", user=bob, registry="main")
    grant(Role.DEVELOPER, "shop/*", group=devs)
    said = text(desk.get(PAGE).text)
    assert "bob bob@example.com · in devs" in said
    own = said.index("See, set tags, copy, delete, restore in team/** of main given to you maintainer")
    group = said.index("See, set tags, copy in shop/* of every registry given to the group devs developer")
    everyone = said.index("See in every repository of every registry given to everyone who signs in reader")
    assert own < everyone > group


def test_who_may_nothing_is_told_so(desk: Visitor) -> None:
    assert "Nothing so far Who administers regui can grant you something." in text(desk.get(PAGE).text)


def test_sessions_are_listed_in_words_this_one_first(desk: Visitor, phone: Visitor) -> None:
    said = text(desk.get(PAGE).text)
    here = said.index("Firefox on Linux here from 127.0.0.1, since just now, last used just now")
    assert here < said.index("Safari on iPhone from 10.0.0.7, since just now, last used just now Sign out")


def test_one_session_is_ended(desk: Visitor, phone: Visitor) -> None:
    (pk,) = re.findall(r'action="/-/account/sessions/(\d+)/end/"', desk.get(PAGE).text)
    assert desk.get(f"/-/account/sessions/{pk}/end/").status_code == 405
    answer = desk.post(f"/-/account/sessions/{pk}/end/")
    assert (answer.status_code, answer["Location"]) == (303, "/-/account/#sessions")
    assert phone.get(PAGE).status_code == 302
    assert desk.get(PAGE).status_code == 200


def test_nobody_ends_others_sessions(desk: Visitor) -> None:
    with_password("carol")
    carol = Visitor("none")
    sign_in(carol, "carol")
    pk = UserSession.objects.get(user__username="carol").pk
    desk.post(f"/-/account/sessions/{pk}/end/")
    desk.post("/-/account/sessions/end/")
    assert carol.get(PAGE).status_code == 200


def test_all_others_are_ended_at_once(desk: Visitor, phone: Visitor) -> None:
    third = signed_in("curl/8.14.1")
    assert desk.post("/-/account/sessions/end/").status_code == 303
    assert [browser.get(PAGE).status_code for browser in (desk, phone, third)] == [200, 302, 302]
    assert "Sign out everywhere else" not in desk.get(PAGE).text


def test_when_a_session_was_used_is_noticed_now_and_then(
    desk: Visitor,
) -> None:
    desk.defaults["REMOTE_ADDR"] = "10.0.0.9"
    desk.get("/-/jobs/")
    row = UserSession.objects.get()
    assert row.ip == "127.0.0.1"
    UserSession.objects.update(last_seen_at=timezone.now() - timedelta(hours=1))
    cache.clear()
    desk.get("/-/jobs/")
    row.refresh_from_db()
    assert (row.ip, timezone.now() - row.last_seen_at < timedelta(minutes=1)) == ("10.0.0.9", True)


def test_a_new_password_ends_all_other_sessions_and_keeps_this_one(desk: Visitor, phone: Visitor) -> None:
    answer = desk.post(CHANGE, {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    page = desk.get(PAGE)
    assert page.status_code == 200
    assert "Safari on iPhone" not in page.text
    assert phone.get(PAGE).status_code == 302
    assert "is wrong" in sign_in(Client(), "bob").text
    assert sign_in(Client(), "bob", NEW).status_code == 302
    (entry,) = AuditEntry.objects.filter(what=AuditEntry.What.PASSWORD_CHANGED)
    assert (entry.who, entry.about, entry.address) == ("bob", "bob", "127.0.0.1")


@pytest.mark.parametrize(
    ("old", "new", "again", "why"),
    [
        ("wrong", NEW, NEW, "This is not your current password."),
        (PASSWORD, NEW, "something else", "You must type the same password each time."),
        (PASSWORD, "short one", "short one", "at least 10 characters"),
        (PASSWORD, "1234567890987", "1234567890987", "entirely numeric"),
        (PASSWORD, "basketball1", "basketball1", "too common"),
        (PASSWORD, "bob@example.com", "bob@example.com", "too similar"),
    ],
)
def test_a_password_that_will_not_do_is_refused(
    desk: Visitor, old: str, new: str, again: str, why: str
) -> None:
    page = desk.post(CHANGE, {"oldpassword": old, "password1": new, "password2": again})
    assert why in page.text
    assert new not in page.text.replace("bob@example.com ·", "")
    assert sign_in(Client(), "bob").status_code == 302


def test_the_current_password_is_not_guessed_there_without_end(desk: Visitor) -> None:
    tries = [
        desk.post(CHANGE, {"oldpassword": f"guess {n}", "password1": NEW, "password2": NEW}) for n in range(6)
    ]
    assert [answer.status_code for answer in tries] == [200] * 5 + [429]


def test_who_has_no_password_here_is_sent_to_where_it_is(someone: Visitor) -> None:
    enter(someone, roster.add("bob", local()))
    page = someone.get(CHANGE)
    assert page.status_code == 409
    assert "regui keeps none for you" in page.text
    account = someone.get(PAGE).text
    assert "Change password" not in account
    assert "Add passkey" not in account


def test_a_name_is_never_markup(someone: Visitor) -> None:
    user = with_password("bob")
    user.groups.add(Group.objects.create(name="<i>devs</i>"))
    sign_in(someone, "bob")
    page = someone.get(PAGE).text
    assert "&lt;i&gt;devs&lt;/i&gt;" in page
    assert "<i>" not in page


def test_a_session_of_a_strange_browser_is_shown_too() -> None:
    with_password("bob")
    page = signed_in("<script>alert(1)</script>").get(PAGE).text
    assert "Unknown browser" in page
    assert "<script>alert" not in page


def test_what_all_visitors_may_is_told_apart() -> None:
    with_password("bob")
    browser = Visitor("reader")
    sign_in(browser, "bob")
    assert "See everywhere as all visitors may, by REGUI_ANONYMOUS_ROLE reader" in text(
        browser.get(PAGE).text
    )


def test_joining_a_group_twice_says_nothing_more() -> None:
    user, by = person("bob"), Actor("alice")
    roster.join(user, ["devs", "ops"], by)
    roster.join(user, ["ops"], by)
    entries = AuditEntry.objects.filter(what=AuditEntry.What.GROUPS_CHANGED)
    assert [(entry.who, entry.about, entry.detail) for entry in entries] == [
        ("alice", "bob", "joined devs, ops")
    ]
