"""A run for programs: the command line and whoever else is told of it say the same."""

from typing import Any

from regui.accounts.access import Actor, Right
from regui.actions.models import Part, Run

NAMES = ("id", "registry", "policy", "state", "reason", "dry", "trigger", "actor", "approved_by")
NUMBERS = ("repositories", "tags", "keeps", "drops", "manifests", "untagged", "frees")
MOMENTS = ("started_at", "decided_at", "finished_at")


def of_run(run: Run, actor: Actor) -> dict[str, Any]:
    """The run with its parts; of repositories that the actor may not see only how many there are."""
    parts = list(run.parts.all())
    seen = [part for part in parts if actor.may(Right.SEE, run.registry, part.repository)]
    return {
        **{name: getattr(run, name) for name in (*NAMES, *NUMBERS)},
        **{name: at.isoformat() if (at := getattr(run, name)) else None for name in MOMENTS},
        "counts": [
            {"keep": keep, "how": how, "rule": rule, "policy": policy, "tags": tags}
            for keep, how, rule, policy, tags in run.counts
        ],
        "parts": [of_part(part) for part in seen],
        "hidden": len(parts) - len(seen),
    }


def of_part(part: Part) -> dict[str, Any]:
    """What a run found in one repository, and what became of it."""
    return {
        "repository": part.repository,
        "tags": part.tags,
        "dropped": [{"tag": tag, "digest": digest, "reason": reason} for tag, digest, reason in part.dropped],
        "untagged": part.untagged,
        "action": part.action,
        "done": part.done,
        "reason": part.reason,
        "undo": part.undo,
        "lost": part.lost,
    }
