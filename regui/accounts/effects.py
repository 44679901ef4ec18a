"""What a grant makes of what people may do: decisions with it and without it, compared over the repositories
that are known now."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from django.db.models import QuerySet

from regui.accounts import access, grants, matching, people
from regui.accounts.access import ANY, RIGHTS, Actor, Holder, Right
from regui.accounts.explaining import WORDS, listed
from regui.accounts.models import Grant, User
from regui.index.models import Repository

# How often a grant or a kind of people is looked at to say what becomes of them: a page is not to wait for
# more.
LOOKED_AT = 100_000
# How many looks a decision is worth, with the grant and without it.
DECISION = 40
# To how many kinds of people something else happens that are told of.
SHOWN = 50
Place = tuple[str, str]  # a registry's name and a repository's
SITE = {
    Right.ADMIN: "administers all of regui",
    Right.AUDIT: "looks at everything, the journal of access too",
}


@dataclass(frozen=True)
class Effect:
    """What becomes of some people, who are all alike: rights over so many repositories lost and gained, and
    what they no longer do, or from then on, all over the site."""

    names: tuple[str, ...]
    lost: tuple[tuple[Right, int], ...]
    gained: tuple[tuple[Right, int], ...]
    ends: tuple[Right, ...] = ()
    begins: tuple[Right, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lost or self.gained or self.ends or self.begins)

    @property
    def sentences(self) -> list[str]:
        """The same in words, each without its subject: loses delete in 3 repositories."""
        found = [f"no longer {SITE[right]}" for right in self.ends]
        found += [f"{SITE[right]} from then on" for right in self.begins]
        found += [f"loses {part}" for part in counted(self.lost)]
        return found + [f"gains {part}" for part in counted(self.gained)]


@dataclass(frozen=True)
class Effects:
    """What becomes of everybody whom a grant is about. `people` is how many these are, `places` how many
    repositories were looked at, `partly` whether there are more."""

    found: tuple[Effect, ...]
    people: int
    places: int
    partly: bool

    @property
    def more(self) -> int:
        """How many kinds of people aren't shown."""
        return max(len(self.found) - SHOWN, 0)

    @property
    def shown(self) -> tuple[Effect, ...]:
        return self.found[:SHOWN]

    @property
    def nothing(self) -> str:
        """Why nothing changes, when nothing does."""
        if not self.people:
            return "There is nobody it is about who may sign in."
        if RIGHTS[people.everyone()]:
            return "Whatever it gives, REGUI_ANONYMOUS_ROLE or other grants give them, too."
        if not self.places:
            return "No repository is known that it covers; it is about those to come."
        return "Other grants outweigh it, or give the same."


@dataclass
class Alike:
    """People who were granted the same, and how often they lose and gain which right."""

    names: list[str] = field(default_factory=list)
    lost: Counter[Right] = field(default_factory=Counter)
    gained: Counter[Right] = field(default_factory=Counter)


def of_removing(row: Grant, most: int = LOOKED_AT) -> Effects:
    """What changes when that grant goes, as far as so many looks tell."""
    grant, users = grants.plain(row), affected(row)
    held, every = grants.shared(users)
    gone = frozenset(key for key, one in every.items() if one == grant)
    alike: dict[frozenset[int], Alike] = {}
    for pk, name in users.order_by("username").values_list("pk", "username"):
        alike.setdefault(held[pk], Alike()).names.append(name)
    places, looks, at = covered(grant, most), 0, 0
    while at < len(places) and looks < most:
        looks += count_there(places[at], alike, every, gone)
        at += 1
    site = frozenset(key for key, one in every.items() if one.covers_all(ANY))
    effects = [of(found, changed(mine & site, every, gone)) for mine, found in alike.items()]
    return Effects(together(effects), len(held), at, at < len(places) or len(places) == most)


def together(effects: Iterable[Effect]) -> tuple[Effect, ...]:
    """Those that are any, of people to whom the same happens as one."""
    found: dict[Effect, list[str]] = {}
    for effect in filter(None, effects):
        found.setdefault(replace(effect, names=()), []).extend(effect.names)
    return tuple(replace(effect, names=tuple(sorted(names))) for effect, names in found.items())


def count_there(
    place: Place,
    alike: Mapping[frozenset[int], Alike],
    every: Mapping[int, access.Grant],
    gone: frozenset[int],
) -> int:
    """Count what everybody loses and gains in one repository: few grants cover it, so few decisions tell. How
    many looks that took."""
    here = frozenset(key for key, one in every.items() if one.covers(*place))
    known: dict[frozenset[int], tuple[frozenset[Right], frozenset[Right]]] = {}
    for mine, found in alike.items():
        those = mine & here
        if those not in known:
            before, after = (one.decide(*place).rights for one in changed(those, every, gone))
            known[those] = before - after, after - before
        lost, gained = known[those]
        found.lost.update(lost)
        found.gained.update(gained)
    return len(every) + DECISION * len(known)


def changed(
    mine: frozenset[int], every: Mapping[int, access.Grant], gone: frozenset[int]
) -> tuple[Actor, Actor]:
    """Somebody who was granted these, with what is to go and without."""
    floor = people.everyone()
    before, after = ((every[key] for key in keys) for keys in (mine, mine - gone))
    return Actor("", floor, grants=tuple(before)), Actor("", floor, grants=tuple(after))


def of(found: Alike, actors: tuple[Actor, Actor]) -> Effect:
    """What becomes of people who are alike; `actors` are what they are before and after for all the site."""
    before, after = actors
    return Effect(
        tuple(found.names),
        tuple((right, found.lost[right]) for right in WORDS if found.lost[right]),
        tuple((right, found.gained[right]) for right in WORDS if found.gained[right]),
        tuple(right for right in SITE if before.governs(right) and not after.governs(right)),
        tuple(right for right in SITE if after.governs(right) and not before.governs(right)),
    )


def affected(row: Grant) -> QuerySet[User]:
    """The people whom a grant is about, and who may sign in."""
    users = User.objects.filter(is_active=True)
    kind = grants.plain(row).kind
    if kind is Holder.USER:
        return users.filter(grants=row)
    return users.filter(groups__grants=row) if kind is Holder.GROUP else users


def covered(grant: access.Grant, most: int) -> list[Place]:
    """So many of the known repositories that the grant speaks of, with their registries."""
    rows = matching.those(Repository.objects.listed(), matching.condition(grant.pattern, "name"))
    rows = rows.filter(registry__active=True)
    if grant.registry != ANY:
        rows = rows.filter(registry__name=grant.registry)
    return list(rows.order_by("registry_id", "name").values_list("registry__name", "name")[:most])


def counted(changes: Iterable[tuple[Right, int]]) -> list[str]:
    """Rights over equally many repositories together: see and set tags in 3 repositories."""
    together: dict[int, list[str]] = {}
    for right, count in changes:
        together.setdefault(count, []).append(f"“{WORDS[right]}”")
    return [
        f"{listed(words)} in {count:,} repositor{'y' if count == 1 else 'ies'}"
        for count, words in together.items()
    ]
