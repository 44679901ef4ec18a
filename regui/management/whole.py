"""Taking a whole run of a policy back while somebody waits: what a worker would do of it, done here."""

import threading
import time

from django.db.models import Exists, OuterRef
from django.utils import timezone

from regui.accounts import access
from regui.accounts.access import Actor
from regui.actions import journal, undo
from regui.actions.models import Action, Part, Run
from regui.actions.retention import rights, runs, turns
from regui.management import foreground
from regui.management.speaking import Refusal


def found(actor: Actor, pk: str) -> Run | None:
    """The run of that id, if this actor may see it."""
    run = Run.objects.filter(pk=pk).first()
    there = {row.name: row for row in access.registries(actor)} if run else {}
    if run is None or run.registry not in there:
        return None
    return run if runs.visible(actor, there[run.registry]).filter(pk=pk).exists() else None


def coming(actor: Actor, run: Run) -> list[Part]:
    """The parts of the run that can be taken back. Raises `Refusal` when there are none, or it hasn't ended,
    and `access.Forbidden`."""
    rights.permit(actor, run)
    if not Run.objects.ended().filter(pk=run.pk).exists():
        raise Refusal(f"The run {run.pk} hasn't ended yet.", code="open")
    can = Action.objects.filter(pk=OuterRef("action"), state__in=undo.UNDOABLE)
    good = list(run.parts.exclude(action="").filter(Exists(can)))
    if not good:
        raise Refusal(f"There is nothing to take back of the run {run.pk}.", code="not-undoable")
    return good


def take_back(run: Run, actor: Actor, stop: threading.Event) -> Run:
    """The run once all of it that can be is taken back, by us or by a worker that was faster; or the registry
    stays silent, or `stop` is set, which leaves the rest to a worker."""
    run = runs.undo(run, actor, timezone.now())
    while run.undo_at and not run.undone_at and not stop.is_set():
        mine = turns.claim(run, timezone.now())
        run = runs.carry_out(mine, stop.is_set) if mine else Run.objects.get(pk=run.pk)
        if not run.undone_at:
            stop.wait(foreground.LOOK)
    for key in list(run.parts.exclude(undo="").values_list("undo", flat=True)):
        carry_out(key, stop)
    return run


def carry_out(key: str, stop: threading.Event) -> None:
    """Do what is left of the action that takes a part back."""
    until = time.monotonic() + foreground.PATIENCE
    while not stop.is_set() and time.monotonic() < until:
        action = Action.objects.open().filter(pk=key).first()
        if action is None:
            return
        if mine := journal.claim(action, timezone.now()):
            foreground.carry_out(mine, stop, nothing)
            return
        stop.wait(foreground.LOOK)


def nothing() -> None:
    """No bar is shown."""
