"""Sums over some of a registry's repositories."""

import pytest

from regui.index import sums
from regui.index.models import Manifest, Repository
from tests import factories

pytestmark = pytest.mark.django_db


def test_sums_are_those_of_these_repositories_alone() -> None:
    factories.repository("team/app", size=2_000, tag_count=3, kind=Manifest.Kind.IMAGE)
    factories.repository("team/web", size=3_000, tag_count=0, kind=Manifest.Kind.HELM)
    factories.repository("team/new", tag_count=None)
    factories.repository("solo", size=500, tag_count=1)
    factories.repository("secret/vault", size=70_000, tag_count=11, kind=Manifest.Kind.INDEX)
    some = Repository.objects.exclude(name__startswith="secret/")

    assert sums.of(some) == sums.Sums(repositories=4, empty=1, unread=1, unsized=1, tags=4, size=5_500)
    assert sums.spaces(some, 5) == [sums.Space("team", size=5_000, repositories=3, tags=3)]
    assert sums.fullest(some, 5) == ["team"]
    assert sums.kinds(some) == ["helm", "image"]


def test_nothing_comes_to_nothing() -> None:
    nothing = Repository.objects.all()
    assert sums.of(nothing) == sums.Sums(0, 0, 0, 0, 0, 0)
    assert sums.spaces(nothing, 5) == []
    assert sums.kinds(nothing) == []


def test_of_many_namespaces_the_fullest_and_the_largest_are_told() -> None:
    for number in range(6):
        for at in range(number + 1):
            factories.repository(f"n{number}/{at}", size=100 * (10 - number), tag_count=1)
    every = Repository.objects.all()
    assert sums.fullest(every, 2) == ["n4", "n5"]
    assert [space.name for space in sums.spaces(every, 2)] == ["n4", "n5"]
    assert sums.spaces(every, 1)[0].size == 3_000


def test_sizes_that_are_beyond_all_reason_end_no_page() -> None:
    for number in range(3):
        factories.repository(f"team/{number}", size=2**62, tag_count=1)
    assert sums.of(Repository.objects.all()).size >= 3 * 2**62
