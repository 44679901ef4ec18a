"""Whose a run is: it is claimed by an UPDATE, and the claim expires, as with actions."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from regui.actions import journal
from regui.actions.models import LEASE, Run
from regui.index import fetch

# While a plan is made, or a whole registry summed up, nobody can say that it is still under way.
LONG = timedelta(seconds=fetch.LONG_BUDGET)
# What a registry that fell silent is given, longer each time, before what is left is given up.
PAUSES = [timedelta(seconds=seconds) for seconds in (2, 5, 15, 60, 120, 300, 600, 1200)]


class Overtaken(Exception):
    """Somebody else goes on with the run by now."""


def claim(run: Run, now: datetime) -> Run | None:
    """The run, to be gone on with by whoever called; None when another was faster, or when another run of the
    same policy is under way."""
    mine = journal.stamp(now)
    with transaction.atomic():
        same = Run.objects.filter(registry=run.registry, policy=run.policy)
        # Whoever claims at the same moment waits here, and then sees that this one is taken.
        list(same.due(now).select_for_update().values_list("pk"))
        # One that only waits for its next try is in nobody's way.
        if same.filter(leased_until__gte=now, pausing=False).exclude(pk=run.pk).exists():
            return None
        if not Run.objects.due(now).filter(pk=run.pk).update(leased_until=mine, pausing=False):
            return None
    return Run.objects.get(pk=run.pk)


def next_due(now: datetime) -> Run | None:
    """A run that waits, the oldest first, to be gone on with by whoever called."""
    for run in Run.objects.due(now).order_by("started_at")[:20]:
        mine = claim(run, now)
        if mine is not None:
            return mine
    return None


@dataclass
class Turn:
    """A run, for as long as it is the caller's."""

    run: Run

    def hold(self, more: timedelta = timedelta()) -> None:
        """Keep it for another while, and `more`; brings up to date whether it is to stop, and why. Raises
        `Overtaken`."""
        mine = journal.stamp(timezone.now() + more)
        if not self.write(leased_until=mine):
            raise Overtaken
        self.run.stop, self.run.reason = Run.objects.values_list("stop", "reason").get(pk=self.run.pk)

    def keep(self) -> None:
        """Hold it unless that was done a moment ago: for whoever can't tell how often this is called."""
        if self.run.leased_until is None or self.run.leased_until - timezone.now() < LEASE / 2:
            self.hold()

    def write(self, **fields: object) -> bool:
        """Write these fields; False when the run is another's by now."""
        ours = Run.objects.filter(pk=self.run.pk, leased_until=self.run.leased_until)
        if not ours.update(**fields):
            return False
        for name, value in fields.items():
            setattr(self.run, name, value)
        return True

    def end(self, state: Run.State, reason: str = "") -> Run:
        """The run as it ended, or waits for a person."""
        finished = None if state == Run.State.ASKING else timezone.now()
        self.write(state=state, reason=reason, finished_at=finished, leased_until=None)
        return Run.objects.get(pk=self.run.pk)

    def release(self) -> Run:
        """The run, for somebody to go on with at once."""
        self.write(leased_until=None)
        return Run.objects.get(pk=self.run.pk)

    def later(self, pause: timedelta, **fields: object) -> Run:
        """The run, for somebody to go on with after a while, or as soon as it is to stop."""
        self.write(leased_until=timezone.now() + pause, pausing=True, **fields)
        return Run.objects.get(pk=self.run.pk)
