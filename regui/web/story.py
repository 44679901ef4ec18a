"""What became of a repository's tags, as sentences with links to what is still there."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from regui.actions.models import Action
from regui.index.models import Repository, Revision, TagMove

How, State = TagMove.How, Action.State


@dataclass(frozen=True)
class Digest:
    """A digest in a sentence; `href` is empty when the repository no longer holds it."""

    digest: str
    href: str


@dataclass(frozen=True)
class Event:
    """A move with what else is known of it: `actor` is who did it, empty when nobody knows; `listed` whether
    the tag is still there."""

    move: TagMove
    before: Digest
    after: Digest
    actor: str
    listed: bool

    @property
    def verb(self) -> str:
        """What the tag did: came, pushed, moved, left or deleted."""
        told = self.move.how != How.CRAWL
        if not self.move.before:
            return "pushed" if told else "came"
        if not self.move.after:
            return "deleted" if self.actor or told else "left"
        return "moved"

    @property
    def source(self) -> str:
        """How regui knows of it."""
        return SOURCES[How(self.move.how)]


SOURCES = {How.CRAWL: "noticed", How.EVENT: "told by the registry", How.ACTION: "through regui"}


def tell(repository: Repository, moves: Sequence[TagMove]) -> list[Event]:
    """The moves of one repository's tags, in order, as a page tells them."""
    digests = {digest for move in moves for digest in (move.before, move.after) if digest}
    held, tags = still_held(repository, digests), still_listed(repository, {move.tag for move in moves})
    who = deleters(repository, moves)

    def linked(digest: str) -> Digest:
        place = (repository.registry.name, repository.name, digest)
        return Digest(digest, reverse("manifest", args=place) if digest in held else "")

    return [
        Event(
            move=move,
            before=linked(move.before),
            after=linked(move.after),
            actor=move.actor or (who.get(move.before, "") if not move.after else ""),
            listed=move.tag in tags,
        )
        for move in moves
    ]


def still_held(repository: Repository, digests: set[str]) -> set[str]:
    """Those of the digests that the repository holds, as far as the index knows."""
    if repository.pk is None or not digests:
        return set()
    held = Revision.objects.held().filter(repository=repository, manifest__digest__in=digests)
    return set(held.values_list("manifest__digest", flat=True))


def still_listed(repository: Repository, tags: set[str]) -> set[str]:
    """Those of the tags that the registry still lists."""
    if repository.pk is None or not tags:
        return set()
    return set(repository.tags.listed().filter(name__in=tags).values_list("name", flat=True))


def deleters(repository: Repository, moves: Sequence[TagMove]) -> dict[str, str]:
    """Who deleted, through regui, the digests whose tags left without anyone saying why."""
    unexplained = {move.before for move in moves if not move.after and not move.actor}
    if not unexplained:
        return {}
    done = Action.objects.filter(
        registry=repository.registry.name,
        repository=repository.name,
        digest__in=unexplained,
        state__in=[State.DONE, State.PARTIAL],
    )
    return dict(done.order_by("started_at").values_list("digest", "actor"))
