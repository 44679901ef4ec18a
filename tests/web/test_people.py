"""People and groups, as administrators look after them, and what was written down about it all."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from regui.accounts.access import Role
from regui.accounts.models import AuditEntry, Grant, Identity, Token, User
from tests import factories
from tests.people import SignedIn, grant, person, session_key
from tests.web.test_access import words

PEOPLE, GROUPS, JOURNAL = "/-/access/people/", "/-/access/groups/", "/-/access/journal/"


@pytest.fixture(autouse=True)
def main(db: None) -> None:
    factories.registry()


@pytest.fixture
def alice(db: None) -> SignedIn:
    return SignedIn("alice", (Role.ADMIN, "**"))


@pytest.fixture
def audrey(db: None) -> SignedIn:
    return SignedIn("audrey", (Role.AUDITOR, "**"))


def of(user: User, what: str = "") -> str:
    return f"{PEOPLE}{user.pk}/{what}"


def page_of(group: Group, what: str = "") -> str:
    return f"{GROUPS}{group.pk}/{what}"


def written() -> list[tuple[str, str, str, str]]:
    rows = AuditEntry.objects.exclude(what="signed-in").order_by("pk")
    return list(rows.values_list("what", "who", "about", "detail"))


# People


def test_people_are_listed_with_where_they_come_from(alice: SignedIn) -> None:
    bob = person("bob")
    User.objects.filter(pk=bob.pk).update(email="bob@example.com", is_active=False)
    bob.groups.add(Group.objects.create(name="devs"))
    page = words(alice.get(PEOPLE))
    assert "bob disabled bob@example.com devs local no never" in page
    assert "alice no group local no just now" in page
    assert "2 people" in page
    for word in ("BOB", "example.com", "devs"):
        found = words(alice.get(PEOPLE, {"q": word}))
        assert "1 of 2 people" in found
        assert "bob disabled" in found
    assert "Nobody matches “eve”" in words(alice.get(PEOPLE, {"q": "eve"}))


def test_the_list_costs_the_same_however_many_people(
    alice: SignedIn, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    devs = Group.objects.create(name="devs")
    with django_assert_num_queries(8):
        alice.get(PEOPLE)
    for number in range(30):
        person(f"p{number}").groups.add(devs)
    with django_assert_num_queries(8):
        assert "31 people" in words(alice.get(PEOPLE))


def test_a_person_is_added_and_can_do_nothing_yet(alice: SignedIn) -> None:
    answer = alice.post(f"{PEOPLE}add/", {"name": "bob", "email": "bob@example.com"}, follow=True)
    assert answer.status_code == 200
    bob = User.objects.get(username="bob")
    assert (bob.email, bob.has_usable_password(), bob.is_active) == ("bob@example.com", False, True)
    assert "Nothing was granted to them, to a group of theirs, or to everyone." in words(alice.get(of(bob)))
    link = re.search(r'aria-label="Link">([^<]+)<', answer.content.decode())
    assert link
    bobs = Client()
    page = bobs.get(unescape(link[1]), follow=True)
    assert "Set a password" in words(page)
    assert "for bob" in words(page)
    assert link[1] not in alice.get(of(bob)).content.decode(), "it is shown this once"
    assert written() == [("person-added", "alice", "bob", "")]


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"name": "Alice"}, "This is somebody's already."),
        ({"name": "anonymous"}, "This is somebody's already."),
        ({"name": ""}, "This may have letters, digits and @ . + - _ only."),
        ({"name": "<b>"}, "This may have letters, digits and @ . + - _ only."),
        ({"name": "x" * 151}, "This is too long."),
        ({"name": "bob", "email": "bob"}, "This must be an address, or be left empty."),
    ],
)
def test_who_can_not_be_called_so_is_not_added(alice: SignedIn, form: dict[str, str], why: str) -> None:
    answer = alice.post(f"{PEOPLE}add/", form)
    assert answer.status_code == 422
    assert why in words(answer)
    assert f'value="{form["name"]}"' in unescape(answer.content.decode())
    assert User.objects.count() == 1


def test_to_disable_somebody_ends_their_sessions_at_once(alice: SignedIn) -> None:
    bob = SignedIn("bob", (Role.READER, "**"))
    # What signing in by the page leaves behind.
    UserSession.objects.create(
        user=bob.person, session_key=session_key(bob), ip="192.0.2.7", user_agent="a browser"
    )
    assert "in 1 place" in words(alice.get(of(bob.person)))
    assert bob.get("/-/activity/").status_code == 200
    asks = words(alice.get(of(bob.person, "disable/")))
    assert "They are signed out everywhere at once" in asks
    assert bob.get("/-/activity/").status_code == 200, "a GET changes nothing"
    answer = alice.post(of(bob.person, "disable/"))
    assert (answer.status_code, answer["Location"]) == (303, of(bob.person))
    assert bob.get("/-/activity/").status_code == 302
    page = words(alice.get(of(bob.person)))
    assert "disabled" in page
    assert "Nothing, while the account is disabled. Once enabled: reader of **" in page
    alice.post(of(bob.person, "enable/"))
    assert bob.get("/-/activity/").status_code == 302, "the session that ended stays so"
    bob.person.refresh_from_db()
    assert bob.person.is_active
    assert written() == [
        ("person-changed", "alice", "bob", "disabled"),
        ("person-changed", "alice", "bob", "enabled"),
    ]


def test_the_last_administrator_is_not_disabled(alice: SignedIn) -> None:
    asks = alice.get(of(alice.person, "disable/"))
    assert "alice is the last person who administers everything." in words(asks)
    answer = alice.post(of(alice.person, "disable/"))
    assert answer.status_code == 409
    assert alice.get("/-/access/").status_code == 200
    SignedIn("bob", (Role.ADMIN, "**"))
    assert alice.post(of(alice.person, "disable/")).status_code == 303
    assert alice.get("/-/access/").status_code == 302


def test_a_person_is_shown_with_all_that_applies_to_them(alice: SignedIn) -> None:
    bob = person("bob")
    devs = Group.objects.create(name="devs")
    bob.groups.add(devs)
    grant(Role.MAINTAINER, "team/**", group=devs)
    grant(Role.READER)
    grant(Role.READER, "of/carol", user=person("carol"))
    Token.objects.create(
        owner=bob, name="ci", hint="regui_abcdef", digest="x", role="reader", created_at=timezone.now()
    )
    page = alice.get(of(bob))
    said = words(page)
    assert "maintainer of team/** in any registry for the group devs" in said
    assert "reader of ** in any registry for everyone who signed in" in said
    assert "of/carol" not in said
    assert "ci regui_abcdef… reader of ** in any registry" in said
    text = page.content.decode()
    assert 'href="/-/activity/?q=bob"' in text
    assert f'href="{JOURNAL}?who=bob"' in text


def test_a_person_joins_and_leaves_groups(alice: SignedIn) -> None:
    bob, devs = person("bob"), Group.objects.create(name="devs")
    assert alice.post(of(bob, "join/"), {"group": devs.pk}).status_code == 303
    assert "devs" in words(alice.get(of(bob)))
    assert bob.groups.get() == devs
    assert alice.post(of(bob, "leave/"), {"group": devs.pk}).status_code == 303
    assert not bob.groups.exists()
    for text in ("", "x", "99", "9" * 40):
        assert alice.post(of(bob, "join/"), {"group": text}).status_code == 404
    assert written() == [
        ("groups-changed", "alice", "bob", "joined devs"),
        ("groups-changed", "alice", "bob", "left devs"),
    ]


def test_groups_do_not_let_the_last_administrator_go(alice: SignedIn) -> None:
    ops = Group.objects.create(name="ops")
    ops.user_set.add(alice.person)
    Grant.objects.all().delete()
    grant(Role.ADMIN, group=ops)
    answer = alice.post(of(alice.person, "leave/"), {"group": ops.pk}, follow=True)
    assert "Nobody would administer everything any more" in words(answer)
    assert alice.post(page_of(ops, "take/"), {"person": alice.person.pk}).status_code == 409
    assert alice.post(page_of(ops, "remove/")).status_code == 409
    assert ops.user_set.get() == alice.person


def test_who_comes_from_elsewhere_is_marked_with_the_groups_that_are_given_there(alice: SignedIn) -> None:
    ours, theirs = (Group.objects.create(name=name) for name in ("ours", "theirs"))
    for name, source in (("bob", "oidc"), ("carol", "ldap"), ("dave", "proxy")):
        user = person(name)
        user.groups.add(ours, theirs)
        Identity.objects.create(user=user, source=source, subject=name).groups.add(theirs)
    page = words(alice.get(PEOPLE))
    for said in ("bob ours theirs single sign-on", "carol ours theirs directory", "dave ours theirs proxy"):
        assert said in page
    bob = words(alice.get(of(person("bob"))))
    assert "Comes from single sign-on" in bob
    assert "theirs from single sign-on: what is changed here, the next sign-in changes back" in bob
    assert "ours from" not in bob
    assert "Make a link to set a password" not in bob
    assert "Make a link to set a password" in words(alice.get(of(alice.person)))


# Groups


def test_a_group_is_made_filled_emptied_and_removed(alice: SignedIn) -> None:
    bob = person("bob")
    made = alice.post(f"{GROUPS}add/", {"name": "devs"})
    devs = Group.objects.get()
    assert (made.status_code, made["Location"]) == (303, page_of(devs))
    assert alice.post(page_of(devs, "put/"), {"who": "bob"}).status_code == 303
    grant(Role.READER, "team/**", group=devs)
    assert "devs 1 person 1 grant" in words(alice.get(GROUPS))
    assert "reader of team/** in any registry" in words(alice.get(page_of(devs)))
    assert alice.post(page_of(devs, "take/"), {"person": bob.pk}).status_code == 303
    assert not bob.groups.exists()
    asks = words(alice.get(page_of(devs, "remove/")))
    assert "0 people are in it. They stay, and lose what the group was granted:" in asks
    assert "reader of team/** in any registry" in asks
    assert alice.post(page_of(devs, "remove/")).status_code == 303
    assert not Group.objects.exists()
    assert Grant.objects.get().user == alice.person
    assert [(what, about, detail) for what, _, about, detail in written()] == [
        ("groups-changed", "devs", "made"),
        ("groups-changed", "bob", "joined devs"),
        ("groups-changed", "bob", "left devs"),
        ("grant-removed", "group devs", "reader of team/** in any registry"),
        ("groups-changed", "devs", "removed"),
    ]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "This must have 1 to 150 characters."),
        ("x" * 151, "This must have 1 to 150 characters."),
        ("ops", "This is a group's already."),
    ],
)
def test_a_group_that_can_not_be_called_so_is_not_made(alice: SignedIn, name: str, why: str) -> None:
    Group.objects.create(name="ops")
    answer = alice.post(f"{GROUPS}add/", {"name": name})
    assert answer.status_code == 422
    assert why in words(answer)
    assert f'value="{name}"' in answer.content.decode()
    assert Group.objects.count() == 1


def test_nobody_is_put_into_a_group_who_is_not_there(alice: SignedIn) -> None:
    devs = Group.objects.create(name="devs")
    answer = alice.post(page_of(devs, "put/"), {"who": "bbo"})
    assert answer.status_code == 422
    assert "This must name a person: there is none named bbo." in words(answer)
    assert 'value="bbo"' in answer.content.decode()
    for text in ("", "x", "99", "9" * 40):
        assert alice.post(page_of(devs, "take/"), {"person": text}).status_code == 404


# Who may


def test_an_auditor_looks_at_people_and_groups_and_changes_nothing(audrey: SignedIn) -> None:
    bob, devs = person("bob"), Group.objects.create(name="devs")
    devs.user_set.add(bob)
    for path in (PEOPLE, of(bob), GROUPS, page_of(devs), JOURNAL):
        page = audrey.get(path)
        assert page.status_code == 200
        posts = re.findall(r'method="post" action="(/-/access/[^"]*)"', page.content.decode())
        assert posts == []
    changes = {
        f"{PEOPLE}add/": {"name": "eve"},
        of(bob, "link/"): {},
        of(bob, "disable/"): {},
        of(bob, "enable/"): {},
        of(bob, "join/"): {"group": str(devs.pk)},
        of(bob, "leave/"): {"group": str(devs.pk)},
        f"{GROUPS}add/": {"name": "ops"},
        page_of(devs, "put/"): {"who": "audrey"},
        page_of(devs, "take/"): {"person": str(bob.pk)},
        page_of(devs, "remove/"): {},
    }
    for path, form in changes.items():
        assert audrey.post(path, form).status_code == 403, path
    bob.refresh_from_db()
    assert (bob.is_active, bob.groups.get(), Group.objects.count()) == (True, devs, 1)
    assert set(User.objects.values_list("username", flat=True)) == {"audrey", "bob"}
    assert written() == []


@pytest.mark.parametrize("path", [PEOPLE, GROUPS, JOURNAL, f"{PEOPLE}1/", f"{PEOPLE}99/", f"{GROUPS}99/"])
def test_readers_are_refused_and_visitors_asked_to_sign_in(path: str) -> None:
    assert SignedIn("bob", (Role.READER, "**")).get(path).status_code == 403
    answer = SignedIn("charlie").get(path)
    assert answer.status_code == 403
    visitor = SignedIn("dave")
    visitor.logout()
    assert visitor.get(path).status_code == 302


# The journal


def entry(what: str, who: str, at: datetime, about: str = "", detail: str = "") -> None:
    AuditEntry.objects.create(what=what, who=who, at=at, about=about, detail=detail, address="192.0.2.7")


DAY = datetime(2026, 10, 5, 12, tzinfo=UTC)


@pytest.fixture
def told(db: None) -> None:
    entry("signed-in", "bob", DAY)
    entry("grant-added", "alice", DAY + timedelta(days=1), "bob", "reader of team/** in main")
    entry("sign-in-failed", "mallory", DAY + timedelta(days=1, hours=11, minutes=59))
    entry("groups-changed", "alice", DAY + timedelta(days=2), "carol", "joined devs")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["carol", "mallory", "bob", "bob"]),
        ({"who": "BOB"}, ["bob", "bob"]),
        ({"who": "alice"}, ["carol", "bob"]),
        ({"what": "sign-in-failed"}, ["mallory"]),
        ({"day": "2026-10-06"}, ["mallory", "bob"]),
        ({"day": "2026-10-06", "who": "alice"}, ["bob"]),
        ({"day": "2026-13-01", "what": "x"}, ["carol", "mallory", "bob", "bob"]),
        ({"who": "nobody"}, []),
    ],
)
def test_entries_are_found_by_person_kind_and_day(
    audrey: SignedIn, told: None, query: dict[str, str], found: list[str]
) -> None:
    AuditEntry.objects.filter(at__gt=DAY + timedelta(days=10)).delete()
    page = audrey.get(JOURNAL, query)
    rows = [row.entry.about or row.entry.who for row in page.context["rows"]]
    assert rows == found
    csv = audrey.get(JOURNAL, query | {"format": "csv"})
    lines = csv.content.decode().splitlines()
    assert lines[0] == "at,what,who,address,about,detail"
    assert len(lines) == len(found) + 1
    assert 'filename="access.csv"' in csv["Content-Disposition"]


def test_an_entry_says_who_did_what_to_whom_from_where_and_when(audrey: SignedIn, told: None) -> None:
    page = words(audrey.get(JOURNAL, {"what": "grant-added"}))
    assert "alice granted bob reader of team/** in main 192.0.2.7" in page
    assert "1 of" in page


def test_a_spreadsheet_takes_nothing_in_it_for_a_formula(audrey: SignedIn) -> None:
    entry("sign-in-failed", "=cmd|' /C calc'!A0", DAY)
    assert "'=cmd" in audrey.get(JOURNAL, {"format": "csv"}).content.decode()


def test_activity_leads_to_it_for_who_may_look(audrey: SignedIn) -> None:
    link = f'href="{JOURNAL}"'
    assert link in audrey.get("/-/activity/").content.decode()
    assert link not in SignedIn("bob", (Role.READER, "**")).get("/-/activity/").content.decode()


def test_the_journal_is_paged_in_the_order_of_its_index(
    audrey: SignedIn, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    rows = (
        AuditEntry(what="signed-in", who=f"p{number % 97}", at=DAY + timedelta(seconds=number))
        for number in range(3000)
    )
    AuditEntry.objects.bulk_create(rows)
    explained = AuditEntry.objects.values_list("pk", flat=True)[:50].explain()
    if connection.vendor == "sqlite":  # PostgreSQL looks at how many there are first
        assert "audit_newest" in explained
        assert "TEMP B-TREE" not in explained
    with django_assert_num_queries(7):
        page = audrey.get(JOURNAL, {"page": 60})
    assert page.context["page"].number == 60
    part = audrey.get(JOURNAL, headers={"HX-Request": "true", "HX-Target": "div#results"})
    assert part.content.decode().lstrip().startswith('<div id="results">')
