"""The whole policy: who may do what, decided on names before anything is fetched.

Every view gets its rows here. What someone may not see is a 404, what they may see but not do is `Forbidden`,
which the web turns into a 403 that says what would allow it.
"""

import enum
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone

from regui.index.models import Registry, Repository, RepositoryQuerySet


class Right(enum.Enum):
    """What can be done to a repository or a registry."""

    SEE = "see"
    PUSH = "set tags of"
    DELETE = "delete from"
    ADMIN = "administer"


class Role(enum.Enum):
    """What someone is; see `RIGHTS` for what that allows."""

    NONE = "none"
    READER = "reader"
    ADMIN = "admin"


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.NONE: frozenset(),
    Role.READER: frozenset({Right.SEE}),
    Role.ADMIN: frozenset(Right),
}


class Forbidden(PermissionDenied):
    """They may see it, but not do that."""

    def __init__(self, actor: "Actor", right: Right, what: str) -> None:
        super().__init__(f"{actor.name} may not {right.value} {what}.")
        self.actor, self.right, self.what = actor, right, what


@dataclass(frozen=True)
class Actor:
    """Who asks: a visitor of the web, or a person at the command line.

    `name` is what the journal writes ("anonymous", "local:root"), `address` where they asked from.
    """

    name: str
    role: Role
    address: str = ""

    def may(self, right: Right) -> bool:
        """Whether the role allows it; names don't matter yet, grants by pattern will make them."""
        return right in RIGHTS[self.role]


def registry(actor: Actor, name: str) -> Registry:
    """The registry of that name; Http404 when it isn't there or may not be seen."""
    found = registries(actor).filter(name=name).first()
    if found is None:
        raise Http404(f"No registry named {name}.")
    return found


def registries(actor: Actor) -> QuerySet[Registry]:
    """The registries this actor may see, by name."""
    return Registry.objects.filter(active=True) if actor.may(Right.SEE) else Registry.objects.none()


def administered(actor: Actor) -> QuerySet[Registry]:
    """The registries this actor administers, by name; Forbidden when none may be."""
    if not actor.may(Right.ADMIN):
        raise Forbidden(actor, Right.ADMIN, "regui")
    return registries(actor)


def administer(actor: Actor, registry: Registry) -> None:
    """Nothing, when the actor may administer that registry, which they may see; else Forbidden."""
    if not actor.may(Right.ADMIN):
        raise Forbidden(actor, Right.ADMIN, registry.name)


def require(actor: Actor, registry: Registry, name: str, right: Right = Right.SEE) -> None:
    """Nothing, when the actor has that right over the repository of that name, be it there or not.

    Http404 when they may not see it, Forbidden when they may see it but not that.
    """
    if not actor.may(Right.SEE):
        raise Http404(f"No repository named {name}.")
    if not actor.may(right):
        raise Forbidden(actor, right, f"{registry.name}/{name}")


def repository(actor: Actor, registry: Registry, name: str, right: Right = Right.SEE) -> Repository:
    """The repository's row, or one not saved yet when the index has none (a page reads through, and what the
    registry doesn't have must leave no row). Raises like `require`."""
    require(actor, registry, name, right)
    found = registry.repositories.filter(name=name).first()
    return found or Repository(
        registry=registry, name=name, first_seen_at=timezone.now(), source=Repository.Source.OPENED
    )


def repositories(actor: Actor, registry: Registry) -> RepositoryQuerySet:
    """The registry's listed repositories that this actor may see."""
    listed = Repository.objects.filter(registry=registry).listed()
    return listed if actor.may(Right.SEE) else listed.none()


def everywhere(actor: Actor) -> RepositoryQuerySet:
    """The listed repositories that this actor may see, of all registries."""
    seen = [row.pk for row in registries(actor)]
    return Repository.objects.filter(registry__in=seen).listed()
