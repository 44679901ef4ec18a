"""Signing in through a provider: a real one, in a process of its own."""

import time
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from pytest_django import Settings

from regui.accounts.models import AuditEntry, Identity, User
from tests.accounts.browsing import Browser, said
from tests.accounts.trust import accepted
from tests.provider import Provider

What = AuditEntry.What


def test_a_person_signs_in_and_goes_where_they_were_going(idp: Provider, window: Browser) -> None:
    answer = window.through("alice", there="/-/activity/?page=2")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/-/activity/?page=2")
    assert window.person == "alice"
    user = User.objects.get(username="alice")
    assert (user.email, user.has_usable_password()) == ("alice@example.com", False)
    assert Identity.objects.get(user=user).subject == f"{idp.url} a-1"


def test_who_comes_again_is_the_same_person_whatever_they_are_called_by_now(
    idp: Provider, window: Browser
) -> None:
    window.through("bob")
    idp.tell("bob", preferred_username="robert", email="robert@example.com")
    window.post(reverse("account_logout"))
    window.through("bob")
    assert window.person == "bob"
    assert User.objects.get().email == "robert@example.com"


def test_nobody_is_led_away_to_another_site(idp: Provider, window: Browser) -> None:
    for there in ("https://evil.example/", "//evil.example/", "/\\evil.example"):
        assert window.through("bob", there).headers["Location"] == "/"


def test_an_answer_is_good_once(idp: Provider, window: Browser) -> None:
    back = window.from_provider("alice")
    assert window.get(back).status_code == 302
    window.post(reverse("account_logout"))
    answer = window.get(back)
    assert (answer.status_code, window.person) == (403, "")
    assert "is over already" in said(answer)


def test_an_answer_is_good_in_no_other_browser(idp: Provider, window: Browser) -> None:
    back = window.from_provider("alice")
    other = window.another()
    assert (other.get(back).status_code, other.person) == (403, "")


def test_a_code_of_another_sign_in_is_no_good(idp: Provider, window: Browser) -> None:
    stolen = parse_qs(urlsplit(window.from_provider("alice")).query)["code"][0]
    mallory = window.another()
    back = mallory.from_provider("bob")
    own = parse_qs(urlsplit(back).query)["code"][0]
    assert mallory.get(back.replace(own, stolen)).status_code == 403  # PKCE: it goes with another verifier
    assert mallory.person == ""


def test_a_state_that_nobody_began_with_is_refused_without_a_question(idp: Provider, window: Browser) -> None:
    asked = len(idp.seen)
    for query in ("?code=x&state=y", "?code=x", "", "?error=access_denied"):
        assert window.get(f"/-/account/sign-in/oidc/answer/{query}").status_code == 403
    assert all(path.startswith("GET /-/") for path in idp.seen[asked:])
    assert not AuditEntry.objects.exists()  # anybody could fill the journal so


def test_who_changes_their_mind_there_is_told_so(idp: Provider, window: Browser) -> None:
    answer = window.through("nobody")
    assert answer.status_code == 403
    assert "cancelled or refused there" in said(answer)


def test_signing_in_begins_with_a_form_of_ours(idp: Provider, window: Browser) -> None:
    assert window.get("/-/account/sign-in/oidc/").status_code == 405
    bare = window.session.post(f"{window.url}/-/account/sign-in/oidc/", allow_redirects=False, timeout=60)
    assert bare.status_code == 403


def test_without_a_provider_there_is_no_such_way(window: Browser, settings: Settings) -> None:
    assert settings.OIDC is None
    assert window.post("/-/account/sign-in/oidc/").status_code == 404
    assert window.get("/-/account/sign-in/oidc/answer/?code=x&state=y").status_code == 404


def test_it_asks_as_it_should(idp: Provider, window: Browser, settings: Settings) -> None:
    settings.OIDC = accepted(idp, REGUI_OIDC_SCOPES="openid email groups")
    there = [window.post("/-/account/sign-in/oidc/").headers["Location"] for _ in range(2)]
    first, second = (dict(parse_qsl(urlsplit(url).query)) for url in there)
    assert first["scope"] == "openid email groups"
    assert (first["response_type"], first["code_challenge_method"]) == ("code", "S256")
    assert first["redirect_uri"] == f"{window.url}/-/account/sign-in/oidc/answer/"
    assert all(first[name] != second[name] for name in ("state", "nonce", "code_challenge"))


def test_the_address_to_come_back_to_is_the_public_one(
    idp: Provider, window: Browser, settings: Settings
) -> None:
    settings.URL = "https://regui.example.com/below"
    there = window.post("/-/account/sign-in/oidc/").headers["Location"]
    back = parse_qs(urlsplit(there).query)["redirect_uri"]
    assert back == ["https://regui.example.com/-/account/sign-in/oidc/answer/"]


def test_groups_follow_the_provider(idp: Provider, window: Browser, settings: Settings) -> None:
    settings.OIDC = accepted(idp, REGUI_OIDC_GROUPS="idp-admins=admins, staff=everyone here")
    window.through("alice")
    alice = User.objects.get(username="alice")
    assert set(alice.groups.values_list("name", flat=True)) == {"admins", "everyone here"}
    alice.groups.add(Group.objects.create(name="by hand"))
    idp.tell("alice", groups=["staff"])  # removed meanwhile
    window.through("alice")
    assert set(alice.groups.values_list("name", flat=True)) == {"by hand", "everyone here"}
    changes = AuditEntry.objects.filter(what=What.GROUPS_CHANGED).values_list("who", "about", "detail")
    assert list(changes) == [
        ("from:oidc", "alice", "left admins"),
        ("from:oidc", "alice", "joined admins, everyone here"),
    ]


def test_who_is_in_no_group_there_is_in_none_here(idp: Provider, window: Browser, settings: Settings) -> None:
    settings.OIDC = accepted(idp, REGUI_OIDC_GROUPS="staff=staff")
    window.through("bob")
    idp.people["bob"].pop("groups")
    idp.tell("bob")
    window.through("bob")
    assert not User.objects.get().groups.exists()


def test_without_a_mapping_groups_go_by_their_names_and_none_is_made(idp: Provider, window: Browser) -> None:
    Group.objects.create(name="staff")
    window.through("alice")
    assert list(User.objects.get().groups.values_list("name", flat=True)) == ["staff"]
    assert Group.objects.count() == 1


def test_groups_may_be_in_another_claim_and_in_userinfo_alone(
    idp: Provider, window: Browser, settings: Settings
) -> None:
    Group.objects.create(name="deep")
    settings.OIDC = accepted(idp, REGUI_OIDC_GROUPS_CLAIM="realm_access.roles")
    idp.misbehave(userinfo={"realm_access": {"roles": ["deep"]}})
    window.through("alice")
    assert list(User.objects.get().groups.values_list("name", flat=True)) == ["deep"]


@pytest.mark.parametrize(
    ("lists", "people"),
    [
        ({"REGUI_OIDC_ALLOWED_GROUPS": "idp-admins, others"}, {"alice"}),
        ({"REGUI_OIDC_ALLOWED_DOMAINS": "example.com"}, {"alice"}),
        ({"REGUI_OIDC_ALLOWED_DOMAINS": "@elsewhere.example"}, {"bob"}),
        ({"REGUI_OIDC_ALLOWED_GROUPS": "staff", "REGUI_OIDC_ALLOWED_DOMAINS": "Example.com"}, {"alice"}),
        ({}, {"alice", "bob", "charlie"}),
    ],
)
def test_who_is_not_on_the_lists_is_told_so_and_gets_no_account(
    lists: dict[str, str], people: set[str], idp: Provider, window: Browser, settings: Settings
) -> None:
    settings.OIDC = accepted(idp, **lists)
    for person in ("alice", "bob", "charlie"):
        one = window.another()
        answer = one.through(person)
        assert (answer.status_code == 302, one.person == person) == ((person in people),) * 2
        if person not in people:
            assert "may not come in here" in said(answer)
    assert set(User.objects.values_list("username", flat=True)) == people


def test_an_address_that_was_not_verified_lets_nobody_in(
    idp: Provider, window: Browser, settings: Settings
) -> None:
    settings.OIDC = accepted(idp, REGUI_OIDC_ALLOWED_DOMAINS="example.com")
    for claim in (False, "true", None):
        idp.tell("alice", email_verified=claim)
        assert window.through("alice").status_code == 403
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["alice", "Alice", "ALICE"])
def test_a_local_account_of_the_same_name_or_address_is_nobody_elses(
    name: str, idp: Provider, window: Browser
) -> None:
    User.objects.create_user(name, "alice@example.com", "correct horse battery")
    answer = window.through("alice")
    assert (answer.status_code, window.person) == (403, "")
    assert "belongs to another account here" in said(answer)
    assert (User.objects.count(), Identity.objects.count()) == (1, 0)


def test_an_address_makes_nobody_the_same_person(idp: Provider, window: Browser) -> None:
    local = User.objects.create_user("root", "alice@example.com", "correct horse battery")
    window.through("alice")
    assert window.person == "alice"
    assert User.objects.get(username="alice").pk != local.pk


def test_two_people_there_are_two_people_here(idp: Provider, window: Browser) -> None:
    window.through("alice")
    idp.tell("mallory", sub="m-4", preferred_username="alice")
    mallory = window.another()
    assert (mallory.through("mallory").status_code, mallory.person) == (403, "")


@pytest.mark.parametrize(
    "name", ["al ice", "<b>alice</b>", "anonymous", "", "a" * 151, "local:root", "a\u0000b"]
)
def test_a_name_that_cant_be_is_refused(name: str, idp: Provider, window: Browser) -> None:
    idp.tell("alice", preferred_username=name, email="")
    answer = window.through("alice")
    assert (answer.status_code, User.objects.count()) == (403, 0)
    assert "<b>" not in answer.text


def test_who_is_disabled_here_stays_outside(idp: Provider, window: Browser) -> None:
    window.through("bob")
    User.objects.update(is_active=False)
    other = window.another()
    answer = other.through("bob")
    assert (answer.status_code, other.person) == (403, "")
    assert "is disabled here" in said(answer)


def test_who_was_signed_in_as_somebody_else_is_not_any_more(idp: Provider, window: Browser) -> None:
    window.through("alice")
    window.through("bob")
    assert window.person == "bob"


def test_a_session_ends_when_the_provider_was_asked_too_long_ago(
    idp: Provider, window: Browser, settings: Settings
) -> None:
    settings.OIDC = accepted(idp, REGUI_OIDC_SESSION_AGE="2s")
    window.through("alice")
    window.get("/")
    assert window.person == "alice"
    time.sleep(2.1)
    window.get("/")
    assert window.person == ""
