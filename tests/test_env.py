"""Values from the environment: parsed, or refused with the reason."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from regui import bind, database
from regui.env import Env


def test_a_value_loses_its_white_space_and_an_empty_one_is_unset() -> None:
    env = Env({"A": "  x ", "B": "  "})
    assert env.text("A") == "x"
    assert env.text("B", "default") == "default"
    assert env.text("C", "default") == "default"


@pytest.mark.parametrize(
    ("text", "value"), [("on", True), ("TRUE", True), ("1", True), ("off", False), ("No", False)]
)
def test_a_flag_is_on_or_off(text: str, value: bool) -> None:
    assert Env({"A": text}).flag("A", default=not value) is value


def test_a_flag_that_is_neither_is_refused_by_name() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^A: must be on or off\.$"):
        Env({"A": "perhaps"}).flag("A", default=True)


def test_a_choice_is_one_of_the_options_or_unset() -> None:
    assert Env({}).choice("A", ("x", "y")) is None
    assert Env({"A": "y"}).choice("A", ("x", "y")) == "y"
    with pytest.raises(ImproperlyConfigured, match="A: must be one of x, y"):
        Env({"A": "z"}).choice("A", ("x", "y"))


def test_an_address_loses_its_final_slash() -> None:
    assert Env({"A": "https://r.example:5000/"}).url("A") == "https://r.example:5000"


@pytest.mark.parametrize(
    "text",
    [
        "registry.example",
        "ftp://registry.example",
        "http://",
        "http://r.example:port",
        "http://[::1",
        "http://user:hunter2@r.example",
        "https://r.example/?token=hunter2",
        "https://hunter2:r.example:1/x#y",
    ],
)
def test_what_is_no_address_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^A: must ") as caught:
        Env({"A": text}).url("A")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is not None
    assert "hunter2" not in str(caught.value.__cause__)


def test_a_path_has_no_outer_slashes() -> None:
    assert Env({"A": "/tools/regui/"}).path("A") == "tools/regui"
    assert Env({"A": "/"}).path("A") == ""


@pytest.mark.parametrize("text", ["a b", "a//b", "../x", "a/./b", "ä", "x?y", "a/..", "%2e"])
def test_what_is_no_plain_path_is_refused(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="A: must be a path"):
        Env({"A": text}).path("A")


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("5m", 300), ("1 h", 3600), ("30d", 2_592_000), ("0s", 0), ("0", 0)]
)
def test_a_length_of_time_has_a_unit(text: str, seconds: int) -> None:
    assert Env({"A": text}).duration("A", "1m").total_seconds() == seconds


@pytest.mark.parametrize("text", ["5", "m", "-1m", "1.5h", "5 minutes", "\u0665m", "9999999d"])
def test_any_other_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="A: must be a length of time"):
        Env({"A": text}).duration("A", "1m")


def test_a_file_has_to_exist(tmp_path: Path) -> None:
    assert Env({"A": str(tmp_path / "ca.pem")}).parsed("B", "unset", str) == "unset"
    with pytest.raises(ImproperlyConfigured, match="A: there is no such file"):
        Env({"A": str(tmp_path / "ca.pem")}).file("A")


def test_a_secret_comes_from_a_file_without_its_final_newline(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("  hunter 2\r\n")
    assert Env({"A_FILE": str(secret)}).secret("A") == "  hunter 2"
    assert Env({"A": " as it is "}).secret("A") == " as it is "


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="A_FILE: A is set too"):
        Env({"A": "x", "A_FILE": str(tmp_path / "secret")}).secret("A")


@pytest.mark.parametrize(("content", "why"), [(b"", "empty"), (b"\n", "empty"), (b"\xff\xfe", "not text")])
def test_a_secret_file_without_a_secret_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(ImproperlyConfigured, match=f"A_FILE: the file is {why}"):
        Env({"A_FILE": str(tmp_path / "secret")}).secret("A")


def test_a_secret_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="A_FILE: the file can't be read: No such file"):
        Env({"A_FILE": str(tmp_path / "secret")}).secret("A")


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8000", "127.0.0.1", 8000),
        ("localhost:0", "localhost", 0),
        ("[::1]:8000", "::1", 8000),
        (":80", "0.0.0.0", 80),
        ("0.0.0.0:65535", "0.0.0.0", 65535),
    ],
)
def test_where_to_listen_is_a_host_and_a_port(text: str, host: str, port: int) -> None:
    assert bind.parse(text) == bind.Bind(host, port)


@pytest.mark.parametrize(
    "text",
    ["8000", "localhost", "::1", "::1:8000", "a:b", "h:70000", "h:-1", "http://h:80", "h:80/x", "u@h:80", ""],
)
def test_where_nobody_can_listen_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be a host and a port"):
        bind.parse(text)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "::1"])
def test_a_loopback_bind_is_known(host: str) -> None:
    assert bind.Bind(host, 1).loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "registry.example", "localhost.example"])
def test_any_other_bind_is_open_to_others(host: str) -> None:
    assert not bind.Bind(host, 1).loopback


def test_an_ipv6_bind_is_written_in_brackets() -> None:
    assert str(bind.Bind("::1", 80)) == "[::1]:80"


def test_a_port_that_is_taken_is_an_error() -> None:
    with bind.Bind("127.0.0.1", 0).listen() as taken, pytest.raises(OSError, match="in use"):
        bind.Bind("127.0.0.1", taken.getsockname()[1]).listen()


def test_the_databases_are_sqlite_and_postgresql() -> None:
    assert database.parse("sqlite:////data/x.sqlite3")["NAME"] == "/data/x.sqlite3"
    assert database.parse("sqlite:////data/x")["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    found = database.parse("postgres://regui:p%40ss@db.example:5433/regui")
    assert (found["ENGINE"], found["HOST"], found["PORT"]) == (
        "django.db.backends.postgresql",
        "db.example",
        5433,
    )
    assert found["PASSWORD"] == "p@ss"


@pytest.mark.parametrize(
    "url",
    ["hunter2", "mysql://u:hunter2@h/d", "postgres://u:hunter2@h", "postgres://u:hunter2@h:x/d", "/path"],
)
def test_another_database_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="A: must be an address such as sqlite") as caught:
        Env({"A": url}).secret_parsed("A", database.sqlite(Path("x")), database.parse)
    assert "hunter2" not in str(caught.value)


def test_what_was_asked_for_is_remembered() -> None:
    env = Env({})
    env.secret("A")
    env.flag("B", default=True)
    assert env.asked == {"A", "A_FILE", "B"}
