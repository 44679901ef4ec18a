"""The whole policy: who may do what, decided on names before anything is fetched.

A grant gives a role over the repositories of a pattern. Of those that cover a repository the most particular
one counts (`Grant.weight`); an auditor's adds to it, and so does what everybody is (`Actor.role`). Who comes
with a token has, of all that, what the token's own scope leaves (`Actor.cap`).

Every view gets its rows here. What someone may not see is a 404, what they may see but not do is `Forbidden`,
which the web turns into a 403 that says who could; who hasn't signed in is asked to.
"""

import enum
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils import timezone

from regui.accounts import matching
from regui.index import bearing
from regui.index.bearing import Bearer
from regui.index.models import Registry, Repository, RepositoryQuerySet
from regui.patterns import ANYWHERE, covers_repository, literals

ANY = "*"


class Right(enum.Enum):
    """What can be done to a repository or a registry."""

    SEE = "see"
    PUSH = "set tags of"
    DELETE = "delete from"
    ADMIN = "administer"
    AUDIT = "audit"


class Role(enum.Enum):
    """What someone is, from little to much; see `RIGHTS` for what that allows."""

    NONE = "none"
    AUDITOR = "auditor"
    READER = "reader"
    DEVELOPER = "developer"
    MAINTAINER = "maintainer"
    ADMIN = "admin"


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.NONE: frozenset(),
    Role.AUDITOR: frozenset({Right.SEE, Right.AUDIT}),
    Role.READER: frozenset({Right.SEE}),
    Role.DEVELOPER: frozenset({Right.SEE, Right.PUSH}),
    Role.MAINTAINER: frozenset({Right.SEE, Right.PUSH, Right.DELETE}),
    Role.ADMIN: frozenset(Right),
}
RANKS = {role: rank for rank, role in enumerate(Role)}


class Holder(enum.IntEnum):
    """To whom a grant was given; of two that cover equally little, the higher one counts."""

    EVERYONE = 0
    GROUP = 1
    USER = 2


@dataclass(frozen=True)
class Grant:
    """A role over the repositories of a pattern, in one registry or in any (`*`). `holder` is the name of the
    person or group that has it, or empty."""

    role: Role
    registry: str = ANY
    pattern: str = ANYWHERE
    kind: Holder = Holder.EVERYONE
    holder: str = ""

    @property
    def weight(self) -> tuple[int, bool, int, int]:
        """What decides among several that cover a repository: the most literal characters, then a named
        registry over any, a person over a group over everyone, and last the higher role."""
        return literals(self.pattern), self.registry != ANY, self.kind, RANKS[self.role]

    def reaches(self, registry: str) -> bool:
        """Whether it says anything about that registry."""
        return self.registry in {ANY, registry}

    def covers(self, registry: str, name: str) -> bool:
        """Whether it says anything about that repository."""
        return self.reaches(registry) and covers_repository(self.pattern, name)

    def covers_all(self, registry: str) -> bool:
        """Whether it speaks of every repository of that registry; of every registry for `*`."""
        return self.pattern == ANYWHERE and self.registry in {ANY, registry}

    def allows(self, right: Right) -> bool:
        return right in RIGHTS[self.role]


class Forbidden(PermissionDenied):
    """They may see it, but not do that. `registry` and `name` say where, if it is one place."""

    def __init__(self, actor: "Actor", right: Right, what: str, registry: str = ANY, name: str = "") -> None:
        super().__init__(f"{actor.name} may not {right.value} {what}.")
        self.actor, self.right, self.what = actor, right, what
        self.registry, self.name = registry, name


class Unborne(Forbidden):
    """They have not said yet who they are to a registry that asks everybody themselves."""

    def __init__(self, actor: "Actor", registry: str) -> None:
        super().__init__(actor, Right.SEE, registry, registry)
        self.args = (f"{registry} asks everybody who they are: sign in to it on its page.",)


class Hidden(Http404):
    """They may not see it, be it there or not."""


@dataclass(frozen=True)
class Decision:
    """What someone may do in one place, and why: `winner` is the grant that counts, `adds` are those that add
    to it, `others` cover the place too and were outweighed, heaviest first."""

    rights: frozenset[Right]
    winner: Grant | None
    adds: tuple[Grant, ...]
    others: tuple[Grant, ...]


@dataclass(frozen=True)
class Actor:
    """Who asks: a visitor of the web, a person, who holds a token, or somebody at the command line.

    `name` is what the journal writes ("anonymous", "local:root"), `address` where they asked from, `role`
    what they are everywhere whatever the grants say. `bearers` are the credentials of their own that they
    showed registries which ask for such (`Registry.own`); who is `trusted` needs none: the machine's own.
    """

    name: str
    role: Role = Role.NONE
    address: str = ""
    grants: tuple[Grant, ...] = ()
    cap: Grant | None = None
    visitor: bool = False
    bearers: tuple[Bearer, ...] = ()
    trusted: bool = False

    def may(self, right: Right, registry: str = ANY, name: str = "") -> bool:
        """Whether they have that right over a repository; without its name over all of the registry, without
        that over everything."""
        if name:
            return right in self.decide(registry, name).rights
        if self.cap and not (self.cap.allows(right) and self.cap.covers_all(registry)):
            return False
        adding = (grant for grant in self.adding if grant.covers_all(registry))
        if right in RIGHTS[self.role] or any(grant.allows(right) for grant in adding):
            return True
        # None that is more particular than the one that speaks of all may take it away.
        for grant in self.weighed:
            if registry == ANY or grant.reaches(registry):
                if not grant.allows(right):
                    return False
                if grant.covers_all(registry):
                    return True
        return False

    def governs(self, right: Right) -> bool:
        """Whether they have that right over regui itself, which is no repository: by the grant that counts
        among those of every repository of any registry. One that is more particular takes repositories away,
        not that, or an administrator could be shut out by being granted something."""
        if self.cap and not (self.cap.allows(right) and self.cap.covers_all(ANY)):
            return False
        counting = next((grant for grant in self.weighed if grant.covers_all(ANY)), None)
        adding = (grant for grant in self.adding if grant.covers_all(ANY))
        given = (*([counting] if counting else []), *adding)
        return right in RIGHTS[self.role] or any(grant.allows(right) for grant in given)

    def administers(self, registry: str) -> bool:
        """Whether they look after a registry: by their grants of all of it, or since they administer regui
        itself. What takes repositories of it away from them doesn't take that."""
        return self.may(Right.ADMIN, registry) or self.governs(Right.ADMIN)

    def ever(self, right: Right) -> bool:
        """Whether there may be anything at all they have that right over."""
        if self.cap and not self.cap.allows(right):
            return False
        return right in RIGHTS[self.role] or any(grant.allows(right) for grant in self.grants)

    def decide(self, registry: str, name: str) -> Decision:
        """What they may do with the repository of that name, be it there or not, and why."""
        covering = [grant for grant in self.weighed if grant.covers(registry, name)]
        adds = tuple(grant for grant in self.adding if grant.covers(registry, name))
        winner = covering[0] if covering else None
        rights = RIGHTS[self.role].union(*(RIGHTS[grant.role] for grant in (*covering[:1], *adds)))
        if self.cap:
            rights &= RIGHTS[self.cap.role] if self.cap.covers(registry, name) else frozenset()
        return Decision(rights, winner, adds, tuple(covering[1:]))

    @cached_property
    def weighed(self) -> list[Grant]:
        """The grants of which one counts, from the most particular on."""
        counting = (grant for grant in self.grants if grant.role is not Role.AUDITOR)
        return sorted(counting, key=lambda grant: grant.weight, reverse=True)

    @cached_property
    def adding(self) -> list[Grant]:
        """The grants that add to whichever counts."""
        return [grant for grant in self.grants if grant.role is Role.AUDITOR]

    def bearer(self, registry: Registry) -> Bearer | None:
        """Their own credentials of that registry, if they were entered for the address it has."""
        here = (one for one in self.bearers if (one.registry, one.url) == (registry.name, registry.url))
        return next(here, None)


def seen(actor: Actor, *, names: str = "name", registries: str = "registry__name") -> Q | bool:
    """What `Right.SEE` means for rows of any registry, as a condition: the fields `names` and `registries`
    hold a repository's name and its registry's. True and False say all, and none."""
    found = granted(actor, names=names, registries=registries)
    if actor.trusted:
        return found
    shared = ~Q(**{f"{registries}__in": Registry.objects.filter(own=True).values("name")})
    return matching.both(
        matching.any_of(
            [
                shared,
                *(Q(**{registries: bearer.registry}) & could_list(bearer, names) for bearer in actor.bearers),
            ]
        ),
        found,
    )


def seen_in(actor: Actor, registry: Registry, names: str = "name") -> Q | bool:
    """The same for rows of one registry."""
    found = granted(actor, registry.name, names=names)
    if actor.trusted or not registry.own:
        return found
    bearer = actor.bearer(registry)
    return matching.both(could_list(bearer, names), found) if bearer else False


def could_list(bearer: Bearer, names: str) -> Q:
    """The rows whose field holds what these credentials could list of late."""
    return Q(**{f"{names}__in": bearing.listed([bearer]).values("name")})


def granted(
    actor: Actor, registry: str | None = None, *, names: str = "name", registries: str = "registry__name"
) -> Q | bool:
    """What grants say of it, of rows of one registry or of any."""
    if actor.may(Right.SEE, registry or ANY):
        return True

    def where(grant: Grant) -> Q | bool:
        return there(grant.registry, matching.condition(grant.pattern, names))

    def there(place: str, covered: Q | bool) -> Q | bool:
        here = registry is not None or place == ANY
        return covered if here else matching.both(Q(**{registries: place}), covered)

    def rules(grants: Iterable[Grant]) -> Iterator[tuple[Q | bool, bool]]:
        """Conditions with what they say, in order; namespaces side by side can't get into each other's way,
        so they make one for each answer."""
        alike = groupby(grants, lambda one: (one.registry, matching.is_space(one.pattern)))
        for (place, whole), group in alike:
            if not whole:
                yield from ((where(grant), grant.allows(Right.SEE)) for grant in group)
                continue
            said: dict[str, bool] = {}
            for grant in group:
                said.setdefault(grant.pattern, grant.allows(Right.SEE))
            for answer in set(said.values()):
                patterns = [pattern for pattern, says in said.items() if says is answer]
                yield there(place, matching.spaces(patterns, names)), answer

    def ours(grants: Iterable[Grant]) -> list[Grant]:
        return [grant for grant in grants if registry is None or grant.reaches(registry)]

    if Right.SEE in RIGHTS[actor.role]:
        found: Q | bool = True
    else:
        first = matching.first_of(list(rules(ours(actor.weighed))))
        found = matching.any_of([*map(where, ours(actor.adding)), first])
    if actor.cap is None:
        return found
    inside = where(actor.cap) if actor.cap.allows(Right.SEE) and ours([actor.cap]) else False
    return matching.both(inside, found)


def registries(actor: Actor) -> QuerySet[Registry]:
    """The registries in which this actor may see anything, by name."""
    rows = Registry.objects.filter(active=True)
    if not actor.ever(Right.SEE):
        return rows.none()
    if actor.role is Role.NONE:
        rows = named(rows, [grant for grant in actor.grants if grant.allows(Right.SEE)])
        # One in which everything was taken away again isn't there either.
        less = {grant.registry for grant in actor.weighed if not grant.allows(Right.SEE)} - {ANY}
        rows = rows.exclude(name__in=[name for name in sorted(less) if granted(actor, name) is False])
    return named(rows, [actor.cap]) if actor.cap else rows


def named(rows: QuerySet[Registry], grants: list[Grant]) -> QuerySet[Registry]:
    """Those of the rows that one of the grants speaks of."""
    names = {grant.registry for grant in grants}
    return rows if ANY in names else rows.filter(name__in=names)


def registry(actor: Actor, name: str) -> Registry:
    """The registry of that name, to look into it. Raises like `known` and `opened`."""
    return opened(actor, known(actor, name))


def known(actor: Actor, name: str) -> Registry:
    """The registry of that name; Http404 when it isn't there or may not be seen."""
    found = registries(actor).filter(name=name).first()
    if found is None:
        raise (Http404 if actor.may(Right.SEE) else Hidden)(f"No registry named {name}.")
    return found


def opened(actor: Actor, registry: Registry) -> Registry:
    """The registry, once it has been asked what somebody's own credentials can list, where it wants them.
    Raises `Unborne` when they haven't shown any."""
    if registry.own and not actor.trusted:
        bearer = actor.bearer(registry)
        if bearer is None:
            raise Unborne(actor, registry.name)
        bearing.refresh(registry, bearer)
    return registry


def renew(actor: Actor) -> None:
    """Ask each registry that the actor showed credentials of their own what these can list, if that was too
    long ago: for what is seen of all registries at once."""
    if actor.trusted or not actor.bearers:
        return
    for row in registries(actor).filter(own=True):
        if bearer := actor.bearer(row):
            bearing.refresh(row, bearer)


def look(actor: Actor, what: str) -> None:
    """Nothing, when there is anything the actor may see; else Forbidden."""
    if not actor.ever(Right.SEE):
        raise Forbidden(actor, Right.SEE, what)


def sees_all(actor: Actor, registry: Registry) -> bool:
    """Whether nothing of that registry is hidden from them, so that they may know sums over all of it."""
    return actor.may(Right.SEE, registry.name) and (actor.trusted or not registry.own)


def sees_everything(actor: Actor) -> bool:
    """Whether nothing of any registry is hidden from them."""
    if not actor.may(Right.SEE):
        return False
    return actor.trusted or not Registry.objects.filter(own=True).exists()


def places_seen(actor: Actor, places: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the places, each a registry's and a repository's name, that they may see, be there anything or
    not; one that is empty is among them."""
    seen = {place for place in places if not place[1] or actor.may(Right.SEE, *place)}
    asking = [] if actor.trusted or not any(name for _, name in seen) else Registry.objects.filter(own=True)
    for row in asking:
        names = names_seen(actor, row, [name for registry, name in seen if registry == row.name])
        seen = {(registry, name) for registry, name in seen if registry != row.name or name in names}
    return seen


def names_seen(actor: Actor, registry: Registry, names: Iterable[str]) -> set[str]:
    """Those of the names of repositories of the registry, be they gone by now, that they may see."""
    rows = matching.those(registry.repositories.filter(name__in=list(names)), seen_in(actor, registry))
    return set(rows.values_list("name", flat=True))


def administered(actor: Actor) -> QuerySet[Registry]:
    """The registries this actor administers, by name; Forbidden when there can be none."""
    if not actor.ever(Right.ADMIN):
        raise Forbidden(actor, Right.ADMIN, "regui")
    rows = registries(actor)
    if actor.administers(ANY):
        return rows
    return rows.filter(name__in=[row.name for row in rows if actor.administers(row.name)])


def administer(actor: Actor, registry: Registry) -> None:
    """Nothing, when the actor may administer that registry, which they may see; else Forbidden."""
    if not actor.administers(registry.name):
        raise Forbidden(actor, Right.ADMIN, registry.name, registry.name)


def govern(actor: Actor, registry: Registry, right: Right) -> None:
    """Nothing, when the actor has that right over all of the registry, which they may see; else Forbidden."""
    if not actor.may(right, registry.name):
        raise Forbidden(actor, right, registry.name, registry.name)


def site_admin(actor: Actor) -> None:
    """Nothing, when the actor may say what others may, and which registries there are; else Forbidden."""
    if not actor.governs(Right.ADMIN):
        raise Forbidden(actor, Right.ADMIN, "regui")


def audits(actor: Actor) -> None:
    """Nothing, when the actor may look at who may do what, and who did; else Forbidden."""
    if not actor.governs(Right.AUDIT):
        raise Forbidden(actor, Right.AUDIT, "regui")


def require(actor: Actor, registry: Registry, name: str, right: Right = Right.SEE) -> None:
    """Nothing, when the actor has that right over the repository of that name, be it there or not.

    Http404 when they may not see it, Forbidden when they may see it but not that.
    """
    rights = actor.decide(registry.name, name).rights
    if Right.SEE not in rights:
        raise Hidden(f"No repository named {name}.")
    if right not in rights:
        raise Forbidden(actor, right, f"{registry.name}/{name}", registry.name, name)
    if registry.own and not actor.trusted:
        borne(actor, registry, name, right)


def borne(actor: Actor, registry: Registry, name: str, right: Right) -> None:
    """Nothing, when their own credentials can list the repository; or it isn't known yet, and they would make
    it, which is for the registry to allow. Raises `Unborne` and Http404."""
    bearer = actor.bearer(registry)
    if bearer is None:
        raise Unborne(actor, registry.name)
    makes = right is Right.PUSH and not registry.repositories.listed().filter(name=name).exists()
    if not makes and not bearing.test(registry, bearer, name):
        # Not `Hidden`: to sign in to regui wouldn't help a visitor.
        raise Http404(f"No repository named {name}.")


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
    return matching.those(listed, seen_in(actor, registry))


def everywhere(actor: Actor) -> RepositoryQuerySet:
    """The listed repositories that this actor may see, of all registries."""
    renew(actor)
    there = [row.pk for row in registries(actor)]
    listed = Repository.objects.filter(registry__in=there).listed()
    return matching.those(listed, seen(actor))
