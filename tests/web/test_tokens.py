"""The pages of tokens: one's own, and for administrators robots and everybody's."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from regui.accounts.access import ANY, Role
from regui.accounts.models import AuditEntry, Token, User
from regui.patterns import ANYWHERE
from tests import factories
from tests.people import ASKING, SignedIn, grant, person, token
from tests.web.conftest import Visitor

MINE, ROBOTS = "/-/account/tokens/", "/-/access/robots/"
GOOD = {"name": "laptop", "role": "reader", "registry": "main", "pattern": "team/**", "life": "90d"}


@pytest.fixture(autouse=True)
def main(settings: Settings, db: None) -> None:
    settings.ANONYMOUS_ROLE = "none"
    factories.registry()


@pytest.fixture
def alice() -> SignedIn:
    """Alice administers, and has a name."""
    return SignedIn("alice", (Role.ADMIN, ANYWHERE))


def secret(page: Any) -> str:
    found = re.findall(r"data-secret>([^<]+)<", page.text)
    assert len(found) == 1
    return str(found[0])


def listed(page: Any) -> list[str]:
    return re.findall(r'data-token="([^"]+)"', page.text)


def words(page: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


# One's own


def test_a_token_is_made_and_its_secret_shown_this_once(bob: SignedIn) -> None:
    page = bob.post(f"{MINE}make/", GOOD)
    assert page.status_code == 200
    shown = secret(page)
    row = Token.objects.get()
    assert (row.owner, row.name, row.role, row.registry, row.pattern) == (
        bob.person,
        "laptop",
        "reader",
        "main",
        "team/**",
    )
    assert row.expires_at is not None
    assert abs(row.expires_at - timezone.now() - timedelta(days=90)) < timedelta(minutes=5)
    assert row.created_by == "bob"
    assert Client().get("/api/v1/registries", headers={"Authorization": f"Bearer {shown}"}).status_code == 200
    page = bob.get(MINE)
    assert listed(page) == ["bob (token laptop)"]
    assert row.hint in page.text
    assert shown not in page.text
    assert "reader of team/** in main" in words(page)
    assert "just now from 127.0.0.1" in words(page)


def test_no_page_of_tokens_is_kept_by_a_browser(bob: SignedIn) -> None:
    made = bob.post(f"{MINE}make/", GOOD)
    pages = [made, bob.get(MINE), bob.get(f"{MINE}{Token.objects.get().pk}/revoke/")]
    for page in pages:
        assert "no-store" in page["Cache-Control"]
        assert page.status_code == 200


def test_a_pattern_left_empty_is_every_repository_and_never_is_for_ever(bob: SignedIn) -> None:
    bob.post(
        f"{MINE}make/", {"name": "all", "role": "reader", "registry": "*", "pattern": "", "life": "never"}
    )
    row = Token.objects.get()
    assert (row.registry, row.pattern, row.expires_at) == (ANY, ANYWHERE, None)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"name": ""}, "This must be 1 to 40 characters"),
        ({"name": "\u202ex"}, "This must be 1 to 40 characters"),
        ({"role": "admin"}, "This must be a role: reader."),
        ({"role": "none"}, "This must be a role: reader."),
        ({"role": ""}, "This must be a role: reader."),
        ({"registry": "secret"}, "There is no registry of that name."),
        ({"registry": ""}, "There is no registry of that name."),
        ({"pattern": "te**am"}, "This must be a repository, or a pattern"),
        ({"pattern": "x" * 256}, "This must be a repository, or a pattern"),
        ({"life": "0"}, "This must be longer than no time at all."),
        ({"life": "eternal"}, "This must be a length of time"),
        ({"life": ""}, "This must be a length of time"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field_and_nothing_typed_is_lost(
    bob: SignedIn, change: dict[str, str], why: str
) -> None:
    page = bob.post(f"{MINE}make/", GOOD | change)
    assert page.status_code == 422
    assert not Token.objects.exists()
    (field,) = change
    assert f'id="{field}-fault"' in page.text
    assert page.text.count('role="alert"') == 1
    assert page.text.count("autofocus") == 1
    assert why in words(page)
    for name, value in (GOOD | change).items():
        if name in {"name", "pattern"}:
            assert f'name="{name}" value="{value}"' in page.text


def test_markup_in_a_name_is_text(bob: SignedIn) -> None:
    bob.post(f"{MINE}make/", GOOD | {"name": "<script>x</script>"})
    for page in (bob.get(MINE), bob.get(f"{MINE}{Token.objects.get().pk}/revoke/")):
        assert "<script>x" not in page.text
        assert "&lt;script&gt;x" in page.text


def test_a_registry_that_one_may_not_see_is_neither_offered_nor_taken() -> None:
    factories.registry("hidden")
    dora = SignedIn("dora")
    grant(Role.READER, registry="main", user=dora.person)
    page = dora.get(MINE)
    assert 'value="main"' in page.text
    assert "hidden" not in re.findall(r'<option value="([^"]+)"', page.text)
    assert dora.post(f"{MINE}make/", GOOD | {"registry": "hidden"}).status_code == 422


def test_who_may_nothing_is_offered_no_form(charlie: SignedIn) -> None:
    page = charlie.get(MINE)
    assert page.status_code == 200
    assert "Nothing was granted to you yet" in page.text
    assert "Make token" not in page.text
    assert charlie.post(f"{MINE}make/", GOOD).status_code == 422


def test_a_token_is_revoked_after_being_asked(bob: SignedIn) -> None:
    opened = token(Role.READER, owner=bob.person)
    row = Token.objects.get()
    page = bob.get(f"{MINE}{row.pk}/revoke/")
    assert row.hint in page.text
    row.refresh_from_db()
    assert row.revoked_at is None, "a GET changes nothing"
    answer = bob.post(f"{MINE}{row.pk}/revoke/")
    assert (answer.status_code, answer["Location"]) == (303, MINE)
    header = {"Authorization": f"Bearer {opened}"}
    assert Client().get("/api/v1/registries", headers=header).status_code == 401
    assert listed(bob.get(MINE)) == []
    assert bob.post(f"{MINE}{row.pk}/revoke/").status_code == 404
    entry = AuditEntry.objects.first()
    assert entry is not None
    assert (entry.what, entry.who, entry.about) == (
        AuditEntry.What.TOKEN_REVOKED,
        "bob",
        "bob (token ci)",
    )
    assert entry.address == "127.0.0.1"


def test_another_s_token_is_not_there(bob: SignedIn) -> None:
    token(Role.READER, owner=person("alice"))
    token(Role.READER, name="robot")
    assert listed(bob.get(MINE)) == []
    for row in Token.objects.all():
        assert bob.get(f"{MINE}{row.pk}/revoke/").status_code == 404
        assert bob.post(f"{MINE}{row.pk}/revoke/").status_code == 404
    assert not Token.objects.exclude(revoked_at=None).exists()


def test_what_is_over_says_so(bob: SignedIn, alice: SignedIn) -> None:
    token(Role.READER, owner=bob.person, until=timezone.now() - timedelta(days=1))
    assert "expired" in words(bob.get(MINE))
    token(Role.READER, owner=person("gone"))
    User.objects.filter(username="gone").update(is_active=False)
    assert "owner disabled" in words(alice.get(ROBOTS))


def test_lives_are_bounded_by_the_settings(bob: SignedIn, settings: Settings) -> None:
    assert 'value="never"' in bob.get(MINE).text
    settings.TOKEN_MAX_AGE = timedelta(days=45)
    page = bob.get(MINE)
    assert re.findall(r'<option value="(\d+d|never)"', page.text) == ["30d", "45d"]
    assert bob.post(f"{MINE}make/", GOOD).status_code == 422


# Robots and everybody's


def test_an_administrator_makes_robots_and_sees_everybody_s(alice: SignedIn, bob: SignedIn) -> None:
    token(Role.READER, owner=bob.person)
    page = alice.post(f"{ROBOTS}make/", GOOD | {"role": "maintainer"})
    assert page.status_code == 200
    assert len(secret(page)) == 49
    assert listed(alice.get(ROBOTS)) == ["robot:laptop", "bob (token ci)"]
    assert listed(alice.get(ROBOTS, {"q": "bob"})) == ["bob (token ci)"]
    assert listed(alice.get(ROBOTS, {"q": Token.objects.get(owner=None).hint})) == ["robot:laptop"]
    assert listed(alice.get(ROBOTS, {"q": "nobody"})) == []
    assert listed(alice.get(MINE)) == []
    row = Token.objects.get(owner=bob.person)
    assert alice.post(f"{ROBOTS}{row.pk}/revoke/")["Location"] == ROBOTS
    assert listed(bob.get(MINE)) == []


@pytest.mark.parametrize("role", [Role.READER, Role.DEVELOPER, Role.MAINTAINER, Role.AUDITOR])
def test_others_may_not_and_are_told_who_could(alice: SignedIn, role: Role) -> None:
    token(Role.READER)
    row = Token.objects.get()
    other = SignedIn("eve", (role, ANYWHERE), (Role.ADMIN, "team/**"))
    for answer in (
        other.get(ROBOTS),
        other.post(f"{ROBOTS}make/", GOOD),
        other.get(f"{ROBOTS}{row.pk}/revoke/"),
        other.post(f"{ROBOTS}{row.pk}/revoke/"),
    ):
        assert answer.status_code == 403
        assert "alice" in words(answer)
        assert "robot:ci" not in answer.text
    assert "robots" not in words(other.get(MINE))
    row.refresh_from_db()
    assert row.revoked_at is None


@pytest.mark.parametrize("role", ["none", "reader", "admin"])
def test_a_visitor_is_asked_to_sign_in_whatever_visitors_may(role: str) -> None:
    token(Role.READER)
    pk, visitor = Token.objects.get().pk, Visitor(role)
    for page in (MINE, ROBOTS):
        for address in (page, f"{page}{pk}/revoke/"):
            answer = visitor.get(address)
            assert answer.status_code == 302
            assert answer["Location"].startswith("/-/account/sign-in/?next=")
        for address in (f"{page}make/", f"{page}{pk}/revoke/"):
            answer = visitor.post(address, GOOD)
            assert answer.status_code == 302
            assert answer["Location"].startswith("/-/account/sign-in/")
    assert Token.objects.filter(revoked_at=None).count() == 1


def test_a_form_without_its_token_makes_and_revokes_nothing(bob: SignedIn) -> None:
    token(Role.READER, owner=bob.person)
    strict = SignedIn("bob", enforce_csrf_checks=True)
    assert strict.post(f"{MINE}make/", GOOD).status_code == 403
    assert strict.post(f"{MINE}{Token.objects.get().pk}/revoke/").status_code == 403
    assert Token.objects.filter(revoked_at=None).count() == 1


def test_a_get_makes_nothing(bob: SignedIn) -> None:
    assert bob.get(f"{MINE}make/").status_code == 405
    assert bob.get(f"{ROBOTS}make/").status_code == 405


def test_the_list_takes_as_many_queries_for_many(
    alice: SignedIn, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(60):
        token(Role.READER, owner=person(f"p{number}"), name=str(number))
    alice.get(ROBOTS)
    with django_assert_num_queries(ASKING + 4):
        page = alice.get(ROBOTS)
    assert len(listed(page)) == 50
    assert len(listed(alice.get(ROBOTS, {"page": "2"}))) == 10
