"""Names that no catalog brings: those that people and the settings give, those that events tell of and those
that were opened.

Many hosted registries list nothing, others list more than anyone wants to read. A name given by hand is read
whatever the catalog says; a repository known from an event or from being opened stays until the registry
itself says that there is none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q

from regui.index import book
from regui.index.batches import batches
from regui.index.models import Registry, Repository, RepositoryQuerySet, Tag

Source = Repository.Source

NO_SUCH = "The registry knows no such repository."


def given(registry: Registry) -> Sequence[str]:
    """The names in the settings."""
    record = book.given(registry.name)
    return record.names if record else ()


def under(registry: Registry) -> Sequence[str]:
    """The prefixes in the settings, without their /: with any, nothing else is taken from the catalog."""
    record = book.given(registry.name)
    return record.under if record else ()


def entered(registry: Registry) -> list[str]:
    """The names that people entered, in their order."""
    return registry.names.split()


def by_hand(registry: Registry) -> set[str]:
    """The names that people or the settings give."""
    return {*given(registry), *entered(registry)}


def is_wanted(registry: Registry, name: str) -> bool:
    """Whether a name is to become known when the registry tells it."""
    prefixes = under(registry)
    return not prefixes or name.startswith(tuple(f"{one}/" for one in prefixes)) or name in by_hand(registry)


def enter(registry: Registry, names: Iterable[str], now: datetime) -> None:
    """Keep these names, and give them rows."""
    with transaction.atomic():
        row = Registry.objects.select_for_update().get(pk=registry.pk)
        row.names = "\n".join(sorted({*entered(row), *names}))
        row.save(update_fields=["names"])
    registry.names = row.names
    follow(registry, now)


def remove(registry: Registry, name: str, now: datetime) -> None:
    """Forget that a name was entered. Its repository leaves, unless something else made it known."""
    with transaction.atomic():
        row = Registry.objects.select_for_update().get(pk=registry.pk)
        row.names = "\n".join(one for one in entered(row) if one != name)
        row.save(update_fields=["names"])
    registry.names = row.names
    follow(registry, now)


def follow(registry: Registry, now: datetime) -> None:
    """Make the rows follow the names: those given by hand are there, those no longer given leave, and so do
    those that the settings' prefixes leave out."""
    wanted, rows = by_hand(registry), registry.repositories
    for some in batches(sorted(wanted)):
        there = dict(rows.filter(name__in=some).values_list("name", "gone_at"))
        new = [
            Repository(registry=registry, name=name, source=Source.HAND, first_seen_at=now, unsettled_at=now)
            for name in some
            if name not in there
        ]
        Repository.objects.bulk_create(new, ignore_conflicts=True)
        back = [name for name, gone_at in there.items() if gone_at is not None]
        rows.filter(name__in=back).update(source=Source.HAND, gone_at=None, due_at=None, unsettled_at=now)
        # Its tags had left with it, and are to be read again.
        tags = Tag.objects.filter(repository__registry=registry, repository__name__in=back, missed__gt=0)
        tags.update(gone_at=None, missed=0, seen_at=None)
    named = rows.listed().filter(source=Source.HAND).values_list("pk", "name")
    going = [pk for pk, name in named if name not in wanted]
    if prefixes := under(registry):
        inside = Q()
        for prefix in prefixes:
            inside |= Q(name__startswith=f"{prefix}/")
        told = rows.listed().filter(source__in=[Source.CATALOG, Source.EVENT]).exclude(inside)
        going += [pk for pk, name in told.values_list("pk", "name") if name not in wanted]
    for keys in batches(going):
        rows.filter(pk__in=keys).update(gone_at=now, unsettled_at=now)


def leave(rows: Iterable[Repository], began: datetime) -> None:
    """Let go of those of these repositories that only an event or being opened made known: asked for their
    tags at that moment, the registry said that it has none of that name, and no catalog will ever say so."""
    passing = {Source.EVENT, Source.OPENED}
    for row in rows:
        if row.source in passing and not row.doubt and row.name not in by_hand(row.registry):
            same = Repository.objects.filter(pk=row.pk, tried_at=began)  # nobody has found it since
            if same.update(gone_at=began, unsettled_at=began):
                row.gone_at = began


@dataclass(frozen=True)
class Sources:
    """How many of a registry's repositories are known in which way."""

    catalog: int = 0
    hand: int = 0
    event: int = 0
    opened: int = 0

    def __str__(self) -> str:
        counts = {"names by hand": self.hand, "learnt from notifications": self.event}
        counts |= {"opened by name": self.opened, "from the catalog": self.catalog}
        parts = [f"{words}: {count:,}" for words, count in counts.items() if count]
        return ", ".join(parts) or "no name is known"


def sources(repositories: RepositoryQuerySet) -> Sources:
    """How these repositories are known."""
    counts = repositories.order_by().values_list("source").annotate(Count("pk"))
    return Sources(**dict(counts))
