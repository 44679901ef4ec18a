"""The kinds of changes: what right each takes, and how its plan is made again."""

from collections.abc import Callable
from datetime import timedelta

from regui import oci
from regui.accounts.access import Right
from regui.actions import copying, delete, many, plans, retag, undo, untag
from regui.actions.models import Action
from regui.actions.plans import Agreed, Plan
from regui.index.models import Repository

RIGHTS: dict[str, Right] = {
    plans.UNTAG: Right.DELETE,
    plans.DELETE_DIGEST: Right.DELETE,
    plans.DELETE_TAGS: Right.DELETE,
    plans.DELETE_REPOSITORY: Right.DELETE,
    plans.DELETE_UNTAGGED: Right.DELETE,
    plans.RETAG: Right.PUSH,
    plans.COPY: Right.PUSH,
    plans.RESTORE: Right.DELETE,
    plans.UNDO: Right.DELETE,
}
NOW = timedelta()


def again(repository: Repository, plan: Agreed) -> Plan:
    """The plan that was agreed to, made anew from what the registry has now: nothing is taken from memory.
    Raises `oci.NotFound` when what it is about is gone."""
    return LOOK[plan.kind](repository, plan)


LOOK: dict[str, Callable[[Repository, Agreed], Plan]] = {
    plans.UNTAG: lambda repository, plan: untag.look(repository, plan.named[0], max_age=NOW),
    plans.DELETE_DIGEST: lambda repository, plan: delete.look(
        repository, oci.Digest.parse(plan.digest), max_age=NOW, along=bool(plan.asked.get("along"))
    ),
    plans.DELETE_TAGS: lambda repository, plan: many.tags(repository, plan.named, max_age=NOW),
    plans.DELETE_REPOSITORY: lambda repository, _: many.everything(repository, max_age=NOW),
    plans.DELETE_UNTAGGED: lambda repository, _: many.untagged(repository, max_age=NOW),
    plans.RETAG: lambda repository, plan: retag.look(
        repository, str(plan.asked["reference"]), plan.named[0], max_age=NOW
    ),
    plans.COPY: copying.again,
    plans.RESTORE: lambda repository, plan: undo.restore(repository, plan.digest, plan.named),
    plans.UNDO: lambda _, plan: undo.look(Action.objects.get(pk=str(plan.asked["action"]))),
}
