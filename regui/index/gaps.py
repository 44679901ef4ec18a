"""Since when a registry's events come in without a known gap.

Nobody can know that nothing was lost; what can be known is that something was. Two things tell: nobody was
there to take events, or a crawl found a move that no event explained in time.
"""

from datetime import datetime, timedelta

from django.db.models import Max, Q

from regui.index.models import Inbox, Registry, TagMove

# How long a worker may be away, how often it says that it is there, and how long an event may take to come
# after a crawl found out what it tells.
AWAY, BEAT, LATE = timedelta(minutes=1), timedelta(seconds=10), timedelta(minutes=1)


def beat(registry: Registry, now: datetime) -> None:
    """Note that a worker looks after the registry's events; if nobody did for a while, that is a gap."""
    row, _ = Inbox.objects.get_or_create(registry=registry)
    if row.beat_at is not None and now - row.beat_at > AWAY:
        gap(registry, now)
    if row.beat_at is None or now - row.beat_at >= BEAT:
        Inbox.objects.filter(pk=row.pk).update(beat_at=now)


def gap(registry: Registry, moment: datetime) -> None:
    """Events may have been lost until that moment."""
    earlier = Registry.objects.filter(pk=registry.pk, events_since__lt=moment)
    earlier.update(events_since=moment)


def look(registry: Registry, now: datetime) -> None:
    """Find moves since events come in that a crawl found and no event has explained."""
    since = Registry.objects.values_list("events_since", flat=True).get(pk=registry.pk)
    if since is None:
        return
    found = TagMove.objects.filter(Q(at__gt=since) & Q(at__lt=now - LATE), registry=registry.name)
    last = found.filter(how=TagMove.How.CRAWL).aggregate(last=Max("at"))["last"]
    if last is not None:
        gap(registry, last)
