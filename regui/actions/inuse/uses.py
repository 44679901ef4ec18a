"""Why tags and digests may not be taken away: somebody says that they are running."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from regui.actions.models import InUse
from regui.index.models import Registry

# How many sources a reason names.
NAMED = 2

# Where something is told to run, and since when.
Told = tuple[str, datetime]


@dataclass(frozen=True)
class Uses:
    """The reasons ("running in prod-cluster since 2026-11-26 20:00 UTC") why tags and digests of one
    repository may not be taken away, by name. `afloat` are the tags of which nobody knows what they were on
    when it was told: nothing but the tag leads to what runs."""

    tags: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    afloat: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.tags or self.digests)


def of_registry(registry: Registry, now: datetime) -> dict[str, Uses]:
    """What runs of a registry, by repository. One query."""
    rows = InUse.objects.holding(now).filter(registry=registry.name)
    fields = "repository", "tag", "digest", "source__name", "since"
    found: dict[str, list[tuple[str, str, Told]]] = defaultdict(list)
    for repository, tag, digest, source, since in rows.order_by().values_list(*fields).iterator():
        found[repository].append((tag, digest, (source, since)))
    return {name: gathered(told) for name, told in found.items()}


def of_repository(registry: Registry, repository: str, now: datetime) -> Uses:
    """The same of one repository. One query."""
    rows = InUse.objects.holding(now).filter(registry=registry.name, repository=repository)
    told = rows.order_by().values_list("tag", "digest", "source__name", "since")
    return gathered((tag, digest, (source, since)) for tag, digest, source, since in told)


def gathered(told: Iterable[tuple[str, str, Told]]) -> Uses:
    """Uses of tags, of digests or of both, with who tells them and since when."""
    tags: dict[str, list[Told]] = defaultdict(list)
    digests: dict[str, list[Told]] = defaultdict(list)
    afloat = set()
    for tag, digest, one in told:
        if tag:
            tags[tag].append(one)
        if digest:
            digests[digest].append(one)
        else:
            afloat.add(tag)
    return Uses(
        {tag: reason(some) for tag, some in tags.items()},
        {digest: reason(some) for digest, some in digests.items()},
        frozenset(afloat),
    )


def reason(told: Iterable[Told]) -> str:
    """Where it runs, in words that stay the same for as long as the same sources go on telling it: that which
    told it first comes first."""
    since: dict[str, datetime] = {}
    for source, moment in told:
        since[source] = min(moment, since.get(source, moment))
    order = sorted(since, key=lambda source: (since[source], source))
    named = [f"{source} since {since[source]:%Y-%m-%d %H:%M} UTC" for source in order[:NAMED]]
    more = len(order) - NAMED
    others = f", and in {more:,} other{'' if more == 1 else 's'}" if more > 0 else ""
    return f"running in {' and in '.join(named)}{others}"
