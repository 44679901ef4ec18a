"""The list of policies: what each does in words, when it runs next, and what came of it last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import OuterRef, Q, Subquery

from regui.accounts.access import Actor
from regui.actions.models import PolicyRow, Run
from regui.actions.retention import book, rights, runs
from regui.index.models import Registry
from regui.retention.policy import Policy
from regui.web.upcoming import Upcoming, upcoming

# How many rules a row names before it counts the rest.
NAMED = 3
# States of a run in which a person or a worker still has something to do.
OPEN = frozenset({Run.State.WAITING, Run.State.DECIDING, Run.State.RUNNING})


@dataclass(frozen=True)
class Row:
    """A policy of the list. `last` is its latest run, `asks` says whether one waits for a person, and
    `may_change` whether who looks may edit it."""

    kept: PolicyRow
    last: Run | None
    asks: bool
    now: datetime
    may_change: bool

    @cached_property
    def policy(self) -> Policy:
        return self.kept.policy

    @property
    def rules(self) -> list[tuple[str, str]]:
        """The first rules, each with what it does."""
        return [(rule.verb, str(rule)) for rule in self.policy.rules[:NAMED]]

    @property
    def more(self) -> int:
        return max(0, len(self.policy.rules) - NAMED)

    @property
    def upcoming(self) -> Upcoming | None:
        return upcoming(self.policy.schedule, self.now)

    @property
    def is_under_way(self) -> bool:
        return self.last is not None and self.last.state in OPEN


def rows(actor: Actor, registry: Registry, now: datetime) -> Sequence[Row]:
    """The policies that this actor may see, by name, in two queries."""
    kept = list(book.visible(actor, registry))
    last: dict[str, Run] = {}
    asking: set[str] = set()
    if kept:
        told = runs.visible(actor, registry).filter(policy__in=[one.name for one in kept])
        newest = told.filter(policy=OuterRef("policy")).order_by("-started_at", "-id").values("pk")[:1]
        # Oldest first: one that asks may have been followed by others that only tried.
        found = (
            told.filter(Q(pk=Subquery(newest)) | Q(state=Run.State.ASKING))
            .order_by("started_at", "pk")
            .only(*SHOWN)
        )
        last = {run.policy: run for run in found}
        asking = {run.policy for run in found if run.state == Run.State.ASKING}
    return [
        Row(one, last.get(one.name), one.name in asking, now, rights.may_change(actor, one)) for one in kept
    ]


SHOWN = (
    *("policy", "registry", "state", "dry", "drops", "frees", "went", "freed"),
    *("started_at", "finished_at", "undo_at", "undone_at", "reason"),
)
