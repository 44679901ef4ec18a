"""Who may do what, said once more and without any of regui's own code: what the tables of
`tests/web/test_matrix.py` and `tests/api/test_matrix.py` mean, row by row.

A row is a name of an address, a method, what that takes, over what, and what it answers who may:

    tag-delete    POST    delete    repository    409

What it takes is a word of `CAN`, or `copy`: to see the repository, and to set tags of any at all; or `write`:
to delete from anything in the registry; or `clean`: that, or to audit all of it.
Over what:

    anyone        nobody is asked who they are
    person        whoever has signed in
    anything      any repository at all, be there one or not
    registry      see: anything in it; all else: every repository of it
    repository    the repository that is named, or that the action was about
    policy        a policy of the registry that is somebody else's, or a run of one
    site          every repository of every registry
    secret        a secret of its own, which nobody here has
"""

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

CAN = {
    "reader": {"see"},
    "developer": {"see", "push"},
    "maintainer": {"see", "push", "delete"},
    "admin": {"see", "push", "delete", "administer", "audit"},
    "auditor": {"see", "audit"},
}
OVER = ("anyone", "person", "anything", "registry", "repository", "policy", "site", "secret")
TAKES = {"-", "see", "push", "delete", "administer", "audit", "copy", "write", "clean"}


class Verdict(enum.Enum):
    """What becomes of a request."""

    WORKS = "works"
    FORBIDDEN = "may see it, but not do that"
    HIDDEN = "may not see it, be it there or not"
    SIGN_IN = "has to sign in first"
    SECRET = "has to show the secret"


@dataclass(frozen=True)
class Row:
    """A line of a table; the words behind its name, after a colon, tell several requests apart that go to
    one address."""

    name: str
    method: str
    takes: str
    over: str
    answers: frozenset[int]

    @property
    def address(self) -> str:
        return self.name.partition(":")[0]

    def __str__(self) -> str:
        return f"{self.method} {self.name}"


def rows(table: str) -> list[Row]:
    """The rows of a table. Lines that begin with # are headings."""
    found = []
    for line in filter(None, map(str.strip, table.splitlines())):
        if not line.startswith("#"):
            name, method, takes, over, answers = line.split()
            assert takes in TAKES, line
            assert over in OVER, line
            found.append(Row(name, method, takes, over, frozenset(map(int, answers.split(",")))))
    assert len({(row.name, row.method) for row in found}) == len(found), "a row stands twice"
    return found


@dataclass(frozen=True)
class Place:
    """What an address is about."""

    registry: str
    repository: str


# What is theirs, what is others', and what isn't there at all. Its names are as long as those of others'.
OWN = {"registry": Place("main", "team/app"), "repository": Place("main", "team/app")}
FOREIGN = {"registry": Place("beyond", "team/app"), "repository": Place("main", "secret/app")}
GHOST = {"registry": Place("absent", "team/app"), "repository": Place("main", "secret/odd")}


@dataclass(frozen=True)
class Who:
    """Somebody: who hasn't signed in (without a name), a stranger (without a role), or one whose role was
    granted over a registry's repositories below `team`, over all of the registry `main`, or over all."""

    name: str
    role: str = ""
    registry: str = "*"
    pattern: str = "**"

    @property
    def can(self) -> set[str]:
        return CAN.get(self.role, set())

    @property
    def everywhere(self) -> bool:
        return bool(self.role) and self.registry == "*"

    def reaches(self, registry: str) -> bool:
        return self.everywhere or self.registry == registry

    def covers(self, place: Place) -> bool:
        """Whether their role is over that repository."""
        below = self.pattern == "**" or place.repository.startswith("team/")
        return self.reaches(place.registry) and below

    def __str__(self) -> str:
        return self.name or "visitor"


VISITOR, STRANGER = Who(""), Who("stranger")
TEAM = [Who(f"team-{role}", role, "main", "team/**") for role in CAN]
MAIN = [Who(f"main-{role}", role, "main") for role in ("maintainer", "admin", "auditor")]
ALL = [Who(f"all-{role}", role) for role in CAN]
ALL_ADMIN = ALL[list(CAN).index("admin")]
ONE_OF_EACH = [VISITOR, STRANGER, TEAM[0]]
EVERYBODY = [VISITOR, STRANGER, *TEAM, *MAIN, *ALL]


def verdict(who: Who, row: Row, place: Place) -> Verdict:
    """What becomes of that request from them, as the issue has it."""
    if row.over == "secret":
        return Verdict.SECRET
    if row.over == "anyone":
        return Verdict.WORKS
    if not who.name:
        return Verdict.SIGN_IN
    if row.over in {"registry", "repository", "policy"}:
        return in_place(who, row, place)
    may = {
        "person": True,
        "anything": row.takes in who.can,
        "site": row.takes in who.can and who.everywhere,
    }
    return Verdict.WORKS if may[row.over] else Verdict.FORBIDDEN


def in_place(who: Who, row: Row, place: Place) -> Verdict:
    """The same of what is about a registry or a repository."""
    of_all = row.over in {"registry", "policy"}
    if not (who.reaches(place.registry) if of_all else who.covers(place)):
        return Verdict.HIDDEN
    if row.over == "policy":
        return with_policy(who, row)
    if row.takes in {"write", "clean"}:
        audits = row.takes == "clean" and "audit" in who.can and who.pattern == "**"
        return Verdict.WORKS if "delete" in who.can or audits else Verdict.FORBIDDEN
    needs = {"copy": {"see", "push"}}.get(row.takes, {row.takes})
    # A registry can be seen by who sees anything in it; for all else everything in it has to be theirs.
    whole = not of_all or needs == {"see"} or who.pattern == "**"
    return Verdict.WORKS if needs <= who.can and whole else Verdict.FORBIDDEN


def with_policy(who: Who, row: Row) -> Verdict:
    """The same of a policy that somebody else has in a registry that they reach."""
    whole = who.pattern == "**"
    if "delete" not in who.can and not ("audit" in who.can and whole):
        return Verdict.FORBIDDEN
    if not whole:
        return Verdict.HIDDEN
    return Verdict.WORKS if row.takes == "clean" or "delete" in who.can else Verdict.FORBIDDEN


def kind(row: Row) -> str:
    """By what their own, others' and none's are told apart; empty where it makes no difference."""
    kinds = {"repository": "repository"} | dict.fromkeys(("registry", "policy", "secret"), "registry")
    return kinds.get(row.over, "")


def places(row: Row) -> list[Place]:
    """Their own, others', and one that isn't there; only one where it makes no difference."""
    return [where[kind(row)] for where in (OWN, FOREIGN, GHOST)] if kind(row) else [OWN["repository"]]


def outcomes(row: Row) -> Iterator[tuple[Who, Place, Verdict]]:
    """What becomes of a row's request from everybody, in their own place, in others', and in one that isn't
    there; of the last only where nobody must be able to tell."""
    # Who has to have a secret is nobody here, and who is wrong too often isn't answered any more.
    asking = ONE_OF_EACH if row.over == "secret" else EVERYBODY
    for place in places(row):
        for who in asking:
            said = verdict(who, row, place)
            telling = said in {Verdict.WORKS, Verdict.FORBIDDEN}
            # Who may see every registry may know that this isn't one.
            if place not in GHOST.values() or not (telling or (kind(row) == "registry" and who.everywhere)):
                yield who, place, said


def missing(there: Mapping[str, Iterable[str]], table: Iterable[Row]) -> list[str]:
    """A sentence for each address and method that no row is about, and for each row about none. `there` has
    the methods of each address by name."""
    told = {(row.address, row.method) for row in table}
    real = {(name, method) for name, methods in there.items() for method in methods}
    lacking = [
        f"Add a row that says what {method} {name} takes, and over what." for name, method in real - told
    ]
    return sorted(lacking) + sorted(
        f"No address answers {method} {name}: take its row out." for name, method in told - real
    )
