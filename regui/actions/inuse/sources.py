"""Who tells what runs: a source's list replaces what it told before, as a whole."""

import logging
import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.http import Http404
from django.utils import timezone

from regui import oci
from regui.accounts import access
from regui.accounts.access import Actor, Forbidden, Right
from regui.actions.inuse.images import MAY_NOT, Ignored, Image, Places
from regui.actions.models import InUse, Source
from regui.index import fetch
from regui.index.batches import batches
from regui.index.models import Registry, Repository, Tag

log = logging.getLogger(__name__)

NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
SHORTEST, USUAL, LONGEST = timedelta(minutes=1), timedelta(hours=1), timedelta(days=7)
MOST_IMAGES = 10_000
# How many ignored references are told again, and how much of each.
TOLD, LONGEST_TEXT = 20, 300
# Seconds for asking registries what tags are on that the index doesn't know.
BUDGET = 5.0
# How long what a source told last is remembered after it expired, so that somebody can notice.
REMEMBERED = timedelta(days=30)

Key = tuple[str, str, str, str]


class Others(Forbidden):
    """Somebody else tells that source."""

    def __init__(self, actor: Actor, source: str) -> None:
        super().__init__(actor, Right.DELETE, "every repository of every registry")
        self.args = (f"Somebody else tells what runs in {source}, and {actor.name} may not speak for them.",)


@dataclass(frozen=True)
class List:
    """What a source tells, sorted out: images by which something is locked, and references that lock nothing,
    each with why."""

    images: Sequence[Image] = ()
    ignored: Sequence[tuple[str, str]] = ()
    told: int = 0


@dataclass(frozen=True)
class Told:
    """What became of a list: `held` are the images by which something is locked until the source's
    `expires_at`."""

    source: Source
    held: int
    ignored: Sequence[tuple[str, str]] = field(default=())


def tell(actor: Actor, name: str, references: Iterable[str], ttl: timedelta) -> Told:
    """Have the source's list be these references, for that long. What isn't of a registry here, or of a
    repository that the actor may not delete from, is ignored. Raises `access.Forbidden` for who may delete
    nothing at all, and `Others`."""
    refuse_powerless(actor)
    refuse_others(actor, name, timezone.now())
    sorted_out = read(actor, references)
    images = dated(sorted_out.images)
    return write(actor, name, replace(sorted_out, images=images), ttl, timezone.now())


def read(actor: Actor, references: Iterable[str]) -> List:
    """The references, sorted out by what they mean here and by what the actor may."""
    rows = {row.name: row for row in access.registries(actor)}
    places, may = Places(rows.values()), dict[tuple[str, str], bool]()
    images: dict[Image, None] = {}
    ignored: list[tuple[str, str]] = []
    texts = dict.fromkeys(text.strip() for text in references)
    texts.pop("", None)
    for text in texts:
        try:
            image = places.read(text)
            place = image.registry, image.repository
            if place not in may:
                may[place] = may_tell(actor, rows[image.registry], image.repository)
            if not may[place]:
                raise Ignored(MAY_NOT)
            images[image] = None
        except Ignored as why:
            ignored.append((text[:LONGEST_TEXT].replace("\0", ""), str(why)))
    return List(list(images), ignored, len(texts))


def may_tell(actor: Actor, registry: Registry, name: str) -> bool:
    """Whether the actor may delete from that repository, be it there or not."""
    try:
        access.require(actor, registry, name, Right.DELETE)
    except (Forbidden, Http404):
        return False
    return True


def dated(images: Sequence[Image]) -> list[Image]:
    """The images, those that are named by a tag alone with the digest that it is on: as the index has it, or
    else as the registry says within a few seconds. It stays empty where nobody knows."""
    bare = [image for image in images if not image.digest]
    known = remembered(bare)
    known |= asked([image for image in bare if image not in known], time.monotonic() + BUDGET)
    return [replace(image, digest=known.get(image, image.digest)) for image in images]


def remembered(images: Iterable[Image]) -> dict[Image, str]:
    """What the index has of them."""
    found: dict[Image, str] = {}
    for some in batches(images):
        wanted = set(some)
        rows = Tag.objects.listed().filter(
            repository__registry__name__in={image.registry for image in some},
            repository__name__in={image.repository for image in some},
            name__in={image.tag for image in some},
        )
        lines = rows.exclude(manifest=None).values_list(
            "repository__registry__name", "repository__name", "name", "manifest__digest"
        )
        for registry, repository, tag, digest in lines:
            if (image := Image(registry, repository, tag)) in wanted and digest:
                found[image] = digest
    return found


def asked(images: Iterable[Image], deadline: float) -> dict[Image, str]:
    """What registries say of them until then. One that fails isn't asked again."""
    found: dict[Image, str] = {}
    rows: dict[str, Registry] = {}
    for image in images:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        if image.registry not in rows:
            rows[image.registry] = Registry.objects.get(name=image.registry)
        row = rows[image.registry]
        if row.pk is None:
            continue
        known = row.repositories.filter(name=image.repository).first()
        repository = known or Repository(
            registry=row,
            name=image.repository,
            first_seen_at=timezone.now(),
            source=Repository.Source.OPENED,
        )
        try:
            manifest, _ = fetch.manifest(repository, image.tag, budget=left)
            found[image] = manifest.digest
        except oci.NotFound:
            continue
        except oci.Error as error:
            log.info("what %s:%s is on can't be asked: %s", image.repository, image.tag, error)
            rows[image.registry] = Registry()
    return found


@transaction.atomic
def write(actor: Actor, name: str, told: List, ttl: timedelta, now: datetime) -> Told:
    """Keep the list in place of the source's last one. `since` of what was told before stays."""
    forget_old(now)
    new = {"actor": actor.name[:150], "told_at": now, "expires_at": now + ttl}
    source, _ = Source.objects.get_or_create(name=name, defaults=new)
    source = refuse_others(actor, name, now, lock=True) or source
    source.actor, source.address = actor.name[:150], actor.address
    source.told_at, source.expires_at = now, now + ttl
    source.images = told.told
    source.ignored, source.ignored_count = list(told.ignored[:TOLD]), len(told.ignored)
    source.save()
    held = replaced(source, told.images, now)
    log.info("%s tells what runs in %s: %s held, %s ignored", actor.name, name, held, len(told.ignored))
    return Told(source, held, told.ignored[:TOLD])


def replaced(source: Source, images: Collection[Image], now: datetime) -> int:
    """Have the source's rows be these images; how many there are."""
    rows = list(source.uses.order_by().values_list("pk", "registry", "repository", "tag", "digest", "since"))
    before: dict[Key, tuple[int, datetime]] = {row[1:5]: (row[0], row[5]) for row in rows}
    wanted = {settled(image, before) for image in images}
    gone = [pk for key, (pk, _) in before.items() if key not in wanted]
    for some in batches(gone):
        InUse.objects.filter(pk__in=some).delete()
    new = [
        InUse(
            source=source,
            registry=key[0],
            repository=key[1],
            tag=key[2],
            digest=key[3],
            since=first_told(key, before, now),
        )
        for key in sorted(wanted - before.keys())
    ]
    for some_rows in batches(new):
        InUse.objects.bulk_create(some_rows)
    return len(wanted)


def settled(image: Image, before: Mapping[Key, tuple[int, datetime]]) -> Key:
    """The row for an image. One whose digest nobody knows now keeps that which was known before."""
    key = image.registry, image.repository, image.tag, image.digest
    if image.digest or key in before:
        return key
    known = sorted(one for one in before if one[:3] == key[:3] and one[3])
    return known[0] if known else key


def first_told(key: Key, before: Mapping[Key, tuple[int, datetime]], now: datetime) -> datetime:
    """Since when it is told: as long as its tag was, where nobody knew yet what that was on."""
    bare = (*key[:3], "")
    return before[bare][1] if key[2] and bare in before else now


def forget_old(now: datetime) -> None:
    """Let go of sources that fell silent long ago."""
    Source.objects.filter(expires_at__lt=now - REMEMBERED).delete()


def refuse_powerless(actor: Actor) -> None:
    """Nothing, when there may be anything that the actor may delete; else Forbidden."""
    if not actor.ever(Right.DELETE):
        raise Forbidden(actor, Right.DELETE, "any repository")


def refuse_others(actor: Actor, name: str, now: datetime, *, lock: bool = False) -> Source | None:
    """The source of that name, if there is one. Raises `Others` where somebody else tells it and the actor
    may not delete everywhere. What has expired may be taken on by anybody."""
    rows = Source.objects.select_for_update() if lock else Source.objects.all()
    source = rows.filter(name=name).first()
    if source and source.actor != actor.name and source.expires_at > now and not actor.may(Right.DELETE):
        raise Others(actor, name)
    return source


def forget(actor: Actor, source: Source) -> None:
    """Forget the source and all it told: nothing of that is locked any more. Raises `access.Forbidden`."""
    refuse_powerless(actor)
    if source.actor != actor.name and not actor.may(Right.DELETE):
        raise Others(actor, source.name)
    source.delete()
    log.info("%s forgets what runs in %s", actor.name, source.name)
