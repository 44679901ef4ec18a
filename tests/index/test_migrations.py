"""What was remembered before an upgrade is there after it, on each database."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from typing import Any

import psycopg
import pytest

from regui import oci
from tests.postgres import postgresql
from tests.serving import regui

PLAIN = oci.Digest.of(b"a layer")
LONG = oci.Digest.of(b"a layer", "sha512")


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    if request.param == "SQLite":
        yield f"sqlite:///{tmp_path}/regui.sqlite3"
        return
    with postgresql() as url:
        yield url


def execute(database: str, statement: str) -> list[tuple[Any, ...]]:
    """The rows a statement finds, if it asks for any."""
    address = database.removeprefix("sqlite:///")
    connected: Any = psycopg.connect(database) if address == database else connect(address)
    with closing(connected):
        cursor = connected.execute(statement)
        found = cursor.fetchall() if cursor.description else []
        connected.commit()
    return found


def test_digests_of_blobs_become_bytes(database: str, tmp_path: Path) -> None:
    before = regui(tmp_path, "migrate", "index", "0007", REGUI_DATABASE_URL=database)
    assert before.returncode == 0, before.stderr
    execute(
        database,
        "INSERT INTO index_registry (name, url, pull_host, active, problem, doubt, names, events_token)"
        " VALUES ('main', 'http://registry', '', true, '', '', '', '')",
    )
    for digest, size in ((PLAIN, "7"), (LONG, "NULL")):
        execute(
            database,
            "INSERT INTO index_blob (registry_id, digest, size, media_type)"
            f" SELECT id, '{digest}', {size}, '{oci.OCI_LAYER_GZIP}' FROM index_registry",
        )

    after = regui(tmp_path, "migrate", REGUI_DATABASE_URL=database)
    assert after.returncode == 0, after.stderr
    rows = execute(database, "SELECT digest, size FROM index_blob ORDER BY id")
    assert [(bytes(digest), size) for digest, size in rows] == [
        (b"\x01" + bytes.fromhex(PLAIN.hex), 7),
        (b"\x03" + bytes.fromhex(LONG.hex), None),
    ]


def test_what_was_approved_is_still_held_to(database: str, tmp_path: Path) -> None:
    before = regui(tmp_path, "migrate", "actions", "0010", REGUI_DATABASE_URL=database)
    assert before.returncode == 0, before.stderr
    for name, approved in (("old", "a1"), ("new", "")):
        execute(
            database,
            "INSERT INTO actions_policyrow (registry, name, document, owner, owned_at, approved, paused,"
            f" created_by, created_at, changed_by, changed_at) VALUES ('main', '{name}',"
            f" '{{\"name\": \"{name}\"}}', 'alice', '2026-01-01', '{approved}', false,"
            " 'alice', '2026-01-01', 'alice', '2026-01-01')",
        )

    after = regui(tmp_path, "migrate", REGUI_DATABASE_URL=database)
    assert after.returncode == 0, after.stderr
    rows = execute(database, "SELECT name, CAST(allowed AS text) FROM actions_policyrow ORDER BY name DESC")
    assert rows == [("old", '{"name": "old"}'), ("new", None)]
