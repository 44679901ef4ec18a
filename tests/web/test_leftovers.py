"""What a repository holds beside its tags."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from regui.index.models import Repository
from tests import factories
from tests.factories import digest
from tests.people import ASKING
from tests.web.conftest import Visitor

PAGE = "/main/team/app/"


@pytest.fixture
def app(db: None) -> Repository:
    """An index with two children and one manifest, tagged; an artifact about it; and one that lost its
    tag."""
    now = timezone.now()
    factories.registry(listed_at=now)
    repository = factories.repository("team/app", listed_at=now, tried_at=now, tag_count=2)
    parts = [factories.manifest(repository, "amd64"), factories.manifest(repository, "arm64")]
    factories.tag(repository, "multi", factories.index(repository, parts, "index"), seen_at=now)
    new = factories.manifest(repository, "new")
    factories.tag(repository, "latest", new, seen_at=now)
    factories.manifest(repository, "signature", subject=new.digest)
    factories.manifest(repository, "old")
    missing = factories.manifest(repository, "missing")
    missing.revisions.update(gone_at=now)
    factories.tag(repository, "1.0", missing, seen_at=now, gone_at=now - timedelta(minutes=3), missed=1)
    return repository


def digests(text: str) -> list[str]:
    return re.findall(r'<tr data-digest="([^"]*)"', text)


@pytest.mark.usefixtures("app")
def test_untagged_is_what_nothing_leads_to_and_is_still_there(alice: Visitor, bob: Visitor) -> None:
    assert digests(bob.get(f"{PAGE}?show=untagged").text) == [digest("old")]
    assert f"{digest('old')}/delete/" in alice.get(f"{PAGE}?show=untagged").text
    assert "/delete/" not in bob.get(f"{PAGE}?show=untagged").text


@pytest.mark.usefixtures("app")
def test_gone_tags_say_what_they_were_on_and_since_when(bob: Visitor) -> None:
    page = bob.get(f"{PAGE}?show=gone").text
    assert re.findall(r'<tr data-tag="([^"]*)"', page) == ["1.0"]
    assert digest("missing").short in page
    assert f"/manifests/{digest('missing')}/" not in page, "it is gone, too"
    assert "3 min ago" in page
    assert "/-/history/?q=1.0" in page


@pytest.mark.usefixtures("app")
def test_the_tags_lead_there_and_back(bob: Visitor) -> None:
    assert 'aria-current="page">All' in bob.get(PAGE).text
    assert f'href="{PAGE}?show=untagged"' in bob.get(PAGE).text
    assert f'href="{PAGE}">All' in bob.get(f"{PAGE}?show=gone").text
    assert 'aria-current="page">All' in bob.get(f"{PAGE}?show=nonsense").text


def test_where_there_is_nothing_it_says_what_would_be(app: Repository, bob: Visitor) -> None:
    app.revisions.all().delete()
    app.tags.exclude(gone_at=None).delete()
    assert "Nothing untagged that regui knows of" in bob.get(f"{PAGE}?show=untagged").text
    assert "No tag has gone of late" in bob.get(f"{PAGE}?show=gone").text
    assert bob.get("/main/never/seen/?show=gone").status_code == 404


def test_strangers_see_neither(app: Repository, charlie: Visitor) -> None:
    assert charlie.get(f"{PAGE}?show=untagged").status_code == 404


@pytest.mark.parametrize("show", ["untagged", "gone"])
def test_more_rows_cost_no_more_queries(
    app: Repository, bob: Visitor, django_assert_num_queries: DjangoAssertNumQueries, show: str
) -> None:
    now = timezone.now()
    for number in range(30):
        factories.tag(app, f"v{number}", factories.manifest(app), gone_at=now)
    with django_assert_num_queries(ASKING + (7 if show == "gone" else 6)):
        bob.get(f"{PAGE}?show={show}")
