"""Actions as the journal's pages tell them, and as a table for other programs."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from io import StringIO
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from regui.accounts.access import Actor
from regui.actions import kinds, plans, sight, undo
from regui.actions.models import Action, Item
from regui.actions.plans import Agreed
from regui.actions.retention import book, runs
from regui.index.batches import batches
from regui.index.models import Registry
from regui.web import words
from regui.web.copies import Source, fields

# How many tags a row of the list names, and how many reasons of single tags it tells; these are looked for
# among so many first items.
NAMED, REASONS, FIRST = 12, 5, 50
ICONS = {
    plans.RETAG: "tag",
    plans.COPY: "copy",
    plans.RESTORE: "undo-2",
    plans.UNDO: "undo-2",
    plans.PUT_BACK: "undo-2",
}
KINDS = {
    plans.UNTAG: "Tag deleted",
    plans.DELETE_DIGEST: "Digest deleted",
    plans.DELETE_TAGS: "Tags deleted",
    plans.DELETE_REPOSITORY: "Repository deleted",
    plans.DELETE_UNTAGGED: "Untagged deleted",
    plans.RETAIN: "Cleaned up by a policy",
    plans.RETAG: "Tag set",
    plans.COPY: "Copied",
    plans.RESTORE: "Restored",
    plans.UNDO: "Undone",
    plans.PUT_BACK: "Push put back",
}
STATES = {
    Action.State.WAITING: "waiting",
    Action.State.RUNNING: "running",
    Action.State.DONE: "done",
    Action.State.PARTIAL: "partly done",
    Action.State.FAILED: "failed",
    Action.State.CANCELLED: "stopped",
    Action.State.UNDONE: "undone",
}
COLUMNS = (
    *("id", "started", "finished", "registry", "repository", "kind", "digest", "tags"),
    *("state", "reason", "actor", "address", "undoes"),
)


@dataclass(frozen=True)
class Told:
    """An action with its words, for whoever looks at it."""

    action: Action
    actor: Actor

    @property
    def verb(self) -> str:
        return words.verb(self.action)

    @property
    def place(self) -> str:
        """The word between what was done and the repository."""
        if self.action.kind == plans.COPY:
            return "to"
        return "in" if self.action.kind in ICONS or not self.takes_some else "from"

    @property
    def takes_some(self) -> bool:
        return self.action.kind in {plans.UNTAG, plans.DELETE_DIGEST, plans.DELETE_TAGS}

    @property
    def policy(self) -> str:
        """The policy that it carried out."""
        return words.policy(self.action)

    @cached_property
    def cleaned(self) -> Registry | None:
        """The registry that a policy was carried out in, while it is there."""
        return Registry.objects.filter(name=self.action.registry).first() if self.policy else None

    @property
    def policy_page(self) -> str:
        """Where that policy is shown; empty for none, or one that they may not look at."""
        if self.cleaned is None:
            return ""
        row = book.visible(self.actor, self.cleaned).filter(name=self.policy).first()
        return reverse("policy", args=[row.registry, row.name]) if row else ""

    @property
    def run_page(self) -> str:
        """Where the run of the policy is shown that it was part of; likewise."""
        if self.cleaned is None:
            return ""
        key = self.action.plan["asked"].get("run", "")
        run = runs.visible(self.actor, self.cleaned).filter(pk=key).first()
        return reverse("run", args=[run.registry, run.pk]) if run else ""

    @property
    def source(self) -> Source | None:
        """What a copy was made of, where that may be seen."""
        asked = self.action.plan.get("asked", {}) if self.action.kind == plans.COPY else {}
        return Source.of(asked) if asked and not self.from_hidden else None

    @cached_property
    def from_hidden(self) -> bool:
        """Whether it is a copy of what may not be seen."""
        return sight.hides_source(self.actor, self.action)

    @property
    def icon(self) -> str:
        return ICONS.get(self.action.kind, "trash-2")

    @cached_property
    def tags(self) -> list[str]:
        return list(dict.fromkeys(self.action.tags))

    @property
    def more(self) -> int:
        """How many tags there are beyond those that a row names."""
        count: int = getattr(self.action, "tag_count", len(self.tags))
        return max(count - NAMED, 0)

    @property
    def told(self) -> list[Item]:
        """The first tags of which there is something else to say."""
        every = sight.items(self.actor, self.action, self.action.items.all())
        items = [item for item in every if item.tag and item.reason]
        return [item for item in items if item.reason != self.action.reason][:REASONS]

    @property
    def undoable(self) -> bool:
        return self.action.state in undo.UNDOABLE and self.actor.may(
            kinds.RIGHTS[plans.UNDO], self.action.registry, self.action.repository
        )

    @property
    def again(self) -> str:
        """The address that asks to do it once more; empty when there is none."""
        action = self.action
        place = (action.registry, action.repository)
        names = action.plan.get("asked", {}).get("tags", [])
        if action.kind == plans.UNTAG and names:
            return reverse("tag-delete", args=[*place, names[0]])
        if action.kind == plans.DELETE_DIGEST:
            return reverse("manifest-delete", args=[*place, action.digest])
        if action.kind == plans.RETAG and names:
            return f"{reverse('manifest-tag', args=[*place, action.digest])}?to={names[0]}"
        if action.kind == plans.COPY and self.source:
            asked = Agreed(action.kind, *place, action.fingerprint, asked=action.plan["asked"])
            return f"{self.source.copying}?{urlencode(fields(asked))}"
        if action.kind == plans.RESTORE:
            return reverse("manifest-restore", args=[*place, action.digest])
        if action.kind == plans.UNDO and action.undoes:
            return reverse("action-undo", args=[action.undoes])
        addresses = {
            plans.DELETE_REPOSITORY: "repository-delete",
            plans.DELETE_UNTAGGED: "untagged-delete",
            plans.DELETE_TAGS: "bulk",
        }
        return reverse(addresses[action.kind], args=place) if action.kind in addresses else ""

    @property
    def failed(self) -> str:
        """The tags that were not done, in one field of a form."""
        if self.action.kind != plans.DELETE_TAGS:
            return ""
        ended = {Item.Result.DONE, Item.Result.GONE}
        asked = set(self.action.plan.get("asked", {}).get("tags", []))
        left = {item.tag for item in self.action.items.all() if item.tag and item.result not in ended}
        return " ".join(sorted(asked & left))


def rows(actions: Iterable[Action], actor: Actor) -> list[Told]:
    return [Told(action, actor) for action in sight.actions(actor, actions)]


def lines(actions: Iterable[Action], actor: Actor) -> Iterator[str]:
    """The lines of a CSV file for this actor, its head first."""
    yield line(COLUMNS)
    for action in (one for some in batches(actions) for one in sight.actions(actor, some)):
        yield line(
            [
                action.pk,
                action.started_at.isoformat(),
                action.finished_at.isoformat() if action.finished_at else "",
                action.registry,
                action.repository,
                action.kind,
                action.digest,
                " ".join(dict.fromkeys(action.tags)),
                action.state,
                action.reason,
                action.actor,
                action.address,
                action.undoes,
            ]
        )


def line(cells: Iterable[Any]) -> str:
    """One line. What a spreadsheet would take for a formula gets a quote before it."""
    written = StringIO()
    csv.writer(written).writerow([f"'{cell}" if str(cell)[:1] in {*"=+-@"} else cell for cell in cells])
    return written.getvalue()
