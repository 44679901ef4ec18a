"""The page of grants: who may do what, why, and who could."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group
from pytest_django import DjangoAssertNumQueries, Settings

from regui.accounts.access import Role
from regui.accounts.models import AuditEntry, Grant, User
from regui.index.models import Registry
from tests import factories
from tests.people import SignedIn, enter, grant, person
from tests.web.conftest import Visitor

PAGE, ADD = "/-/access/", "/-/access/add/"
HOSTILE = "<script>alert('owned')</script>"


@pytest.fixture(autouse=True)
def main(db: None) -> Registry:
    return factories.registry()


@pytest.fixture
def alice(db: None) -> SignedIn:
    """Alice administers everything, because she was granted that."""
    return SignedIn("alice", (Role.ADMIN, "**"))


@pytest.fixture
def audrey(db: None) -> SignedIn:
    """Audrey audits."""
    return SignedIn("audrey", (Role.AUDITOR, "**"))


def words(page: Any) -> str:
    text = re.sub(r"<datalist.*?</datalist>|<option.*?</option>", "", page.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def patterns(page: Any) -> list[str]:
    """What the grants of the list are over, in its order."""
    return re.findall(r'data-pattern="([^"]+)"', page.content.decode())


def asked(browser: SignedIn, **question: str) -> str:
    question = {"kind": "person", "registry": "main", "repository": "team/app"} | question
    return words(browser.get(PAGE, question))


# The list


def test_grants_stand_in_the_order_in_which_they_win(alice: SignedIn) -> None:
    devs = Group.objects.create(name="devs")
    grant(Role.READER)
    grant(Role.READER, "team/app")
    grant(Role.READER, "team/**", group=devs)
    grant(Role.READER, "team/*", registry="main", group=devs)
    grant(Role.AUDITOR, "a/very/particular/name", user=person("audrey"))
    page = alice.get(PAGE)
    assert patterns(page) == ["team/app", "team/*", "team/**", "**", "**", "a/very/particular/name"]
    assert "6 grants, the one that wins first" in words(page)
    assert "Everyone who signed in whoever they are reader team/app in any registry 8 literal" in words(page)
    assert "auditor adds" in words(page)
    assert "by alice" in words(page)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"holder": "DEV"}, ["team/**"]),
        ({"holder": "alice"}, ["**"]),
        ({"holder": "everyone"}, ["web/app"]),
        ({"covers": "team/app"}, ["team/**", "**"]),
        ({"covers": "web"}, ["web/app", "**"]),
        ({"covers": "team/**"}, ["team/**", "**"]),
        ({"on": "other"}, ["team/**", "**"]),
        ({"on": "main", "holder": "e"}, ["web/app", "team/**", "**"]),
        ({"holder": "nobody"}, []),
    ],
)
def test_grants_are_found_by_holder_registry_and_repository(
    alice: SignedIn, query: dict[str, str], found: list[str]
) -> None:
    factories.registry("other")
    grant(Role.READER, "team/**", group=Group.objects.create(name="devs"))
    grant(Role.READER, "web/app", registry="main")
    page = alice.get(PAGE, query)
    assert patterns(page) == found
    assert (f"{len(found)} of 3 grants" in words(page)) == bool(found)


def test_only_the_list_is_swapped(alice: SignedIn) -> None:
    part = alice.get(PAGE, headers={"HX-Request": "true", "HX-Target": "div#results"})
    assert part.content.decode().lstrip().startswith('<div id="results">')


def test_the_page_costs_the_same_however_many_grants(
    alice: SignedIn, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(7):
        alice.get(PAGE)
    for number in range(60):
        grant(Role.READER, f"n{number}/**", group=Group.objects.create(name=f"g{number}"))
    with django_assert_num_queries(7):
        assert len(patterns(alice.get(PAGE))) == 50


# Giving and taking away


def test_a_role_is_given_and_taken_away_after_asking(alice: SignedIn) -> None:
    bob = person("bob")
    for name in ("team/app", "team/web"):
        factories.repository(name)
    form = {"kind": "person", "who": "bob", "role": "maintainer", "registry": "main", "pattern": "team/**"}
    answer = alice.post(ADD, form)
    assert (answer.status_code, answer["Location"]) == (303, f"{PAGE}#grants")
    assert "bob is maintainer of team/** in main." in words(alice.get(PAGE))
    row = Grant.objects.get(user=bob)
    assert (str(row), row.created_by) == ("bob: maintainer of main/team/**", "alice")
    assert "That was granted already." in words(alice.post(ADD, form, follow=True))
    remove = f"{PAGE}grants/{row.pk}/remove/"
    page = words(alice.get(remove))
    assert "for 1 person, in 2 repositories that it covers now" in page
    assert "bob loses “see”, “set tags” and “delete” in 2 repositories" in page
    assert Grant.objects.filter(pk=row.pk).exists(), "a GET changes nothing"
    assert alice.post(remove).status_code == 303
    assert not Grant.objects.filter(pk=row.pk).exists()
    assert alice.post(remove).status_code == 404
    kinds = AuditEntry.objects.exclude(what="signed-in").order_by("pk").values_list("what", "who", "about")
    assert list(kinds) == [("grant-added", "alice", "bob"), ("grant-removed", "alice", "bob")]


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"who": ""}, "This must name a person."),
        ({"who": "nobody"}, "This must name a person: there is none named nobody."),
        ({"kind": "group", "who": "bob"}, "This must name a group: there is none named bob."),
        ({"kind": "everyone"}, "This is left empty when it is for no one person or group."),
        ({"kind": "visitor", "who": ""}, "This must be one of those offered."),
        ({"kind": "x"}, "This must be one of those offered."),
        ({"role": "owner"}, "This must be one of none, auditor, reader, developer, maintainer, admin."),
        ({"registry": "nowhere"}, "This must be * or a registry: there is none named nowhere."),
        ({"pattern": "te**am"}, "This must be a repository, or a pattern of repositories such as"),
        ({"who": HOSTILE}, f"there is none named {HOSTILE}"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field_and_nothing_typed_is_lost(
    alice: SignedIn, form: dict[str, str], why: str
) -> None:
    person("bob")
    typed = {"kind": "person", "who": "bob", "role": "developer", "registry": "main", "pattern": "team/**"}
    answer = alice.post(ADD, typed | form)
    assert answer.status_code == 422
    assert why in words(answer)
    assert HOSTILE not in answer.content.decode()
    assert Grant.objects.count() == 1
    text = answer.content.decode().partition('id="add"')[2]
    for name, value in (typed | form).items():
        if name in {"who", "pattern"}:
            field = re.search(rf'<input [^>]*name="{name}"[^>]*>', text)
            assert field
            assert f'value="{value}"' in unescape(field[0])
        elif name not in form:
            assert f'<option value="{value}" selected>' in text
    assert text.count('aria-invalid="true"') == 1


def test_the_last_administrator_stays(alice: SignedIn) -> None:
    mine = alice.person.grants.get()
    answer = alice.post(f"{PAGE}grants/{mine.pk}/remove/")
    assert answer.status_code == 409
    assert "Nobody would administer everything any more, so nothing was changed." in words(answer)
    lesser = {"kind": "person", "who": "alice", "role": "reader", "registry": "main", "pattern": ""}
    assert alice.post(ADD, lesser).status_code == 303, "a registry of several is not the site"
    Grant.objects.filter(user=alice.person).delete()
    ops = Group.objects.create(name="ops")
    ops.user_set.add(alice.person)
    grant(Role.ADMIN, group=ops)
    answer = alice.post(ADD, lesser | {"registry": "*"})
    assert answer.status_code == 409
    assert "It would outweigh what makes the last administrators ones" in words(answer)
    assert str(Grant.objects.get()) == "group ops: admin of */**"


def test_a_grant_of_some_repositories_shuts_no_administrator_out(alice: SignedIn) -> None:
    grant(Role.READER, "team/**")
    grant(Role.NONE, "secret/**", user=alice.person)
    assert alice.get(PAGE).status_code == 200
    bob = person("bob")
    form = {"kind": "person", "who": bob.username, "role": "reader", "registry": "*", "pattern": ""}
    assert alice.post(ADD, form).status_code == 303


# The question


def test_it_is_answered_what_somebody_can_do_and_why(alice: SignedIn) -> None:
    devs = Group.objects.create(name="devs")
    person("bob").groups.add(devs)
    grant(Role.MAINTAINER, group=devs)
    grant(Role.DEVELOPER, "team/**", group=devs)
    grant(Role.READER, "team/**")
    grant(Role.ADMIN, "web/**", user=person("bob"))
    said = asked(alice, who="bob")
    assert "bob can see main/team/app and set tags there, but not delete or administer." in said
    assert "yes: set tags as developer of team/**" in said
    assert "no: delete a developer may not" in said
    assert "3 grants cover main/team/app. The most particular one counts:" in said
    assert "counts developer of team/** in any registry for the group devs" in said
    assert "outweighed reader of team/** in any registry for everyone who signed in" in said
    assert "one for a group counts before one for everyone" in said
    assert "team/** spells out 5 characters, ** none" in said
    assert "web/**" not in said.partition("counts:")[2].partition("Who can?")[0]


def test_it_is_answered_of_groups_everyone_visitors_and_who_is_disabled(
    alice: SignedIn, settings: Settings
) -> None:
    grant(Role.READER)
    grant(Role.MAINTAINER, group=Group.objects.create(name="devs"))
    assert "Somebody in devs can see main/team/app, set tags and delete" in asked(
        alice, kind="group", who="devs"
    )
    assert "Somebody who has signed in can see main/team/app, but not" in asked(
        alice, kind="everyone", who=""
    )
    assert "A visitor can't see main/team/app: to them it isn't there." in asked(
        alice, kind="visitor", who=""
    )
    grant(Role.ADMIN, user=person("bob"))
    User.objects.filter(username="bob").update(is_active=False)
    said = asked(alice, who="bob")
    assert "bob can't see main/team/app" in said
    assert "bob is disabled and may not sign in, so nothing they were granted counts." in said


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ({"who": "nobody"}, "This must name a person: there is none named nobody."),
        ({"repository": "Team"}, "This must be the name of one repository, such as team/app."),
        ({"repository": "team/**"}, "This must be the name of one repository, such as team/app."),
        ({"registry": "nowhere"}, "This must be the name of a registry."),
        ({"who": "", "can": "fly"}, ""),
        ({"who": f"{HOSTILE}\0"}, "there is none named <script>alert('owned')</script>."),
    ],
)
def test_a_question_that_means_nothing_is_told_so(
    alice: SignedIn, question: dict[str, str], why: str
) -> None:
    asking = {"kind": "person", "who": "alice", "registry": "main", "repository": "team/app"} | question
    page = alice.get(PAGE, asking)
    assert page.status_code == 200
    assert why in words(page)
    assert "data-answer" not in page.content.decode()
    assert HOSTILE not in page.content.decode()


def test_it_is_answered_who_can(alice: SignedIn) -> None:
    devs = Group.objects.create(name="devs")
    for name in ("bob", "carol", "dave", "erin", "frank", "grace"):
        person(name).groups.add(devs)
    grant(Role.MAINTAINER, "team/**", group=devs)
    grant(Role.READER, "team/app", user=person("dave"))
    said = asked(alice, can="delete")
    assert "In main/team/app these can delete:" in said
    assert "alice alice is admin of ** in any registry." in said
    assert "bob carol erin frank grace The group devs is maintainer of team/** in any registry." in said
    assert "Nobody can delete" not in said
    Grant.objects.all().delete()
    grant(Role.AUDITOR, user=alice.person)
    assert "Nobody can delete on main/team/app." in asked(alice, can="delete")


def test_who_can_says_when_anybody_can(main: Registry) -> None:
    visitor = Visitor("admin")
    page = visitor.get(PAGE, {"can": "see", "registry": "main", "repository": "team/app"})
    assert "Anyone who reaches this address can see there, signed in or not." in words(page)


# Who may


def test_an_auditor_looks_and_changes_nothing(audrey: SignedIn) -> None:
    row = grant(Role.READER, user=person("bob"))
    page = audrey.get(PAGE)
    assert page.status_code == 200
    assert "Give a role" not in words(page)
    assert "Remove…" not in words(page)
    assert 'href="/-/access/"' in audrey.get("/-/activity/").content.decode(), "they find the way"
    assert "bob can see main/team/app, but" in asked(audrey, who="bob")
    form = {"kind": "person", "who": "audrey", "role": "admin"}
    for answer in (
        audrey.post(ADD, form),
        *(call(f"{PAGE}grants/{row.pk}/remove/") for call in (audrey.get, audrey.post)),
    ):
        assert answer.status_code == 403
        assert "You may look, but not change this" in words(answer)
    assert Grant.objects.count() == 2


@pytest.mark.parametrize("role", [Role.READER, Role.MAINTAINER])
def test_others_are_told_who_could(alice: SignedIn, role: Role) -> None:
    bob = SignedIn("bob", (role, "**"))
    for answer in (bob.get(PAGE), bob.post(ADD, {})):
        assert answer.status_code == 403
        assert "Ask somebody who could: alice." in words(answer)
    assert 'href="/-/access/"' not in bob.get("/-/activity/").content.decode()


def test_an_administrator_of_some_does_not_administer_the_site(alice: SignedIn) -> None:
    bob = SignedIn("bob", (Role.ADMIN, "team/**"), (Role.AUDITOR, "team/**"))
    assert bob.get(PAGE).status_code == 403
    assert bob.post(ADD, {"kind": "person", "who": "bob", "role": "admin"}).status_code == 403
    assert Grant.objects.count() == 3


@pytest.mark.parametrize("path", [PAGE, ADD, f"{PAGE}grants/1/remove/", f"{PAGE}grants/99/remove/"])
def test_strangers_are_refused_and_visitors_asked_to_sign_in(path: str) -> None:
    grant(Role.READER, user=person("bob"))
    stranger, visitor = SignedIn("charlie"), Visitor("none")
    for call in ("get", "post"):
        if path == ADD and call == "get":
            continue
        if path == PAGE and call == "post":
            continue
        assert getattr(stranger, call)(path).status_code == 403
        answer = getattr(visitor, call)(path)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/-/account/")
    assert Grant.objects.count() == 1


def test_pages_are_not_stored(alice: SignedIn) -> None:
    assert "no-store" in alice.get(PAGE)["Cache-Control"]


# What visitors may


@pytest.mark.parametrize(
    ("role", "said"),
    [
        ("admin", "Anyone who reaches this address may do everything"),
        ("reader", "Anyone who reaches this address may look at everything."),
    ],
)
def test_what_anyone_may_is_said_loudly(role: str, said: str) -> None:
    grant(Role.ADMIN, user=person("alice"))
    browser = Visitor(role)
    enter(browser, person("alice"))
    for path in ("/-/settings/", PAGE):
        page = browser.get(path)
        assert said in words(page)
        assert f'data-visitors="{role}"' in page.content.decode()


def test_nothing_is_said_when_visitors_may_nothing(alice: SignedIn) -> None:
    for path in ("/-/settings/", PAGE):
        assert "Anyone who reaches this address" not in words(alice.get(path))


# Names are text


def test_names_from_elsewhere_are_text(alice: SignedIn) -> None:
    evil = User.objects.create(username=HOSTILE, email="<b>@x")
    group = Group.objects.create(name='"><img src=x onerror=alert(1)>')
    evil.groups.add(group)
    row = grant(Role.READER, user=evil)
    grant(Role.READER, group=group)
    paths = [
        PAGE,
        f"{PAGE}?kind=person&who={HOSTILE}&registry=main&repository=team/app",
        f"{PAGE}?can=see&registry=main&repository=team/app",
        f"{PAGE}?holder={HOSTILE}",
        f"{PAGE}grants/{row.pk}/remove/",
        f"{PAGE}people/",
        f"{PAGE}people/?q={HOSTILE}",
        f"{PAGE}people/{evil.pk}/",
        f"{PAGE}people/{evil.pk}/disable/",
        f"{PAGE}groups/",
        f"{PAGE}groups/{group.pk}/",
        f"{PAGE}groups/{group.pk}/remove/",
        f"{PAGE}journal/?who={HOSTILE}",
    ]
    alice.post(f"{PAGE}people/{evil.pk}/disable/")
    for path in paths:
        page = alice.get(path)
        assert page.status_code == 200, path
        assert "<script>alert" not in page.content.decode(), path
        assert "<img src=x" not in page.content.decode(), path
