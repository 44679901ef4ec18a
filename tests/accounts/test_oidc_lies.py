"""A provider that lies, or is in trouble: nobody is signed in, and what went wrong is told to who can mend
it."""

import time
from dataclasses import replace
from typing import Any

import pytest
from pytest_django import Settings

from regui.accounts.models import AuditEntry, User
from tests.accounts.browsing import Browser, said
from tests.provider import Provider

What = AuditEntry.What

# What it may say or do that no sign-in may come of, with what the log says of it.
LIES = {
    "another issuer": ({"claims": {"iss": "https://evil.example"}}, "Invalid issuer"),
    "an issuer with a slash more": ({"claims": {"iss": "SLASH"}}, "Invalid issuer"),
    "an expired token": ({"claims": {"exp": 1_000_000_000}}, "expired"),
    "a token of the future": ({"claims": {"iat": 4_000_000_000}}, "not yet valid"),
    "no expiry": ({"claims": {"exp": None}}, 'missing the "exp" claim'),
    "no subject": ({"claims": {"sub": None}}, 'missing the "sub" claim'),
    "an empty subject": ({"claims": {"sub": ""}}, "about nobody"),
    "a subject that is a number": ({"claims": {"sub": 7}}, "Subject must be a string"),
    "another nonce": ({"claims": {"nonce": "x" * 43}}, "its nonce isn't ours"),
    "no nonce": ({"claims": {"nonce": None}}, "its nonce isn't ours"),
    "another audience": ({"claims": {"aud": "another"}}, "Audience doesn't match"),
    "an audience of two": ({"claims": {"aud": ["regui", "another"]}}, "made out to another client"),
    "another party": ({"claims": {"azp": "another"}}, "made out to another client"),
    "a foreign key": ({"sign": "foreign"}, "Signature verification failed"),
    "a signature that was changed": ({"sign": "tampered"}, "Signature verification failed"),
    "no signature": ({"sign": "none"}, "signed by 'none'"),
    "the client's secret as the key": ({"sign": "secret"}, "signed by 'HS256'"),
    "the public key as a secret": ({"sign": "public"}, "signed by 'HS256'"),
    "userinfo of somebody else": ({"userinfo": {"sub": "b-2"}}, "somebody else"),
    "userinfo of nobody": ({"userinfo": {"sub": None}}, "somebody else"),
    "no ID token": ({"token": {"id_token": None}}, "no ID token"),
    "an ID token that is none": ({"token": {"id_token": "a.b.c"}}, "doesn't hold"),
    "the answer of another provider": ({"back": {"iss": "https://evil.example"}}, "another provider's"),
    "an answer without its name": ({"back": {"iss": ""}}, "doesn't say whose it is"),
    "no code": ({"back": {"code": ""}}, "holds no code"),
    "a code it never gave": ({"back": {"code": "made-up"}}, "was answered by 400"),
}


@pytest.mark.parametrize(("lie", "why"), LIES.values(), ids=list(LIES))
def test_a_lie_signs_nobody_in(
    lie: dict[str, Any], why: str, idp: Provider, window: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    if lie.get("claims", {}).get("iss") == "SLASH":
        lie = {"claims": {"iss": f"{idp.url}/"}}
    idp.misbehave(**lie)
    answer = window.through("alice")
    assert answer.status_code == 403
    assert "You aren't signed in" in said(answer)
    assert why not in said(answer)
    assert any(why in line for line in caplog.messages), caplog.messages
    assert (window.person, User.objects.count()) == ("", 0)
    noted = AuditEntry.objects.get()
    assert (noted.what, noted.who, noted.address) == (What.SIGN_IN_FAILED, "unknown", "127.0.0.1")


# What discovery may come to, with what the log says.
TROUBLES = {
    "html": ({"answer": "html"}, "no JSON"),
    "a list": ({"answer": "list"}, "no object"),
    "brackets without end": ({"answer": "deep"}, "no JSON"),
    "too much": ({"answer": "huge"}, "which no sane answer has"),
    "without an end": ({"answer": "endless"}, "asking"),
    "elsewhere": ({"answer": "elsewhere"}, "answered by 302"),
    "broken": ({"answer": "broken"}, "answered by 500"),
    "of another issuer": ({"discovery": {"issuer": "https://evil.example"}}, "another issuer"),
    "in clear": ({"discovery": {"token_endpoint": "http://evil.example/token"}}, "no token_endpoint"),
    "keys in clear": ({"discovery": {"jwks_uri": "http://evil.example/keys"}}, "no jwks_uri"),
    "of no address": ({"discovery": {"authorization_endpoint": 7}}, "no authorization_endpoint"),
    "of a script": (
        {"discovery": {"authorization_endpoint": "javascript:alert(1)"}},
        "authorization_endpoint",
    ),
    "of a place not named": (
        {"discovery": {"authorization_endpoint": "https://evil.example/"}},
        "name it in REGUI_OIDC_ORIGINS",
    ),
}


@pytest.mark.parametrize(("trouble", "why"), TROUBLES.values(), ids=list(TROUBLES))
def test_a_provider_in_trouble_is_said_to_be_and_costs_little_time(
    trouble: dict[str, Any], why: str, idp: Provider, window: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    idp.misbehave(**trouble)
    began = time.monotonic()
    answer = window.post("/-/account/sign-in/oidc/")
    assert answer.status_code == 502
    assert "doesn't answer as it should" in said(answer)
    assert any(why in line for line in caplog.messages), caplog.messages
    assert time.monotonic() - began < 20


def test_a_provider_that_is_gone_is_said_to_be(idp: Provider, window: Browser, settings: Settings) -> None:
    settings.OIDC = replace(settings.OIDC, issuer="http://127.0.0.1:9", origins=("http://127.0.0.1:9",))
    assert window.post("/-/account/sign-in/oidc/").status_code == 502


def test_a_secret_that_is_wrong_signs_nobody_in_and_is_told_to_nobody(
    idp: Provider, window: Browser, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.OIDC = replace(settings.OIDC, client_secret="hunter2")
    answer = window.through("alice")
    assert answer.status_code == 403
    assert any("answered by 401" in line for line in caplog.messages)
    assert "hunter2" not in said(answer) + "".join(caplog.messages) + repr(settings.OIDC)


def test_a_provider_is_not_asked_at_an_address_off_limits(
    idp: Provider, window: Browser, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.OIDC = replace(settings.OIDC, issuer="https://169.254.10.10")
    assert window.post("/-/account/sign-in/oidc/").status_code == 502
    assert any("regui doesn't connect to" in line for line in caplog.messages), caplog.messages
