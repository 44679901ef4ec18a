"""Second factors: authenticator apps and recovery codes. Passkeys need a browser: tests/browser/."""

import base64
import re
from xml.etree import ElementTree

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from regui import secrets
from regui.accounts.adapter import Factors
from regui.accounts.models import AuditEntry
from regui.sealed import SECOND_FACTORS, reseal
from tests import codes
from tests.people import PASSWORD, sign_in, with_password
from tests.web.conftest import Visitor

ADD, REMOVE = "/-/account/app/add/", "/-/account/app/remove/"
CODES, CONFIRM, SECOND = "/-/account/codes/", "/-/account/confirm/", "/-/account/sign-in/second/"


@pytest.fixture(autouse=True)
def quick(quick_passwords: None, db: None) -> None:
    """Passwords cost nothing here."""


@pytest.fixture
def bob(someone: Visitor) -> Visitor:
    """Bob, who has just signed in with his password."""
    with_password("bob")
    sign_in(someone, "bob")
    return someone


def confirm(browser: Visitor, there: str) -> None:
    """Say once more who one is."""
    answer = browser.post(CONFIRM, {"password": PASSWORD, "next": there})
    assert (answer.status_code, answer["Location"]) == (302, there)


def offered(browser: Visitor) -> str:
    """The key that the page offers to an app."""
    found = re.search(r'aria-label="Key[^>]*>([A-Z2-7]{32})<', browser.get(ADD).text)
    assert found
    return found[1]


def with_app(browser: Visitor) -> tuple[str, list[str]]:
    """The key of an app that was added with the code of before, and the recovery codes that came with it."""
    confirm(browser, ADD)
    key = offered(browser)
    answer = browser.post(ADD, {"code": codes.now(key, -1)})
    assert (answer.status_code, answer["Location"]) == (302, CODES)
    shown = re.findall(r"<li>(\d{8})</li>", browser.get(CODES).text)
    assert len(shown) == 10
    return key, shown


def journal() -> list[tuple[str, str, str]]:
    entries = AuditEntry.objects.filter(what=AuditEntry.What.SECOND_FACTOR_CHANGED).order_by("id")
    return [(row.who, row.about, row.detail) for row in entries]


@pytest.mark.parametrize("path", [ADD, REMOVE, CODES, "/-/account/codes/new/", "/-/account/passkeys/add/"])
def test_before_a_factor_changes_one_says_once_more_who_one_is(bob: Visitor, path: str) -> None:
    with_app(bob)
    bob.post("/-/account/sign-out/")
    sign_in(bob, "bob")
    bob.post(SECOND, {"code": codes.now(decrypted(), 1)})
    answer = bob.get(path if path != ADD else REMOVE)
    assert answer.status_code == 302
    assert answer["Location"].startswith(CONFIRM)


def decrypted() -> str:
    row = Authenticator.objects.get(type=Authenticator.Type.TOTP)
    return secrets.unseal(row.data["secret"], SECOND_FACTORS)


def test_a_wrong_password_confirms_nothing(bob: Visitor) -> None:
    answer = bob.post(CONFIRM, {"password": "wrong", "next": ADD})
    assert "The password is wrong." in answer.text
    assert bob.get(ADD).status_code == 302


def test_from_then_on_signing_in_asks_for_a_code(bob: Visitor) -> None:
    key, _ = with_app(bob)
    bob.post("/-/account/sign-out/")
    answer = sign_in(bob, "bob", next="/-/activity/")
    assert (answer.status_code, answer["Location"]) == (302, SECOND)
    assert bob.get("/-/account/").status_code == 302
    wrong = bob.post(SECOND, {"code": "000000"})
    assert "This is wrong, or was used before." in wrong.text
    assert bob.get("/-/account/").status_code == 302
    answer = bob.post(SECOND, {"code": codes.now(key)})
    assert (answer.status_code, answer["Location"]) == (302, "/-/activity/")
    assert bob.get("/-/account/").status_code == 200
    failed = AuditEntry.objects.filter(what=AuditEntry.What.SIGN_IN_FAILED).values_list("who", "detail")
    assert list(failed) == [("bob", "wrong code")]


@pytest.mark.parametrize("there", ["//evil.example/", "https://evil.example/", "/\\evil.example"])
def test_the_second_step_leads_nowhere_else_either(bob: Visitor, there: str) -> None:
    key, _ = with_app(bob)
    bob.post("/-/account/sign-out/")
    sign_in(bob, "bob", next=there)
    answer = bob.post(f"{SECOND}?next={there}", {"code": codes.now(key), "next": there})
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_a_code_counts_once(
    bob: Visitor, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        key, _ = with_app(bob)
    bob.post("/-/account/sign-out/")
    code = codes.now(key)
    sign_in(bob, "bob")
    assert "used before" in bob.post(SECOND, {"code": codes.now(key, -1)}).text, "it was used to add the app"
    assert bob.post(SECOND, {"code": code}).status_code == 302
    bob.post("/-/account/sign-out/")
    sign_in(bob, "bob")
    assert "used before" in bob.post(SECOND, {"code": code}).text


def test_codes_are_not_guessed_without_end(bob: Visitor) -> None:
    key, _ = with_app(bob)
    bob.post("/-/account/sign-out/")
    sign_in(bob, "bob")
    for number in range(5):
        bob.post(SECOND, {"code": f"00000{number}"})
    assert "Too many wrong attempts" in bob.post(SECOND, {"code": codes.now(key)}).text


def test_each_recovery_code_stands_in_once(bob: Visitor) -> None:
    _, shown = with_app(bob)
    bob.post("/-/account/sign-out/")
    sign_in(bob, "bob")
    assert bob.post(SECOND, {"code": shown[3]}).status_code == 302
    assert "9 unused" in bob.get("/-/account/").text
    bob.post("/-/account/sign-out/")
    sign_in(bob, "bob")
    assert "used before" in bob.post(SECOND, {"code": shown[3]}).text
    assert bob.post(SECOND, {"code": shown[4]}).status_code == 302


def test_recovery_codes_are_shown_once_with_a_file_of_them(bob: Visitor) -> None:
    confirm(bob, ADD)
    bob.post(ADD, {"code": codes.now(offered(bob))})
    page = bob.get(CODES).text
    shown = re.findall(r"<li>(\d{8})</li>", page)
    assert f'href="data:text/plain;charset=utf-8,{"".join(f"{code}%0A" for code in shown)}"' in page
    again = bob.get(CODES)
    assert "not shown again" in again.text
    assert not any(code in again.text for code in shown)
    assert "no-store" in again["Cache-Control"]
    assert bob.post("/-/account/codes/new/")["Location"] == CODES
    renewed = re.findall(r"<li>(\d{8})</li>", bob.get(CODES).text)
    assert len(renewed) == 10
    assert not set(renewed) & set(shown)


def test_no_browser_keeps_a_page_that_is_shown_once(bob: Visitor) -> None:
    confirm(bob, ADD)
    for path in (ADD, CODES, CONFIRM, "/-/account/passkeys/add/", "/-/account/password/", "/-/account/"):
        assert "no-store" in bob.get(path)["Cache-Control"], path


def test_what_makes_a_factor_lies_sealed(bob: Visitor) -> None:
    confirm(bob, ADD)
    key = offered(bob)
    waiting = [session.get_decoded() for session in Session.objects.all()]
    assert key not in str(waiting)
    assert "mfa.totp.secret" in str(waiting)
    bob.post(ADD, {"code": codes.now(key)})
    rows = {row.type: row.data for row in Authenticator.objects.all()}
    assert key not in str(rows)
    assert secrets.unseal(rows["totp"]["secret"], SECOND_FACTORS) == key
    assert len(secrets.unseal(rows["recovery_codes"]["seed"], SECOND_FACTORS)) == 80
    assert "mfa.totp.secret" not in str([session.get_decoded() for session in Session.objects.all()])


def test_what_no_key_opens_any_more_lets_nobody_in(bob: Visitor, settings: Settings) -> None:
    key, shown = with_app(bob)
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    sign_in(bob, "bob")
    nothing = base64.b32encode(b"").decode()
    for code in (codes.now(key), codes.now(nothing), shown[0]):
        assert "This is wrong" in bob.post(SECOND, {"code": code}).text
    settings.SECRET_KEY_FALLBACKS = [old]
    assert bob.post(SECOND, {"code": codes.now(key)}).status_code == 302


def test_factors_follow_the_secret_key(bob: Visitor, settings: Settings) -> None:
    key, shown = with_app(bob)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"
    (count,) = [count for count in reseal() if count.place.model == "mfa.Authenticator"]
    assert (count.anew, count.unopened) == (2, [])
    settings.SECRET_KEY_FALLBACKS = []
    for code in (codes.now(key), shown[0]):
        sign_in(bob, "bob")
        assert bob.post(SECOND, {"code": code}).status_code == 302
        bob.post("/-/account/sign-out/")


def test_the_journal_tells_of_each_change(
    bob: Visitor, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        with_app(bob)
    with django_capture_on_commit_callbacks(execute=True):
        bob.post("/-/account/codes/new/")
    assert bob.post(REMOVE).status_code == 302
    assert journal() == [
        ("bob", "bob", "added: authenticator app"),
        ("bob", "bob", "added: recovery codes"),
        ("bob", "bob", "made anew: recovery codes"),
        ("bob", "bob", "removed: authenticator app"),
        ("bob", "bob", "removed: recovery codes"),
    ]
    assert not Authenticator.objects.exists()


def test_the_key_is_a_picture_that_stands_in_the_page(bob: Visitor) -> None:
    confirm(bob, ADD)
    page = bob.get(ADD).text
    found = re.search(r'<svg class="qr".*?</svg>', page, re.DOTALL)
    assert found
    drawing = ElementTree.fromstring(found[0])
    assert drawing.attrib["aria-label"] == "QR code"
    assert "style" not in found[0]
    assert "data:image" not in page


def test_the_picture_has_the_squares_of_the_code() -> None:
    drawn = Factors().build_totp_svg("otpauth://totp/bob?secret=AAAA")
    size = int(re.findall(r"viewBox=\"0 0 (\d+)", drawn)[0])
    dark = {
        (int(x) + step, int(y))
        for x, y, run in re.findall(r"M(\d+) (\d+)h(\d+)v1", drawn)
        for step in range(int(run))
    }
    # The three corners that a camera looks for, with a quiet zone of four around the whole.
    for left, top in ((4, 4), (size - 11, 4), (4, size - 11)):
        for x in range(7):
            for y in range(7):
                ring = max(abs(x - 3), abs(y - 3))
                assert ((left + x, top + y) in dark) is (ring != 2)
    assert min(x for x, _ in dark) == 4


def test_who_forgot_all_factors_gets_in_after_somebody_took_them_away(bob: Visitor) -> None:
    with_app(bob)
    Authenticator.objects.all().delete()
    bob.post("/-/account/sign-out/")
    assert sign_in(bob, "bob")["Location"] == "/"
