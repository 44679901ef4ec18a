"""What became of a repository's tags, as sentences with links to what is still there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from regui.actions.models import Action
from regui.index.models import Repository, Revision, TagMove
from regui.web import links

How, State = TagMove.How, Action.State


@dataclass(frozen=True)
class Digest:
    """A digest in a sentence; `href` is empty when the repository no longer holds it."""

    digest: str
    href: str


@dataclass(frozen=True)
class Event:
    """A move with what else is known of it: `actor` is who did it, empty when nobody knows; `href` leads to
    the tag, and is empty when it is no longer there."""

    move: TagMove
    before: Digest
    after: Digest
    actor: str
    href: str

    @cached_property
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

    place = (repository.registry.name, repository.name)
    to_tag, to_manifest = links.tags(*place), links.manifests(*place)

    def linked(digest: str) -> Digest:
        return Digest(digest, to_manifest(digest) if digest in held else "")

    return [
        Event(
            move=move,
            before=linked(move.before),
            after=linked(move.after),
            actor=move.actor or who.get(move.pk, ""),
            href=to_tag(move.tag) if move.tag in tags else "",
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


def deleters(repository: Repository, moves: Sequence[TagMove]) -> dict[int, str]:
    """Who deleted, through regui, what tags were on that left without anyone saying why; by the moves'
    keys."""
    unexplained = [move for move in moves if not move.after and not move.actor]
    digests = {move.before for move in unexplained}
    place = {"registry": repository.registry.name, "repository": repository.name}
    deletes = Action.objects.filter(**place, digest__in=digests, state__in=[State.DONE, State.PARTIAL])
    newest_first = list(deletes.only("digest", "actor", "started_at").order_by("-started_at"))
    if not newest_first:
        return {}
    pushes = list(TagMove.objects.filter(**place, after__in={action.digest for action in newest_first}))
    return {move.pk: who for move in unexplained if (who := deleter(move, newest_first, pushes)) is not None}


def deleter(move: TagMove, newest_first: Iterable[Action], pushes: Iterable[TagMove]) -> str | None:
    """Who deleted what the tag was on; None when nobody did since it was last pushed there."""
    pushed = [
        push.at for push in pushes if (push.tag, push.after) == (move.tag, move.before) and push.at <= move.at
    ]
    for action in newest_first:
        if action.digest == move.before and action.started_at <= move.at:
            return None if any(at > action.started_at for at in pushed) else action.actor
    return None
