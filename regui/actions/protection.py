"""Which tags are protected: rules that a pattern of repositories and one of tags make up, and what follows
from them for names. A rule stands by name in the settings or in a row; nothing here looks at the index."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from regui import patterns
from regui.actions.models import Protection
from regui.index.models import Registry

log = logging.getLogger(__name__)

SETTING = "REGUI_PROTECTED_TAGS"


@dataclass(frozen=True)
class Rule:
    """The tags it protects, of which repositories; `given` says that it comes from the settings."""

    repositories: str
    tags: str
    given: bool = False

    def __str__(self) -> str:
        where = "" if self.repositories == patterns.ANYWHERE else f" in {self.repositories}"
        return f"protected by {self.tags}{where}{f' ({SETTING})' if self.given else ''}"

    def covers(self, repository: str) -> bool:
        return patterns.covers_repository(self.repositories, repository)


def locks(rules: Iterable[Rule], repository: str, tags: Iterable[str]) -> dict[str, str]:
    """For each of these tags of the repository that is protected, the reason: the first rule's."""
    mine = [rule for rule in rules if rule.covers(repository)]
    if not mine:
        return {}
    found = {tag: next((rule for rule in mine if patterns.covers_tag(rule.tags, tag)), None) for tag in tags}
    return {tag: str(rule) for tag, rule in found.items() if rule}


def rules(registry: str) -> list[Rule]:
    """The rules of a registry: the settings', which every registry has, then its own. One query."""
    rows = Protection.objects.filter(registry=registry).values_list("repositories", "tags")
    return [*given(), *(Rule(*row) for row in rows)]


def given() -> list[Rule]:
    """The rules that the settings make for every registry."""
    pairs: patterns.Pairs = settings.PROTECTED_TAGS
    return [Rule(repositories, tags, given=True) for repositories, tags in pairs]


def add(registry: Registry, rule: Rule, actor: str, note: str, now: datetime) -> bool:
    """Keep a rule; False when it was there already. Raises ValueError for a pattern that means nothing."""
    patterns.check_repositories(rule.repositories)
    patterns.check_tags(rule.tags)
    _, new = Protection.objects.get_or_create(
        registry=registry.name,
        repositories=rule.repositories,
        tags=rule.tags,
        defaults={"created_by": actor, "created_at": now, "note": note},
    )
    if new:
        log.info("%s protects %s of %s/%s", actor, rule.tags, registry.name, rule.repositories)
    return new


def remove(registry: Registry, rule: Rule, actor: str) -> bool:
    """Let go of a rule; False when there was none such."""
    rows = Protection.objects.filter(registry=registry.name, repositories=rule.repositories, tags=rule.tags)
    gone, _ = rows.delete()
    if gone:
        log.info("%s no longer protects %s of %s/%s", actor, rule.tags, registry.name, rule.repositories)
    return bool(gone)


def rows(registry: Registry) -> Sequence[Protection]:
    """The registry's own rules, with who made them and when."""
    return list(Protection.objects.filter(registry=registry.name))
