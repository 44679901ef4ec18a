"""Whether what was deleted can still come back, found out a little at a time; and by that, whether the
registry's garbage was collected meanwhile, which no registry tells.

A collection takes what no manifest needs. So a blob that only deleted manifests need is a witness: while its
content can be read there was no collection, and once it can't there was one since it last could. That holds
only where something that tags need can be read at the same moment: a registry without its disk has nothing.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from regui import oci
from regui.actions import garbage, plans
from regui.actions.models import Collection, Garbage, Item, Kept, Remains
from regui.index import capabilities, connect, usage
from regui.index.batches import batches
from regui.index.models import Blob, Registry, Revision

# How many deleted manifests a look is about: in a round, and when a person asks or a collection was noticed.
# And the seconds it may take.
HANDFUL, MANY = 5, 100
BUDGET = 20.0
# How far apart looks are that nobody asked for.
EVERY = timedelta(minutes=4)

UNREADABLE = (
    "Even what tags are on can't be read from the registry at the moment, so what is missing proves nothing: "
    "look at its storage."
)
NO_CONTROL = (
    "No image that a tag is on is known to compare with, so a collection can't be told from a missing disk."
)


@dataclass(frozen=True)
class Seen:
    """What a look found of one deleted manifest."""

    item: Item
    blobs: Sequence[str]
    alone: Sequence[str]
    gone: Sequence[str]


@dataclass
class Look:
    """One look at a registry; what was asked once isn't asked again."""

    registry: Registry
    client: oci.Client
    answers: dict[tuple[str, str], bool] = field(default_factory=dict)

    def has(self, name: str, digest: str) -> bool:
        """Whether a blob's content can be read from that repository."""
        if (name, digest) not in self.answers:
            self.answers[name, digest] = self.client.has_blob(name, oci.Digest(digest))
        return self.answers[name, digest]

    def doubt(self) -> str:
        """Why what is missing would prove nothing; empty when it does."""
        sample = capabilities.sample(self.registry)
        if not sample.blob:
            return NO_CONTROL
        return "" if self.has(sample.name, sample.blob) else UNREADABLE

    def at(self, items: Iterable[Item]) -> Iterator[Seen]:
        """Yield what is left of each; ends early when the registry doesn't answer any more."""
        for item in items:
            blobs = needs(item)
            try:
                gone = [digest for digest in blobs if not self.has(item.repository, digest)]
            except oci.Error:
                return
            yield Seen(item, blobs, alone(self.registry, blobs), gone)


def keep_up(registry: Registry, now: datetime) -> bool:
    """Look at a few of what was deleted, and sum up what waits, unless somebody did so a moment ago; whether
    it was done."""
    row, _ = Garbage.objects.get_or_create(registry=registry.name, defaults={"as_of": now})
    idle = Q(looked_at=None) | Q(looked_at__lt=now - EVERY)
    if not Garbage.objects.filter(idle, pk=row.pk).update(looked_at=now):
        return False
    look(registry)
    return True


def look(registry: Registry, count: int = HANDFUL, *, again: bool = False) -> Collection | None:
    """Look at up to so many of what was deleted, and remember what is left of it; `again`: also at what was
    found to be gone. The collection that was noticed by that, None when none was. Sends requests that change
    nothing; never raises an `oci.Error`."""
    items, found, doubt = due(registry, count, again=again), None, ""
    try:
        if items:
            one = Look(registry, connect.crawler(registry).until(time.monotonic() + BUDGET))
            doubt = one.doubt()
            if doubt != UNREADABLE:
                found = keep(registry, list(one.at(items)), certain=not doubt)
            if found and count < MANY:  # then there is news of the others, too
                keep(registry, list(one.at(due(registry, MANY))), certain=True)
    except oci.Error as error:
        doubt = str(error)
    if again or garbage.has_changed(registry, timezone.now()):
        garbage.sum_up(registry, timezone.now())
    garbage.note(registry, timezone.now(), doubt)
    return found


def due(registry: Registry, count: int, *, again: bool = False) -> list[Item]:
    """What was deleted, is not back, and could come back as far as is known: the one last seen to be there,
    which tells best when it went, then those longest not looked at."""
    kept = Kept.objects.filter(action=OuterRef("action"), digest=OuterRef("digest"))
    back = Revision.objects.held().filter(
        repository__registry=registry,
        repository__name=OuterRef("repository"),
        manifest__registry=registry,
        manifest__digest=OuterRef("digest"),
    )
    away = Item.objects.filter(
        Exists(kept),
        ~Exists(back),
        action__registry=registry.name,
        do=plans.DELETE_DIGEST,
        result=Item.Result.DONE,
    ).select_related("action", "remains")
    if not again:
        away = away.filter(Q(remains=None) | Q(remains__gone=[]))
    newest = away.filter(remains__there_at__isnull=False).order_by("-remains__there_at", "-pk")[:1]
    oldest = away.order_by(F("remains__looked_at").asc(nulls_first=True), "-pk")[:count]
    return list({item.pk: item for item in (*newest, *oldest)}.values())[:count]


def needs(item: Item) -> list[str]:
    """The digests of all blobs that a deleted manifest needs to come back, its children's among them, by the
    bytes at hand."""
    return list(dict.fromkeys(digest for _, digests in below(item) for digest in digests))


def below(item: Item) -> Iterator[tuple[Kept, list[str]]]:
    """The bytes kept of a deleted manifest, and of all it contains, each with the blobs it needs itself."""
    met, waiting = set[str](), {item.digest}
    while waiting:
        met |= waiting
        rows, waiting = Kept.objects.filter(action=item.action_id, digest__in=waiting), set()
        for kept in rows:
            try:
                document = oci.parse(kept.body, kept.media_type)
            except oci.Malformed:
                continue  # what can't be understood names nothing
            if isinstance(document, oci.Index):
                waiting |= {str(child.digest) for child in document.manifests} - met
            yield kept, blobs_of(document)


def blobs_of(document: oci.Document) -> list[str]:
    """The digests of what a manifest needs."""
    if isinstance(document, oci.Legacy):
        return list(document.layers)
    return [one.digest for one in document.blobs] if isinstance(document, oci.Manifest) else []


def alone(registry: Registry, digests: Sequence[str]) -> list[str]:
    """Those of the blobs that nothing needs which lies in the registry, as far as the index knows."""
    keys: dict[int, str] = {}
    for some in batches(digests):
        keys |= dict(Blob.objects.filter(registry=registry, digest__in=some).values_list("pk", "digest"))
    needed = {str(keys[pk]) for pk in usage.needed(keys, without=())}
    return [digest for digest in digests if digest not in needed]


def keep(registry: Registry, seen: Sequence[Seen], *, certain: bool) -> Collection | None:
    """Remember what was seen; the collection that it proves, None when none. Where it isn't `certain`, what
    has gone is remembered and proves none."""
    now, latest = timezone.now(), Collection.objects.filter(registry=registry.name).first()
    news: list[tuple[datetime, Seen]] = []
    with transaction.atomic():
        for one in seen:
            last_there = remember(one, now)
            if one.gone and (latest is None or last_there >= latest.before):
                news.append((last_there, one))
        if not news or not certain:
            return None
        return Collection.objects.create(
            registry=registry.name,
            after=max(moment for moment, _ in news),
            before=now,
            blobs=len({digest for _, one in news for digest in one.gone}),
        )


def remember(one: Seen, now: datetime) -> datetime:
    """Write down what was seen of one; when it was last known to be whole: its deletion found it so."""
    before = one.item.remains if hasattr(one.item, "remains") else None
    there_at = before.there_at if before else None
    values = {"blobs": len(one.blobs), "alone": len(one.alone), "gone": list(one.gone)}
    if not one.gone:
        values["there_at"] = now
    Remains.objects.update_or_create(item=one.item, defaults={"looked_at": now, **values})
    return there_at or one.item.action.finished_at or one.item.action.started_at
