"""What takes seconds to add up, kept for a while by the process that did."""

import threading
from collections.abc import Callable, Hashable
from typing import TypeVar

from django.core.cache import cache
from django.db.models import Count, Max

from regui.accounts.access import Actor
from regui.actions.models import PolicyRow, Run
from regui.index.models import Registry

T = TypeVar("T")

# So many things are kept at a time, whatever is asked for.
SLOTS = 16
FRESH = 600  # seconds
_locks = [threading.Lock() for _ in range(SLOTS)]


def scope(registry: Registry, actor: Actor) -> tuple[Hashable, ...]:
    """What tells apart what actors see and may delete of a registry, and that before a run from after."""
    seen = registry.pk, actor.role, actor.grants, actor.cap, actor.bearers, actor.trusted
    return *seen, *since(registry.name)


def since(registry: str) -> tuple[Hashable, ...]:
    """What is another once a policy of the registry was saved or removed, or a run ended or was taken back:
    by whatever process."""
    policies = PolicyRow.objects.filter(registry=registry).order_by().values_list("registry")
    runs = Run.objects.filter(registry=registry).order_by().values_list("registry")
    saved = policies.annotate(Max("changed_at"), Max("owned_at"), Max("created_at"), Count("pk"))
    ended = runs.annotate(Max("finished_at"), Max("undone_at"), Max("approved_at"), Count("finished_at"))
    return tuple(saved.union(ended, all=True))


def lately(
    key: tuple[Hashable, ...], make: Callable[[], T], wanted: Callable[[], bool], *, again: bool = False
) -> T | None:
    """What is kept by that key; without it, or `again`, it is made anew: None when it isn't even `wanted`."""
    if again:
        cache.delete(slot(key)[1])
    elif peek(key) is None and not wanted():
        return None
    return kept(key, make)


def peek(key: tuple[Hashable, ...]) -> object | None:
    """What is kept by that key; None when nothing is, or not any more."""
    found = cache.get(slot(key)[1])
    return found[1] if found is not None and found[0] == key else None


def kept(key: tuple[Hashable, ...], make: Callable[[], T]) -> T:
    """What is kept by that key, or else made now: once, however many ask for it at the same time."""
    number, place = slot(key)
    with _locks[number]:
        found = cache.get(place)
        if found is not None and found[0] == key:
            return found[1]  # type: ignore[no-any-return]  # kept by this function alone
        made = make()
        cache.set(place, (key, made), FRESH)
        return made


def slot(key: tuple[Hashable, ...]) -> tuple[int, str]:
    number = hash(key) % SLOTS
    return number, f"retention-{number}"
