"""Taking a run back: an undo for each of its actions, as far as the registry still has what it takes."""

from collections.abc import Callable

from django.db.models import Q
from django.http import Http404
from django.utils import timezone

from regui import oci
from regui.accounts import access, standing
from regui.accounts.access import Actor
from regui.actions import run, undo
from regui.actions.models import Action, Part, Run
from regui.actions.retention.turns import LONG, Turn
from regui.index.models import Registry

BACK, NOT_DONE = "It was taken back before.", "There is nothing to take back: it {}."
REFUSALS = (
    oci.Error,
    access.Forbidden,
    Http404,
    Registry.DoesNotExist,
    run.Unchecked,
    run.Protected,
    run.Stale,
    run.Breaks,
)


def go_on(turn: Turn, stop: Callable[[], bool]) -> Run:
    """The run once every part that can be has an action that takes it back, for a worker to carry out; the
    others say why not."""
    of = turn.run
    try:
        actor = standing.actor(of.undo_by, of.undo_at or of.started_at, of.undo_address)
    except standing.Nobody as error:
        of.parts.exclude(action="").update(lost=str(error))
        turn.write(undone_at=timezone.now())
        return turn.release()
    for part in of.parts.exclude(action="").filter(Q(undo="")).order_by("-repository"):
        turn.hold(LONG)
        if stop():
            return turn.release()
        part.undo, part.lost = back(part, actor)
        part.save(update_fields=["undo", "lost"])
    turn.write(undone_at=timezone.now())
    return turn.release()


def back(part: Part, actor: Actor) -> tuple[str, str]:
    """The key of the action that takes a part back, empty when there is none, and what can't come back."""
    action = Action.objects.prefetch_related("items").filter(pk=part.action).first()
    if action is None or action.state == Action.State.UNDONE:
        return "", BACK
    if action.state not in undo.UNDOABLE:
        return "", NOT_DONE.format(action.get_state_display())
    # Begun by somebody else, or by whoever died before noting it here.
    before = Action.objects.filter(undoes=action.pk, state__in=[Action.State.WAITING, Action.State.RUNNING])
    if found := before.first():
        return found.pk, ""
    try:
        plan = undo.look(action)
        said = " ".join(plan.lost) or ("" if plan.check.complete else plan.check.problem)
        return (run.start(plan, actor, held=False).pk if plan.steps else ""), said
    except REFUSALS as error:
        return "", str(error)
