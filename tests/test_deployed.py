"""Behind TLS: what Django's own checks find, and what browsers are told."""

import http.client
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.serving import Running, regui, serving

TLS: dict[str, Any] = {"REGUI_URL": "https://regui.example.com"}


@pytest.fixture(scope="module")
def behind_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """regui whose address begins with https."""
    with serving(tmp_path_factory.mktemp("tls"), "serve", "--no-worker", **TLS) as running:
        yield running


def test_the_checks_for_deployment_find_nothing(data: Path) -> None:
    done = regui(data, "check", "--deploy", "--fail-level", "WARNING", **TLS)

    assert (done.returncode, done.stderr) == (0, "")
    # Three are for others to see to; settings.py says why.
    assert done.stdout == "System check identified no issues (3 silenced).\n"


def test_without_tls_the_checks_say_what_is_missing(data: Path) -> None:
    done = regui(data, "check", "--deploy", "--fail-level", "WARNING")

    assert done.returncode == 1
    assert "(0 silenced)" in done.stderr
    for check in ("W004", "W008", "W010", "W016"):
        assert f"security.{check}" in done.stderr


@pytest.mark.parametrize(
    "path", ["/-/activity/", "/nothing/there/", "/static/img/icons.svg", "/api/v1/registries"]
)
def test_every_answer_tells_browsers_to_stay_with_tls(behind_tls: Running, path: str) -> None:
    answer = behind_tls.get(path, Host="regui.example.com")

    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_a_refused_host_is_told_nothing_else(behind_tls: Running) -> None:
    assert behind_tls.get("/", Host="evil.example").status == 400


def test_cookies_are_for_tls_only(behind_tls: Running) -> None:
    page = behind_tls.get("/-/activity/", Host="regui.example.com")

    cookies = page.headers.get_all("Set-Cookie") or []
    assert [cookie.partition("=")[0] for cookie in cookies] == ["regui_csrftoken"]
    for cookie in cookies:
        attributes = set(re.split(r"; ?", cookie.lower()))
        assert {"secure", "httponly", "samesite=lax"} <= attributes


def test_how_long_is_a_setting(data: Path) -> None:
    with serving(data, "serve", "--no-worker", REGUI_HSTS="2h", **TLS) as running:
        assert running.get("/-/activity/").headers["Strict-Transport-Security"] == "max-age=7200"


@pytest.mark.parametrize(
    "settings", [{}, {"REGUI_URL": "http://regui.example.com"}, TLS | {"REGUI_HSTS": "0"}]
)
def test_nothing_is_promised_without_tls(data: Path, settings: dict[str, Any]) -> None:
    with serving(data, "serve", "--no-worker", **settings) as running:
        assert running.get("/-/activity/").headers["Strict-Transport-Security"] is None


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://regui.example.com", 303),
        ("https://evil.example.com", 403),
        ("null", 403),
    ],
)
def test_forms_are_taken_from_its_own_pages_though_the_proxy_speaks_no_tls_to_it(
    behind_tls: Running, origin: str, status: int
) -> None:
    token = "t" * 32
    connection = http.client.HTTPConnection(urlsplit(behind_tls.url).netloc, timeout=30)
    headers = {
        "Host": "regui.example.com",
        "Origin": origin,
        "Cookie": f"regui_csrftoken={token}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    form = urlencode({"csrfmiddlewaretoken": token, "theme": "dark"})
    connection.request("POST", "/-/theme/", form, headers)
    answer = connection.getresponse()
    connection.close()

    assert answer.status == status
    assert ("theme=dark" in answer.headers.get("Set-Cookie", "")) == (status == 303)
