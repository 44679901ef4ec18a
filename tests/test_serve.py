"""Serving, for real, over HTTP."""

import os
import re
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.hashers import check_password

from tests.serving import Running, get, processes, regui, serving


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """regui without any registry, at the root of its host."""
    with serving(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture(scope="module")
def below(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The same below /tools/regui, with a registry that is down."""
    with serving(
        tmp_path_factory.mktemp("below"),
        REGUI_BASE_PATH="/tools/regui/",
        REGUI_URL="https://example.com/tools/regui",
        REGUI_REGISTRY_URL="http://127.0.0.1:1",
    ) as running:
        yield running


def first_link(running: Running) -> str:
    """The link that it printed to make the administrator."""
    assert running.url
    (line,) = [line for line in running.output if "administrator" in line]
    assert line.startswith("nobody administers regui yet; who opens this link becomes the administrator: ")
    return line.rpartition(" ")[2]


def stylesheets(page: str) -> list[str]:
    return re.findall(r'<link rel="stylesheet" href="([^"]+)"', page)


def origin(running: Running) -> str:
    return "/".join(running.url.split("/")[:3])


def test_it_prints_its_address_once_it_answers(site: Running) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", site.url)
    assert site.get("/").status == 200
    assert first_link(site).startswith(f"{site.url}/-/account/first/")
    assert len(site.output) == 2


def test_static_files_are_served_under_names_that_may_be_kept_for_ever(site: Running) -> None:
    sheets = stylesheets(site.get("/").text)
    assert sheets
    for sheet in sheets:
        answer = site.get(sheet)
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/css")
        assert "immutable" in answer.headers["Cache-Control"]


def test_probes_answer(site: Running) -> None:
    assert site.get("/healthz")[::2] == (200, "ok\n")
    assert site.get("/readyz")[::2] == (200, "ok\n")


def test_probes_answer_whatever_the_host(site: Running) -> None:
    assert site.get("/healthz", Host="10.1.2.3:8000").status == 200
    assert site.get("/readyz", Host="10.1.2.3:8000").status == 200


def test_a_page_asked_for_under_a_foreign_name_is_refused(site: Running) -> None:
    assert site.get("/", Host="evil.example").status == 400
    assert site.get("/", Host="localhost:1234").status == 200


def test_nobody_but_the_settings_says_where_the_site_lies(site: Running) -> None:
    assert 'href="/evil' not in site.get("/", SCRIPT_NAME="/evil", X_Script_Name="/evil").text


def test_it_is_served_below_a_path(below: Running) -> None:
    assert below.url.endswith("/tools/regui")
    page = below.get("/")
    assert page.status in {200, 302}
    assert below.get("/healthz").status == 200
    activity = below.get("/-/activity/")
    assert activity.status == 200
    links = re.findall(r'(?:href|src|action|hx-get|hx-post)="(/[^"]*)"', activity.text)
    assert links
    assert [link for link in links if not link.startswith("/tools/regui/")] == []
    sheets = stylesheets(activity.text)
    assert sheets
    assert {get(f"{origin(below)}{sheet}").status for sheet in sheets} == {200}


def test_the_root_leads_to_the_path(below: Running) -> None:
    for path in ("/", "/tools/regui"):
        answer = get(f"{origin(below)}{path}")
        assert (answer.status, answer.headers["Location"]) == (308, "/tools/regui/")
    assert get(f"{origin(below)}/tools/reguix/").status == 404


def test_probes_work_past_the_proxy_too(below: Running) -> None:
    assert get(f"{origin(below)}/healthz").status == 200
    assert get(f"{origin(below)}/readyz").status == 200


def test_a_registry_that_is_down_fails_no_probe(below: Running) -> None:
    assert below.get("/readyz")[::2] == (200, "ok\n")


def test_it_answers_under_its_public_name(below: Running) -> None:
    assert below.get("/-/activity/", Host="example.com").status == 200
    assert below.get("/-/activity/", Host="example.org").status == 400


def test_readiness_says_what_is_missing(data: Path) -> None:
    with serving(data) as running:
        assert running.get("/readyz").status == 200
        with sqlite3.connect(data / "regui.sqlite3") as database:
            database.execute("DELETE FROM django_migrations WHERE app = 'actions'")
        database.close()
        answer = running.get("/readyz")
        assert answer.status == 503
        assert "migrations are missing: run regui migrate" in answer.text
        assert running.get("/healthz").status == 200


def test_readiness_fails_without_its_database_and_life_goes_on(data: Path) -> None:
    with serving(data) as running:
        assert running.get("/readyz").status == 200
        for path in data.glob("regui.sqlite3*"):
            path.unlink()
        (data / "regui.sqlite3").write_bytes(b"no database at all" * 999)
        assert running.get("/readyz")[::2] == (503, "the database does not answer\n")
        assert running.get("/healthz").status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_all_it_started(data: Path, number: signal.Signals) -> None:
    with serving(data) as running:
        assert running.get("/healthz").status == 200
        session = os.getsid(running.process.pid)
        assert len(processes(session)) >= 2
        assert running.stop(number) < 10
        assert running.process.returncode == 0
        assert processes(session) == []


def test_a_signal_ends_it_in_time_though_a_client_dawdles(data: Path) -> None:
    with serving(data) as running:
        host, port = running.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as dawdler:
            dawdler.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
            time.sleep(0.2)
            assert running.stop() < 10


def test_a_port_in_use_is_one_line(data: Path, site: Running) -> None:
    done = regui(data, REGUI_BIND=site.url.removeprefix("http://"))
    assert done.returncode == 2
    assert done.stderr.startswith("regui: REGUI_BIND: can't listen on 127.0.0.1:")
    assert "in use" in done.stderr


def test_static_files_are_gathered_when_they_changed_and_only_then(tmp_path: Path) -> None:
    with serving(tmp_path, "serve", "--no-worker") as running:
        assert running.get("/healthz").status == 200
    stamp, manifest = tmp_path / "static.stamp", tmp_path / "static" / "staticfiles.json"
    gathered = manifest.stat().st_mtime_ns
    with serving(tmp_path, "serve", "--no-worker") as running:
        assert running.get("/healthz").status == 200
    assert manifest.stat().st_mtime_ns == gathered
    stamp.write_text("another version")
    with serving(tmp_path, "serve", "--no-worker") as running:
        assert running.get("/healthz").status == 200
    assert manifest.stat().st_mtime_ns > gathered


def test_it_serves_on_ipv6_where_there_is_any(data: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        assert "can't listen on [::1]:0" in regui(data, REGUI_BIND="[::1]:0").stderr
        return
    with serving(data, REGUI_BIND="[::1]:0") as running:
        assert running.url.startswith("http://[::1]:")
        assert running.get("/healthz").status == 200


def test_each_start_prints_another_link_and_all_of_them_are_good(data: Path) -> None:
    with serving(data, "serve", "--no-worker", REGUI_ANONYMOUS_ROLE="none") as running:
        one = first_link(running)
    with serving(data, "serve", "--no-worker", REGUI_ANONYMOUS_ROLE="none") as running:
        other = first_link(running)
        paths = [urlsplit(link).path for link in (one, other)]
        assert paths[0] != paths[1]
        assert [running.get(path).status for path in paths] == [302, 302]
        assert running.get("/").headers["Location"].startswith("/-/account/sign-in/")


def test_the_link_leads_to_the_public_address_and_path(below: Running) -> None:
    assert first_link(below).startswith("https://example.com/tools/regui/-/account/first/")
    assert below.get(urlsplit(first_link(below)).path.removeprefix("/tools/regui")).status == 302


def test_the_settings_make_the_administrator_once(data: Path) -> None:
    for password in ("correct horse battery", "what somebody wrote later"):
        named = {"REGUI_ADMIN_USERNAME": "root", "REGUI_ADMIN_PASSWORD": password}
        with serving(data, "serve", "--no-worker", program=(), cwd=None, **named) as running:
            assert running.url
            assert not any("administrator" in line for line in running.output)
            with sqlite3.connect(data / "regui.sqlite3") as database:
                people = database.execute("SELECT username, password FROM accounts_user").fetchall()
            database.close()
            ((name, kept),) = people
            assert (name, check_password("correct horse battery", kept)) == ("root", True)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"REGUI_ADMIN_USERNAME": "root"}, "set both of them or neither"),
        ({"REGUI_ADMIN_PASSWORD": "correct horse battery"}, "set both of them or neither"),
        (
            {"REGUI_ADMIN_USERNAME": "root", "REGUI_ADMIN_PASSWORD": "toor"},
            "REGUI_ADMIN_PASSWORD: The password is too similar to the username. This password is too short.",
        ),
        (
            {"REGUI_ADMIN_USERNAME": "no way", "REGUI_ADMIN_PASSWORD": "correct horse battery"},
            "REGUI_ADMIN_USERNAME: Enter a valid",
        ),
        ({"REGUI_SESSION_AGE": "0"}, "REGUI_SESSION_AGE: nobody could stay signed in"),
    ],
)
def test_an_administrator_who_can_not_be_stops_the_start(
    data: Path, settings: dict[str, str], why: str
) -> None:
    done = regui(data, "serve", "--no-worker", **settings)
    assert done.returncode == 2
    assert why in done.stderr
    assert "correct horse battery" not in done.stderr


def test_one_signs_in_below_the_path(below: Running) -> None:
    page = below.get("/-/account/sign-in/").text
    assert re.findall(r'<form class="form" method="post" action="([^"]+)"', page) == [
        "/tools/regui/-/account/sign-in/",
        "/tools/regui/-/account/sign-in/passkey/",
    ]
    assert below.get("/-/account/").headers["Location"] == (
        "/tools/regui/-/account/sign-in/?next=/tools/regui/-/account/"
    )
