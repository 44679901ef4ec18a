"""Where summaries go: settings that can be meant, and those that can't."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from regui import outlets
from regui.env import Env
from regui.outlets import Server

ALL = {"REGUI_EMAIL_FROM": "regui@example.com", "REGUI_CLEANUP_EMAIL_TO": "a@example.com b@example.com"}
HOOK = "REGUI_CLEANUP_WEBHOOK_URL"


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", Server("mail.example", 587, start_tls=True)),
        ("smtp://me:p%40w@mail.example:25", Server("mail.example", 25, "me", "p@w", start_tls=True)),
        ("smtps://me:pw@mail.example", Server("mail.example", 465, "me", "pw", tls=True)),
        ("smtp://mail.example:25?tls=off", Server("mail.example", 25)),
        ("smtp://me:pw@localhost:25/?tls=off", Server("localhost", 25, "me", "pw")),
    ],
)
def test_a_server_is_read_from_its_address(url: str, server: Server) -> None:
    found = outlets.mail(Env(ALL | {"REGUI_EMAIL_URL": url}))

    assert found
    assert (found.server, found.to) == (server, ("a@example.com", "b@example.com"))


def test_without_addressees_nothing_is_sent() -> None:
    assert outlets.mail(Env({"REGUI_EMAIL_URL": "smtp://mail.example"})) is None
    assert outlets.hook(Env({})) is None


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (ALL, "REGUI_EMAIL_URL: must be set along with REGUI_CLEANUP_EMAIL_TO."),
        ({"REGUI_EMAIL_URL": "mail.example"}, "must be an address such as smtp://"),
        ({"REGUI_EMAIL_URL": "smtp://mail.example:port"}, "must be an address such as smtp://"),
        ({"REGUI_EMAIL_URL": "smtp://mail.example?ssl=on"}, "must be an address such as smtp://"),
        ({"REGUI_EMAIL_URL": "smtps://mail.example?tls=off"}, "begins with TLS in any case"),
        ({"REGUI_EMAIL_URL": "smtp://me:pw@mail.example?tls=off"}, "would cross the network in clear"),
        ({"REGUI_CLEANUP_EMAIL_TO": "nobody"}, "must hold addresses"),
        ({"REGUI_EMAIL_FROM": "a@example.com\nBcc: b@example.com"}, "must be an address"),
        ({HOOK: "hooks.example"}, "must be an address such as https://"),
        ({HOOK: "https://me:pw@hooks.example"}, "must hold neither credentials"),
        ({HOOK: "https://hooks.example/a b"}, "must be an address such as https://"),
        ({"REGUI_CLEANUP_WEBHOOK_FORMAT": "xml"}, "must be one of json, slack"),
        ({"REGUI_CLEANUP_WEBHOOK_SECRET": "x"}, "REGUI_CLEANUP_WEBHOOK_URL: must be set along"),
    ],
)
def test_what_cannot_be_meant_is_refused(values: dict[str, str], why: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=why.replace("?", r"\?")):
        outlets.mail(Env(values)), outlets.hook(Env(values))
