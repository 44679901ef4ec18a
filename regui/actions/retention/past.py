"""What isn't in a tag's row and yet tells how old, how used and of what kind it is: its moves, its pulls, and
its image's labels. Each is read for some repositories at once, and laid over the tags that it is about."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from django.db.models import BigIntegerField, Case, Func, Max, OuterRef, Subquery, When

from regui.index import models, record
from regui.index.batches import batches
from regui.index.models import Child, Manifest, PullCount, Registry, TagMove
from regui.retention.tags import Half, Tag


class Number(Func):
    """A whole number as the database gives it. Django would have each go through `int`, of a million a
    second's work."""

    output_field = BigIntegerField()

    @property
    def convert_value(self) -> Any:
        return self._convert_value_noop  # type: ignore[attr-defined]  # the stubs don't know it


class Seconds(Number):
    """A moment in whole seconds since 1970."""

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # The sign for seconds, %s, as it must be written to come through two rounds of formatting.
        template = "CAST(STRFTIME('%%%%s', %(expressions)s) AS INTEGER)"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "CAST(FLOOR(EXTRACT(EPOCH FROM %(expressions)s)) AS BIGINT)"
        return self.as_sql(compiler, connection, template=template, **context)


class Plain(Number):
    """A number as it stands there."""

    template = "%(expressions)s"


class From(Number):
    """A number that is at least `least`; else nothing."""

    template = "CASE WHEN %(expressions)s >= %(least)s THEN %(expressions)s END"


class Nothing(Number):
    """No value, where a column is to be."""

    template = "NULL"


def missing(prefix: str = "") -> Number:
    """1 where a manifest was never read."""
    return Plain(Case(When(**{f"{prefix}read_at": None}, then=1)))


@dataclass(frozen=True)
class Moves:
    """When tags last came to what they are on. `pushed` says when somebody pushed there, for those of which
    an event or an action told: by name and digest, in each repository by key."""

    last: Mapping[int, Mapping[str, int]]
    pushed: Mapping[int, Mapping[tuple[str, int], int]]

    @classmethod
    def of(cls, registry: Registry, places: Mapping[int, str], *, pushed: bool) -> Self:
        keys = {name: key for key, name in places.items()}
        moves = TagMove.objects.filter(registry=registry.name, repository__in=list(keys)).order_by()
        last: dict[int, dict[str, int]] = defaultdict(dict)
        for repository, tag, at in moves.values_list("repository", "tag").annotate(at=Seconds(Max("at"))):
            last[keys[repository]][tag] = at
        return cls(last, cls.told(registry, keys, last) if pushed else {})

    @staticmethod
    def told(
        registry: Registry, keys: Mapping[str, int], last: Mapping[int, Mapping[str, int]]
    ) -> dict[int, dict[tuple[str, int], int]]:
        """Of the last moves those that were told, not noticed by a crawl, when the tag had moved already."""
        told = TagMove.objects.filter(registry=registry.name, repository__in=list(keys)).order_by()
        told = told.exclude(how=TagMove.How.CRAWL).exclude(after="")
        rows = told.values_list("repository", "tag", "after").annotate(at=Seconds(Max("at")))
        newest = [
            (keys[repository], tag, after, at)
            for repository, tag, after, at in rows
            if last[keys[repository]][tag] == at
        ]
        manifests = record.keys(registry, {after for _, _, after, _ in newest})
        found: dict[int, dict[tuple[str, int], int]] = defaultdict(dict)
        for key, tag, after, at in newest:
            if after in manifests:
                found[key][tag, manifests[after]] = at
        return found

    def lay(self, key: int, tags: list[Tag]) -> None:
        """A tag was first seen on what it is on when it last moved; before that it was another image's."""
        last, pushed = self.last.get(key, {}), self.pushed.get(key, {})
        if not last:
            return
        for place, tag in enumerate(tags):
            at = last.get(tag.name)
            if at is not None:
                tags[place] = tag._replace(
                    first_seen=max(at, tag.first_seen or 0),
                    pushed=pushed.get((tag.name, tag.manifest or 0)),
                )


@dataclass(frozen=True)
class Pulls:
    """When what was last pulled, in each repository by key: tags by name, and manifests by key, be it by
    digest or by another tag. An index is pulled, too, where one of its children is by its own digest."""

    tags: Mapping[int, Mapping[str, int]]
    manifests: Mapping[int, Mapping[int, int]]

    @classmethod
    def of(cls, registry: Registry, places: Mapping[int, str], listed: Mapping[int, Sequence[Tag]]) -> Self:
        keys = {name: key for key, name in places.items()}
        counts = PullCount.objects.filter(registry=registry.name, repository__in=list(keys)).order_by()
        manifest = Manifest.objects.filter(registry=registry.pk, digest=OuterRef("digest"))
        rows = counts.values_list("repository", "tag", "digest").annotate(
            at=Seconds(Max("last_at")), manifest=Subquery(manifest.values("pk"))
        )
        tags: dict[int, dict[str, int]] = defaultdict(dict)
        manifests: dict[int, dict[int, int]] = defaultdict(dict)
        for repository, tag, _, at, manifest_key in rows:
            key = keys[repository]
            if tag:
                later(tags[key], tag, at)
            if manifest_key is not None:
                later(manifests[key], manifest_key, at)
        cls.raised(manifests, listed)
        return cls(tags, manifests)

    @staticmethod
    def raised(manifests: Mapping[int, dict[int, int]], listed: Mapping[int, Sequence[Tag]]) -> None:
        """Let what is pulled count for the indexes that contain it, where no tag is on it itself."""
        inside: dict[int, set[int]] = {
            key: set(pulled) - {tag.manifest for tag in listed.get(key, ())}
            for key, pulled in manifests.items()
        }
        parents: dict[int, list[int]] = defaultdict(list)
        for some in batches(set().union(*inside.values())):
            for child, parent in Child.objects.filter(manifest__in=some).values_list(
                "manifest_id", "parent_id"
            ):
                parents[child].append(parent)
        for key, children in inside.items():
            for child in children:
                for parent in parents.get(child, ()):
                    later(manifests[key], parent, manifests[key][child])

    def lay(self, key: int, tags: list[Tag]) -> None:
        names, manifests = self.tags.get(key, {}), self.manifests.get(key, {})
        if not names and not manifests:
            return
        for place, tag in enumerate(tags):
            by_name, by_image = names.get(tag.name), manifests.get(tag.manifest or 0)
            if by_name is not None or by_image is not None:
                tags[place] = tag._replace(pulled=max(by_name or 0, by_image or 0, tag.pulled or 0))


def later(found: dict[Any, int], key: Any, at: int) -> None:
    """Keep the later of two moments."""
    found[key] = max(at, found.get(key, at))


@dataclass(frozen=True)
class Labels:
    """The labels and annotations of manifests by key; of an index also those of its children, where it says
    nothing else. They are `Half` where one of these was never read."""

    manifests: Mapping[int, Mapping[str, str]]

    @classmethod
    def of(cls, places: Collection[int]) -> Self:
        """Those of what tags of these repositories are on."""
        tags = models.Tag.objects.visible().filter(repository__in=list(places))
        on = tags.exclude(manifest=None).values("manifest")
        found: dict[int, Mapping[str, str]] = {}
        half = set()
        children = Child.objects.filter(parent__in=on).order_by("position")
        for pk, labels, unread in children.values_list(
            "parent_id", "manifest__labels", missing("manifest__")
        ):
            if labels:
                found[pk] = {**labels, **found.get(pk, {})}
            if unread:
                half.add(pk)
        for pk, labels, unread in Manifest.objects.filter(pk__in=on).values_list("pk", "labels", missing()):
            if labels:
                found[pk] = {**found[pk], **labels} if pk in found else labels
            if unread:
                half.add(pk)
        return cls(found | {pk: Half(found.get(pk, {})) for pk in half})

    def lay(self, key: int, tags: list[Tag]) -> None:
        for place, tag in enumerate(tags):
            labels = self.manifests.get(tag.manifest or 0)
            if labels is not None:
                tags[place] = tag._replace(labels=labels)
