"""Listings as rows: who comes, who leaves, and when nobody does."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from pytest_django import DjangoAssertNumQueries

from regui.index import history, listing, record
from regui.index.models import Registry, Repository, Tag
from tests import factories
from tests.factories import NOW

LATER = NOW + timedelta(minutes=5)


def follow(
    repository: Repository, names: Iterable[str], minutes: int = 5, *, believe: bool = True
) -> set[int]:
    one = listing.Listing(repository, list(names), NOW + timedelta(minutes=minutes))
    return listing.tags([one], believe=believe)


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
        assert (tag.gone_at, tag.missed, tag.seen_at) == (None, 0, None)
        assert tag.manifest, "what it was on is needed to tell whether it moved"

    def test_a_second_listing_without_it_buries_a_tag(self) -> None:
        repository = factories.repository()
        tag = factories.tags(repository, ["1", "2", "3"])[0]
        follow(repository, ["2", "3"], believe=False)
        assert not history.of_tag(repository, "1").exists()
        follow(repository, ["2", "3"], minutes=6, believe=False)

        assert set(repository.tags.values_list("name", flat=True)) == {"2", "3"}
        move = history.of_tag(repository, "1").get()
        assert tag.manifest
        assert (move.before, move.after, move.at) == (tag.manifest.digest, "", LATER)

    @pytest.mark.parametrize("left", [[], ["1"]])
    def test_nothing_leaves_when_most_is_suddenly_missing(self, left: list[str]) -> None:
        repository = factories.repository()
        factories.tags(repository, ["1", "2", "3"])
        for minutes in (5, 6, 7):
            follow(repository, left, minutes, believe=False)
            assert listed(repository) == {"1", "2", "3"}
            assert "kept" in repository.doubt

        follow(repository, ["1", "2", "3"], 8, believe=False)
        assert repository.doubt == ""
        follow(repository, left, 9)
        assert listed(repository) == set(left)

    def test_what_was_known_to_be_gone_is_no_reason_to_doubt(self) -> None:
        repository = factories.repository()
        tags = factories.tags(repository, ["1", "2", "3"])
        for tag in tags[:2]:
            assert tag.manifest
            record.deleted(repository, tag.manifest.digest, NOW)
        follow(repository, ["3"], believe=False)

        assert repository.doubt == ""
        assert listed(repository) == {"3"}

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
        assert registry.doubt == found.suspicious
        assert self.names(registry) == set("abcd")

        self.catalog("abcd")
        registry.refresh_from_db()
        assert registry.doubt == ""

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
        # One listing's time they stay, marked.
        assert set(repository.tags.values_list("name", flat=True)) == set().union(*histories[-2:])
