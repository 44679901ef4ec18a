"""Signing in with a name and a password, and out again."""

from typing import Any

import pytest
from django.conf import settings as live
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import get_resolver, resolve, reverse
from django.urls.exceptions import Resolver404
from pytest_django import Settings

from regui.accounts import links, roster
from regui.accounts.access import Role
from regui.accounts.local import local
from regui.accounts.models import AuditEntry, User
from regui.patterns import ANYWHERE
from tests.people import PASSWORD, SignedIn, grant, session_key, sign_in, with_password
from tests.web.conftest import Visitor

What = AuditEntry.What
PAGE = "/-/account/sign-in/"


@pytest.fixture(autouse=True)
def closed(settings: Settings, quick_passwords: None, db: None) -> None:
    """Visitors may nothing."""
    settings.ANONYMOUS_ROLE = "none"


class Counted(MD5PasswordHasher):
    """Counts how often a password was worked on."""

    worked = 0

    def encode(self, password: str, salt: str) -> str:
        Counted.worked += 1
        return super().encode(password, salt)


def journal(what: AuditEntry.What) -> list[tuple[str, str, str]]:
    """Who did that, from where, and how, as the journal of access has it."""
    rows = AuditEntry.objects.filter(what=what).order_by("id")
    return [(row.who, row.address, row.detail) for row in rows]


def test_a_person_signs_in_by_name_and_sees_what_was_granted(someone: Visitor) -> None:
    grant(Role.READER, ANYWHERE, user=with_password("bob"))
    answer = sign_in(someone, "bob", next="/-/activity/")
    assert (answer.status_code, answer["Location"]) == (302, "/-/activity/")
    page = someone.get("/-/activity/")
    assert page.status_code == 200
    assert 'Account of </span><span class="who-name">bob' in page.text
    assert journal(What.SIGNED_IN) == [("bob", "127.0.0.1", "")]


@pytest.mark.parametrize("name", ["bob@example.com", "BOB@example.com", "Bob"])
def test_the_address_does_as_well_and_capitals_do_not_matter(someone: Visitor, name: str) -> None:
    with_password("bob", "bob@example.com")
    assert sign_in(someone, name).status_code == 302
    assert someone.get("/-/account/").status_code == 200


@pytest.mark.parametrize("name", ["bob", "bob@example.com", "nobody", "nobody@example.com"])
def test_one_password_is_worked_on_whether_somebody_is_called_so_or_not(
    someone: Visitor, settings: Settings, name: str
) -> None:
    with_password("bob", "bob@example.com")
    settings.PASSWORD_HASHERS = [f"{__name__}.Counted"]
    Counted.worked = 0
    sign_in(someone, name, "wrong")
    assert Counted.worked == 1


@pytest.mark.parametrize(
    ("name", "password"), [("bob", "no such one"), ("nobody", PASSWORD), ("bob", PASSWORD.upper())]
)
def test_what_is_wrong_is_not_told(someone: Visitor, name: str, password: str) -> None:
    with_password("bob")
    answer = sign_in(someone, name, password)
    assert "The name or the password is wrong." in answer.text
    assert password not in answer.text
    assert someone.get("/-/account/").status_code == 302


def test_the_journal_names_only_people_there_are(someone: Visitor) -> None:
    with_password("bob", "bob@example.com")
    sign_in(someone, "bob@example.com", "wrong")
    sign_in(someone, "my password typed in the wrong field", "x")
    assert journal(What.SIGN_IN_FAILED) == [
        ("bob", "127.0.0.1", "wrong password"),
        ("unknown", "127.0.0.1", "no such person"),
    ]
    assert not [row for row in AuditEntry.objects.values_list() if "typed" in str(row)]


def test_who_has_no_password_does_not_get_in_without_one(someone: Visitor) -> None:
    roster.add("bob", local())
    for password in ("", "!", "None"):
        sign_in(someone, "bob", password)
    assert someone.get("/-/account/").status_code == 302


def test_a_wrong_password_is_tried_five_times_and_then_not_even_the_right_one_counts(
    someone: Visitor,
) -> None:
    with_password("bob")
    with_password("carol")
    for _ in range(5):
        assert "is wrong" in sign_in(someone, "bob", "wrong").text
    assert "Too many wrong attempts" in sign_in(someone, "bob").text
    assert len(journal(What.SIGN_IN_FAILED)) == 5
    assert sign_in(someone, "carol").status_code == 302


def test_who_gets_a_new_password_by_a_link_need_not_wait(someone: Visitor) -> None:
    user = with_password("bob", "bob@example.com")
    for name in ("bob", "Bob@example.com"):
        for _ in range(6):
            answer = sign_in(someone, name, "wrong")
        assert "Too many wrong attempts." in answer.text
    form = someone.get(links.to_password(user))["Location"]
    new = "another battery staple"
    assert someone.post(form, {"password1": new, "password2": new}).status_code == 303
    for name in ("bob", "bob@example.com"):
        assert sign_in(Visitor("none"), name, new).status_code == 302


def test_an_address_that_tries_many_names_is_stopped_whatever_it_says_of_itself(someone: Visitor) -> None:
    with_password("bob")
    for number in range(10):
        sign_in(someone, f"name{number}", "wrong")
    said = {"X-Forwarded-For": "10.9.8.7", "Forwarded": "for=10.9.8.7", "X-Real-IP": "10.9.8.7"}
    answer = someone.post(PAGE, {"login": "bob", "password": PASSWORD}, headers=said)
    assert "Too many wrong attempts" in answer.text
    elsewhere = Client(REMOTE_ADDR="10.0.0.7")
    assert sign_in(elsewhere, "bob").status_code == 302


def test_who_never_stops_gets_a_page_that_says_so(someone: Visitor) -> None:
    answers = [sign_in(someone, f"name{number}", "wrong") for number in range(31)]
    assert [answer.status_code for answer in answers] == [200] * 30 + [429]
    assert "Too many attempts" in answers[-1].text
    assert answers[-1]["Retry-After"] == "60"


@pytest.mark.parametrize(
    "there",
    [
        "//evil.example/",
        "https://evil.example/",
        "https:evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "\\\\evil",
    ],
)
def test_nobody_is_sent_elsewhere(someone: Visitor, there: str) -> None:
    with_password("bob")
    assert sign_in(someone, "bob", next=there)["Location"] == "/"
    # Nor who has signed in already, nor who signs out.
    assert someone.get(PAGE, {"next": there})["Location"] == "/"
    assert someone.post("/-/account/sign-out/", {"next": there})["Location"] == "/"


def test_not_even_to_a_name_of_ours_by_another_scheme(someone: Visitor, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "other.example"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://other.example"]
    with_password("bob")
    assert sign_in(someone, "bob", next="https://other.example/")["Location"] == "/"


def test_signing_out_is_a_post_and_ends_the_session(someone: Visitor) -> None:
    with_password("bob")
    sign_in(someone, "bob")
    stolen = Client()
    stolen.cookies["regui_session"] = someone.cookies["regui_session"].value
    assert someone.get("/-/account/sign-out/").status_code == 405
    assert stolen.get("/-/account/").status_code == 200
    answer = someone.post("/-/account/sign-out/")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert someone.get("/-/account/").status_code == 302
    assert stolen.get("/-/account/").status_code == 302
    assert journal(What.SIGNED_OUT) == [("bob", "127.0.0.1", "")]


def test_the_key_of_a_session_opens_none_without_its_signature(someone: Visitor, settings: Settings) -> None:
    with_password("bob")
    sign_in(someone, "bob")
    key, cookie = session_key(someone), someone.cookies["regui_session"].value
    for tried in (key, f"{key}:", f"{key}:{'x' * 43}", cookie[:-1], cookie.swapcase()):
        assert Session.objects.filter(pk=key).exists()
        someone.cookies["regui_session"] = tried
        assert someone.get("/-/account/").status_code == 302
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    someone.cookies["regui_session"] = cookie
    assert someone.get("/-/account/").status_code == 200, "as long as the key of before is named"
    settings.SECRET_KEY_FALLBACKS = []
    assert someone.get("/-/account/").status_code == 200, "it was signed anew meanwhile"
    someone.cookies["regui_session"] = cookie
    assert someone.get("/-/account/").status_code == 302


def test_the_session_gets_another_key_as_one_signs_in(someone: Visitor) -> None:
    with_password("bob")
    someone.get("/-/account/sign-in/passkey/", headers={"Accept": "application/json"})
    before = session_key(someone)
    sign_in(someone, "bob")
    assert before
    assert session_key(someone) not in {None, before}


def test_the_cookie_is_for_this_site_alone(someone: Visitor, settings: Settings) -> None:
    with_password("bob")
    cookie = sign_in(someone, "bob").cookies["regui_session"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert cookie["max-age"] == 14 * 24 * 3600
    assert cookie["secure"] == ""
    settings.SESSION_COOKIE_SECURE = True
    assert sign_in(Client(), "bob").cookies["regui_session"]["secure"] is True


def test_a_disabled_person_is_out_at_once_and_stays_out(someone: Visitor) -> None:
    user = with_password("bob")
    sign_in(someone, "bob")
    assert someone.get("/-/account/").status_code == 200
    roster.disable(user, local())
    assert someone.get("/-/account/").status_code == 302
    answer = sign_in(someone, "bob")
    assert (answer.status_code, answer["Location"]) == (302, "/-/account/disabled/")
    assert "Your account is disabled" in someone.get("/-/account/disabled/").text
    assert someone.get("/-/account/").status_code == 302
    assert journal(What.SIGN_IN_FAILED) == [("bob", "127.0.0.1", "the account is disabled")]
    roster.enable(user, local())
    assert sign_in(someone, "bob").status_code == 302


def test_a_person_disabled_behind_our_back_is_out_too(someone: Visitor) -> None:
    with_password("bob")
    sign_in(someone, "bob")
    User.objects.update(is_active=False)
    assert someone.get("/-/account/").status_code == 302


def test_a_visitor_without_rights_comes_here_and_goes_on_to_where_they_were_going() -> None:
    visitor = Visitor("none")
    answer = visitor.get("/main/team/app/?sort=name")
    assert (answer.status_code, answer["Location"]) == (
        302,
        f"{PAGE}?next=%2Fmain%2Fteam%2Fapp%2F%3Fsort%3Dname",
    )
    page = visitor.get(answer["Location"])
    assert 'name="next" value="/main/team/app/?sort=name"' in page.text
    assert 'href="/-/activity/"' not in page.text


def test_htmx_is_told_to_leave_the_page_when_the_session_has_ended() -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/main/?q=app"}
    answer = Visitor("none").get("/main/?q=app&page=2", headers=headers)
    assert answer["HX-Redirect"] == f"{PAGE}?next=%2Fmain%2F%3Fq%3Dapp"
    assert answer.status_code == 200
    assert "<form" not in answer.text


def test_the_header_offers_the_way_in_to_visitors_who_may_look(bob: SignedIn) -> None:
    page = Visitor("reader").get("/-/activity/")
    assert f'href="{PAGE}?next=%2F-%2Factivity%2F"' in page.text
    assert PAGE not in bob.get("/-/activity/").text


def test_while_nobody_administers_it_the_page_says_what_to_do(someone: Visitor) -> None:
    assert "Nobody administers regui yet" in someone.get(PAGE).text
    bob = with_password("bob")
    assert "Nobody administers regui yet" in someone.get(PAGE).text
    grant(Role.ADMIN, user=bob)
    assert "Nobody administers regui yet" not in someone.get(PAGE).text


def every_address(patterns: Any = None, before: str = "") -> set[str]:
    """Each address below `-/account/`, as a pattern."""
    found = set[str]()
    for one in patterns or get_resolver().url_patterns:
        path = before + str(one.pattern)
        if hasattr(one, "url_patterns"):
            found |= every_address(one.url_patterns, path)
        elif path.startswith("-/account/"):
            found.add(path.removeprefix("-/account/"))
    return found


@pytest.mark.parametrize(
    "path",
    [
        *(
            "login/",
            "logout/",
            "signup/",
            "signup/passkey/",
            "email/",
            "confirm-email/",
            "confirm-email/x:y/",
        ),
        *("password/change/", "password/reset/", "password/reset/key/1-abc/", "password/reset/done/"),
        *("login/code/", "login/code/confirm/", "phone/verify/", "reauthenticate/", "reauthenticate/code/"),
        *("2fa/", "2fa/authenticate/", "2fa/trust/", "2fa/webauthn/", "2fa/recovery-codes/", "sessions/"),
        *("3rdparty/", "3rdparty/signup/", "social/signup/", "social/connections/"),
        *("codes/download/", "passkeys/", "passkeys/signup/"),
    ],
)
def test_what_allauth_offers_besides_is_not_there(path: str) -> None:
    with pytest.raises(Resolver404):
        resolve(f"/-/account/{path}")


def test_each_address_below_account_is_known_here_and_answers_strangers_well(someone: Visitor) -> None:
    """What visitors get: a page, or the way to sign in. A new address has to be put into this table."""
    sign_in_first = {
        *("", "password/", "app/add/", "app/remove/", "codes/", "codes/new/", "passkeys/add/"),
        *(
            "passkeys/<int:pk>/name/",
            "passkeys/<int:pk>/remove/",
            "confirm/",
            "confirm/code/",
            "confirm/passkey/",
        ),
        "sign-in/second/",
    }
    open_to_all = {"sign-in/", "disabled/"}
    by_link = {"first/", "first/<str:secret>/", "password/set/", "password/set/<slug:number>/<slug:token>/"}
    post_only = {"sign-out/", "sessions/<int:pk>/end/", "sessions/end/"}
    known = sign_in_first | open_to_all | by_link | post_only | {"sign-in/passkey/"}
    assert {path for path in every_address() if not path.startswith(("sign-in/oidc/", "tokens/"))} == known

    def get(path: str) -> Any:
        filled = {"<int:pk>": "1", "<str:secret>": "x", "<slug:number>": "1", "<slug:token>": "x-y"}
        for old, new in filled.items():
            path = path.replace(old, new)
        return someone.get(f"/-/account/{path}")

    for path in sign_in_first | {"sign-in/passkey/"}:
        answer = get(path)
        assert answer.status_code == 302, path
        assert answer["Location"].startswith(PAGE), path
    assert {get(path).status_code for path in open_to_all} == {200}
    assert {get(path).status_code for path in by_link} == {410}
    assert {get(path).status_code for path in post_only} == {405}


def test_where_allauth_leads_is_there() -> None:
    for name in ("mfa_index", "mfa_list_webauthn", "account_login", "account_logout", "account_inactive"):
        assert reverse(name).startswith("/-/account/")
    assert live.LOGIN_URL == "account_login"
