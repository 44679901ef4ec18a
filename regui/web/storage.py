"""What takes the space in a registry. Every number was summed up before anyone asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from django.core.paginator import Page
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from regui.accounts import access
from regui.index import snapshots, sums, usage
from regui.index.models import Layer, Namespace, Registry, Repository, RepositoryQuerySet, Storage
from regui.web import charts, links
from regui.web.paging import paginate

# How many repositories the map shows, and the tables below it.
MAPPED, LISTED, NAMED = 120, 15, 3
# The drawing's shapes: for a desk and for a phone.
SHAPES = {"desk": (1000, 380), "phone": (340, 460)}
ORDERS = {
    "size": "Largest",
    "shared": "Most shared",
    "saved": "Most saved by sharing",
}


@dataclass(frozen=True)
class LayerRow:
    """A blob; `names` are some repositories that need it, with their addresses, `more` how many others do,
    `saved` the bytes that each having its own would take on top."""

    layer: Layer
    names: Sequence[tuple[str, str]]
    more: int
    saved: int


@dataclass(frozen=True)
class Overview:
    """What the page shows, each part read when it is asked for."""

    registry: Registry
    repositories: RepositoryQuerySet
    storage: Storage | None
    order: str
    page: Page[Layer]

    @cached_property
    def chart(self) -> charts.Line | None:
        return charts.line(snapshots.series(self.registry), 1000, 140, margin=4)

    @cached_property
    def largest(self) -> list[Repository]:
        rows = self.repositories.in_order("-size").only("name", "size", "unique_size")
        return [row for row in rows[:MAPPED] if row.size]

    @property
    def listed(self) -> list[Repository]:
        return self.largest[:LISTED]

    @property
    def maps(self) -> SafeString:
        """The same repositories by namespace, drawn in both shapes."""
        return maps(self.registry.name, tuple((row.name, row.size or 0) for row in self.largest))

    @cached_property
    def namespaces(self) -> list[Namespace]:
        rows = Namespace.objects.filter(registry=self.registry).exclude(name="")
        return list(rows.order_by("-size", "name")[:LISTED])

    @cached_property
    def layers(self) -> list[LayerRow]:
        found = {name for layer in self.page for name in layer.names}
        seen = set(self.repositories.filter(name__in=found).values_list("name", flat=True))
        link = links.repositories(self.registry.name)
        return [
            row(layer, [(name, link(name)) for name in layer.names if name in seen]) for layer in self.page
        ]

    @property
    def orders(self) -> list[tuple[str, str]]:
        return list(ORDERS.items())

    @property
    def times(self) -> float | None:
        """How many times as much the tags would take if they shared nothing; None when there is nothing."""
        if self.storage is None or not self.storage.tagged:
            return None
        return self.storage.apart / self.storage.tagged


@dataclass(frozen=True)
class Seen:
    """What the page shows to who sees only some of the registry: that, by what each repository says of
    itself. What is shared, what came and went and what lies about is only known of all together."""

    registry: Registry
    repositories: RepositoryQuerySet

    @cached_property
    def total(self) -> sums.Sums:
        return sums.of(self.repositories)

    @cached_property
    def largest(self) -> list[Repository]:
        rows = self.repositories.in_order("-size").only("name", "size")
        return [row for row in rows[:MAPPED] if row.size]

    @property
    def listed(self) -> list[Repository]:
        return self.largest[:LISTED]

    @property
    def maps(self) -> SafeString:
        """As of all."""
        return maps(self.registry.name, tuple((row.name, row.size or 0) for row in self.largest))

    @cached_property
    def namespaces(self) -> list[sums.Space]:
        return sums.spaces(self.repositories, LISTED)


@lru_cache(maxsize=16)
def maps(registry: str, repositories: Sequence[tuple[str, int]]) -> SafeString:
    """Repositories of these names and sizes, drawn by namespace for a desk and for a phone. Kept, for it
    takes longer than all the rest of the page, and the largest repositories seldom change."""
    groups: dict[str, list[charts.Size]] = {}
    for name, size in repositories:
        space = usage.namespace(name)
        groups.setdefault(space, []).append(charts.Size(name, name.removeprefix(f"{space}/"), size))
    heads = [
        (charts.Size(space, space or "no namespace", charts.total(inner)), inner)
        for space, inner in groups.items()
    ]
    drawn = {shape: charts.treemap(heads, *room) for shape, room in SHAPES.items()}
    return render_to_string("storage/treemaps.html", {"registry": registry, "maps": drawn.items()})


def row(layer: Layer, names: Sequence[tuple[str, str]]) -> LayerRow:
    shown = names[:NAMED]
    return LayerRow(layer, shown, layer.repositories - len(shown), layer.size * (layer.repositories - 1))


def of(request: HttpRequest, actor: access.Actor, registry: Registry) -> Overview:
    """The page's parts; sums of a registry small enough are brought up to date first."""
    sums = usage.storage(registry)
    order = request.GET.get("layers", "")
    order = order if order in ORDERS else "size"
    return Overview(
        registry=registry,
        repositories=access.repositories(actor, registry),
        storage=sums,
        order=order,
        page=paginate(request, ordered(registry, order)),
    )


def ordered(registry: Registry, order: str) -> QuerySet[Layer]:
    """The layers kept, a few hundred at most, in one of the orders."""
    rows = Layer.objects.filter(registry=registry)
    if order == "size":
        return rows.order_by("-size", "digest")
    shared = rows.filter(repositories__gt=1)
    if order == "shared":
        return shared.order_by("-repositories", "-size", "digest")
    return shared.order_by((F("size") * (F("repositories") - 1)).desc(), "digest")
