"""What a query lets through of each sort of rows: tags, repositories, and the manifests repositories hold."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from regui.index import usage
from regui.index.models import (
    RepositoryQuerySet,
    Revision,
    RevisionQuerySet,
    Tag,
    TagQuerySet,
)
from regui.index.search import leads, terms
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
            return Q(manifest__in=terms.using(term, above=leads.LEVELS))
        case Is(about=Answer.SIGNED):
            return terms.signed(term)
        case Is(about=Answer.UNTAGGED):
            return terms.NEVER if term.yes else ~terms.NEVER
        case Is() | Date(moment=Moment.PULLED):
            return terms.pulled(term, now)
        case Size() | Date():
            return terms.by_key(term, now)
        case Label() | Platform() | Type():
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
    rows, asked = themselves(rows, query, now), of_tags(query)
    if not asked:
        return rows
    lead = leads.best(rows, asked, now)
    # A long lead isn't all there is, and who sees a part may have nothing in its beginning.
    return led(rows, asked, lead, now) if lead and lead.short else rows.filter(has(asked, now))


def themselves(rows: RepositoryQuerySet, query: Query, now: datetime) -> RepositoryQuerySet:
    """The repositories that the terms hold for which aren't asked of tags."""
    for term in query.terms:
        if isinstance(term, Is) and term.about is Answer.UNTAGGED:
            loose = Revision.objects.held().filter(usage.untagged())
            holds = Q(pk__in=loose.values("repository"))
            rows = rows.filter(holds if term.holds else ~holds)
        elif not is_of_tags(term):
            rows = rows.filter(terms.turned(term, repository(term, now)))
    return rows


def of_tags(query: Query) -> Query:
    """The terms that have to hold for one and the same tag of a repository."""
    return Query(
        tuple(
            term
            for term in query.terms
            if is_of_tags(term) and not (isinstance(term, Is) and term.about is Answer.UNTAGGED)
        )
    )


def is_of_tags(term: Term) -> bool:
    """Whether a repository itself has no answer to a term, only its tags."""
    if isinstance(term, Text):
        return term.where is Where.TAG or (term.where is Where.ANY and terms.reference(term) is not None)
    return isinstance(term, Digest | Label | Is) or terms.about_pulls(term)


def led(rows: RepositoryQuerySet, query: Query, lead: leads.Lead, now: datetime) -> RepositoryQuerySet:
    """The repositories with a visible tag that every term holds for, of those a lead leads to."""
    found = tags(Tag.objects.visible().filter(lead.whole), lead.rest(query), now)
    return rows.filter(pk__in=found.order_by().values("repository"))


def has(query: Query, now: datetime) -> Q:
    """That a repository has a visible tag that every term holds for."""
    return Q(Exists(tags(Tag.objects.visible().filter(repository=OuterRef("pk")), query, now)))


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
            return usage.untagged() if term.yes else ~usage.untagged()
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
    # EXISTS, so that the database goes from manifests to repositories, not through all that these hold.
    return Revision.objects.held().filter(Exists(repositories.order_by().filter(pk=OuterRef("repository"))))
