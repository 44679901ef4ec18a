"""What each term of a query asks of rows, as a condition for the database."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeAlias

from django.db.models import Exists, F, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Concat, Replace
from django.db.models.lookups import Exact, IsNull

from regui.index import facts
from regui.index.models import Blob, BlobUse, Child, Manifest, Registry, Tag
from regui.index.search import like
from regui.index.search.query import (
    Age,
    Comparison,
    Date,
    Digest,
    Is,
    Label,
    Moment,
    Platform,
    Size,
    Term,
    Text,
    Type,
)

LOOKUPS = {
    Comparison.MORE: "gt",
    Comparison.LESS: "lt",
    Comparison.AT_LEAST: "gte",
    Comparison.AT_MOST: "lte",
}
# "Less than 90 days ago" is a later date.
TURNED = {"gt": "lt", "lt": "gt", "gte": "lte", "lte": "gte"}
NEVER = Q(pk__in=[])
Keys: TypeAlias = QuerySet[Any, Any]
# What bare digits may belong to.
ALGORITHMS = ("sha256", "sha512")
# The digits of the longest.
DIGITS = 128
# So many hexadecimal digits in a row are meant as a digest's, also without saying so.
TELLING = 7


def turned(term: Term, condition: Q) -> Q:
    """The condition, or its opposite when the term has a minus."""
    return ~condition if term.negated else condition


def named(field: str, text: Text) -> Q:
    """That a name holds that text, or is what the pattern describes."""
    pattern = like.glob(text.text) if text.glob else f"%{like.literal(text.text)}%"
    return Q(**{f"{field}__like": pattern})


def reference(text: Text) -> tuple[str, str] | None:
    """The patterns of a repository and a tag written as `repository:tag`; None for any other text."""
    before, colon, tag = text.text.rpartition(":")
    if not colon or "/" in tag:
        return None
    host, slash, rest = before.partition("/")
    repository = rest if slash and (host == "localhost" or any(sign in host for sign in ".:")) else before
    if text.glob:
        return like.glob(repository), like.glob(tag)
    return f"%{like.literal(repository)}", f"{like.literal(tag)}%"


def hexadecimal(text: Text, least: int = TELLING) -> Digest | None:
    """The digest whose beginning a word may be."""
    digits = text.text.lower()
    if text.glob or not least <= len(digits) <= 128 or set(digits) - set("0123456789abcdef"):
        return None
    return Digest(digits)


def begins(field: str, digest: Digest) -> Q:
    """That a digest begins like that."""
    found = Q()
    for span in spans(digest):
        found |= Q(**{f"{field}__range": span})
    return found


def spans(digest: Digest) -> list[tuple[str, str]]:
    """The first and the last digest that may begin like that, of each algorithm when it names none: with an
    even number of digits, for those that are kept as bytes."""
    first, last = digest.hex + "0" * (len(digest.hex) % 2), digest.hex.ljust(DIGITS, "f")
    algorithms = [digest.algorithm] if digest.algorithm else ALGORITHMS
    return [(f"{algorithm}:{first}", f"{algorithm}:{last}") for algorithm in algorithms]


def keys(model: type[Manifest] | type[Blob], digest: Digest) -> list[Keys]:
    """The keys of rows whose digest begins like that, one query an algorithm: an index serves ranges, not
    their alternatives. It begins with the registry, hence all of these by key."""
    registries = Registry.objects.order_by().values("pk")
    return [
        model._default_manager.filter(registry__in=registries, digest__range=span).values("pk")
        for span in spans(digest)
    ]


def manifests(digest: Digest) -> Keys:
    return union(keys(Manifest, digest))


def blobs(digest: Digest) -> Keys:
    return union(keys(Blob, digest))


def union(some: Sequence[Keys]) -> Keys:
    return some[0].union(*some[1:], all=True) if len(some) > 1 else some[0]


def using(digest: Digest, *, above: int) -> Keys:
    """The keys of manifests that have that digest or use a blob that has it, and of the indexes that contain
    these, so many levels up."""
    uses = [BlobUse.objects.filter(blob__in=one).order_by().values("manifest") for one in keys(Blob, digest)]
    level: list[Keys] = [*keys(Manifest, digest), *uses]
    found = level
    for _ in range(above):
        level = [Child.objects.filter(manifest__in=one).order_by().values("parent") for one in level]
        found = [*found, *level]
    return union(found)


def of_manifest(term: Label | Platform | Type | Size | Date, path: str, now: datetime) -> Q:
    """What a term asks of the manifest that this path leads to, such as `manifest__`; its minus aside."""
    match term:
        case Label():
            return labelled(f"{path}labels", term)
        case Platform():
            return runs_on(f"{path}platforms", term)
        case Type():
            return Q(**{f"{path}kind": term.kind})
        case Size():
            return Q(**{f"{path}size__{LOOKUPS[term.comparison]}": term.bytes})
        case Date():
            return dated(f"{path}created_at", term, now)


def at_all(term: Size | Date, now: datetime) -> Q:
    """What a size or date that a tag has to exceed asks of its repository, which is no smaller and no older
    than any of its tags; nothing where that isn't known."""
    if isinstance(term, Size):
        key, lookup, least = "size_key", LOOKUPS[term.comparison], term.bytes
    else:
        lookup, moment = since(term, now)
        key, least = "changed_key", int(moment.timestamp())
    return Q(**{f"{key}__gte": least}) | Q(**{f"{key}__lt": 0}) if lookup.startswith("gt") else Q()


def labelled(field: str, label: Label) -> Q:
    """That the label is there, with that value if one is given."""
    if '"' in label.key or "\\" in label.key:
        return NEVER  # no path of SQLite's can say that
    value = KeyTextTransform(label.key, field)
    if label.value is None:
        return Q(IsNull(value, False))
    # Not unknown where there is none, or its opposite would be unknown too.
    return Q(IsNull(value, False)) & Q(Exact(Cast(value, TextField()), Value(label.value)))


def runs_on(field: str, platform: Platform) -> Q:
    """That a list of platforms, as JSON, has one with these parts in a row."""
    # Not unknown where there is none, or its opposite would be unknown too.
    return one_of(Coalesce(Cast(F(field), TextField()), Value("")), platform)


def one_of(whole: Cast | Coalesce, platform: Platform) -> Q:
    """That a text which is a list of platforms in JSON has one like that."""
    name = like.literal(platform.name)
    found = Q()
    for before, after in (('"', '"'), ('"', "/"), ("/", "/"), ("/", '"')):
        found |= Q(like.Like(whole, Value(f"%{before}{name}{after}%")))
    return found


def dated(field: str, term: Date, now: datetime) -> Q:
    """That a date compares like that."""
    lookup, moment = since(term, now)
    return Q(**{f"{field}__{lookup}": moment})


def since(term: Date, now: datetime) -> tuple[str, datetime]:
    """The lookup and the moment that a comparison with a date comes to. A day is meant whole: what is later
    begins with the next one."""
    lookup = LOOKUPS[term.comparison]
    if isinstance(term.than, Age):
        return TURNED[lookup], term.than.before(now)
    day = datetime.combine(term.than, time(), tzinfo=UTC)
    over = term.comparison in (Comparison.MORE, Comparison.AT_MOST) and term.than < date.max
    return ("gte" if lookup.startswith("gt") else "lt"), day + timedelta(days=1) if over else day


def by_key(term: Size | Date, now: datetime) -> Q:
    """What a size or the date of creation asks of a tag, in the keys that tags are put in order by: an index
    has them, and no manifest need be looked at. A key below zero is no number."""
    if isinstance(term, Size):
        return Q(size_key__gte=0) & Q(**{f"size_key__{LOOKUPS[term.comparison]}": term.bytes})
    lookup, moment = since(term, now)
    # Keys are whole seconds, and whoever asks means no less.
    return Q(created_key__gte=0) & Q(**{f"created_key__{lookup}": int(moment.timestamp())})


def signed(term: Is) -> Q:
    """Of a tag or a revision: that a signature lies beside its manifest, as a referrer or by cosign's tag."""
    referrer = Manifest.objects.filter(
        signature(),
        registry=OuterRef("manifest__registry"),
        subject=OuterRef("manifest__digest"),
        revisions__repository=OuterRef("repository"),
        revisions__gone_at=None,
    ).exclude(subject="")
    name = Concat(Replace(OuterRef("manifest__digest"), Value(":"), Value("-")), Value(".sig"))
    companion = Tag.objects.listed().filter(repository=OuterRef("repository"), name=name)
    found = Q(Exists(companion)) | Q(Exists(referrer))
    return found if term.yes else ~found


def signature() -> Q:
    """Of a manifest: that it is a signature by its type."""
    words = Q()
    for word in facts.ROLES["signature"]:
        words |= Q(artifact_type__icontains=word)
    return words


def pulled(term: Is | Date, now: datetime) -> Q:
    """Of a tag: that a pull is known, or when the last was."""
    if isinstance(term, Is):
        return Q(pulled_at__isnull=not term.yes)
    return dated("pulled_at", term, now)


def about_pulls(term: Term) -> bool:
    return isinstance(term, Date) and term.moment is Moment.PULLED
