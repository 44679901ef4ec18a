"""The policies whose keep rules others have to go by."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, fields
from operator import attrgetter

from regui.accounts import standing
from regui.accounts.access import Actor, Right
from regui.actions.models import PolicyRow
from regui.retention.policy import Policy

NOBODY = Actor("")


@dataclass(frozen=True)
class Bounded(Policy):
    """A policy that is about no more than its owner may delete from."""

    owner: Actor = NOBODY

    @classmethod
    def of(cls, policy: Policy, owner: Actor) -> "Bounded":
        return cls(**{one.name: getattr(policy, one.name) for one in fields(policy)}, owner=owner)

    def covers(self, repository: str) -> bool:
        return super().covers(repository) and self.owner.may(Right.DELETE, self.registry, repository)


def policies(registry: str) -> list[Policy]:
    """The policies of a registry, whoever's: what one keeps, no other drops. Those that are paused or wait
    for approval, too: to hold one back must not let another go further. One that was changed since somebody
    approved it comes in both forms. Each is about what its owner may delete from, as what it drops is; one
    whose owner is nobody any more about all that it names, until somebody removes it."""
    rows = list(PolicyRow.objects.filter(registry=registry))
    known = owners(rows)
    return [form for row in rows for form in bounded(row, known.get(row.pk))]


def owners(rows: Iterable[PolicyRow]) -> dict[int, Actor]:
    """Who owns each policy, by its key, with the rights they have now; nothing for one that is nobody's. Who
    owns several is looked up once: who was called so earlier still is."""
    known: dict[str, Actor] = {}
    found = {}
    for row in sorted(rows, key=attrgetter("owned_at")):
        if row.owner not in known:
            with suppress(standing.Nobody):
                known[row.owner] = standing.actor(row.owner, row.owned_at)
        if row.owner in known:
            found[row.pk] = known[row.owner]
    return found


def bounded(row: PolicyRow, owner: Actor | None) -> list[Policy]:
    if owner is None or owner.may(Right.DELETE, row.registry):
        return row.keeping
    return [Bounded.of(one, owner) for one in row.keeping]
