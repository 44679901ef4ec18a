"""Taking up policies from a document: what that adds, changes and removes, all of it or nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from regui.accounts import access
from regui.accounts.access import Actor
from regui.actions.models import PolicyRow
from regui.actions.retention import book
from regui.index.models import Registry
from regui.retention.documents import Document, Problem, Wrong
from regui.retention.policy import Policy
from regui.retention.reading import Invalid


@dataclass
class Taken:
    """What became of the policies of a document, and of those that aren't in it: names with the registry's
    before them, and for each one that changed what differs."""

    added: list[str] = field(default_factory=list)
    changed: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)

    @property
    def document(self) -> dict[str, Any]:
        """The same for a program."""
        return {
            "added": self.added,
            "changed": [{"policy": name, "differs": one} for name, one in self.changed.items()],
            "removed": self.removed,
            "unchanged": self.unchanged,
        }


def take(document: Document, actor: Actor, now: datetime, *, prune: bool, dry_run: bool) -> Taken:
    """Take all of the document up, with `prune` removing what else there is in the registries it names; a dry
    run does the same and takes it back. Raises `Wrong` with what can't be, and `access.Forbidden`."""
    registries = known(document, actor)
    found, wrong = Taken(), list[Problem]()
    with transaction.atomic():
        for number, policy in enumerate(document.policies):
            try:
                one(policy, registries[policy.registry], actor, now, found)
            except Invalid as error:
                wrong.append(document.problem(("policies", number, *error.path), error.message))
        if wrong:
            raise Wrong(wrong)
        if prune:
            there = {(policy.registry, policy.name) for policy in document.policies}
            for registry in registries.values():
                for row in book.visible(actor, registry):
                    if (row.registry, row.name) not in there:
                        found.removed.append(str(row))
                        book.remove(row, actor)
        transaction.set_rollback(dry_run)
    return found


def known(document: Document, actor: Actor) -> Mapping[str, Registry]:
    """The registries that the document names. Raises `Wrong` for those that there are none of to see."""
    there = {row.name: row for row in access.registries(actor)}
    wrong = [
        document.problem(("policies", number, "registry"), f"There is no registry named {policy.registry}.")
        for number, policy in enumerate(document.policies)
        if policy.registry not in there
    ]
    if wrong:
        raise Wrong(wrong)
    named = dict.fromkeys(policy.registry for policy in document.policies)
    return {name: access.opened(actor, there[name]) for name in named}


def one(policy: Policy, registry: Registry, actor: Actor, now: datetime, found: Taken) -> None:
    """Take one up, unless it is there as it is."""
    name = f"{policy.registry}/{policy.name}"
    row: PolicyRow | None = book.visible(actor, registry).filter(name=policy.name).first()
    if row is None:
        book.save(actor, registry, policy, now)
        found.added.append(name)
    elif differs := dict(differences(row.policy, policy)):
        book.save(actor, registry, policy, now, row)
        found.changed[name] = differs
    else:
        found.unchanged.append(name)


def differences(before: Policy, after: Policy) -> Iterator[tuple[str, list[Any]]]:
    """Yield what differs: the name of the value with both of them, None for one that isn't said."""
    old, new = before.plain(), after.plain()
    for name in {**old, **new}:
        if old.get(name) != new.get(name):
            yield name, [old.get(name), new.get(name)]
