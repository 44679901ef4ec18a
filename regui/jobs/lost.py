"""The worker's loop that has pushes put back which our own changes cost somebody: see `actions.lost`."""

import logging
import threading
from datetime import datetime, timedelta

from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from regui import oci
from regui.accounts.access import Actor, Role
from regui.actions import kept, lost, plans, run, undo
from regui.actions.lost import Lost
from regui.actions.models import Action, Item
from regui.index.connect import connect
from regui.index.models import Registry, Repository

log = logging.getLogger(__name__)

# Whoever puts back what nobody meant to lose.
REGUI = Actor("regui", Role.ADMIN, trusted=True)
# Seconds between two looks at what is due.
LOOK = 1.0
# How often an action under way is looked at; how long after its end it is looked at again, for notifications
# may be late; and the most that one pass looks at.
OFTEN, LATER, MOST = timedelta(seconds=2), [timedelta(seconds=seconds) for seconds in (3, 10, 60)], 20


def loop(stop: threading.Event) -> None:
    """Look until told to stop. Any number of workers may run it."""
    while not stop.wait(LOOK):
        try:
            watch(timezone.now())
        except DatabaseError as error:
            log.warning("pushes that were lost wait: %s", error)
            close_old_connections()


def watch(now: datetime) -> int:
    """Look at the actions whose time has come, each by one worker alone; how many pushes are put back."""
    found = 0
    for action in Action.objects.filter(look_at__lte=now).order_by("look_at")[:MOST]:
        mine = Action.objects.filter(pk=action.pk, look_at=action.look_at)
        if mine.update(look_at=again_at(action, now)):
            found += sum(put_back(action, one) for one in lost.lost(*lost.told(action)))
    return found


def again_at(action: Action, now: datetime) -> datetime | None:
    """When to look at the action next; None when all that could come has come."""
    if action.finished_at is None:
        return now + OFTEN
    moments = [action.finished_at + later for later in LATER]
    return next((moment for moment in moments if moment > now), None)


def put_back(action: Action, one: Lost) -> bool:
    """Have a lost push put back, once; whether it will be. The journal has that as an action of its own, and
    the step that lost it says so."""
    before = Action.objects.filter(
        kind=plans.PUT_BACK,
        registry=action.registry,
        repository=action.repository,
        items__tag=one.tag,
        items__digest=one.digest,
        started_at__gte=action.started_at,
    )
    if before.exists():
        return False
    try:
        repository = undo.repository_of(action.registry, action.repository)
        plan = lost.look(repository, {"action": action.pk, "tag": one.tag, "digest": one.digest})
        if not plan.steps or not has(repository, one.digest):
            return False
        found = run.start(plan, REGUI, held=False)
    except (oci.Error, run.Unchecked, run.Protected, run.Stale, Registry.DoesNotExist) as error:
        log.warning("%s: a push of %s was lost and can't be put back: %s", action.pk, one.tag, error)
        return False
    said = f"{one.tag} was pushed to {plans.shortened(one.digest)} meanwhile; {found.pk} puts that back."
    Item.objects.filter(pk=one.item.pk).update(reason=said)
    log.warning("%s: %s", action.pk, said)
    return True


def has(repository: Repository, digest: str) -> bool:
    """Whether anybody has the bytes of that manifest."""
    return any(kept.known(connect(repository.registry), repository, [digest]))
