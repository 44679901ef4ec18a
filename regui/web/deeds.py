"""What was done to registries, as rows of the journal's page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from regui.actions.models import Action, Item
from regui.web import links

# How many of its tags a row names.
TAGS = 12


@dataclass(frozen=True)
class Deed:
    """An action; `href` leads to its repository, `tags` are some that went with it, `more` is how many
    others did, `excused` the tags that have something to say for themselves."""

    action: Action
    href: str
    tags: Sequence[str]
    more: int
    excused: Sequence[Item]


def told(actions: Iterable[Action]) -> list[Deed]:
    """The rows of these actions, in order; their items must be loaded."""
    to = cache(links.repositories)
    return [deed(action, to(action.registry)(action.repository)) for action in actions]


def deed(action: Action, href: str) -> Deed:
    items = [item for item in action.items.all() if item.tag]
    return Deed(
        action=action,
        href=href,
        tags=[item.tag for item in items[:TAGS]],
        more=len(items[TAGS:]),
        excused=[item for item in items if item.reason],
    )
