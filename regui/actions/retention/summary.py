"""What a run of a policy came to, or asks, for those who weren't there: as values, in plain text, and as
Slack and its like take it."""

from datetime import datetime
from typing import Any

from django.conf import settings

from regui.actions.models import Item, Part, Run

# So many skipped repositories are named.
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
    """The run as a document; its names stay as they are. `bytes` is None while nobody knows."""
    actions = list(run.parts.exclude(action="").values_list("action", flat=True))
    done = Item.objects.filter(action__in=actions, result=Item.Result.DONE).exclude(tag="")
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
        "dropped": done.values("repository", "tag").distinct().count() if actions else 0,
        "manifests": run.manifests,
        "untagged": run.untagged,
        "bytes": run.frees,
        "skipped_count": skipped.count(),
        "skipped": [skip(part) for part in skipped[:NAMED]],
        "url": address(run),
    }


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
    if found["state"] == Run.State.ASKING or found["dry_run"]:
        said.append(f"It would drop {drops} and keep {found['keeps']:,}.")
    else:
        said.append(
            f"It dropped {found['dropped']:,} tags; to drop were {drops}. {found['keeps']:,} are kept."
        )
    gone = f"{found['manifests']:,} manifests, {found['untagged']:,} of them without a tag before"
    freed = "" if found["bytes"] is None else f"; {size(found['bytes'])} free up when garbage is collected"
    return [*said, f"That comes to {gone}{freed}."]


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
    times = f"Started {found['started_at']}"
    paragraphs.append(f"{times}, ended {found['finished_at']}." if found["finished_at"] else f"{times}.")
    return "\n\n".join(paragraphs + ([found["url"]] if found["url"] else [])) + "\n"


def slack(found: dict[str, Any]) -> dict[str, Any]:
    """All of it as Slack, Mattermost and others take it. `verbatim` lets no name become a link or a call."""
    title = heading(found)
    parts = ["\n".join(lines(found)), "\n".join(skipped(found))]
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
