"""Links that open once: to set a password, and to become the first administrator."""

import re
from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from regui.accounts import first, links, roster
from regui.accounts.access import Actor, Right, Role
from regui.accounts.local import local
from regui.accounts.models import AuditEntry, User
from regui.accounts.people import actor_of
from tests.people import PASSWORD, grant, person, sign_in, with_password
from tests.web.conftest import Visitor

NEW = "a quite different staple"
FIRST, SET = "/-/account/first/", "/-/account/password/set/"
What = AuditEntry.What


@pytest.fixture(autouse=True)
def quick(quick_passwords: None, db: None) -> None:
    """Passwords cost nothing here."""


def opened(browser: Visitor, path: str, form: str) -> None:
    """Open a link that is good."""
    answer = browser.get(path)
    assert (answer.status_code, answer["Location"]) == (302, form)


def make(browser: Visitor, name: str = "alice", password: str = PASSWORD) -> int:
    answer = browser.post(FIRST, {"username": name, "password1": password, "password2": password})
    return int(answer.status_code)


def test_who_opens_the_first_link_becomes_the_administrator(someone: Visitor) -> None:
    opened(someone, links.to_first(), FIRST)
    assert "Welcome to regui" in someone.get(FIRST).text
    assert make(someone) == 302
    user = User.objects.get()
    assert user.username == "alice"
    assert all(actor_of(user).may(right) for right in Right)
    assert not user.is_superuser
    assert "do everything" in someone.get("/-/account/").text.lower()
    told = [(row.what, row.who, row.about) for row in AuditEntry.objects.order_by("id")]
    assert told == [
        (What.PERSON_ADDED, "anonymous", "alice"),
        (What.GRANT_ADDED, "anonymous", "alice"),
        (What.SIGNED_IN, "alice", ""),
    ]


def test_every_first_link_is_dead_as_soon_as_there_is_anybody(someone: Visitor) -> None:
    one, other = links.to_first(), Visitor("none")
    opened(someone, one, FIRST)
    opened(other, links.to_first(), FIRST)
    make(someone)
    assert other.get(FIRST).status_code == 410
    assert make(other, "mallory") == 410
    assert Visitor("none").get(one).status_code == 410
    assert User.objects.count() == 1


def test_of_two_who_send_the_form_at_once_one_is_late() -> None:
    first.make("alice", PASSWORD, local())
    with pytest.raises(first.Late):
        first.make("mallory", PASSWORD, local())


@pytest.mark.parametrize("secret", ["x", "ImZpcnN0Ig:1wAAAA:abc", "", "%00", "a" * 3000])
def test_a_first_link_is_not_guessed(someone: Visitor, secret: str) -> None:
    assert someone.get(f"{FIRST}{secret}/".replace("//", "/")).status_code in {404, 410}
    assert make(someone) == 410
    assert not User.objects.exists()


def test_a_first_link_of_another_kind_or_age_opens_nothing(someone: Visitor, settings: Settings) -> None:
    assert someone.get(f"{FIRST}{signing.dumps('first', salt='another')}/").status_code == 410
    good = links.to_first()
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert someone.get(good).status_code == 410


def test_another_secret_key_makes_other_links(someone: Visitor, settings: Settings) -> None:
    good = links.to_first()
    settings.SECRET_KEY = "another"
    assert someone.get(good).status_code == 410


@pytest.mark.parametrize(
    ("name", "password", "again", "why"),
    [
        ("alice", "short", "short", "at least 10 characters"),
        ("alice", PASSWORD, "another one here", "the same password each time"),
        ("administrator", "administrator", "administrator", "too similar"),
        ("anonymous", PASSWORD, PASSWORD, "Nobody can have this name."),
        ("local:root", PASSWORD, PASSWORD, "valid username"),
        ("a" * 151, PASSWORD, PASSWORD, "1 to 150 characters"),
        (" ", PASSWORD, PASSWORD, "required"),
    ],
)
def test_a_first_person_who_can_not_be_is_refused_beside_the_field(
    someone: Visitor, name: str, password: str, again: str, why: str
) -> None:
    opened(someone, links.to_first(), FIRST)
    answer = someone.post(FIRST, {"username": name, "password1": password, "password2": again})
    assert answer.status_code == 422
    assert why in answer.text
    assert f'value="{password}"' not in answer.text or name == password
    assert not User.objects.exists()


def test_a_link_sets_a_password_once(someone: Visitor) -> None:
    user = roster.add("bob", local())
    path = links.to_password(user)
    opened(someone, path, SET)
    assert "for <strong>bob</strong>" in someone.get(SET).text
    answer = someone.post(SET, {"password1": NEW, "password2": NEW})
    assert (answer.status_code, answer["Location"]) == (303, "/-/account/sign-in/")
    assert "Your password is set" in someone.get("/-/account/sign-in/").text
    assert someone.get(SET).status_code == 410
    assert someone.get(path).status_code == 410
    assert sign_in(someone, "bob", NEW).status_code == 302
    entry = AuditEntry.objects.get(what=What.PASSWORD_CHANGED)
    assert (entry.who, entry.about, entry.detail) == ("bob", "bob", "set by a link")


def test_setting_it_ends_every_session_and_signs_nobody_in(someone: Visitor) -> None:
    user = with_password("bob")
    sign_in(someone, "bob")
    user.refresh_from_db()
    other = Visitor("none")
    opened(other, links.to_password(user), SET)
    other.post(SET, {"password1": NEW, "password2": NEW})
    assert someone.get("/-/account/").status_code == 302
    assert other.get("/-/account/").status_code == 302


def test_a_link_dies_with_the_password_it_would_replace(someone: Visitor) -> None:
    user = with_password("bob")
    path = links.to_password(user)
    user.set_password(NEW)
    user.save()
    assert someone.get(path).status_code == 410


def test_a_link_dies_as_its_owner_signs_in(someone: Visitor) -> None:
    path = links.to_password(with_password("bob"))
    sign_in(someone, "bob")
    assert Client().get(path).status_code == 410


def test_a_link_is_good_for_three_days(someone: Visitor, settings: Settings) -> None:
    path = links.to_password(with_password("bob"))
    assert timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT) == timedelta(days=3)
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert someone.get(path).status_code == 410


def test_a_link_of_a_disabled_person_or_of_another_opens_nothing(someone: Visitor) -> None:
    bob, carol = with_password("bob"), with_password("carol")
    number, token = re.findall(r"/set/(\w+)/([\w-]+)/", links.to_password(bob))[0]
    other = re.findall(r"/set/(\w+)/", links.to_password(carol))[0]
    assert someone.get(f"{SET}{other}/{token}/").status_code == 410
    assert someone.get(f"{SET}{number}/{token[:-1]}x/").status_code == 410
    assert someone.get(f"{SET}{'z' * 14}/{token}/").status_code == 410
    roster.disable(bob, local())
    assert someone.get(f"{SET}{number}/{token}/").status_code == 410


def test_a_password_that_will_not_do_leaves_the_link_good(someone: Visitor) -> None:
    opened(someone, links.to_password(with_password("bob")), SET)
    assert someone.post(SET, {"password1": "short", "password2": "short"}).status_code == 422
    assert someone.post(SET, {"password1": NEW, "password2": NEW}).status_code == 303


def test_no_address_or_page_repeats_what_makes_a_link_good(someone: Visitor) -> None:
    path = links.to_password(with_password("bob"))
    opened(someone, path, SET)
    page = someone.get(SET)
    assert path.split("/")[-2] not in page.text
    assert "no-store" in page["Cache-Control"]
    assert page["Referrer-Policy"] == "same-origin"


def test_links_lead_to_the_public_address(settings: Settings) -> None:
    assert links.absolute("/x/", "http://127.0.0.1:8123/") == "http://127.0.0.1:8123/x/"
    assert links.absolute("/x/") == f"http://{settings.BIND}/x/"
    settings.URL = "https://regui.example.com/tools"
    assert links.absolute("/tools/x/", "http://127.0.0.1:8123/") == "https://regui.example.com/tools/x/"


def test_who_adds_people_is_written_down() -> None:
    by = Actor("alice", address="10.0.0.7")
    grant(Role.ADMIN, user=person("alice"))
    roster.add("bob", by, groups=["devs"], admin=True)
    roster.disable(User.objects.get(username="bob"), by)
    rows = AuditEntry.objects.order_by("id").values_list("what", "who", "address", "about", "detail")
    assert list(rows) == [
        (What.PERSON_ADDED, "alice", "10.0.0.7", "bob", ""),
        (What.GROUPS_CHANGED, "alice", "10.0.0.7", "bob", "joined devs"),
        (What.GRANT_ADDED, "alice", "10.0.0.7", "bob", "admin of everything"),
        (What.PERSON_CHANGED, "alice", "10.0.0.7", "bob", "disabled"),
    ]
    assert timezone.now() - AuditEntry.objects.latest("at").at < timedelta(minutes=1)
