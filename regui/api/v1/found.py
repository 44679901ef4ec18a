"""What the API says of what was found."""

from typing import Generic, Self, TypeVar

from ninja import Schema

from regui.api.v1.schemas import Repository, Tag
from regui.index import models as rows

T = TypeVar("T")


class FoundTag(Tag):
    """A tag, with where it was found."""

    registry: str
    repository: str

    @classmethod
    def of(cls, row: rows.Tag) -> Self:
        """The tag's manifest, repository and registry must be loaded."""
        place = {"registry": row.repository.registry.name, "repository": row.repository.name}
        return cls.model_validate(Tag.of(row).model_dump() | place)


class FoundManifest(Schema):
    """A digest, with where it was found."""

    registry: str
    repository: str
    digest: str
    kind: str
    media_type: str
    size: int | None
    tags: list[str]


class FoundBlob(Schema):
    """A layer or config by its digest."""

    registry: str
    digest: str
    size: int | None


class Group(Schema, Generic[T]):
    """What was found of one sort, the best first. `count` are all that were counted; `more` says that there
    are more than that, `partly` that there may be, for want of time to look at all."""

    items: list[T]
    count: int
    more: bool
    partly: bool


class Found(Schema):
    """What a query found, group by group; null is a group that wasn't asked for."""

    query: str
    repositories: Group[Repository] | None = None
    tags: Group[FoundTag] | None = None
    manifests: Group[FoundManifest] | None = None
    layers: Group[FoundBlob] | None = None
