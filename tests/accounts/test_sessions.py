"""Sessions that are over are let go of."""

from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from regui.accounts import sessions
from regui.jobs.tick import Ticker
from tests.people import session_key, sign_in, with_password


def test_what_is_over_goes_and_what_is_not_stays(db: None, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with_password("bob")
    old, young = Client(), Client()
    for browser in (old, young):
        sign_in(browser, "bob")
    Session.objects.filter(pk=session_key(old)).update(expire_date=timezone.now() - timedelta(hours=1))
    kept = session_key(young)
    sessions.forget(timezone.now())
    assert [session.pk for session in Session.objects.all()] == [kept]
    assert [row.session_key for row in UserSession.objects.all()] == [kept]
    assert young.post("/-/account/sessions/end/")["Location"] == "/-/account/#sessions"


def test_the_scheduler_sees_to_it_once_a_day(db: None) -> None:
    ticker, over = Ticker(), timezone.now() - timedelta(hours=1)
    Session.objects.create(session_key="a", session_data="", expire_date=over)
    ticker.look_after()
    assert not Session.objects.exists()
    Session.objects.create(session_key="b", session_data="", expire_date=over)
    ticker.look_after()
    assert Session.objects.count() == 1
