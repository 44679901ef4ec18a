"""What a registry can do, found out now and then and remembered: pages say it and never ask."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from regui import oci
from regui.index import connect
from regui.index.models import Manifest, Registry, Tag

# How often that is asked unasked, and the seconds that all the questions together may take.
EVERY = timedelta(hours=6)
BUDGET = 30.0


def keep_up(registry: Registry, now: datetime) -> bool:
    """Find out anew what the registry can do, when that was last done a while ago and nobody else is just at
    it; whether it was done."""
    due = Q(examined_at=None) | Q(examined_at__lt=now - EVERY)
    if not Registry.objects.filter(due, pk=registry.pk).update(examined_at=now):
        return False
    look(registry)
    return True


def look(registry: Registry) -> None:
    """Find out anew what the registry can do. What can't be found out now stays as it was found before, with
    its date. Sends requests that change nothing; never raises an `oci.Error`."""
    try:
        client = connect.crawler(registry).until(time.monotonic() + BUDGET)
        found: Mapping[str, oci.Finding] = oci.examine(client, sample(registry))
    except oci.Error as error:  # the settings no longer name it
        found = {"reachable": oci.Finding("no", str(error))}
    keep(registry, found, timezone.now())


def keep(registry: Registry, found: Mapping[str, oci.Finding], now: datetime) -> None:
    """Remember what was found. A registry that was away is asked again in the next round."""
    new = {key: asdict(finding) | {"at": now.isoformat()} for key, finding in found.items()}
    there = found["reachable"].state == "yes"
    with transaction.atomic():
        row = Registry.objects.select_for_update().get(pk=registry.pk)
        row.capabilities |= new
        row.examined_at = now if there else None
        row.save(update_fields=["capabilities", "examined_at"])
    registry.capabilities, registry.examined_at = row.capabilities, row.examined_at


def sample(registry: Registry) -> oci.Sample:
    """Something in the registry to ask about: an image that a tag is on."""
    listed = Tag.objects.listed().filter(repository__registry=registry, repository__gone_at=None)
    images = listed.filter(manifest__kind=Manifest.Kind.IMAGE, seen_at__isnull=False)
    tag = images.select_related("repository", "manifest").order_by("pk").first()
    if tag is None or tag.manifest is None:
        known = registry.repositories.listed().exclude(listed_at=None).order_by("pk").first()
        return oci.Sample(known.name if known else "")
    use = tag.manifest.blob_uses.select_related("blob").first()
    return oci.Sample(tag.repository.name, tag.manifest.digest, str(use.blob.digest) if use else "")
