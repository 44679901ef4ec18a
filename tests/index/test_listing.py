"""Listings as rows: who comes, who leaves, and when nobody does."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from pytest_django import DjangoAssertNumQueries

from regui.index import listing
from regui.index.models import Registry, Repository, Tag
from tests import factories
from tests.factories import NOW

LATER = NOW + timedelta(minutes=5)


def follow(repository: Repository, names: Iterable[str], minutes: int = 5) -> set[int]:
    return listing.tags([listing.Listing(repository, list(names), NOW + timedelta(minutes=minutes))])


def listed(repository: Repository) -> set[str]:
    return set(repository.tags.listed().values_list("name", flat=True))


@pytest.mark.django_db
class TestTags:
    def test_tags_that_are_no_longer_listed_leave_and_keep_their_row(self) -> None:
        repository = factories.repository()
        factories.tags(repository, ["1", "2"])

        assert follow(repository, ["2", "3"])
        assert listed(repository) == {"2", "3"}
        assert repository.tags.get(name="1").gone_at == LATER
        assert repository.listed_at == LATER

    def test_a_tag_that_comes_back_is_read_again(self) -> None:
        repository = factories.repository()
        factories.tags(repository, ["1"])
        follow(repository, [])
        follow(repository, ["1"], minutes=6)

        tag = repository.tags.get()
        assert (tag.gone_at, tag.seen_at, tag.manifest) == (None, None, None)

    def test_nothing_changes_when_nothing_changed(self) -> None:
        repository = factories.repository()
        factories.tags(repository, ["1", "2"])

        assert not follow(repository, ["2", "1"])

    def test_a_tag_someone_saw_since_the_listing_began_stays(self) -> None:
        repository = factories.repository()
        factories.tag(repository, "new", first_seen_at=LATER + timedelta(seconds=1))
        seen = factories.tags(repository, ["seen"])[0]
        Tag.objects.filter(pk=seen.pk).update(seen_at=LATER + timedelta(seconds=1))

        follow(repository, [])
        assert listed(repository) == {"new", "seen"}

    def test_a_listing_that_was_overtaken_says_nothing(self) -> None:
        repository = factories.repository()
        follow(repository, ["1"], minutes=5)
        follow(repository, [], minutes=4)

        assert listed(repository) == {"1"}

    def test_tags_clients_keep_for_themselves_are_folded(self) -> None:
        repository = factories.repository()
        name = "sha256-" + "a" * 64
        follow(repository, ["1", name, f"{name}.sig", f"{name}.att", f"{name}.other"])

        assert set(repository.tags.visible().values_list("name", flat=True)) == {"1", f"{name}.other"}

    def test_names_outside_the_grammar_are_left_out(self) -> None:
        repository = factories.repository()
        follow(repository, ["ok", "", "-no", "a/b", "x" * 129, "né", "a\0b"])

        assert listed(repository) == {"ok"}

    def test_a_first_listing_gives_a_repository_its_row(self) -> None:
        fresh = Repository(registry=factories.registry(), name="new/one", first_seen_at=NOW)
        follow(fresh, ["1"])

        assert Repository.objects.get(name="new/one").pk == fresh.pk

    def test_many_repositories_take_as_many_queries_as_one(
        self, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        rows = [factories.repository(f"team/{n}") for n in range(50)]
        for row in rows:
            follow(row, ["1", "2"], minutes=1)

        with django_assert_max_num_queries(4):
            listing.tags([listing.Listing(row, ["1", "2"], LATER) for row in rows])


@pytest.mark.django_db
class TestRepositories:
    def names(self, registry: Registry) -> set[str]:
        return set(registry.repositories.listed().values_list("name", flat=True))

    def catalog(self, names: Iterable[str], *, complete: bool = True) -> listing.Catalog:
        return listing.repositories(factories.registry(), names, LATER, complete=complete)

    def test_repositories_leave_after_a_complete_catalog(self) -> None:
        for name in "abcd":
            factories.repository(name)

        assert self.catalog(["a", "b", "c", "e"]) == listing.Catalog(new=1, gone=1)
        assert self.names(factories.registry()) == {"a", "b", "c", "e"}

    def test_none_leaves_after_half_a_catalog(self) -> None:
        factories.repository("a")

        self.catalog(["b"], complete=False)
        assert self.names(factories.registry()) == {"a", "b"}

    @pytest.mark.parametrize("left", [[], ["a"]])
    def test_none_leaves_when_the_catalog_lost_more_than_half(self, left: list[str]) -> None:
        for name in "abcd":
            factories.repository(name)

        found = self.catalog(left)
        registry = factories.registry()
        assert found.gone == 0
        assert "kept" in found.suspicious
        assert registry.problem == found.suspicious
        assert self.names(registry) == set("abcd")

        self.catalog("abcd")
        registry.refresh_from_db()
        assert registry.problem == ""

    def test_a_repository_opened_since_stays(self) -> None:
        for name in "abc":
            factories.repository(name)
        factories.repository("new", first_seen_at=LATER + timedelta(seconds=1))

        self.catalog("abc")
        assert "new" in self.names(factories.registry())

    def test_names_outside_the_grammar_are_left_out(self) -> None:
        self.catalog(["ok/a", "No Way", "../x", "a" * 256, ""])
        assert self.names(factories.registry()) == {"ok/a"}


class TestAnyHistory(TestCase):
    @settings(max_examples=25, deadline=None)
    @given(histories=st.lists(st.sets(st.sampled_from("abcdef")), min_size=1, max_size=5))
    def test_after_each_listing_exactly_its_names_are_listed(self, histories: list[set[str]]) -> None:
        repository = factories.repository()
        for minutes, names in enumerate(histories, start=1):
            follow(repository, names, minutes)
            assert listed(repository) == names
        assert set(repository.tags.values_list("name", flat=True)) == set().union(*histories)
