"""Policies and runs for the tests of their pages, as rows: what carries them out is tested elsewhere."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from regui.actions.models import Part, PolicyRow, Run
from regui.retention.policy import Policy
from tests import factories

RULES = [
    {"keep": "newest", "count": 5, "tags": ["v*"]},
    {"drop": "older", "than": "14d", "tags": ["pr-*"]},
    {"keep": "matching", "tags": ["latest"]},
]
# What a run found, as `Run.counts` has it: kept, how, rule, policy, tags.
COUNTS = [
    [True, "rule", 1, "", 5],
    [False, "rule", 2, "", 3],
    [True, "rule", 1, "others", 1],
    [True, "unsure", 2, "", 1],
    [True, "otherwise", 0, "", 2],
]
WHY = "dropped: rule 2, created 94 days ago"


def policy(name: str = "releases", *, approved: bool = True, owner: str = "alice", **more: Any) -> PolicyRow:
    """A policy, of the registry main unless said otherwise."""
    plain = {
        "name": name,
        "registry": "main",
        "repositories": ["team/**"],
        "rules": RULES,
        "otherwise": "keep",
    }
    one = Policy.read(plain | {"schedule": "0 3 * * *"} | more)
    now = timezone.now()
    return PolicyRow.objects.create(
        registry=one.registry,
        name=name,
        document=one.plain(),
        owner=owner,
        owned_at=now - timedelta(days=1),
        approved=one.fingerprint if approved else "",
        allowed=one.plain() if approved else None,
        created_by=owner,
        created_at=now,
        changed_by=owner,
        changed_at=now,
    )


def run(row: PolicyRow, found: Mapping[str, Sequence[str]] | None = None, **more: Any) -> Run:
    """A run of the policy, which found these tags to go, by repository, of four in each."""
    found = {"team/app": ["pr-1", "pr-2", "pr-3"]} if found is None else found
    now, drops = timezone.now(), sum(map(len, found.values()))
    said = {
        "trigger": Run.Trigger.SCHEDULE,
        "actor": row.owner,
        "state": Run.State.ASKING,
        "reason": "would drop 3 of 12 tags (25 %)",
        "started_at": now,
        "decided_at": now,
        "repositories": 4,
        "tags": drops + 9,
        "drops": drops,
        "keeps": 9,
        "manifests": drops,
        "frees": 3_200_000,
        "counts": COUNTS,
    }
    one = Run.objects.create(registry=row.registry, policy=row.name, document=row.document, **(said | more))
    for repository, tags in found.items():
        dropped = [[tag, str(factories.digest(f"{repository}:{tag}")), WHY] for tag in tags]
        Part.objects.create(run=one, repository=repository, tags=4, dropped=dropped)
    return one
