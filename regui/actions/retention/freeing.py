"""How many bytes a registry's next collection could free after a policy has run, at any size of registry."""

import operator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from regui.accounts import access
from regui.accounts.access import Actor
from regui.actions.retention import facts, keeping, places
from regui.actions.retention.facts import Stand
from regui.actions.retention.places import Places
from regui.index.models import Registry
from regui.index.usage import needs
from regui.index.usage.terms import Terms
from regui.retention.deciding import decide, keepers
from regui.retention.policy import Policy

# What so few manifests free is asked of the index one by one, instead of going through all of it.
FEW = 1000


@dataclass(frozen=True)
class Freed:
    """The manifests that would go, counted in each repository, those of them that no tag leads to now, and
    the bytes that nothing else needs then; `unread` repositories may need some of them still: with any, the
    bytes are an upper bound. `unsized` is how much of what goes has no known size, which frees more than is
    said; `frees` is None when that is all there is."""

    manifests: int
    untagged: int
    frees: int | None
    unread: int
    unsized: int = 0


def freed(registry: Registry, policy: Policy, actor: Actor, now: datetime) -> Freed:
    """What the policy would free in the repositories in which this actor may delete; from the index alone."""
    found = Going(registry, policy, actor, now)
    unread = access.repositories(actor, registry).filter(size=None).count()
    if not found.manifests:
        return Freed(0, 0, 0, unread)
    frees, unsized = summed(found.terms)
    known = None if unsized and not frees else frees
    return Freed(found.manifests, found.untagged, known, unread, unsized)


class Going:
    """What goes of a registry: `terms` are 1 for it and 0 for what stays."""

    def __init__(self, registry: Registry, policy: Policy, actor: Actor, now: datetime) -> None:
        self.policy, self.moment = policy, facts.moment(registry, now)
        self.force = keeping.policies(registry.name)
        self.terms = Terms(registry, operator.and_)
        self.manifests = self.untagged = 0
        asked = policy.needs.union(*(one.needs for one in self.force))
        stands = places.stands(registry, asked, policy.repositories, actor)
        every = Places(registry, self.terms, now, policy.untagged)
        for place, tagged, loose in every.tell(stands, self._say):
            loosened = sum(going for key, going in loose.items() if key in place.held)
            self.untagged += loosened
            self.manifests += loosened + sum(going for key, going in tagged.items() if key in place.held)
        if self.manifests:
            self.terms.close()

    def _say(self, stand: Stand) -> list[int]:
        others = keepers(self.policy, self.force, stand.name)
        decision = decide(self.policy, stand.tags, self.moment, others)
        return [int(not verdict.keep) for verdict in decision.verdicts]


def summed(terms: Terms) -> tuple[int, int]:
    """The bytes that go on any terms, and how many manifests and blobs go whose size isn't known."""
    unsized = sum(1 for _ in terms.unread())
    going = list(islice(terms.going(), FEW + 1))
    if len(going) <= FEW:
        return needs.exclusive(going), unsized + needs.unsized(going)
    frees = 0
    for size, _ in terms.blobs():
        if size is None:
            unsized += 1
        else:
            frees += size
    return frees, unsized
