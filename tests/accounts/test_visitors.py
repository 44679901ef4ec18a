"""Who a request comes from: a visitor has the role that the settings give to all, a person their own."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.test import RequestFactory
from pytest_django import Settings

from regui.accounts import visitors
from regui.accounts.access import Right, Role
from regui.bind import Bind
from regui.serve import warn_of_strangers
from tests.people import grant, person


def test_visitors_have_the_role_that_was_set(settings: Settings) -> None:
    settings.ANONYMOUS_ROLE = "reader"
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.7")
    request.user, request.session = AnonymousUser(), SessionStore()
    actor = visitors.actor(request)
    assert (actor.name, actor.role, actor.address, actor.visitor) == (
        "anonymous",
        Role.READER,
        "10.0.0.7",
        True,
    )


@pytest.mark.django_db
def test_a_person_has_what_was_granted_and_what_all_have(settings: Settings) -> None:
    settings.ANONYMOUS_ROLE = "reader"
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.7")
    request.user, request.session = person("bob"), SessionStore()
    grant(Role.MAINTAINER, "team/**", user=request.user)
    actor = visitors.actor(request)
    assert (actor.name, actor.visitor) == ("bob", False)
    assert actor.may(Right.DELETE, "main", "team/app")
    assert actor.may(Right.SEE, "main", "web/app")
    assert not actor.may(Right.DELETE, "main", "web/app")


@pytest.mark.django_db
def test_who_was_shut_out_has_no_grants(settings: Settings) -> None:
    settings.ANONYMOUS_ROLE = "none"
    request = RequestFactory().get("/")
    request.user, request.session = person("bob"), SessionStore()
    grant(Role.ADMIN, user=request.user)
    request.user.is_active = False
    assert not visitors.actor(request).ever(Right.SEE)


@pytest.mark.parametrize(
    ("bind", "url", "said"),
    [
        ("127.0.0.1:0", "", ""),
        ("127.0.0.1:0", "http://localhost:8000", ""),
        ("127.0.0.1:0", "https://regui.example.com", "whoever reaches https://regui.example.com may"),
        ("0.0.0.0:8000", "", "whoever reaches 0.0.0.0:8000 may"),
    ],
)
def test_that_strangers_may_do_something_is_said_where_others_come_in(
    bind: str, url: str, said: str, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.URL = url
    for role in ("none", "reader"):
        warn_of_strangers(Bind(bind.partition(":")[0], int(bind.partition(":")[2])), role)
    found = [line for line in caplog.messages if "REGUI_ANONYMOUS_ROLE is reader" in line]
    assert len(caplog.messages) == len(found) == bool(said)
    assert all(said in line for line in found)
