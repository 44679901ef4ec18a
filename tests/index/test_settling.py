"""Sums over several repositories: compared with the plainest way to count them, on any registry."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from regui.index import graph, usage
from regui.index.models import (
    BlobUse,
    Layer,
    Manifest,
    Namespace,
    Registry,
    Repository,
    Revision,
    Storage,
    Tag,
)
from tests import factories
from tests.factories import NOW

LAYERS = {f"layer {n}": 2**n for n in range(7)}
NAMES = ("team/app", "team/deep/web", "other/app", "solo")
EXAMPLES = 500 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 25


@dataclass(frozen=True)
class Made:
    """How one manifest is drawn: an index when it has children, numbers of those before it; about another
    when it has a subject; in these repositories, and with these tags."""

    layers: frozenset[str]
    children: tuple[int, ...]
    missing: bool
    subject: int | None
    holders: frozenset[int]
    tags: tuple[tuple[int, bool, bool], ...]


manifests = st.builds(
    Made,
    layers=st.frozensets(st.sampled_from(sorted(LAYERS)), min_size=1),
    children=st.one_of(st.just(()), st.lists(st.integers(0, 20), min_size=1, max_size=3).map(tuple)),
    missing=st.booleans(),
    subject=st.one_of(st.none(), st.integers(0, 20)),
    holders=st.frozensets(st.integers(0, 3), max_size=2),
    tags=st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.booleans()), max_size=3).map(tuple),
)


def build(drawn: Iterable[Made], gone: set[int]) -> Registry:
    """The registry's rows, as if each tag had been read."""
    registry = factories.registry()
    repositories = [
        factories.repository(name, gone_at=NOW if number in gone else None)
        for number, name in enumerate(NAMES)
    ]
    made: list[Manifest] = []
    for number, one in enumerate(drawn):
        home = repositories[min(one.holders, default=0)]
        row = factories.manifest(
            home,
            layers={} if one.children and made else {name: LAYERS[name] for name in one.layers},
            subject=made[one.subject % len(made)].digest if one.subject is not None and made else "",
            kind=Manifest.Kind.INDEX if one.children and made else Manifest.Kind.IMAGE,
        )
        if not one.holders:
            Revision.objects.filter(manifest=row).delete()
        for holder in sorted(one.holders)[1:]:
            factories.hold(repositories[holder], row)
        if one.children and made:
            below = list({made[child % len(made)].pk for child in one.children})
            if one.missing:
                digest = factories.digest(f"missing {number}")
                below.append(Manifest.objects.create(registry=registry, digest=digest).pk)
            for position, child in enumerate(sorted(below)):
                row.children.create(manifest_id=child, position=position)
            usage.roll_up([row.pk])
        made.append(row)
        for nth, (where, folded, left) in enumerate(one.tags):
            factories.tag(
                repositories[where],
                f"t{number}-{nth}",
                row,
                folded=folded,
                gone_at=NOW if left else None,
            )
            Revision.objects.get_or_create(
                repository=repositories[where], manifest=row, defaults={"first_seen_at": NOW}
            )
    for repository in repositories:
        usage.total(repository)
    return registry


def below(rows: Iterable[int]) -> set[int]:
    """These manifests and all they contain."""
    found, todo = set[int](), list(rows)
    while todo:
        pk = todo.pop()
        if pk not in found:
            found.add(pk)
            todo += Manifest.objects.get(pk=pk).children.values_list("manifest_id", flat=True)
    return found


def blobs(rows: Iterable[int]) -> dict[int, int]:
    used = BlobUse.objects.filter(manifest__in=below(rows))
    return {use.blob_id: use.blob.size or 0 for use in used}


def on(tags: Iterable[Tag]) -> list[int]:
    return [tag.manifest_id for tag in tags if tag.manifest_id]


class TestAnyRegistry(TestCase):
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(drawn=st.lists(manifests, max_size=8), gone=st.sets(st.integers(0, 3), max_size=1))
    def test_sums_are_what_counting_by_hand_gives(self, drawn: list[Made], gone: set[int]) -> None:
        registry = build(drawn, gone)
        storage = usage.settle_now(registry)

        listed = list(Repository.objects.listed())
        reached = {row.pk: blobs(on(row.tags.listed())) for row in listed}
        visible = {row.pk: blobs(on(row.tags.visible())) for row in listed}
        for row in listed:
            others = set().union(*(found for pk, found in reached.items() if pk != row.pk))
            own = {blob: size for blob, size in visible[row.pk].items() if blob not in others}
            assert row.unique_size == (None if row.size is None else sum(own.values()))
            if row.size is not None:
                assert row.size == sum(visible[row.pk].values())
        for space in Namespace.objects.all():
            inside = [row for row in listed if usage.namespace(row.name) == space.name]
            assert space.size == sum(union(visible[row.pk] for row in inside).values())
            assert space.repositories == len(inside)
        everything = union(reached.values())
        assert storage.tagged == sum(everything.values())
        held = Revision.objects.held().filter(repository__in=listed).values_list("manifest_id", flat=True)
        tagged = below(on(Tag.objects.listed().filter(repository__in=listed)))
        digests = set(Manifest.objects.filter(pk__in=tagged).values_list("digest", flat=True))
        untagged = [row for row in Manifest.objects.filter(pk__in=held) if row.pk not in tagged]
        attached = blobs(row.pk for row in untagged if row.subject in digests) | everything
        everywhere = blobs(row.pk for row in untagged) | everything
        assert storage.size == sum(everywhere.values())
        assert storage.loose == storage.size - sum(attached.values())
        for layer in Layer.objects.all():
            blob = registry.blobs.get(digest=layer.digest)
            holding = sorted(row.name for row in listed if blob.pk in reached[row.pk])
            assert (layer.repositories, layer.names) == (len(holding), holding)
        assert Layer.objects.count() == len(everything)
        assert not usage.settle(registry), "nothing is left to do"

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(drawn=st.lists(manifests, min_size=1, max_size=8), number=st.integers(0, 7))
    def test_what_only_a_digest_needs_is_what_counting_by_hand_gives(
        self, drawn: list[Made], number: int
    ) -> None:
        registry = build(drawn, set())
        rows = list(registry.manifests.exclude(read_at=None).order_by("pk"))
        row = rows[number % len(rows)]
        repository = Repository.objects.filter(revisions__manifest=row).order_by("pk").first()
        if repository is None:
            return
        found = graph.only_here(repository, row)

        # By hand: take the revision, the tags and the children that nothing leads to away, and look again.
        going = {row.pk} | {child.pk for child in graph.left_behind(repository, row)}
        elsewhere = Revision.objects.held().exclude(repository=repository)
        # What another repository holds keeps what it contains, asked for there or not.
        stay = below(elsewhere.values_list("manifest_id", flat=True))
        if row.pk in stay:
            assert found == 0
            return
        going -= stay
        lying = set(Revision.objects.held().exclude(manifest__in=going).values_list("manifest_id", flat=True))
        kept = used(inside(lying, going))
        assert found == sum(size for blob, size in used(going).items() if blob not in kept)


def inside(rows: Iterable[int], without: set[int]) -> set[int]:
    """All that these manifests contain, themselves too, not looking into some."""
    found, todo = set[int](), list(rows)
    while todo:
        pk = todo.pop()
        if pk not in found and pk not in without:
            found.add(pk)
            todo += Manifest.objects.get(pk=pk).children.values_list("manifest_id", flat=True)
    return found


def used(rows: Iterable[int]) -> dict[int, int]:
    return {
        use.blob_id: use.blob.size or 0
        for use in BlobUse.objects.filter(manifest__in=rows).select_related("blob")
    }


def union(found: Iterable[dict[int, int]]) -> dict[int, int]:
    return {blob: size for one in found for blob, size in one.items()}


@pytest.mark.django_db
class TestWhen:
    def test_nothing_is_done_where_nothing_changed(self) -> None:
        repository = factories.repository()
        factories.tags(repository, ["1"])
        usage.total(repository)
        assert usage.settle(repository.registry)
        assert not usage.settle(repository.registry)

        repository.refresh_from_db()
        assert (repository.unique_size, repository.shared_size, repository.unsettled_at) == (1000, 0, None)

    def test_a_change_is_settled_once_the_last_pass_has_paid_off(self) -> None:
        repository = factories.repository()
        usage.total(repository)
        usage.settle(repository.registry)
        usage.total(repository)
        Storage.objects.update(seconds=1000)
        assert not usage.settle(repository.registry)

        Storage.objects.update(seconds=0)
        assert usage.settle(repository.registry)

    def test_a_repository_without_a_size_has_none_of_its_own_either(self) -> None:
        repository = factories.repository()
        factories.tags(repository, ["1"])
        factories.tag(repository, "unread")
        usage.total(repository)
        usage.settle(repository.registry)

        repository.refresh_from_db()
        assert (repository.unique_size, repository.shared_size) == (None, None)
        assert repository.registry.storage.unsized == 1
