"""What the queue carries: nudges. Each looks at the tables for what there is to do, so one too many or one
that got lost does no harm."""

import threading

from django.utils import timezone
from django_tasks import task

from regui.actions import remains
from regui.index import capabilities, sync
from regui.index.models import Registry

# Set when this process is to end: what a task leaves undone, the next tick finds.
stopping = threading.Event()
_running: set[str] = set()
_guard = threading.Lock()


@task()
def crawl(name: str) -> None:
    """Read what is due of the registry of that name, and now and then find out what it can do and
    whether it was collected."""
    with _guard:
        if name in _running:
            return
        _running.add(name)
    try:
        registry = Registry.objects.filter(name=name, active=True).first()
        if registry is not None:
            round_ = sync.crawl(registry, stopping.is_set)
            if round_ is not None and not stopping.is_set():
                capabilities.keep_up(registry, timezone.now())
                remains.keep_up(registry, timezone.now())
    finally:
        with _guard:
            _running.discard(name)


def is_crawling(name: str) -> bool:
    """Whether this process is at that registry."""
    return name in _running
