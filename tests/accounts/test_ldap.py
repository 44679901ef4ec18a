"""Signing in with a directory's password: a real OpenLDAP."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import ldap
import pytest
from django.urls import reverse
from pytest_django import Settings

from regui import directories
from regui.accounts.ldap import Directory as Backend
from regui.accounts.models import AuditEntry, Identity, User
from regui.env import Env
from tests import directory
from tests.accounts.browsing import Browser, said
from tests.directory import PASSWORD, Directory

What = AuditEntry.What


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    with directory.running(tmp_path_factory.mktemp("directory")) as one:
        yield one


def named(one: Directory, **more: str) -> directories.Ldap:
    """The settings for that directory."""
    values = {
        "REGUI_LDAP_URL": one.url,
        "REGUI_LDAP_BIND_DN": directory.READER,
        "REGUI_LDAP_BIND_PASSWORD": directory.READING,
        "REGUI_LDAP_USER_BASE": directory.PEOPLE,
        "REGUI_LDAP_GROUP_BASE": directory.GROUPS,
        "REGUI_LDAP_TIMEOUT": "3s",
    }
    found = directories.ldap(Env(values | more))
    assert found
    return found


@pytest.fixture
def tree(process: Directory, settings: Settings) -> Directory:
    settings.LDAP = named(process)
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, "regui.accounts.ldap.Directory"]
    return process


def sign_in(window: Browser, name: str, password: str = PASSWORD) -> Any:
    return window.post(reverse("account_login"), login=name, password=password)


def test_a_person_of_the_directory_signs_in(tree: Directory, window: Browser) -> None:
    answer = sign_in(window, "alice")
    assert answer.status_code == 302
    assert window.person == "alice"
    user = User.objects.get()
    assert (user.email, user.has_usable_password()) == ("alice@example.com", False)
    assert Identity.objects.get(user=user).source == "ldap"


@pytest.mark.parametrize("typed", ["alice", "ALICE", "Alice ", "  alice"])
def test_however_the_name_is_typed_it_is_one_person(typed: str, tree: Directory, window: Browser) -> None:
    sign_in(window, "alice")
    other = window.another()
    sign_in(other, typed)
    assert other.person == "alice"
    assert User.objects.count() == 1


@pytest.mark.parametrize("password", ["wrong", "", " ", "*", "\u0000", f"{PASSWORD}\u0000x"])
def test_a_wrong_password_lets_nobody_in(password: str, tree: Directory, window: Browser) -> None:
    answer = sign_in(window, "alice", password)
    assert answer.status_code == 200
    assert "doesn't answer" not in said(answer)
    assert (window.person, User.objects.count()) == ("", 0)


def test_an_empty_password_is_never_asked_about(tree: Directory, settings: Settings) -> None:
    connection = ldap.initialize(tree.url)
    connection.simple_bind_s(f"uid=alice,{directory.PEOPLE}", "")  # the directory itself lets that through
    assert connection.whoami_s() == ""
    connection.unbind_s()
    assert Backend().authenticate(None, "alice", "") is None
    assert Backend().authenticate(None, "", "") is None
    assert Backend().authenticate(None, None, None) is None


@pytest.mark.parametrize(
    "name",
    [
        "*",
        "a*",
        "alice)(uid=*",
        "*)(uid=bob",
        "alice)(|(uid=*)",
        "\\61lice",
        "alice\u0000",
        "(alice)",
        "al*ce",
    ],
)
def test_special_characters_in_a_name_are_only_characters(
    name: str, tree: Directory, window: Browser
) -> None:
    sign_in(window, name)
    assert (window.person, User.objects.count()) == ("", 0)


def test_a_name_with_special_characters_is_found_as_it_is(tree: Directory, window: Browser) -> None:
    answer = sign_in(window, "zoë(1)")
    assert "can't be a name here" in said(answer)


def test_groups_follow_the_directory(tree: Directory, window: Browser, settings: Settings) -> None:
    settings.LDAP = named(tree, REGUI_LDAP_GROUPS="admins=regui admins, staff=staff")
    sign_in(window, "alice")
    alice = User.objects.get()
    assert set(alice.groups.values_list("name", flat=True)) == {"regui admins", "staff"}
    tree.member("staff", "alice", there=False)
    try:
        sign_in(window.another(), "alice")
    finally:
        tree.member("staff", "alice", there=True)
    assert set(alice.groups.values_list("name", flat=True)) == {"regui admins"}
    words = AuditEntry.objects.filter(what=What.GROUPS_CHANGED).first()
    assert words
    assert (words.who, words.about, words.detail) == ("from:ldap", "alice", "left staff")


def test_who_is_in_no_group_that_may_gets_no_account(
    tree: Directory, window: Browser, settings: Settings
) -> None:
    settings.LDAP = named(tree, REGUI_LDAP_ALLOWED_GROUPS="staff")
    answer = sign_in(window, "charlie")
    assert "may not come in here" in said(answer)
    assert not User.objects.exists()
    sign_in(window, "bob")
    assert window.person == "bob"


def test_a_local_account_of_the_same_name_is_nobody_elses(tree: Directory, window: Browser) -> None:
    User.objects.create_user("Alice", password="local and long enough")
    answer = sign_in(window, "alice")
    assert "belongs to another account here" in said(answer)
    assert window.person == ""
    sign_in(window, "alice", "local and long enough")
    assert window.person == "Alice"
    assert not Identity.objects.exists()


def test_a_password_here_lets_nobody_in_who_is_the_directorys(tree: Directory, window: Browser) -> None:
    sign_in(window, "alice")
    alice = User.objects.get()
    alice.set_password("local and long enough")
    alice.save()
    other = window.another()
    answer = sign_in(other, "alice", "local and long enough")
    assert (answer.status_code, other.person) == (403, "")
    assert "signs in by directory only" in said(answer)


def test_a_dead_directory_is_said_to_be_and_locals_come_in(
    tree: Directory, window: Browser, settings: Settings
) -> None:
    User.objects.create_user("root", password="local and long enough")
    settings.LDAP = replace(settings.LDAP, url="ldap://127.0.0.1:9")
    answer = sign_in(window, "alice")
    assert "The directory doesn't answer" in said(answer)
    sign_in(window, "root", "local and long enough")
    assert window.person == "root"


def test_a_directory_that_does_not_let_regui_in_is_no_wrong_password(
    tree: Directory, window: Browser, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.LDAP = replace(settings.LDAP, bind_password="hunter2")
    answer = sign_in(window, "alice")
    assert "The directory doesn't answer" in said(answer)
    assert "hunter2" not in "".join(caplog.messages) + repr(settings.LDAP)
    assert PASSWORD not in "".join(caplog.messages)


def test_who_is_disabled_here_stays_outside(tree: Directory, window: Browser) -> None:
    sign_in(window, "alice")
    User.objects.update(is_active=False)
    window.get("/")
    other = window.another()
    answer = sign_in(other, "alice")
    assert "is disabled here" in said(answer)
    assert other.person == ""


def test_attempts_are_limited(tree: Directory, window: Browser) -> None:
    for _ in range(12):
        answer = sign_in(window, "alice", "wrong")
    assert "oo many" in said(answer)
    sign_in(window, "alice")
    assert window.person == ""


@pytest.mark.parametrize("way", ["start tls", "ldaps"])
def test_it_can_be_asked_by_tls_of_an_authority_of_its_own(
    way: str, tree: Directory, window: Browser, settings: Settings
) -> None:
    url = tree.tls_url if way == "ldaps" else tree.url
    more = {} if way == "ldaps" else {"REGUI_LDAP_START_TLS": "on"}
    settings.LDAP = named(tree, REGUI_LDAP_URL=url, REGUI_LDAP_CA_FILE=tree.ca_file, **more)
    sign_in(window, "alice")
    assert window.person == "alice"


@pytest.mark.parametrize("way", ["start tls", "ldaps"])
def test_a_certificate_that_nobody_vouches_for_is_none(
    way: str, tree: Directory, window: Browser, settings: Settings
) -> None:
    url = tree.tls_url if way == "ldaps" else tree.url
    more = {} if way == "ldaps" else {"REGUI_LDAP_START_TLS": "on"}
    settings.LDAP = named(tree, REGUI_LDAP_URL=url, **more)
    answer = sign_in(window, "alice")
    assert "The directory doesn't answer" in said(answer)
    assert window.person == ""
