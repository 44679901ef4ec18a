"""A run beside the one of its policy before it."""

from collections.abc import Sequence
from dataclasses import dataclass

from regui.actions.models import Run
from regui.actions.retention import runs
from regui.web.parted import Parts

# How many tags of a kind are named.
NAMED = 50

Tags = Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Since:
    """What a run drops that the one before it didn't, and the other way round, of what may be seen."""

    before: Run
    newly: Tags
    no_longer: Tags

    @property
    def some_newly(self) -> Tags:
        return self.newly[:NAMED]

    @property
    def more_newly(self) -> int:
        return max(len(self.newly) - NAMED, 0)

    @property
    def some_no_longer(self) -> Tags:
        return self.no_longer[:NAMED]

    @property
    def more_no_longer(self) -> int:
        return max(len(self.no_longer) - NAMED, 0)


def since(parts: Parts) -> Since | None:
    """The run beside the one before it; None for the first, or where that may not be seen."""
    run = parts.run
    before = runs.before(run)
    if before is None or not runs.visible(parts.actor, parts.registry).filter(pk=before.pk).exists():
        return None
    found = runs.compared(run, before)
    if parts.seen is None:
        return Since(before, found.newly, found.no_longer)
    seen = parts.seen | (Parts(before, parts.registry, parts.actor).seen or set())
    newly, no_longer = ([one for one in some if one[0] in seen] for some in (found.newly, found.no_longer))
    return Since(before, newly, no_longer)
