"""The rules of a registry as their page shows them: who made each, and what it covers now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from operator import itemgetter

from regui import patterns
from regui.actions import protection
from regui.actions.models import Protection
from regui.actions.protection import Rule
from regui.index.models import Registry, Tag

# How many tags are looked at to say what a rule covers: a page is not to wait for more.
LOOKED_AT = 20_000


@dataclass(frozen=True)
class Covers:
    """How many tags, in how many repositories."""

    tags: int = 0
    repositories: int = 0


@dataclass(frozen=True)
class Form:
    """What was typed."""

    repositories: str = ""
    tags: str = ""
    note: str = ""

    @property
    def rule(self) -> Rule:
        return Rule(self.repositories or patterns.ANYWHERE, self.tags)


@dataclass(frozen=True)
class Row:
    """A rule, as made by somebody unless the settings give it."""

    rule: Rule
    covers: Covers
    made: Protection | None = None


@dataclass(frozen=True)
class Protecting:
    """What the page shows of a registry. To say what its rules cover, at most so many tags are looked at."""

    registry: Registry
    most: int = LOOKED_AT

    @cached_property
    def made(self) -> Sequence[Protection]:
        return protection.rows(self.registry)

    @cached_property
    def tags(self) -> list[tuple[str, str]]:
        """The registry's tags with their repositories, side by side; one more than are looked at when there
        are more."""
        rows = Tag.objects.visible().filter(repository__registry=self.registry, repository__gone_at=None)
        return list(rows.order_by("repository_id").values_list("repository__name", "name")[: self.most + 1])

    @property
    def partly(self) -> bool:
        return len(self.tags) > self.most

    @property
    def rows(self) -> list[Row]:
        """Those of people first, then the settings'."""
        made = [Rule(one.repositories, one.tags) for one in self.made]
        given = protection.given()
        counts = covered([*made, *given], self.tags[: self.most])
        found = [Row(rule, counts[rule], one) for rule, one in zip(made, self.made, strict=True)]
        return found + [Row(rule, counts[rule]) for rule in given]


def covered(rules: Iterable[Rule], tags: Iterable[tuple[str, str]]) -> dict[Rule, Covers]:
    """How much each of the rules covers of these repositories and tags, those of a repository side by
    side."""
    counts = dict.fromkeys(rules, Covers())
    for repository, group in groupby(tags, key=itemgetter(0)):
        names = [name for _, name in group]
        for rule in counts:
            found = len(protection.locks([rule], repository, names))
            if found:
                before = counts[rule]
                counts[rule] = Covers(before.tags + found, before.repositories + 1)
    return counts


def checked(form: Form) -> dict[str, str]:
    """What is wrong with the form, by field; nothing when it makes a rule."""
    found: dict[str, str] = {}
    for field, check, text in (
        ("repositories", patterns.check_repositories, form.rule.repositories),
        ("tags", patterns.check_tags, form.tags),
    ):
        try:
            check(text)
        except ValueError as error:
            found[field] = f"This {error}."
    return found
