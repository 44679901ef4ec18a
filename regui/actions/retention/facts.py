"""What the index knows of tags, as the rules of `regui.retention` ask for it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from regui.index.models import Registry, Repository
from regui.retention.tags import Moment, Tag


@dataclass(frozen=True)
class Stand:
    """A repository by key and name, with all its listed tags but those that speak about others."""

    key: int
    name: str
    tags: list[Tag]


def moment(registry: Registry, now: datetime) -> Moment:
    """That moment, as rules on tags of this registry see it."""
    raise NotImplementedError


def stands(
    registry: Registry,
    needs: Collection[str],
    patterns: Collection[str],
    among: Q | bool = True,
) -> Iterator[Stand]:
    """The listed repositories that one of the patterns covers, by name, with what these fields of `Tag` are,
    and the locks (`protected`, `used`) in any case; `among` is a condition on `Repository` such as
    `access.seen_in`. A few queries for all of them, and never more than one repository's tags in memory."""
    raise NotImplementedError


def of_repository(repository: Repository, needs: Collection[str]) -> list[Tag]:
    """The same of one repository."""
    raise NotImplementedError
