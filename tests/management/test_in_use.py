"""What runs somewhere, and the commands that would delete it."""

import json
import sqlite3
from pathlib import Path

from tests.management.desk import Desk
from tests.registry import RunningRegistry

WHY = "the cluster was switched off"


def use(data: Path, name: str, tag: str, digest: str) -> None:
    """Somebody says that it runs for another thousand years."""
    with sqlite3.connect(data / "regui.sqlite3") as database:
        database.execute(
            "INSERT INTO actions_source"
            " (name, actor, address, told_at, expires_at, images, ignored, ignored_count)"
            " VALUES ('prod', 'ci', '', '2026-01-01', '3026-01-01', 1, '[]', 0)"
        )
        database.execute(
            "INSERT INTO actions_inuse (source_id, registry, repository, tag, digest, since)"
            " SELECT id, 'main', ?, ?, ?, '2026-01-01 00:00:00' FROM actions_source",
            (name, tag, digest),
        )


def test_what_runs_is_deleted_only_with_a_reason(data: Path, registry: RunningRegistry) -> None:
    desk, name = Desk(data, registry.url), registry.unique()
    digest = registry.push(name, tags=["1.0"])
    use(data, name, "1.0", digest)
    refused = desk.yes("delete", "main", f"{name}:1.0")
    assert refused.status != 0
    assert json.loads(refused.out)["error"]["code"] == "protected"
    assert "running in prod since 2026-01-01 00:00 UTC" in refused.out
    assert "--override" in refused.out
    assert desk.yes("delete", "main", f"{name}:1.0", "--override", "short").status != 0
    assert desk.tags(name) == {"1.0": digest}
    done = desk.yes("delete", "main", f"{name}:1.0", "--override", WHY)
    assert done.status == 0, done.err
    assert done.object["asked"]["override"] == WHY
    assert desk.tags(name) == {}
