"""Sizes: what an index adds up to, what a repository holds, what only one manifest needs. All in bytes."""

from regui.index.usage.needs import exclusive, size_of
from regui.index.usage.rollup import downwards, rekey, roll_up, upwards
from regui.index.usage.totals import total, unread

__all__ = ["downwards", "exclusive", "rekey", "roll_up", "size_of", "total", "unread", "upwards"]
