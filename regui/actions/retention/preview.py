"""What a policy would do: counts over everything it covers, and the reason for each tag of what is shown."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import nlargest
from operator import attrgetter

from django.db.models import Q

from regui.accounts import access, matching
from regui.accounts.access import Actor, Right
from regui.actions.retention import facts, keeping
from regui.actions.retention.facts import Stand
from regui.index.batches import batches
from regui.index.models import Manifest, Registry, Tag, name_key
from regui.retention import deciding
from regui.retention.deciding import OTHERWISE, Decision, Verdict
from regui.retention.policy import Policy
from regui.retention.tags import Moment

# So many repositories are named that lose most tags, and that are left alone.
NAMED = 10
# Lines of a download that are made at a time.
LINES = 500
# From so many tags on the keys they are ordered by are read.
MANY = 1_000


@dataclass(frozen=True)
class Count:
    """How many tags a policy drops of those in one repository."""

    repository: str
    tags: int
    drops: int


@dataclass(frozen=True)
class Preview:
    """What a policy would do as of `moment`. `counts` says how many tags each verdict is on, `most` the
    repositories that lose most tags, `emptied` how many would lose every tag, `hidden` how many repositories
    it covers that this actor sees but may not delete from: there it does nothing, and nothing is counted. So
    it is with those of which too little is known: `wary` says how many these are, `doubted` names the first
    with the reason."""

    policy: Policy
    moment: Moment
    repositories: int
    tags: int
    keeps: int
    drops: int
    emptied: int
    hidden: int
    counts: Counter[Verdict]
    most: list[Count]
    wary: int = 0
    doubted: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Wanted:
    """Which lines are wanted: kept or dropped ones (None for both), those of one verdict's rule (0 for those
    that no rule speaks of), with this text in repository:tag, in this repository."""

    keep: bool | None = None
    rule: int | None = None
    text: str = ""
    repository: str = ""


@dataclass(frozen=True)
class Line:
    """One tag, what becomes of it, and why. `size` in bytes and `created` are None while unknown."""

    repository: str
    tag: str
    digest: str
    size: int | None
    created: datetime | None
    verdict: Verdict
    reason: str


@dataclass(frozen=True)
class Page:
    """Some lines out of `total`."""

    lines: list[Line]
    total: int


@dataclass
class Reach:
    """The repositories that a policy covers, as far as an actor may delete there; `hidden` is how many they
    see besides, known when all were gone through."""

    registry: Registry
    actor: Actor
    hidden: int = 0

    def among(self, name: str = "") -> Q | bool:
        """Those they see, as a condition; the one of that name, if one is given."""
        seen = access.seen_in(self.actor, self.registry)
        return matching.both(Q(name=name), seen) if name else seen

    def may(self, name: str) -> bool:
        if self.actor.may(Right.DELETE, self.registry.name, name):
            return True
        self.hidden += 1
        return False

    def stands(self, needs: Collection[str], patterns: Collection[str], name: str = "") -> Iterator[Stand]:
        """What is known of them. Who may delete everywhere isn't asked about each."""
        among = self.among(name)
        if self.actor.may(Right.DELETE, self.registry.name):
            return facts.stands(self.registry, needs, patterns, among)
        return facts.stands(self.registry, needs, patterns, among, self.may)


def needed(policy: Policy, others: Iterable[Policy]) -> frozenset[str]:
    """The fields of `Tag` that a decision asks for, with the others' keep rules."""
    rules = (rule for one in others for rule in one.rules if rule.keeps)
    return policy.needs.union(*(rule.asks for rule in rules))


def decided(
    reach: Reach, policy: Policy, others: Sequence[Policy], moment: Moment, name: str = ""
) -> Iterator[tuple[Stand, Decision]]:
    """What becomes of the tags of each repository, by name; of the one of that name, if one is given. What
    the others keep stays (`keeping.policies`)."""
    for stand in reach.stands(needed(policy, others), policy.repositories, name):
        keepers = deciding.keepers(policy, others, stand.name)
        yield stand, deciding.decide(policy, stand.tags, moment, keepers)


def preview(registry: Registry, policy: Policy, actor: Actor, now: datetime) -> Preview:
    """What the policy would do in the repositories in which this actor may delete, from the index alone."""
    reach, moment = Reach(registry, actor), facts.moment(registry, now)
    counts: Counter[Verdict] = Counter()
    each: list[Count] = []
    doubted: list[tuple[str, str]] = []
    for stand, decision in decided(reach, policy, keeping.policies(registry.name), moment):
        if stand.wary:
            doubted.append((stand.name, stand.wary))
            continue
        found = decision.counts
        counts.update(found)
        each.append(Count(stand.name, len(stand.tags), dropped(found)))
    tags, drops = counts.total(), dropped(counts)
    return Preview(
        policy=policy,
        moment=moment,
        repositories=len(each),
        tags=tags,
        keeps=tags - drops,
        drops=drops,
        emptied=sum(one.drops == one.tags > 0 for one in each),
        hidden=reach.hidden,
        counts=counts,
        most=[one for one in nlargest(NAMED, each, key=attrgetter("drops")) if one.drops],
        wary=len(doubted),
        doubted=doubted[:NAMED],
    )


def dropped(counts: Counter[Verdict]) -> int:
    return sum(count for verdict, count in counts.items() if not verdict.keep)


def page(
    registry: Registry, policy: Policy, actor: Actor, now: datetime, wanted: Wanted, offset: int, most: int
) -> Page:
    """Some of the wanted lines, by repository and then by tag as versions stand, newest first. Reasons are
    made for these lines alone."""
    total = 0
    lines: list[Line] = []
    for stand, decision in those(registry, policy, actor, now, wanted):
        places = wanted_places(stand, decision, wanted)
        first, last = max(offset - total, 0), offset + most - total
        if first < len(places) and last > 0:
            lines += made(stand, decision, ordered(stand, places)[first:last])
        total += len(places)
    return Page(lines, total)


def lines(registry: Registry, policy: Policy, actor: Actor, now: datetime, wanted: Wanted) -> Iterator[Line]:
    """All wanted lines, in the same order, as they come: for a download."""
    for stand, decision in those(registry, policy, actor, now, wanted):
        places = ordered(stand, wanted_places(stand, decision, wanted))
        for some in batches(places, LINES):
            yield from made(stand, decision, some)


def those(
    registry: Registry, policy: Policy, actor: Actor, now: datetime, wanted: Wanted
) -> Iterator[tuple[Stand, Decision]]:
    """The decisions among which wanted lines may be."""
    moment = facts.moment(registry, now)
    return decided(Reach(registry, actor), policy, keeping.policies(registry.name), moment, wanted.repository)


def wanted_places(stand: Stand, decision: Decision, wanted: Wanted) -> list[int]:
    """Where the wanted tags stand in a decision."""
    fitting = {verdict for verdict in set(decision.verdicts) if fits(verdict, wanted)}
    places = [place for place, verdict in enumerate(decision.verdicts) if verdict in fitting]
    text = wanted.text.lower()
    if not text or text in f"{stand.name}:".lower():
        return places
    return [place for place in places if text in f"{stand.name}:{stand.tags[place].name}".lower()]


def fits(verdict: Verdict, wanted: Wanted) -> bool:
    if wanted.keep is not None and verdict.keep is not wanted.keep:
        return False
    if not wanted.rule:
        return wanted.rule is None or verdict.how == OTHERWISE
    return verdict.rule == wanted.rule and not verdict.policy


def ordered(stand: Stand, places: Iterable[int]) -> list[int]:
    """The places as versions stand, newest first. Of many tags the keys are read, which takes a third of the
    time that making them does."""
    names = [tag.name for tag in stand.tags]
    keys: dict[str, bytes] = {}
    if len(names) > MANY:
        rows = Tag.objects.visible().filter(repository=stand.key).values_list("name", "name_key")
        keys = {name: bytes(key) for name, key in rows}

    def key(place: int) -> tuple[bytes, str]:
        name = names[place]
        return keys.get(name) or name_key(name), name

    return sorted(places, key=key, reverse=True)


def made(stand: Stand, decision: Decision, places: Sequence[int]) -> list[Line]:
    """The lines of the tags at these places: one query for what is shown beside the reasons."""
    tags = [decision.tags[place] for place in places]
    keys = {tag.manifest for tag in tags if tag.manifest is not None}
    rows = Manifest.objects.filter(pk__in=keys).values_list("pk", "digest", "size")
    known = {pk: (digest, size) for pk, digest, size in rows}
    found = []
    for place, tag in zip(places, tags, strict=True):
        digest, size = known.get(tag.manifest or 0, ("", None))
        created = None if tag.created is None else datetime.fromtimestamp(tag.created, UTC)
        verdict, reason = decision.verdicts[place], decision.reason(place)
        found.append(Line(stand.name, tag.name, digest, size, created, verdict, reason))
    return found
