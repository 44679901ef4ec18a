"""What `actions` keeps: the journal of changes, what is protected or runs somewhere, and the policies that
clean up with their runs. All of it speaks of registries, repositories, tags and digests by name, never by
foreign key to the index: that may be dropped and crawled anew, and what happened still happened."""

from regui.actions.models.journal import (
    LEASE,
    Action,
    ActionQuerySet,
    Collection,
    Garbage,
    Item,
    Kept,
    Protection,
    Remains,
    new_id,
)
from regui.actions.models.policies import Part, PolicyRow, Run
from regui.actions.models.running import InUse, Source

__all__ = [
    "LEASE",
    "Action",
    "ActionQuerySet",
    "Collection",
    "Garbage",
    "InUse",
    "Item",
    "Kept",
    "Part",
    "PolicyRow",
    "Protection",
    "Remains",
    "Run",
    "Source",
    "new_id",
]
