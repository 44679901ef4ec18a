"""What a query lets through of each sort of rows: tags, repositories, and the manifests repositories hold."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from regui.index.models import (
    RepositoryQuerySet,
    Revision,
    RevisionQuerySet,
    Tag,
    TagQuerySet,
)
from regui.index.search import terms, trigrams
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

# How far up an index can lie above what it contains.
LEVELS = 2


def tags(rows: TagQuerySet, query: Query, now: datetime | None = None) -> TagQuerySet:
    """The tags that every term holds for. A word without a key is looked for in the tag's name."""
    now = now or timezone.now()
    for term in query.terms:
        rows = rows.filter(terms.turned(term, tag(term, now)))
    return rows


def tag(term: Term, now: datetime) -> Q:
    """What a term asks of a tag, its minus aside."""
    match term:
        case Text(where=Where.REPOSITORY):
            return terms.named("repository__name", term)
        case Text():
            return tag_named(term)
        case Digest():
            return Q(manifest__in=terms.using(term, above=LEVELS))
        case Is(about=Answer.SIGNED):
            return terms.signed(term)
        case Is(about=Answer.UNTAGGED):
            return terms.NEVER if term.yes else Q()
        case Is() | Date(moment=Moment.PULLED):
            return terms.pulled(term, now)
        case Label() | Platform() | Type() | Size() | Date():
            return terms.of_manifest(term, "manifest__", now)


def tag_named(text: Text) -> Q:
    """That a tag has that name, is on the digest that begins like that, or is meant by `repository:tag`."""
    found = terms.named("name", text)
    both = terms.reference(text)
    if both and text.where is Where.ANY:
        return Q(repository__name__like=both[0], name__like=both[1])
    digest = terms.hexadecimal(text) if text.where is Where.ANY else None
    return found | terms.begins("manifest__digest", digest) if digest else found


def repositories(rows: RepositoryQuerySet, query: Query, now: datetime | None = None) -> RepositoryQuerySet:
    """The repositories that every term holds for: their own name, size, platforms, type and last change; all
    else of one and the same tag."""
    now = now or timezone.now()
    of_tags = [term for term in query.terms if is_of_tags(term)]
    for term in query.terms:
        if term not in of_tags:
            rows = rows.filter(terms.turned(term, repository(term, now)))
    plain = [term for term in of_tags if not isinstance(term, Is) or term.about is not Answer.UNTAGGED]
    if plain:
        rows = having(rows, Query(tuple(plain)), now)
    wants_untagged = query.asks(Answer.UNTAGGED)
    if wants_untagged is not None:
        some = Revision.objects.held().filter(terms.untagged(), repository=OuterRef("pk"))
        rows = rows.filter(Exists(some) if wants_untagged else ~Exists(some))
    return rows


def is_of_tags(term: Term) -> bool:
    """Whether a repository itself has no answer to a term, only its tags."""
    if isinstance(term, Text):
        return term.where is Where.TAG or (term.where is Where.ANY and terms.reference(term) is not None)
    return isinstance(term, Digest | Label | Is) or terms.about_pulls(term)


def having(rows: RepositoryQuerySet, query: Query, now: datetime) -> RepositoryQuerySet:
    """The repositories with a visible tag that every term holds for."""
    texts = [one for one in query.words if trigrams.expression(one)]
    few = trigrams.few(texts) if texts else None
    if few is not None:
        found = tags(Tag.objects.visible().filter(pk__in=few), query, now)
        return rows.filter(pk__in=found.values("repository"))
    if query.about(Digest):
        return rows.filter(pk__in=tags(Tag.objects.visible(), query, now).values("repository"))
    return rows.filter(Exists(tags(Tag.objects.visible().filter(repository=OuterRef("pk")), query, now)))


def repository(term: Term, now: datetime) -> Q:
    """What a term asks of a repository itself, its minus aside."""
    match term:
        case Text():
            return terms.named("name", term)
        case Platform():
            return terms.runs_on("platforms", term)
        case Type():
            return Q(kind=term.kind)
        case Size():
            return Q(**{f"size__{terms.LOOKUPS[term.comparison]}": term.bytes})
        case Date():
            return terms.dated("changed_at", term, now)
        case Digest() | Label() | Is():
            raise AssertionError("asked of tags")


def revisions(rows: RevisionQuerySet, query: Query, now: datetime | None = None) -> RevisionQuerySet:
    """The manifests in repositories that every term holds for. A word is looked for in the repository's
    name, and as the beginning of a digest."""
    now = now or timezone.now()
    for term in query.terms:
        rows = rows.filter(terms.turned(term, revision(term, now)))
    return rows


def revision(term: Term, now: datetime) -> Q:
    """What a term asks of a manifest in a repository, its minus aside."""
    match term:
        case Text(where=Where.TAG):
            return tagged(Tag.objects.filter(terms.named("name", term)))
        case Text():
            found = terms.named("repository__name", term)
            digest = terms.hexadecimal(term, 4) if term.where is Where.ANY else None
            return found | Q(manifest__in=terms.manifests(digest)) if digest else found
        case Digest():
            return Q(manifest__in=terms.using(term, above=0))
        case Is(about=Answer.SIGNED):
            return terms.signed(term)
        case Is(about=Answer.UNTAGGED):
            return terms.untagged() if term.yes else ~terms.untagged()
        case Is() | Date(moment=Moment.PULLED):
            return tagged(Tag.objects.filter(terms.pulled(term, now)))
        case Label() | Platform() | Type() | Size() | Date():
            return terms.of_manifest(term, "manifest__", now)


def tagged(tags: TagQuerySet) -> Q:
    """That one of these tags is on the manifest, in the same repository."""
    there = tags.listed().filter(repository=OuterRef("repository"), manifest=OuterRef("manifest"))
    return Q(Exists(there))


def listed(repositories: RepositoryQuerySet) -> RevisionQuerySet:
    """The manifests that these repositories hold."""
    return Revision.objects.held().filter(repository__in=repositories.order_by().values("pk"))
