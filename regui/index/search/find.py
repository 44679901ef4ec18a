"""Finds across registries, group by group, up to a limit: what matters is that the first page comes at once,
not whether there are ten thousand more.

A tag is found when every word is in its own name or its repository's, and at least one in its own: else a
repository's name alone would bring up all its tags.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, OuterRef, Q

from regui.index.models import Blob, BlobUse, RepositoryQuerySet, Tag, TagQuerySet
from regui.index.search import rows, terms, trigrams
from regui.index.search.query import Answer, Digest, Query, Text, Where

MOST = 1_000
# How many of the tags that a word brings up are looked at one by one for what else is asked of them.
LOOKED_AT = 50_000
LEAST_HEX = 4


@dataclass(frozen=True)
class Found:
    """The keys of what was found, the best first. `more` when these aren't all, `partly` when not even all
    was looked at."""

    keys: list[int] = field(default_factory=list)
    more: bool = False
    partly: bool = False


def limited(keys: Sequence[int], *, partly: bool = False) -> Found:
    return Found(list(keys[:MOST]), more=len(keys) > MOST, partly=partly)


def repositories(visible: RepositoryQuerySet, query: Query, now: datetime) -> Found:
    """The repositories found: whole names first, then last parts, then beginnings, then the shortest."""
    matching = rows.repositories(visible, query, now).order_by()
    found = list(matching.values_list("pk", "name")[: MOST + 1])
    wanted = [text.text.lower() for text in query.words if text.where is not Where.TAG]

    def rank(row: tuple[int, str]) -> tuple[int, int, str]:
        name = row[1]
        leaf = name.rpartition("/")[2]
        if name in wanted or leaf in wanted:
            return (0, len(name), name)
        begins = any(leaf.startswith(word) or name.startswith(word) for word in wanted)
        return (1 if begins else 2, len(name), name)

    return limited([pk for pk, _ in sorted(found, key=rank)])


def digests(query: Query) -> list[Digest]:
    """The digests a query asks for, also by bare hexadecimal digits."""
    asked = [one for one in query.terms if isinstance(one, Digest) and not one.negated]
    words = (terms.hexadecimal(one, LEAST_HEX) for one in query.words if one.where is Where.ANY)
    return [*asked, *(digest for digest in words if digest)]


def revisions(visible: RepositoryQuerySet, query: Query, now: datetime) -> Found:
    """The manifests found, as their repositories hold them: of queries for digests, and for what is
    untagged."""
    if not digests(query) and query.asks(Answer.UNTAGGED) is None:
        return Found()
    matching = rows.revisions(rows.listed(visible), query, now)
    if not query.about(Digest) and query.asks(Answer.UNTAGGED) is None:
        # By name alone, every manifest of a repository would be found.
        matching = matching.filter(among(terms.manifests(one) for one in digests(query)))
    return limited(list(matching.order_by("-pk").values_list("pk", flat=True)[: MOST + 1]))


def among(some: Iterable[Any]) -> Q:
    return reduce(or_, (Q(manifest__in=keys) for keys in some))


def blobs(visible: RepositoryQuerySet, query: Query) -> Found:
    """The layers and configs found by the beginning of their digest, when a repository one may see uses
    them."""
    wanted = digests(query)
    if not wanted or len(wanted) < len(query.terms):
        return Found()
    uses = BlobUse.objects.filter(
        blob=OuterRef("pk"),
        manifest__revisions__gone_at=None,
        manifest__revisions__repository__in=visible.order_by().values("pk"),
    )
    matching = Blob.objects.filter(Exists(uses))
    for one in wanted:
        matching = matching.filter(pk__in=terms.blobs(one))
    return limited(list(matching.values_list("pk", flat=True)[: MOST + 1]))


def tags(visible: RepositoryQuerySet, query: Query, now: datetime) -> Found:
    """The tags found: those of just that name first, then those it begins, then the rest, newest first."""
    # EXISTS, so that the database goes from tags to repositories, never through all tags of each repository.
    base = Tag.objects.visible().filter(Exists(visible.filter(pk=OuterRef("repository"))))
    for term in query.terms:
        base = base.filter(terms.turned(term, condition(term, now)))
    words = [one for one in query.words if one.where is Where.ANY]
    own = [one for one in query.words if one.where is Where.TAG]
    if words and not own:
        base = base.filter(reduce(or_, (rows.tag(word, now) for word in words)))
    found: dict[int, tuple[str, int]] = {}
    partly = False
    for source in sources(base, visible, query):
        seen = 0
        for chunk, looked_at in source:
            seen += looked_at
            found.update((pk, (name, created)) for pk, name, created in chunk)
            if len(found) > MOST:
                break
        partly |= seen >= LOOKED_AT
        if len(found) > MOST:
            break
    wanted = [one.text.lower() for one in (*words, *own)]

    def rank(pk: int) -> tuple[int, int, str]:
        name, created = found[pk]
        lower = name.lower()
        begins = 1 if any(lower.startswith(word) for word in wanted) else 2
        return (0 if lower in wanted else begins, -created, name)

    return limited(sorted(found, key=rank), partly=partly and len(found) <= MOST)


def condition(term: Any, now: datetime) -> Q:
    """What a term asks of a tag here, where a word may also be in its repository's name."""
    found = rows.tag(term, now)
    if isinstance(term, Text) and term.where is Where.ANY and terms.reference(term) is None:
        found |= terms.named("repository__name", term)
    return found


Chunks = Iterator[tuple[list[tuple[int, str, int]], int]]


def sources(base: TagQuerySet, visible: RepositoryQuerySet, query: Query) -> Iterator[Chunks]:
    """Where to look, one after the other: sets of tags that together hold all there are to find, each small
    or read from an index. Every tag comes with how many were looked at for it."""
    words = [one for one in query.words if one.where is Where.ANY]
    own = [one for one in query.words if one.where is Where.TAG]
    if own or not words:
        places = [one for one in query.words if one.where is Where.REPOSITORY]
        rare = bool(own) and all(map(trigrams.expression, own)) and trigrams.few(own) is not None
        if places and not rare:
            there = reduce(lambda some, place: some.filter(terms.named("name", place)), places, visible)
            yield whole(base.filter(repository__in=there.order_by().values("pk")))
        else:
            yield from through(base, own)
        return
    if len(words) == 1:
        word = words[0]
        if tame(word):
            yield from through(base, [Text(Where.TAG, word.text, glob=True)])
        yield from through(base, [word])
        digest = terms.hexadecimal(word)
        if digest:
            yield whole(base.filter(manifest__in=terms.manifests(digest)))
        return
    yield from through_words(base, visible, words)


def tame(word: Text) -> bool:
    """Whether a word, taken as the pattern of a whole name, means only itself."""
    return not set(word.text) & set("*?:")


def through_words(base: TagQuerySet, visible: RepositoryQuerySet, words: Sequence[Text]) -> Iterator[Chunks]:
    """Where to look for several words, each of which may be in the tag's name or in its repository's."""
    holding = {word: tag_counts(visible, word) for word in words}
    must = [word for word in words if not holding[word]]
    pivot = min((word for word in words if holding[word]), key=lambda word: sum(holding[word]), default=None)
    yield from through(base, [*must, pivot] if pivot else must)
    if pivot:
        there = visible.filter(terms.named("name", pivot)).order_by()
        yield whole(base.filter(repository__in=there.values("pk")))


def tag_counts(visible: RepositoryQuerySet, word: Text) -> list[int]:
    """How many tags each repository has that the word is in the name of."""
    if terms.reference(word):
        return []
    rows = visible.filter(terms.named("name", word)).order_by().values_list("tag_count", flat=True)
    return [count or 0 for count in rows]


def through(base: TagQuerySet, texts: Sequence[Text]) -> Iterator[Chunks]:
    """The tags of `base` that hold all of these texts, by the index of trigrams as far as it goes."""
    expressions = [found for text in texts if (found := trigrams.expression(text))]
    if expressions:
        yield by_trigrams(base, trigrams.both(expressions))
    else:
        yield whole(reduce(lambda rows_, text: rows_.filter(rows.tag_named(text)), texts, base))


def whole(base: TagQuerySet) -> Chunks:
    """As many tags as the database finds up to the limit, at one go."""
    yield list(base.order_by().values_list("pk", "name", "created_key")[: MOST + 1]), 0


def by_trigrams(base: TagQuerySet, expression: str) -> Chunks:
    """The tags among those an index suggests, by the handful."""
    for keys in trigrams.candidates(expression, LOOKED_AT):
        rows = base.filter(pk__in=keys).order_by().values_list("pk", "name", "created_key")
        yield list(rows), len(keys)
