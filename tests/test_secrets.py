"""What is sealed opens with the right key, for the right purpose, and not otherwise."""

import base64
import subprocess
import sys

import pytest
from pytest_django import Settings

from regui import keys, secrets

PASSWORD = "hunter2 — pässword"


def test_what_was_sealed_comes_back() -> None:
    sealed = secrets.seal(PASSWORD, "password")
    assert secrets.unseal(sealed, "password") == PASSWORD
    assert "hunter2" not in sealed + str(base64.urlsafe_b64decode(sealed))


def test_the_same_secret_looks_different_each_time() -> None:
    assert secrets.seal(PASSWORD, "password") != secrets.seal(PASSWORD, "password")


def test_nothing_stays_nothing() -> None:
    assert secrets.seal("", "password") == ""
    assert secrets.unseal("", "password") == ""
    assert secrets.is_current("", "password")


def test_a_value_opens_only_where_it_was_put() -> None:
    sealed = secrets.seal(PASSWORD, "password")
    with pytest.raises(secrets.Unopened):
        secrets.unseal(sealed, "client key")
    assert not secrets.is_current(sealed, "client key")


@pytest.mark.parametrize("at", [0, 1, 12, 40, -1])
def test_a_changed_value_does_not_open(at: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(secrets.seal(PASSWORD, "password")))
    raw[at] ^= 1
    assert not secrets.opens(base64.urlsafe_b64encode(raw).decode(), "password")


@pytest.mark.parametrize("text", ["hunter2", "gAAAA", "ä", "\0", "=" * 100])
def test_what_was_never_sealed_does_not_open_and_is_not_repeated(text: str) -> None:
    with pytest.raises(secrets.Unopened) as caught:
        secrets.unseal(text, "password")
    assert text not in str(caught.value)
    assert caught.value.__cause__ is None
    assert "REGUI_SECRET_KEY_OLD" in str(caught.value)


def test_another_key_does_not_open_it(settings: Settings) -> None:
    sealed = secrets.seal(PASSWORD, "password")
    settings.SECRET_KEY = "another"
    assert not secrets.opens(sealed, "password")


def test_a_key_of_before_opens_it_and_today_s_seals(settings: Settings) -> None:
    settings.SECRET_KEY = "first"
    sealed = secrets.seal(PASSWORD, "password")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "third", ["second", "first"]
    assert secrets.unseal(sealed, "password") == PASSWORD
    assert not secrets.is_current(sealed, "password")
    anew = secrets.seal(secrets.unseal(sealed, "password"), "password")
    settings.SECRET_KEY_FALLBACKS = []
    assert secrets.is_current(anew, "password")
    assert secrets.unseal(anew, "password") == PASSWORD
    assert not secrets.opens(sealed, "password")


def test_keys_of_before_are_one_a_line_or_have_commas_between_them() -> None:
    assert keys.earlier("one, two,") == ["one", "two"]
    assert keys.earlier("one\r\ntwo,three\n\n") == ["one", "two,three"]


def test_who_keeps_nothing_sealed_does_not_pay_for_it() -> None:
    code = "import sys, regui.secrets; print('cryptography' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
