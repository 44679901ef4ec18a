"""What a run of a policy came to, or asks, for those who weren't there: as values, in plain text, and as
Slack and its like take it."""

from datetime import datetime
from typing import Any

from django.conf import settings

from regui.actions.models import Part, Run
from regui.actions.retention import leaving

# So many skipped repositories are named, and so many things that were left.
NAMED = 20
# What Slack takes: characters of a heading and of a section, and of a message's text for notifications.
HEADING, SECTION, TEXT = 150, 3000, 4000
STATES = {
    Run.State.ASKING: "waits for somebody to look at it",
    Run.State.DONE: "is done",
    Run.State.PARTIAL: "has done a part",
    Run.State.FAILED: "failed",
    Run.State.CANCELLED: "was stopped",
    Run.State.DRY: "was a dry run",
}
UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


def of(run: Run, now: datetime) -> dict[str, Any]:
    """The run as a document; its names stay as they are. What is counted as deleted and freed is what it did,
    or would do if it only looked so far; `bytes` is None while nobody knows."""
    looked = run.dry or run.state == Run.State.ASKING
    skipped = run.parts.exclude(reason="")
    return {
        "id": f"{run.pk}-{run.state}",
        "event": "cleanup-run",
        "sent_at": moment(now),
        "registry": run.registry,
        "policy": run.policy,
        "run": run.pk,
        "state": str(run.state),
        "reason": run.reason,
        "trigger": str(run.trigger),
        "dry_run": run.dry,
        "started_at": moment(run.started_at),
        "finished_at": moment(run.finished_at),
        "repositories": run.repositories,
        "tags": run.tags,
        "keeps": run.keeps,
        "drops": run.drops,
        "dropped": run.went or 0,
        "left_count": 0 if looked else run.drops - (run.went or 0),
        "left": left(run),
        "manifests": run.manifests if looked else run.deleted or 0,
        "untagged": run.untagged if looked else run.bare or 0,
        "bytes": run.frees if looked else run.freed or 0,
        "skipped_count": skipped.count(),
        "skipped": [skip(part) for part in skipped[:NAMED]],
        "url": address(run),
    }


def left(run: Run) -> list[dict[str, str]]:
    """The first of the tags that it had found to go and left, each with why: of repositories in which it did
    something, since a skipped one says why of all that is in it."""
    found: list[dict[str, str]] = []
    rows = run.parts.exclude(action="").exclude(left=[])
    for part in rows.iterator(chunk_size=NAMED) if run.left else ():
        for tag, _, reason in leaving.Outcome(part, over=True).left:
            if tag and len(found) < NAMED:
                found.append({"repository": part.repository, "tag": tag, "reason": reason})
        if len(found) == NAMED:
            break
    return found


def skip(part: Part) -> dict[str, str]:
    return {"repository": part.repository, "reason": part.reason}


def address(run: Run) -> str | None:
    """Where the run's page is, if the site's address is known."""
    if not settings.URL:
        return None
    site = settings.URL.rstrip("/")
    base = f"/{settings.BASE_PATH}" if settings.BASE_PATH else ""
    return f"{site.removesuffix(base)}{base}/{run.registry}/-/cleanup/runs/{run.pk}/"


def moment(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


def heading(found: dict[str, Any]) -> str:
    """What happened, in a line."""
    state = STATES.get(found["state"], found["state"])
    return plain(f"Clean-up {found['policy']} of {found['registry']} {state}")


def lines(found: dict[str, Any]) -> list[str]:
    """What it came to, line by line."""
    drops = f"{found['drops']:,} of {found['tags']:,} tags in {found['repositories']:,} repositories"
    said = [plain(found["reason"])] if found["reason"] else []
    looked = found["state"] == Run.State.ASKING or found["dry_run"]
    if looked:
        said.append(f"It would drop {drops} and keep {found['keeps']:,}.")
    else:
        said.append(
            f"It dropped {found['dropped']:,} of the {found['drops']:,} tags that were to go, "
            f"and left {found['left_count']:,}. It had looked at {found['tags']:,} tags in "
            f"{found['repositories']:,} repositories."
        )
    gone = f"{found['manifests']:,} manifests {'would be' if looked else 'are'} deleted"
    bare = f", {found['untagged']:,} of them without a tag before"
    most = "up to " if looked else ""
    freed = f"; {most}{size(found['bytes'])} free up when garbage is collected" if found["bytes"] else ""
    return [*said, f"{gone}{bare}{freed}."]


def stayed(found: dict[str, Any]) -> list[str]:
    """What was left where the rest went, and why, line by line; nothing when nothing was."""
    return [plain(f"{one['repository']}:{one['tag']} {one['reason']}") for one in found["left"]]


def skipped(found: dict[str, Any]) -> list[str]:
    """What was skipped, and why, line by line; nothing when nothing was."""
    said = [plain(f"{one['repository']}: {one['reason']}") for one in found["skipped"]]
    more = found["skipped_count"] - len(said)
    return said + ([f"and {more:,} more"] if more else [])


def text(found: dict[str, Any]) -> str:
    """All of it as the text of an e-mail."""
    paragraphs = ["\n".join(lines(found))]
    if named := skipped(found):
        paragraphs.append("\n".join(["Not, or not wholly, done:", *(f"  {line}" for line in named)]))
    if named := stayed(found):
        paragraphs.append("\n".join(["Left:", *(f"  {line}" for line in named)]))
    times = f"Started {found['started_at']}"
    paragraphs.append(f"{times}, ended {found['finished_at']}." if found["finished_at"] else f"{times}.")
    return "\n\n".join(paragraphs + ([found["url"]] if found["url"] else [])) + "\n"


def slack(found: dict[str, Any]) -> dict[str, Any]:
    """All of it as Slack, Mattermost and others take it. `verbatim` lets no name become a link or a call."""
    title = heading(found)
    parts = ["\n".join(some(found)) for some in (lines, skipped, stayed)]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": cut(title, HEADING), "emoji": False}},
        *(section(escaped(part, SECTION)) for part in parts if part),
    ]
    if found["url"]:
        blocks.append(section(f"<{escaped(found['url'], SECTION)}|Look at the run>"))
    return {"text": escaped(f"{title}. {parts[0]}", TEXT), "blocks": blocks}


def section(words: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": words, "verbatim": True}}


def escaped(words: str, most: int) -> str:
    """The words with what would be markup as text, in at most so many characters."""
    coded = [{"&": "&amp;", "<": "&lt;", ">": "&gt;"}.get(one, one) for one in words]
    if sum(map(len, coded)) <= most:
        return "".join(coded)
    while sum(map(len, coded)) > most - 1:
        coded = coded[: -max(1, (sum(map(len, coded)) - most) // 5)]
    return f"{''.join(coded)}…"


def cut(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1]}…"


def plain(words: str) -> str:
    """The words on one line, without what could be more than text: some are a registry's own."""
    return "".join(one if one.isprintable() else " " for one in words)


def size(count: int) -> str:
    """Bytes for a person."""
    value, unit = float(count), 0
    while value >= 1000 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.1f} {UNITS[unit]}" if unit else f"{count} bytes"
