"""Tags on a page that are about to go: an action that takes them away hasn't ended."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from regui.actions import journal
from regui.index.models import Repository

# Milliseconds: after the grace a worker looks for what is due, and then it takes a moment.
AFTER = 1500


@dataclass(frozen=True)
class Leaving:
    """For each tag, the id of the action. `until` is when the next of these actions begins."""

    tags: Mapping[str, str]
    until: datetime | None = None

    @property
    def ask_again(self) -> int:
        """The milliseconds after which the page may look different."""
        left = (self.until - timezone.now()).total_seconds() if self.until else 0.0
        return AFTER + int(1000 * max(left, 0.0))

    @property
    def seconds(self) -> int:
        """The same for a browser without scripts."""
        return 1 + self.ask_again // 1000


def leaving(repository: Repository, tags: Iterable[str]) -> Leaving:
    """Which of these tags are about to go; one query."""
    items = journal.leaving(repository, tags)
    starts = [item.action.not_before for item in items if item.action.not_before]
    return Leaving({item.tag: item.action_id for item in items}, min(starts, default=None))
