"""What a visitor may do while nobody has said it: everything at this very machine, nothing from elsewhere."""

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from regui.accounts import visitors
from regui.accounts.access import Role


@pytest.fixture(autouse=True)
def unset(settings: Settings) -> None:
    settings.ANONYMOUS_ROLE = None
    settings.ALLOWED_HOSTS = ["*"]


@pytest.mark.parametrize(
    ("peer", "host"),
    [("127.0.0.1", "localhost:8000"), ("127.0.0.1", "127.0.0.1"), ("::1", "[::1]:8000")],
)
def test_who_sits_at_this_machine_may_do_everything(peer: str, host: str) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=peer, headers={"Host": host})
    assert visitors.role(request) is Role.ADMIN


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        ("10.0.0.7", "localhost"),
        ("127.0.0.1", "regui.example.com"),
        ("127.0.0.1", "localhost.evil"),
        ("", "localhost"),
    ],
)
def test_who_comes_from_elsewhere_or_asks_for_another_name_may_nothing(peer: str, host: str) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=peer, headers={"Host": host})
    assert visitors.role(request) is Role.NONE


@pytest.mark.parametrize(
    "header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Via"]
)
def test_who_comes_through_a_proxy_may_nothing(header: str) -> None:
    request = RequestFactory().get("/", headers={"Host": "localhost", header: "x"})
    assert visitors.role(request) is Role.NONE


def test_what_was_set_holds_for_all(settings: Settings) -> None:
    settings.ANONYMOUS_ROLE = "reader"
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.7", headers={"Via": "1.1 proxy"})
    assert visitors.role(request) is Role.READER
