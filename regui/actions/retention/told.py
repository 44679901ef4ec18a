"""A run for programs: the command line and whoever else is told of it say the same."""

from typing import Any

from regui.accounts.access import Actor, Right
from regui.actions.models import Run
from regui.actions.retention import leaving

NAMES = ("id", "registry", "policy", "state", "reason", "dry", "trigger", "begun_by", "actor", "approved_by")
NUMBERS = ("repositories", "tags", "keeps", "drops", "manifests", "untagged", "frees")
# What it did: null, but for `left`, until it has ended, and for one that only looked.
DID = ("went", "left", "deleted", "bare", "freed")
MOMENTS = ("started_at", "decided_at", "finished_at")


def of_run(run: Run, actor: Actor) -> dict[str, Any]:
    """The run with its parts; of repositories that the actor may not see only how many there are."""
    parts = list(run.parts.all())
    seen = [part for part in parts if actor.may(Right.SEE, run.registry, part.repository)]
    return {
        **{name: getattr(run, name) for name in (*NAMES, *NUMBERS, *DID)},
        **{name: at.isoformat() if (at := getattr(run, name)) else None for name in MOMENTS},
        "counts": [
            {"keep": keep, "how": how, "rule": rule, "policy": policy, "tags": tags}
            for keep, how, rule, policy, tags in run.counts
        ],
        "parts": [of_part(leaving.Outcome(part, over=run.went is not None)) for part in seen],
        "hidden": len(parts) - len(seen),
    }


def of_part(found: leaving.Outcome) -> dict[str, Any]:
    """What a run found in one repository, and what became of it: what goes, or went, and what was left."""
    part = found.part
    return {
        "repository": part.repository,
        "tags": part.tags,
        "dropped": [of_line(line) for line in found.went],
        "untagged": found.bare,
        "left": [of_line(line) for line in found.left],
        "action": part.action,
        "done": part.done,
        "reason": part.reason,
        "undo": part.undo,
        "lost": part.lost,
    }


def of_line(line: leaving.Line) -> dict[str, str]:
    """A tag with its digest and the reason; a digest that no tag led to has none."""
    return dict(zip(("tag", "digest", "reason"), line, strict=True))
