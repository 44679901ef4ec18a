"""What became of that which a run had found to go: what went, and what was left, with why."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import Sum

from regui.actions import plans
from regui.actions.models import Action, Item, Part, Run
from regui.actions.plans import Agreed, Plan, shortened
from regui.actions.retention import facts, preview
from regui.index import record, usage
from regui.index.batches import batches
from regui.index.models import Registry, Repository, Revision
from regui.retention.deciding import decide, keepers
from regui.retention.policy import Policy

Result = Item.Result
# A tag, its digest, and the reason.
Line = tuple[str, str, str]

GONE = "gone: it was not there any more"
UNREAD = "kept: it leads nowhere, or can't be read"
OTHERWISE = "kept: it would not go any more"
NEEDED = "kept: it hasn't been without a tag for long enough any more"
SKIPPED, ENDED = "skipped: {}", "skipped: the run ended before its turn"
# How an item that isn't done is told of.
NOT_DONE = {
    Result.GONE: "gone",
    Result.SKIPPED: "kept",
    Result.FAILED: "failed",
    Result.CANCELLED: "stopped",
}
# How many tags a sentence names.
NAMED = 3


@dataclass(frozen=True)
class Outcome:
    """What became of a part; of one that nobody has carried out, all is still to go. `over` says that its run
    has ended, so that nobody will."""

    part: Part
    over: bool = False

    @cached_property
    def why(self) -> Mapping[str, str]:
        """The reasons of what was left, by tag, or by digest where no tag led there."""
        if self.part.action:
            return dict(self.part.left)
        if not (self.over or self.part.done):
            return {}
        rest = SKIPPED.format(self.part.reason) if self.part.reason else ENDED
        return dict.fromkeys(planned(self.part), rest) | dict(self.part.left)

    @property
    def went(self) -> list[Line]:
        """The tags that went, or are to go."""
        return [(tag, digest, why) for tag, digest, why in self.part.dropped if tag not in self.why]

    @property
    def bare(self) -> list[str]:
        """The digests without a tag that went, or are to go."""
        return [one for one in self.part.untagged if one not in self.why]

    @property
    def left(self) -> list[Line]:
        """What was left, tags first, with why; what no tag led to has none here either."""
        tags = [(tag, digest, self.why[tag]) for tag, digest, _ in self.part.dropped if tag in self.why]
        return tags + [("", one, self.why[one]) for one in self.part.untagged if one in self.why]


def planned(part: Part) -> Iterator[str]:
    """All that a part had found to go: tags, and digests without one."""
    yield from (tag for tag, _, _ in part.dropped)
    yield from part.untagged


@dataclass(frozen=True)
class Now:
    """What is decided by now where a part is to be carried out, by a plan that was made just then."""

    repository: Repository
    policy: Policy
    others: Sequence[Policy]
    plan: Plan
    now: datetime

    def left(self, part: Part, agreed: Agreed) -> list[list[str]]:
        """What the part had found and isn't agreed to, or isn't in the plan, each with the reason."""
        found = {tag: digest for tag, digest, _ in part.dropped}
        going = set(agreed.asked["tags"]).intersection(tag.name for tag in self.plan.tags)
        held = {one.tag or one.digest: f"kept: {one.reason}" for one in self.plan.protected}
        unread = dict.fromkeys(agreed.asked["tags"], UNREAD)
        tags = [tag for tag in found if tag not in going]
        on, kept = self.on(tags), self.kept(tags)

        def why(tag: str) -> str:
            if tag not in on:
                return GONE
            if on[tag] and on[tag] != found[tag]:
                return f"kept: it moved to {shortened(on[tag])} meanwhile"
            return kept.get(tag) or held.get(tag) or held.get(found[tag]) or unread.get(tag, OTHERWISE)

        doomed = {step.digest for step in self.plan.steps if step.do == plans.DELETE_DIGEST}
        doomed &= set(agreed.asked["digests"])
        loose = [one for one in part.untagged if one not in doomed]
        there = self.there(loose)
        stay = [[one, held.get(one, NEEDED) if one in there else GONE] for one in loose]
        return [[tag, why(tag)] for tag in tags] + stay

    def on(self, tags: Collection[str]) -> dict[str, str]:
        """The digests that those of the tags are on which are listed; empty where nobody knows."""
        found: dict[str, str] = {}
        for some in batches(tags):
            rows = self.repository.tags.listed().filter(name__in=some)
            found |= {name: digest or "" for name, digest in rows.values_list("name", "manifest__digest")}
        return found

    def kept(self, tags: Collection[str]) -> dict[str, str]:
        """The reasons of those of the tags that are to stay by now. All of the repository is decided on for
        that, so only where there are any."""
        if not tags:
            return {}
        if doubt := facts.wary(self.repository):
            return dict.fromkeys(tags, f"kept: {doubt}")
        known = facts.of_repository(self.repository, preview.needed(self.policy, self.others))
        moment = facts.moment(self.repository.registry, self.now)
        others, wanted = keepers(self.policy, self.others, self.repository.name), set(tags)
        decision = decide(self.policy, known, moment, others)
        return {
            tag.name: decision.reason(place)
            for place, (tag, verdict) in enumerate(zip(known, decision.verdicts, strict=True))
            if verdict.keep and tag.name in wanted
        }

    def there(self, digests: Collection[str]) -> set[str]:
        """Those of the digests that the repository holds."""
        found: set[str] = set()
        for some in batches(digests):
            rows = Revision.objects.held().filter(repository=self.repository, manifest__digest__in=some)
            found |= set(rows.values_list("manifest__digest", flat=True))
        return found


def said(left: Sequence[Sequence[str]]) -> str:
    """What was left, the first of it, as a sentence: "1.0 kept: running in prod since …; and 2 more."."""
    named = [f"{one if ':' not in one else shortened(one)} {why}" for one, why in left[:NAMED]]
    more = len(left) - len(named)
    return f"{'; '.join(named)}{f'; and {more:,} more' if more else ''}."


def settle(part: Part, action: Action) -> None:
    """Write down with the part what its action, which has ended, did of that which was to go."""
    done, deleted, why = set(), set(), dict[str, str]()
    fields = ("do", "tag", "digest", "result", "reason")
    for do, tag, digest, result, reason in action.items.order_by("position").values_list(*fields).iterator():
        one = tag or digest
        if result == Result.DONE:
            done.add(one)
            if do == plans.DELETE_DIGEST:
                deleted.add(digest)
        elif result:
            # Steps come before the tags that go along with them.
            text = reason or why.get(digest, "").partition(": ")[2]
            why[one] = f"{NOT_DONE[Result(result)]}: {text}" if text else bare_word(Result(result))
    before = dict(part.left)
    left = [one for one in planned(part) if one not in done]
    part.left = [[one, why.get(one) or before.get(one, OTHERWISE)] for one in left]
    part.went = sum(1 for tag, _, _ in part.dropped if tag in done)
    part.deleted = len(deleted)
    part.bare = len(deleted.intersection(part.untagged))
    part.freed = freed(action.registry, deleted)
    part.save(update_fields=["left", "went", "deleted", "bare", "freed"])


def bare_word(result: Item.Result) -> str:
    """What is said of an item that isn't done where nobody said why."""
    return GONE if result == Result.GONE else f"{NOT_DONE[result]}: nobody knows why"


def freed(name: str, digests: Collection[str]) -> int:
    """The bytes that nothing needs since these manifests were deleted, as far as sizes are known: what one
    repository still has of them is not free, and is counted with whoever deletes it last."""
    registry = Registry.objects.filter(name=name).first()
    if registry is None or not digests:
        return 0
    gone = set(record.keys(registry, digests).values())
    for some in batches(set(gone)):
        gone -= set(usage.lying().filter(manifest__in=some).values_list("manifest_id", flat=True))
    return usage.exclusive(gone)


def total(run: Run) -> dict[str, int]:
    """What all parts of a run did together: `Run.went`, `deleted`, `bare` and `freed`."""
    sums = {name: Sum(name) for name in ("went", "deleted", "bare", "freed")}
    return {name: count or 0 for name, count in run.parts.aggregate(**sums).items()}
