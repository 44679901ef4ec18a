"""Finds across registries, group by group, up to a limit: what matters is that the first page comes at once,
not whether there are ten thousand more.

A tag is found when every word is in its own name or its repository's, and at least one in its own: else a
repository's name alone would bring up all its tags.

What is rare is found by a lead, all of it; what is common is soon found anywhere. Between them, and where no
index helps, repositories are looked through, those first that changed last, for as long as a page can wait;
and that these weren't all is said.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, OuterRef, Q

from regui.index.models import Blob, BlobUse, RepositoryQuerySet, Tag, TagQuerySet
from regui.index.search import leads, rows, terms, trigrams
from regui.index.search.query import Answer, Digest, Query, Text, Where

MOST = 1_000
# For how many seconds repositories are looked through, and how many tags at a time: at first, and at most.
PATIENCE, HANDFUL, ARMFUL = 0.05, 1_000, 32_000
LEAST_HEX = 4


@dataclass(frozen=True)
class Found:
    """The keys of what was found, the best first. `more` when these aren't all, `partly` when not even all
    was looked at."""

    keys: list[int] = field(default_factory=list)
    more: bool = False
    partly: bool = False


def limited(keys: Sequence[int], *, partly: bool = False) -> Found:
    return Found(list(keys[:MOST]), more=len(keys) > MOST, partly=partly and len(keys) <= MOST)


def repositories(
    visible: RepositoryQuerySet, query: Query, now: datetime, patience: float = PATIENCE
) -> Found:
    """The repositories found: whole names first, then last parts, then beginnings, then the shortest."""
    names: dict[int, str] = {}
    partly = False
    for chunk, ended in repositories_in_parts(visible, query, now, patience):
        names.update(chunk)
        partly = ended
        if len(names) > MOST:
            break
    wanted = [text.text.lower() for text in query.words if text.where is not Where.TAG]

    def rank(pk: int) -> tuple[int, int, str]:
        name = names[pk]
        leaf = name.rpartition("/")[2]
        if name in wanted or leaf in wanted:
            return (0, len(name), name)
        begins = any(leaf.startswith(word) or name.startswith(word) for word in wanted)
        return (1 if begins else 2, len(name), name)

    return limited(sorted(names, key=rank), partly=partly)


def repositories_in_parts(
    visible: RepositoryQuerySet, query: Query, now: datetime, patience: float
) -> Iterator[tuple[list[tuple[int, str]], bool]]:
    """Keys and names of the repositories found, and whether there was no time to look through all."""
    matching, asked = rows.themselves(visible, query, now), rows.of_tags(query)
    lead = leads.best(matching, asked, now) if asked else None
    if not asked:
        yield list(matching.order_by().values_list("pk", "name")[: MOST + 1]), False
        return
    # Manifests of a long lead lie side by side in a few repositories; tags come from everywhere.
    for part in lead.handfuls(HANDFUL) if lead and (lead.short or lead.path == "pk") else ():
        yield list(rows.led(matching, asked, part, now).order_by().values_list("pk", "name")), False
    if lead and lead.short:
        return
    has, until = rows.has(asked, now), time.monotonic() + patience
    for turn, keys in enumerate(in_turns(matching)):
        if turn and time.monotonic() > until:
            yield [], True
            return
        yield list(visible.filter(has, pk__in=keys).order_by().values_list("pk", "name")), False


def in_turns(visible: RepositoryQuerySet) -> Iterator[list[int]]:
    """The keys of repositories that together have a handful of tags, then of some with more and more: those
    first that changed last."""
    keys: list[int] = []
    tags, handful = 0, HANDFUL
    # The index over these is in that order.
    rows_ = visible.order_by("registry_id", "-changed_key", "name").values_list("pk", "tag_count")
    for pk, count in rows_.iterator(chunk_size=500):
        keys.append(pk)
        tags += 1 + (count or 0)
        if tags >= handful:
            yield keys
            keys, tags, handful = [], 0, min(4 * handful, ARMFUL)
    if keys:
        yield keys


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
    # Sorted here: for an order of its own the database would rather read all there are.
    return limited(sorted(matching.order_by().values_list("pk", flat=True)[: MOST + 1], reverse=True))


def among(some: Iterable[Any]) -> Q:
    return reduce(or_, (Q(manifest__in=keys) for keys in some))


def blobs(visible: RepositoryQuerySet, query: Query) -> Found:
    """The layers and configs found by the beginning of their digest, when a repository one may see uses
    them."""
    wanted = digests(query)
    if not wanted or len(wanted) < len(query.terms):
        return Found()
    held = rows.listed(visible).filter(manifest=OuterRef("manifest"))
    uses = BlobUse.objects.filter(Exists(held), blob=OuterRef("pk")).order_by()
    matching = Blob.objects.filter(Exists(uses))
    for one in wanted:
        matching = matching.filter(pk__in=terms.blobs(one))
    return limited(list(matching.values_list("pk", flat=True)[: MOST + 1]))


def tags(visible: RepositoryQuerySet, query: Query, now: datetime, patience: float = PATIENCE) -> Found:
    """The tags found: those of just that name first, then those it begins, then the rest, newest first."""
    if query.asks(Answer.UNTAGGED):
        return Found()
    places = [one for one in query.words if one.where is Where.REPOSITORY]
    there = reduce(lambda some, place: some.filter(terms.named("name", place)), places, visible)
    lead = leads.best(there, query, now)
    # EXISTS, so that the database goes from tags to repositories, never through all tags of each repository.
    base = Tag.objects.visible().filter(Exists(visible.filter(pk=OuterRef("repository"))))
    for term in (lead.rest(query) if lead and lead.short else query).terms:
        base = base.filter(terms.turned(term, condition(term, now)))
    words = [one for one in query.words if one.where is Where.ANY]
    own = [one for one in query.words if one.where is Where.TAG]
    if words and not own:
        base = base.filter(reduce(or_, (rows.tag(word, now) for word in words)))
    found: dict[int, tuple[str, int]] = {}
    partly = False
    for chunk, ended in in_parts(base, visible, there, query, lead, patience):
        found.update((pk, (name, created)) for pk, name, created in chunk)
        partly = ended
        if len(found) > MOST:
            break
    wanted = [one.text.lower() for one in (*words, *own)]

    def rank(pk: int) -> tuple[int, int, str]:
        name, created = found[pk]
        lower = name.lower()
        begins = 1 if any(lower.startswith(word) for word in wanted) else 2
        return (0 if lower in wanted else begins, -created, name)

    return limited(sorted(found, key=rank), partly=partly)


def condition(term: Any, now: datetime) -> Q:
    """What a term asks of a tag here, where a word may also be in its repository's name."""
    found = rows.tag(term, now)
    if isinstance(term, Text) and term.where is Where.ANY and terms.reference(term) is None:
        found |= terms.named("repository__name", term)
    return found


def in_parts(
    base: TagQuerySet,
    visible: RepositoryQuerySet,
    there: RepositoryQuerySet,
    query: Query,
    lead: leads.Lead | None,
    patience: float,
) -> Iterator[tuple[list[tuple[int, str, int]], bool]]:
    """The tags found, and whether there was no time to look at all. `there` are the repositories asked for by
    name."""
    for part in lead.handfuls(HANDFUL) if lead else ():
        yield found_in(base.filter(part.whole)), False
    if lead and lead.short:
        return
    until = time.monotonic() + patience
    for source in sources(base, visible, there, query):
        for turn, some in enumerate(source):
            if turn and time.monotonic() > until:
                yield [], True
                return
            yield found_in(some), False


def sources(
    base: TagQuerySet, visible: RepositoryQuerySet, there: RepositoryQuerySet, query: Query
) -> Iterator[Iterator[TagQuerySet]]:
    """Where to look, one after the other: tags by the handful that together hold all there are to find."""
    words = [one for one in query.words if one.where is Where.ANY]
    own = [one for one in query.words if one.where is Where.TAG]
    if own and there is visible:
        yield through(base, own)
    elif own or not words:
        yield (base.filter(repository__in=keys) for keys in in_turns(there))
    elif len(words) == 1:
        word = words[0]
        if tame(word):
            yield through(base, [Text(Where.TAG, word.text, glob=True)])
        yield through(base, [word])
        digest = terms.hexadecimal(word)
        if digest:
            yield iter([base.filter(manifest__in=terms.manifests(digest))])
    else:
        yield from through_words(base, visible, words)


def tame(word: Text) -> bool:
    """Whether a word, taken as the pattern of a whole name, means only itself."""
    return not set(word.text) & set("*?:")


def through_words(
    base: TagQuerySet, visible: RepositoryQuerySet, words: Sequence[Text]
) -> Iterator[Iterator[TagQuerySet]]:
    """Where to look for several words, each of which may be in the tag's name or in its repository's."""
    holding = {word: tag_counts(visible, word) for word in words}
    must = [word for word in words if not holding[word]]
    pivot = min((word for word in words if holding[word]), key=lambda word: sum(holding[word]), default=None)
    yield through(base, [*must, pivot] if pivot else must)
    if pivot:
        there = visible.filter(terms.named("name", pivot)).order_by()
        yield iter([base.filter(repository__in=there.values("pk"))])


def tag_counts(visible: RepositoryQuerySet, word: Text) -> list[int]:
    """How many tags each repository has that the word is in the name of."""
    if terms.reference(word):
        return []
    rows = visible.filter(terms.named("name", word)).order_by().values_list("tag_count", flat=True)
    return [count or 0 for count in rows]


def through(base: TagQuerySet, texts: Sequence[Text]) -> Iterator[TagQuerySet]:
    """The tags of `base` that hold all of these texts, by the index of trigrams as far as it goes."""
    expressions = [found for text in texts if (found := trigrams.expression(text))]
    if expressions:
        for keys in trigrams.NAMES.keys(trigrams.both(expressions)):
            yield base.filter(pk__in=keys)
    else:
        yield reduce(lambda rows_, text: rows_.filter(rows.tag_named(text)), texts, base)


def found_in(base: TagQuerySet) -> list[tuple[int, str, int]]:
    """As many of these tags as are found in all, at most."""
    return list(base.order_by().values_list("pk", "name", "created_key")[: MOST + 1])
