"""What a policy would do, as its page shows it: a line for everything that keeps or drops tags."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from regui.accounts.access import Actor, Right
from regui.actions.models import PolicyRow, Run
from regui.actions.retention import preview, runs
from regui.actions.retention.preview import Count, Preview, Wanted
from regui.index.models import Registry, Tag
from regui.retention import deciding
from regui.retention.deciding import Verdict
from regui.retention.policy import DROP, Policy

# To say what is new since the last run, at most so many tags are held against it.
COMPARED = 20_000


@dataclass(frozen=True)
class Share:
    """What one rule does, or whatever else decides: how many tags it keeps or drops, and of how many it can't
    tell. `rule` is what the list of tags is filtered by, if it can be."""

    words: str
    keeps: bool
    tags: int
    unsure: int = 0
    number: int = 0
    rule: int | None = None


@dataclass(frozen=True)
class Foreseen:
    """A preview. `stops` says why a run would stop and ask instead; empty when it wouldn't."""

    preview: Preview

    @property
    def policy(self) -> Policy:
        return self.preview.policy

    @cached_property
    def shares(self) -> list[Share]:
        counts = self.preview.counts
        found = [
            Share(
                str(rule),
                rule.keeps,
                counts[Verdict(rule.keeps, deciding.RULE, number)],
                counts[Verdict(True, deciding.UNSURE, number)],
                number,
                number,
            )
            for number, rule in enumerate(self.policy.rules, 1)
        ]
        drops = self.policy.otherwise == DROP
        found.append(Share("no rule speaks of it", not drops, self.otherwise, rule=0))
        held = self.of(deciding.PROTECTED), self.of(deciding.USED)
        others = sum(count for verdict, count in counts.items() if verdict.policy)
        beside = zip(("protected", "in use", "kept by another policy"), (*held, others), strict=True)
        return found + [Share(words, True, count) for words, count in beside if count]

    @property
    def otherwise(self) -> int:
        return self.of(deciding.OTHERWISE)

    @property
    def unsure(self) -> int:
        """Of how many tags no rule can tell, so that they stay."""
        return self.of(deciding.UNSURE)

    @property
    def percent(self) -> int:
        return deciding.percent(self.preview.drops, self.preview.tags)

    @property
    def exceeds(self) -> bool:
        return 100 * self.preview.drops > self.policy.limit * self.preview.tags

    @property
    def stops(self) -> str:
        found = []
        if self.exceeds:
            found.append(f"it would drop {self.percent}% of the tags, and its limit is {self.policy.limit}%")
        if count := self.preview.emptied:
            some = "1 repository" if count == 1 else f"{count:,} repositories"
            found.append(f"{some} would lose every tag")
        return ", and ".join(found)

    @property
    def most(self) -> Sequence[Count]:
        return [one for one in self.preview.most if one.drops]

    def of(self, how: str) -> int:
        return sum(count for verdict, count in self.preview.counts.items() if verdict.how == how)


@dataclass(frozen=True)
class Since:
    """What a policy would drop that its last run wouldn't, and the other way round, as numbers; `run` is that
    run."""

    run: Run
    newly: int
    no_longer: int


def foresee(registry: Registry, policy: Policy, actor: Actor, now: datetime) -> Foreseen:
    """What the policy would do in what this actor may delete."""
    return Foreseen(preview.preview(registry, policy, actor, now))


def since(row: PolicyRow, registry: Registry, policy: Policy, actor: Actor, now: datetime) -> Since | None:
    """How the policy as it is now differs from its last run that decided anything, in what this actor may
    delete; None without such a run, and for more tags than a page should wait for."""
    told = runs.visible(actor, registry).filter(policy=row.name, decided_at__isnull=False)
    run = told.order_by("-started_at").first()
    if run is None or run.drops > COMPARED:
        return None
    before = {
        (part.repository, tag)
        for part in run.parts.only("run_id", "repository", "dropped")
        if actor.may(Right.DELETE, registry.name, part.repository)
        for tag, *_ in part.dropped
    }
    now_dropped = set()
    for line in preview.lines(registry, policy, actor, now, Wanted(keep=False)):
        now_dropped.add((line.repository, line.tag))
        if len(now_dropped) > COMPARED:
            return None
    left = there(registry, before - now_dropped)
    return Since(run, len(now_dropped - before), left)


def there(registry: Registry, tags: Collection[tuple[str, str]]) -> int:
    """How many of these (repository, tag) are still listed: what a run took away is no change of mind."""
    if not tags:
        return 0
    rows = Tag.objects.visible().filter(repository__registry=registry, repository__gone_at=None)
    names = {repository for repository, _ in tags}
    found = set[tuple[str, str]]()
    for some in batches(sorted(names)):
        pairs = rows.filter(repository__name__in=some).values_list("repository__name", "name")
        found.update(pair for pair in pairs.iterator() if pair in tags)
    return len(found)


def batches(names: Sequence[str], most: int = 500) -> list[Sequence[str]]:
    return [names[start : start + most] for start in range(0, len(names), most)]
