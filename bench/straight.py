"""Fills an index with what a synthetic registry holds, without the registry: the same bytes through the same
functions that a crawl keeps them with, in a fraction of the time.

    python -m bench.straight 10000 500000 0.2 10000      (with regui's environment)
"""

import os
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime

import django
from django.utils import timezone

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regui.settings")
django.setup()

from bench import documents, synthetic  # noqa: E402 — models can't be imported before Django is set up
from regui import oci, prepare  # noqa: E402
from regui.index import facts, listing, reader, record, usage  # noqa: E402
from regui.index.batches import batches  # noqa: E402
from regui.index.models import Registry, Repository, Tag  # noqa: E402

REPOSITORIES, TAGS = 64, 2_000
Plan = tuple[str, int, int]


def fill(shape: synthetic.Shape) -> None:
    """Write all rows of that registry, those of repositories that are there already left alone."""
    prepare.database()
    registry, now = Registry.objects.get(), timezone.now()
    plan = list(synthetic.plan(shape))
    listing.repositories(registry, [name for name, _, _ in plan], now, complete=True)
    for some in batches(plan, REPOSITORIES):
        rows = {row.name: row for row in registry.repositories.filter(name__in=[name for name, _, _ in some])}
        left = [(rows[name], one) for one in some if rows[name := one[0]].tag_count is None]
        tags(shape, left, now)
    usage.settle(registry)


def tags(shape: synthetic.Shape, left: Sequence[tuple[Repository, Plan]], now: datetime) -> None:
    """Listings, manifests, tags and sums of these repositories."""
    names = {row.pk: [synthetic.tag(at, count) for at in range(count)] for row, (_, count, _) in left}
    listing.tags([listing.Listing(row, names[row.pk], now) for row, _ in left])
    digests: dict[tuple[int, str], str] = {}
    found: list[tuple[Repository, facts.Facts]] = []
    for row, (name, count, seed) in left:
        among = shape.digests(count)
        tops = [documents.made(seed + number, name) for number in range(among)]
        digests |= {(row.pk, tag): tops[at * among // count].digest for at, tag in enumerate(names[row.pk])}
        found += [(row, one) for top in tops for one in understood(top)]
    keys: dict[str, int] = {}
    for some in batches(found, TAGS):
        keys |= record.manifests(left[0][0].registry, some, now)
    pks = Tag.objects.filter(repository__in=names).values_list("pk", flat=True)
    for some_pks in batches(list(pks), TAGS):
        sights = [
            listing.Sight(tag, keys[digests[tag.repository.pk, tag.name]]) for tag in reader.load(some_pks)
        ]
        listing.seen(sights, now)
    for row, _ in left:
        usage.total(row)


def understood(made: documents.Made) -> Iterator[facts.Facts]:
    """A manifest's facts, after those below it."""
    for child in made.children:
        yield from understood(child)
    content = oci.Content(made.body, made.media_type, oci.Digest(made.digest))
    is_image = made.configs and facts.wants_config(content.document)
    yield facts.of(content, made.configs[0] if is_image else None)


if __name__ == "__main__":
    repositories, count, distinct, largest = sys.argv[1:]
    fill(synthetic.Shape(int(repositories), int(count), float(distinct), int(largest)))
