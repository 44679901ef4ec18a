"""By which way people may sign in, and for how long."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.urls import reverse
from pytest_django import Settings

from regui.accounts import ways
from regui.accounts.models import AuditEntry, Identity, User
from tests.accounts.browsing import Browser, said
from tests.serving import regui

PASSWORD = "local and long enough"


def test_with_local_sign_in_off_a_password_of_our_own_lets_nobody_in(
    window: Browser, settings: Settings
) -> None:
    settings.LOCAL_SIGN_IN = False
    User.objects.create_user("root", password=PASSWORD)
    answer = window.post(reverse("account_login"), login="root", password=PASSWORD)
    assert (answer.status_code, window.person) == (403, "")
    assert "Nobody signs in with an account of regui's own here." in said(answer)
    assert AuditEntry.objects.get().who == "root"


def test_local_sign_in_is_not_off_where_it_is_the_only_way(tmp_path: Path) -> None:
    done = regui(tmp_path, "check", REGUI_LOCAL_SIGN_IN="off")
    assert done.returncode == 2
    assert "REGUI_LOCAL_SIGN_IN: must be on" in done.stderr


@pytest.mark.parametrize("source", Identity.Source.values)
def test_a_password_of_their_own_lets_nobody_in_whom_another_place_vouches_for(
    source: str, window: Browser
) -> None:
    bob = User.objects.create_user("bob", password=PASSWORD)
    Identity.objects.create(user=bob, source=source, subject="b")
    answer = window.post(reverse("account_login"), login="bob", password=PASSWORD)
    assert (answer.status_code, window.person) == (403, "")
    assert "The account bob signs in by" in said(answer)


def test_a_session_is_over_from_its_end_on() -> None:
    end = datetime(2026, 1, 1, tzinfo=UTC)
    assert ways.over(end.timestamp(), end)
    assert not ways.over(end.timestamp() + 1, end)
    assert not ways.over(None, end)
    assert not ways.over("2025", end)
