"""What no rule may take: tags that are protected, and what runs somewhere."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from regui import patterns
from regui.actions import inuse, protection
from regui.actions.inuse import Uses
from regui.index import record
from regui.index.models import Registry, Repository
from regui.retention.tags import Tag


@dataclass(frozen=True)
class Locks:
    """The rules that protect tags, each with what finds its tags, and what runs of each repository by name;
    `manifests` are the keys of the digests that do."""

    rules: Sequence[tuple[protection.Rule, Callable[[str], object]]] = ()
    uses: Mapping[str, Uses] = field(default_factory=dict)
    manifests: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of_registry(cls, registry: Registry, now: datetime) -> Self:
        """Those of a registry: three queries, or two when no digest is in use."""
        return cls.made(registry, inuse.of_registry(registry, now))

    @classmethod
    def of_repository(cls, repository: Repository, now: datetime) -> Self:
        """Those of one repository."""
        uses = inuse.of_repository(repository.registry, repository.name, now)
        return cls.made(repository.registry, {repository.name: uses})

    @classmethod
    def made(cls, registry: Registry, uses: Mapping[str, Uses]) -> Self:
        rules = [(rule, patterns.any_tag([rule.tags])) for rule in protection.rules(registry.name)]
        digests = {digest for one in uses.values() for digest in one.digests}
        return cls(rules, uses, record.keys(registry, digests))

    def lay(self, repository: str, tags: list[Tag]) -> None:
        """Say on each of the repository's tags that is locked why it is."""
        for rule, covers in reversed(self.rules):  # the first rule is the one that is named
            if rule.covers(repository):
                reason = str(rule)
                for place, tag in enumerate(tags):
                    if covers(tag.name):
                        tags[place] = tag._replace(protected=reason)
        uses = self.uses.get(repository)
        if uses:
            running = {self.manifests[one]: why for one, why in uses.digests.items() if one in self.manifests}
            for place, tag in enumerate(tags):
                if why := uses.tags.get(tag.name) or running.get(tag.manifest or 0):
                    tags[place] = tag._replace(used=why)
