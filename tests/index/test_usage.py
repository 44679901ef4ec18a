"""Sizes: compared with the plainest way to compute them."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from regui.index import graph, usage
from regui.index.models import Manifest, Repository, Revision
from tests import factories
from tests.factories import NOW

SIZES = {f"layer {n}": 10**n for n in range(6)}


def below(row: Manifest) -> set[Manifest]:
    """A manifest and all it contains, one row after the other."""
    found = {row}
    for line in row.children.all():
        found |= below(line.manifest)
    return found


def brute(rows: Iterable[Manifest]) -> int:
    """The bytes of all that these manifests reach."""
    blobs = {use.blob for row in rows for one in below(row) for use in one.blob_uses.all()}
    return sum(blob.size or 0 for blob in blobs)


class TestAnyRegistry(TestCase):
    @settings(max_examples=30, deadline=None)
    @given(
        images=st.lists(st.sets(st.sampled_from(sorted(SIZES))), min_size=1, max_size=5),
        indexes=st.lists(st.lists(st.integers(0, 20), min_size=1, max_size=3), max_size=3),
        tagged=st.sets(st.integers(0, 7)),
        folded=st.booleans(),
    )
    def test_sums_are_what_counting_by_hand_gives(
        self, images: list[set[str]], indexes: list[list[int]], tagged: set[int], folded: bool
    ) -> None:
        repository = factories.repository()
        made = [
            factories.manifest(repository, layers={name: SIZES[name] for name in layers}) for layers in images
        ]
        for children in indexes:  # of what was made before: images and other indexes
            chosen = {made[number % len(made)] for number in children}
            made.append(factories.index(repository, sorted(chosen, key=lambda row: row.pk)))
        on = [row for number, row in enumerate(made) if number in tagged]
        for number, row in enumerate(on):
            factories.tag(repository, f"t{number}", row, folded=folded and number == 0)
        usage.total(repository)

        for row in made:
            row.refresh_from_db()
            assert row.size == brute([row])
        assert repository.size == brute(on[folded:])
        assert repository.tag_count == len(on[folded:])
        alone = made[0]
        others = [row for row in made if row != alone]
        kept = {use.blob_id for row in others for use in row.blob_uses.all()}
        own = {use.blob for use in alone.blob_uses.all() if use.blob_id not in kept}
        assert usage.exclusive([alone.pk]) == sum(blob.size or 0 for blob in own)


def freed(repository: Repository, row: Manifest) -> int:
    """The bytes that deleting a manifest could free, by looking at everything: what no tag leads to any more
    goes with it, what lies in another repository stays, and so does all that anything left there needs."""
    held = [(one.repository, one.manifest) for one in Revision.objects.all()]
    elsewhere = closure(one for where, one in held if where != repository)
    if row in elsewhere:
        return 0
    tags = repository.tags.exclude(manifest=row).select_related("manifest")
    kept = closure(tag.manifest for tag in tags if tag.manifest) | elsewhere
    doomed = ({row} | below(row)) - (kept - {row})
    left = closure(one for _, one in held if one not in doomed) - doomed
    blobs = [{use.blob for one in some for use in one.blob_uses.all()} for some in (doomed, left)]
    return sum(blob.size or 0 for blob in blobs[0] - blobs[1])


def closure(rows: Iterable[Manifest]) -> set[Manifest]:
    """These manifests and all they contain."""
    return {one for row in rows for one in below(row)}


class TestOnlyHere(TestCase):
    @settings(max_examples=12, deadline=None)
    @given(
        images=st.lists(st.sets(st.sampled_from(sorted(SIZES))), min_size=1, max_size=5),
        indexes=st.lists(st.lists(st.integers(0, 20), min_size=1, max_size=3), max_size=3),
        tagged=st.sets(st.integers(0, 7)),
        elsewhere=st.sets(st.integers(0, 7), max_size=2),
    )
    def test_what_is_only_here_is_what_a_delete_could_free(
        self, images: list[set[str]], indexes: list[list[int]], tagged: set[int], elsewhere: set[int]
    ) -> None:
        repository, other = factories.repository(), factories.repository("other")
        made = [
            factories.manifest(repository, layers={name: SIZES[name] for name in layers}) for layers in images
        ]
        for children in indexes:
            chosen = {made[number % len(made)] for number in children}
            made.append(factories.index(repository, sorted(chosen, key=lambda row: row.pk)))
        for number, row in enumerate(made):
            if number in tagged:
                factories.tag(repository, f"t{number}", row)
                factories.tag(repository, f"also-{number}", row)
            if number in elsewhere:
                factories.hold(other, row)

        for row in made:
            assert graph.only_here(repository, row) == freed(repository, row)


@pytest.mark.django_db
class TestRepository:
    @pytest.fixture
    def repository(self) -> Repository:
        return factories.repository()

    def test_an_unread_tag_leaves_size_and_date_unknown(self, repository: Repository) -> None:
        factories.tags(repository, ["1"])
        factories.tag(repository, "2")
        usage.total(repository)

        assert (repository.tag_count, repository.size, repository.changed_at) == (2, None, None)

    def test_a_broken_tag_counts_but_hides_nothing(self, repository: Repository) -> None:
        factories.tags(repository, ["1"])
        factories.tag(repository, "2", seen_at=NOW, problem="…")
        usage.total(repository)

        assert (repository.tag_count, repository.size, repository.changed_at) == (2, 1000, NOW)

    def test_an_empty_repository_holds_nothing(self, repository: Repository) -> None:
        usage.total(repository)

        assert (repository.tag_count, repository.size, repository.changed_at) == (0, 0, None)
        assert (repository.platforms, repository.kind, repository.description) == ([], "", "")

    def test_the_newest_image_describes_the_repository(self, repository: Repository) -> None:
        label = "org.opencontainers.image.description"
        for days, text in enumerate(["new\n and   shiny", "old"]):
            row = factories.manifest(
                repository,
                created_at=NOW - timedelta(days=days),
                labels={label: text},
                kind=Manifest.Kind.HELM if days else Manifest.Kind.IMAGE,
            )
            factories.tag(repository, f"{days}", row)
        usage.total(repository)

        repository.refresh_from_db()
        assert (repository.description, repository.kind) == ("new and shiny", Manifest.Kind.IMAGE)
        assert repository.changed_at == NOW

    def test_platforms_come_most_common_first(self, repository: Repository) -> None:
        for number, platforms in enumerate([["linux/arm64"], ["linux/amd64", "linux/arm64"], []]):
            factories.tag(repository, f"{number}", factories.manifest(repository, platforms=platforms))
        usage.total(repository)

        assert repository.platforms == ["linux/arm64", "linux/amd64"]
