"""Policies to begin with: what an empty list of them offers, filled in."""

from collections.abc import Mapping
from dataclasses import dataclass

from regui.web.drafts import Draft, RuleDraft
from regui.web.ruling import KINDS

# Schedules with a name, for buttons.
SCHEDULES = (
    ("0 3 * * *", "Every night"),
    ("0 3 * * 0", "Every Sunday"),
    ("0 3 1 * *", "Every month"),
    ("", "Only by hand"),
)
NIGHTLY = SCHEDULES[0][0]


@dataclass(frozen=True)
class Start:
    """A policy to begin with, and what to say of it."""

    title: str
    does: str
    icon: str
    draft: Draft


def rule(key: str, kind: str, **typed: str) -> RuleDraft:
    return RuleDraft(key, KINDS[kind], typed)


STARTS: Mapping[str, Start] = {
    "newest": Start(
        "Keep the newest 10",
        "Of each repository the newest ten tags stay, and latest. The rest goes: old releases too, unless a "
        "rule keeps them.",
        "layers",
        Draft(
            name="newest-10",
            repositories="**",
            otherwise="drop",
            schedule=NIGHTLY,
            rules=(
                rule("1", "keep newest", count="10"),
                rule("2", "keep matching", tags="latest"),
            ),
        ),
    ),
    "pull-requests": Start(
        "Drop old pull requests",
        "Tags such as pr-1482 go 14 days after their image was created; everything else stays.",
        "trash-2",
        Draft(
            name="pull-requests",
            repositories="**",
            otherwise="keep",
            schedule=NIGHTLY,
            rules=(rule("1", "drop older", than="14d", tags="pr-*"),),
        ),
    ),
    "unpulled": Start(
        "Drop what nobody pulls",
        "What nobody pulled for 90 days goes, but for the newest three of each repository. It takes the "
        "registry's notifications to know of pulls.",
        "download",
        Draft(
            name="unpulled",
            repositories="**",
            otherwise="keep",
            schedule=NIGHTLY,
            rules=(
                rule("1", "keep newest", count="3"),
                rule("2", "drop not-pulled", **{"for": "90d"}),
            ),
        ),
    ),
}
