"""Sizes: what an index adds up to, what a repository holds, what only one manifest needs. All in bytes."""

from regui.index.usage.loose import untagged
from regui.index.usage.needs import exclusive, lying, needed, size_of
from regui.index.usage.rollup import downwards, rekey, roll_up, upwards
from regui.index.usage.settling import namespace, settle, settle_now, storage
from regui.index.usage.totals import total, unread

__all__ = [
    "downwards",
    "exclusive",
    "lying",
    "namespace",
    "needed",
    "rekey",
    "roll_up",
    "settle",
    "settle_now",
    "size_of",
    "storage",
    "total",
    "unread",
    "untagged",
    "upwards",
]
