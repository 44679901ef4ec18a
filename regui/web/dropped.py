"""What a run drops, or dropped and left, tag by tag, as files for people and other programs."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from regui.actions.models import Run
from regui.web import ran, told
from regui.web.parted import Line, Parts, Row

COLUMNS = ("registry", "policy", "run", "repository", "tag", "digest", "reason", "result")
# How many repositories are read at once: each may hold a great many tags.
BATCH = 20


def rows(parts: Parts) -> Iterator[Row]:
    """All of its repositories, some at a time."""
    keys = list(parts.every.values_list("pk", flat=True))
    for start in range(0, len(keys), BATCH):
        yield from parts.rows(parts.every.filter(pk__in=keys[start : start + BATCH]))


def table(parts: Parts) -> Iterator[str]:
    """The lines of a CSV file, its head first: one for each tag, and for each digest without one."""
    run = parts.run
    yield told.line(COLUMNS)
    for row in rows(parts):
        place = (run.registry, run.policy, run.pk, row.part.repository)
        for one in (*row.lines, *row.loose):
            yield told.line([*place, one.tag, one.digest, one.reason, row.became(one)])


def document(parts: Parts) -> Iterator[str]:
    """The same as one JSON document, piece by piece, with the policy as it was."""
    head = json.dumps(about(parts.run, whole=parts.whole), indent=2)
    yield f'{head[:-2]},\n  "hidden": {parts.hidden},\n  "parts": ['
    for number, row in enumerate(rows(parts)):
        yield f"{',' if number else ''}\n    {json.dumps(of_row(row))}"
    yield "\n  ]\n}\n"


def about(run: Run, *, whole: bool) -> Mapping[str, Any]:
    """What there is to say of the run itself; what it came to only where that may be known."""
    said: dict[str, Any] = {
        "run": run.pk,
        "registry": run.registry,
        "policy": run.document,
        "state": run.state,
        "trigger": run.trigger,
        "begun_by": run.begun_by,
        "actor": run.actor,
        "approved_by": run.approved_by,
        "started_at": run.started_at.isoformat(),
        "decided_at": run.decided_at and run.decided_at.isoformat(),
        "finished_at": run.finished_at and run.finished_at.isoformat(),
        "reason": run.reason if whole else ran.UNTOLD if run.reason else "",
    }
    planned = ("repositories", "tags", "keeps", "drops", "manifests", "untagged", "frees")
    numbers = (*planned, "went", "left", "deleted", "bare", "freed")
    return said | ({name: getattr(run, name) for name in numbers} if whole else {})


def of_row(row: Row) -> Mapping[str, Any]:
    """A repository: `dropped` and `untagged` are what went, or is to go."""

    def plain(one: Line) -> dict[str, str]:
        return {"tag": one.tag, "digest": one.digest, "reason": one.reason}

    return {
        "repository": row.part.repository,
        "tags": row.part.tags,
        "dropped": [plain(one) for one in row.lines if not one.left],
        "untagged": row.outcome.bare,
        "left": [plain(one) for one in (*row.lines, *row.loose) if one.left],
        "action": row.part.action,
        "result": row.result,
        "reason": row.part.reason,
    }


FILES = {"csv": (table, "text/csv"), "json": (document, "application/json")}
