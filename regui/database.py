"""Which database, from its address."""

from pathlib import Path
from typing import Any

import dj_database_url

SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    # Opening the file and setting it up costs more than most pages ask of it; and whoever closes it last
    # has to bring all that was written back into it.
    "CONN_MAX_AGE": None,
    # IMMEDIATE: a transaction that reads, then writes, must not find on writing that another got there first.
    "OPTIONS": {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            "PRAGMA mmap_size=134217728; PRAGMA cache_size=-16384;"
        ),
    },
}


def sqlite(path: Path) -> dict[str, Any]:
    """Django's settings for a SQLite file."""
    return SQLITE | {"NAME": str(path)}


def parse(url: str) -> dict[str, Any]:
    """Django's settings for a database by its address; ValueError when it isn't SQLite's or PostgreSQL's."""
    try:
        found: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True))
    except ValueError:  # its message quotes the address, which holds a password
        found = {}
    match found.get("ENGINE"):
        case "django.db.backends.sqlite3":
            return SQLITE | {"NAME": found["NAME"]}
        case "django.db.backends.postgresql" if found.get("NAME"):
            return found
    raise ValueError(
        "must be an address such as sqlite:////path/to/file or postgres://user:password@host/name"
    )
