"""Where to look for tags: a lead is the keys of all that one term of a query can let through, or of the
manifests these are on, read from an index. A short one makes short work of whatever else is asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from regui.index.batches import batches
from regui.index.models import Manifest, Registry, RepositoryQuerySet, Tag
from regui.index.search import facets, terms, trigrams
from regui.index.search.query import (
    Answer,
    Date,
    Digest,
    Is,
    Label,
    Moment,
    Platform,
    Query,
    Size,
    Term,
    Text,
    Type,
    Where,
)

# A lead of more isn't followed to its end.
FEW = 5_000
# How far up an index can lie above what it contains.
LEVELS = 2


@dataclass(frozen=True)
class Lead:
    """Keys of tags, or with `path` of what that field of theirs leads to; `settles` is the term that holds
    for each of them."""

    keys: Sequence[int]
    path: str = "pk"
    settles: Term | None = None

    @property
    def short(self) -> bool:
        """Whether these are all, not only the first."""
        return len(self.keys) <= FEW

    @property
    def whole(self) -> Q:
        return Q(**{f"{self.path}__in": list(self.keys)})

    def rest(self, query: Query) -> Query:
        """What is still to be asked of each."""
        return Query(tuple(term for term in query.terms if term is not self.settles))

    def handfuls(self, size: int) -> Iterator["Lead"]:
        """The same in parts."""
        for at in range(0, len(self.keys), size):
            yield replace(self, keys=self.keys[at : at + size])


def best(visible: RepositoryQuerySet, query: Query, now: datetime) -> Lead | None:
    """The shortest that leads to all tags a query finds in these repositories; None when no index tells.
    Words that may also be in a repository's name lead nowhere."""
    asked = [term for term in query.terms if not term.negated or isinstance(term, Is)]
    being = [term for term in asked if isinstance(term, Label | Platform | Type)]
    texts = [
        one for one in asked if isinstance(one, Text) and (one.where is Where.TAG or terms.reference(one))
    ]
    found = [
        manifests(facets.few(being, FEW + 1)) if being else None,
        named(texts),
        *(of(term, visible, now) for term in asked),
    ]
    return min((lead for lead in found if lead), key=lambda lead: len(lead.keys), default=None)


def of(term: Term, visible: RepositoryQuerySet, now: datetime) -> Lead | None:
    """Where one term leads, by itself."""
    match term:
        case Digest():
            return Lead(some(terms.using(term, above=LEVELS)), "manifest", settles=term)
        case Date(moment=Moment.PULLED):
            return Lead(some(Tag.objects.visible().filter(terms.pulled(term, now)).values("pk")))
        case Size() | Date():
            # There is an index by repository and key, so this looks it up in each that may have such a tag.
            there = visible.filter(terms.at_all(term, now)).order_by()
            tags = Tag.objects.visible().filter(repository__in=there.values("pk"))
            return Lead(some(tags.filter(terms.by_key(term, now)).values("pk")))
        case Is(about=Answer.PULLED) if term.holds:
            return Lead(some(Tag.objects.visible().filter(pulled_at__isnull=False).values("pk")))
        case Is(about=Answer.SIGNED) if term.holds:
            return signed(visible)
        case _:
            return None


def some(keys: QuerySet[Any, Any]) -> list[Any]:
    """These values, one more than a lead may have at most."""
    return [next(iter(row.values())) for row in keys[: FEW + 1]]


def manifests(keys: Sequence[int]) -> Lead:
    return Lead(keys, "manifest")


def named(texts: Sequence[Text]) -> Lead | None:
    """The tags whose own name holds these."""
    expressions = [found for text in texts if (found := trigrams.expression(text))]
    if not expressions:
        return None
    return Lead([key for keys in trigrams.NAMES.keys(trigrams.both(expressions), FEW + 1) for key in keys])


def signed(visible: RepositoryQuerySet) -> Lead | None:
    """The manifests that signatures are about: referrers, and those that cosign's tags are named after."""
    there = visible.order_by()
    beside = Tag.objects.listed().filter(folded=True, name__endswith=".sig")
    names = beside.filter(Exists(there.filter(pk=OuterRef("repository")))).values("name")
    referrers = Manifest.objects.filter(terms.signature()).exclude(subject="").values("subject")
    digests = {name.removesuffix(".sig").replace("-", ":", 1) for name in some(names)} | set(some(referrers))
    if len(digests) > FEW:
        return None
    registries = Registry.objects.order_by().values("pk")
    found: list[int] = []
    for part in batches(sorted(digests), FEW):
        on = Manifest.objects.filter(registry__in=registries, digest__in=part)
        found += on.values_list("pk", flat=True)
    return manifests(found)
