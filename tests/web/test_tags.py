"""A repository's page: its tags by digest, filtered, sorted, paged, with what is attached to them."""

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from regui import oci
from regui.demo import images as build
from regui.index.models import Manifest, Registry, Repository, Tag
from tests import factories, images
from tests.fake import Fake
from tests.memory import Out, out
from tests.people import ASKING
from tests.registry import RunningRegistry
from tests.web.conftest import Visitor, registered

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#results"}
ROW = re.compile(r'<tr (class="same" )?data-repository="[^"]*" data-tag="([^"]*)"')


def names(text: str) -> list[str]:
    """The tags a page lists, in order."""
    return [match[2] for match in ROW.finditer(text)]


def cells(text: str, tag: str) -> str:
    """The row of one tag."""
    return " ".join(text.partition(f'data-tag="{tag}"')[2].partition("</tr>")[0].split())


@pytest.fixture
def shelf(db: None) -> Repository:
    """A repository read just now: two tags on one digest, two on others, one on nothing sane, one unread."""
    now = timezone.now()
    factories.registry(listed_at=now)
    repository = factories.repository("team/app", listed_at=now, tried_at=now, tag_count=6, size=600)
    new = factories.manifest(repository, layers={"a": 300}, created_at=now - timedelta(days=1))
    old = factories.manifest(repository, layers={"b": 200}, created_at=now - timedelta(days=9))
    odd = factories.manifest(repository, layers={"c": 100}, created_at=None, platform="", platforms=[])
    for name, on in (("2.0", new), ("latest", new), ("1.0", old), ("odd", odd)):
        factories.tag(repository, name, on, seen_at=now)
    factories.tag(repository, "broken", None, seen_at=now, problem="The registry has no such manifest.")
    factories.tag(repository, "abc-later", None, seen_at=now)
    return repository


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["2.0", "latest", "1.0", "odd", "abc-later", "broken"]),
        ("sort=created", ["1.0", "2.0", "latest", "odd", "abc-later", "broken"]),
        ("sort=name", ["1.0", "2.0", "latest", "odd", "abc-later", "broken"]),
        ("sort=-size", ["2.0", "latest", "1.0", "odd", "abc-later", "broken"]),
        ("sort=size", ["odd", "1.0", "2.0", "latest", "abc-later", "broken"]),
        ("sort=pulls", ["2.0", "latest", "1.0", "odd", "abc-later", "broken"]),
        ("q=LA", ["latest", "abc-later"]),
        ("q=?.0&sort=name", ["1.0", "2.0"]),
        ("per_page=2&page=2", ["1.0", "odd"]),
        ("per_page=-1&page=zero", ["2.0", "latest", "1.0", "odd", "abc-later", "broken"]),
    ],
)
def test_tags_are_filtered_sorted_and_paged(query: str, found: list[str], bob: Visitor) -> None:
    assert names(bob.get(f"/main/team/app/?{query}").text) == found


@pytest.mark.usefixtures("shelf")
def test_tags_of_one_digest_stand_together_and_say_the_rest_once(bob: Visitor) -> None:
    page = bob.get("/main/team/app/").text
    assert [match[2] for match in ROW.finditer(page) if match[1]] == ["latest"]
    assert "1 d ago" in cells(page, "2.0")
    assert "1 d ago" not in cells(page, "latest")
    assert "300 B" in cells(page, "2.0")


@pytest.mark.usefixtures("shelf")
def test_what_is_not_known_is_said_to_be_unknown(bob: Visitor) -> None:
    page = bob.get("/main/team/app/").text
    assert cells(page, "odd").count("unknown") == 2, "platform and date"
    assert "not read yet" in cells(page, "abc-later")
    assert "not read yet" not in cells(page, "broken")
    assert "The registry has no such manifest." in cells(page, "broken")
    assert "1970" not in page
    assert "data-digest" not in cells(page, "broken").partition(">")[0]


@pytest.mark.usefixtures("shelf")
def test_only_who_may_delete_is_offered_to(alice: Visitor, bob: Visitor) -> None:
    assert "/delete/" in alice.get("/main/team/app/").text
    assert "/delete/" not in bob.get("/main/team/app/").text


def test_a_date_that_can_not_be_is_unknown_and_quoted(
    registry: RunningRegistry, index_registry: Registry, bob: Visitor
) -> None:
    name = registry.unique()
    registry.push(name, tags=["old"], created="1970-01-01T00:00:00Z")
    registry.push(name, tags=["none"], created=None)
    page = bob.get(f"/main/{name}/").text
    assert 'title="The image says 1970-01-01T00:00:00Z">unknown' in cells(page, "old")
    assert "unknown" in cells(page, "none")
    assert "The image says" not in cells(page, "none")


def test_a_first_visit_reads_the_repository(
    registry: RunningRegistry, index_registry: Registry, bob: Visitor
) -> None:
    name = registry.unique("a/tags/list")
    digest = registry.push(name, tags=["1.0", "latest"], platform="linux/arm/v7")
    page = bob.get(f"/main/{name}/")
    assert names(page.text) == ["1.0", "latest"]
    assert "arm/v7" in cells(page.text, "1.0")
    assert f'data-digest="{digest}"' in page.text
    assert f"docker pull 127.0.0.1:{registry.port}/{name}:latest" in page.text
    assert "2 tags" in page.text


def test_an_index_shows_the_platforms_of_its_images(
    registry: RunningRegistry, index_registry: Registry, bob: Visitor
) -> None:
    name = registry.unique()
    registry.push_index(name, platforms=["linux/amd64", "windows/amd64"], attested=True)
    row = cells(bob.get(f"/main/{name}/").text, "latest")
    assert ">amd64</span>" in row
    assert ">windows/amd64</span>" in row
    assert "attested" in row


def test_companions_are_folded_away_and_shown_on_what_they_are_about(
    registry: RunningRegistry, index_registry: Registry, bob: Visitor
) -> None:
    name = registry.unique()
    built = images.image()
    digest = registry.push_built(name, built, ["1.0"])
    registry.push_artifact(name, oci.COSIGN_SIGNATURE, tags=[f"{oci.referrers_tag(digest)}.sig"])
    sbom = images.artifact(oci.SPDX, subject=built)
    registry.push_built(name, sbom)
    listed = build.index([sbom])
    registry.push_built(name, listed, [oci.referrers_tag(digest)])
    page = bob.get(f"/main/{name}/").text
    assert names(page) == ["1.0"]
    assert "signed" in cells(page, "1.0")
    assert "SBOM" in cells(page, "1.0")
    assert "1 tag<" in page.replace("</span>", "<")


def test_a_repository_that_is_not_there_is_a_404_and_leaves_no_row(
    registry: RunningRegistry, index_registry: Registry, bob: Visitor
) -> None:
    page = bob.get("/main/never/pushed/")
    assert page.status_code == 404
    assert "any more" in page.text
    assert not Repository.objects.filter(name="never/pushed").exists()


def test_a_repository_without_tags_says_why_it_is_still_there(
    registry: RunningRegistry, index_registry: Registry, bob: Visitor
) -> None:
    name = registry.unique()
    digest = registry.push(name)
    with registry.connect() as client:
        client.delete_manifest(name, digest)
    page = bob.get(f"/main/{name}/")
    assert page.status_code == 200
    assert "No tags left" in page.text
    assert f"docker push 127.0.0.1:{registry.port}/{name}:latest" in page.text


def test_a_filter_searches_every_tag_not_the_page(bob: Visitor) -> None:
    now = timezone.now()
    factories.registry(listed_at=now)
    repository = factories.repository("team/app", listed_at=now, tag_count=120)
    on = factories.manifest(repository)
    Tag.objects.bulk_create(
        Tag(repository=repository, name=f"v{number}", manifest=on, first_seen_at=now, seen_at=now)
        for number in range(120)
    )
    page = bob.get("/main/team/app/", {"q": "v11?", "per_page": "25"}, headers=HTMX)
    assert len(names(page.text)) == 10
    assert "10 of 120 tags" in page.text
    assert "No tag matches" in bob.get("/main/team/app/", {"q": "<b>"}, headers=HTMX).text


def test_a_tag_list_costs_the_same_however_long_it_is(
    bob: Visitor, django_assert_num_queries: DjangoAssertNumQueries, shelf: Repository
) -> None:
    bob.cookies["scripts"] = "1"
    with django_assert_num_queries(13 + ASKING):
        bob.get("/main/team/app/")
    with django_assert_num_queries(13 + ASKING):
        bob.get("/main/team/app/?sort=name")
    Tag.objects.filter(name="odd").delete()  # its claimed date costs one query more
    for number in range(40):
        factories.tag(shelf, f"more-{number}", factories.manifest(shelf), seen_at=timezone.now())
    with django_assert_num_queries(12 + ASKING):
        bob.get("/main/team/app/")
    with django_assert_num_queries(12 + ASKING):
        bob.get("/main/team/app/?sort=name")
    with django_assert_num_queries(12 + ASKING):
        bob.get("/main/team/app/?show=releases")


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["2.0", "1.0"]),
        ("&sort=name", ["1.0", "2.0"]),
        ("&sort=size", ["1.0", "2.0"]),
        ("&q=1", ["1.0"]),
    ],
)
def test_releases_are_a_list_of_their_own(query: str, found: list[str], bob: Visitor) -> None:
    page = bob.get(f"/main/team/app/?show=releases{query}").text
    assert names(page) == found
    assert '<input type="hidden" name="show" value="releases">' in page
    assert ("1 of 2 releases" if "q=" in query else "2 releases") in page
    assert re.search(r'show=releases" aria-current="page">Releases', page)
    assert re.search(r'id="sort-size" href="\?show=releases[^"]*sort=', page)


def test_without_a_release_the_page_says_what_one_is(bob: Visitor, shelf: Repository) -> None:
    Tag.objects.filter(release=True).delete()
    page = bob.get("/main/team/app/?show=releases").text
    assert "No releases here" in page
    assert "None of the 6 tags is one" in page
    assert 'No release matches "' not in page
    assert "No release matches" in bob.get("/main/team/app/?show=releases&q=x").text


def test_a_repository_of_a_registry_that_is_down_is_shown_as_remembered(
    bob: Visitor, settings: Settings, shelf: Repository
) -> None:
    with Fake() as fake:
        registered(settings, fake.url)
    Repository.objects.update(listed_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert names(bob.get("/main/team/app/").text)[:2] == ["2.0", "latest"]
    page = bob.get("/main/team/app/?refresh=1")
    assert page.status_code == 200
    assert names(page.text)[:2] == ["2.0", "latest"]
    assert "from 2026-01-02 03:04:05 UTC" in page.text
    assert "Retry" in page.text
    unknown = bob.get("/main/never/seen/")
    assert unknown.status_code == 502


def test_a_name_from_the_registry_can_not_break_the_page(bob: Visitor, settings: Settings) -> None:
    with Fake() as fake:
        listing = {
            "name": "team/app",
            "tags": ["ok", "<script>alert(1)</script>", "../..", "x" * 200, "", None, 7],
        }
        fake.on("GET", "/v2/team/app/tags/list", out(200, listing))
        registered(settings, fake.url)
        page = bob.get("/main/team/app/")
    assert page.status_code in {200, 502}
    assert "<script>alert" not in page.text


def test_labels_can_not_break_the_page(bob: Visitor, shelf: Repository) -> None:
    Repository.objects.update(description="</bdi><script>alert(1)</script>")
    page = bob.get("/main/team/app/").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_kinds_without_a_platform_say_what_they_are(bob: Visitor, shelf: Repository) -> None:
    Manifest.objects.update(kind=Manifest.Kind.HELM, platform="", platforms=[])
    assert "Helm chart" in cells(bob.get("/main/team/app/").text, "2.0")


def test_what_there_is_no_time_for_is_not_read_yet_and_read_on_the_next_visit(
    bob: Visitor, settings: Settings
) -> None:
    built = images.image()
    slow = Out(200, built.body, (("Content-Type", built.media_type),), stall=0.5)
    with Fake() as fake:
        names_ = [f"v{number:03}" for number in range(100)]
        fake.on("GET", "/v2/team/app/tags/list", out(200, {"name": "team/app", "tags": names_}))
        fake.on("GET", "/v2/team/app/manifests/.*", slow)
        fake.on("HEAD", "/v2/team/app/manifests/.*", slow)
        fake.on("GET", "/v2/team/app/blobs/.*", out(200, built.blobs[-1], "application/octet-stream"))
        registered(settings, fake.url)
        began = time.monotonic()
        page = bob.get("/main/team/app/", {"per_page": "200"}).text
        took = time.monotonic() - began
        again = bob.get("/main/team/app/", {"per_page": "200"}).text
    assert took < 5, "all of it would take more than six seconds"
    assert len(names(page)) == 100
    assert "no time to read everything" in page
    unread = ["not read yet" in cells(page, name) for name in names(page)]
    assert any(unread)
    assert not all(unread)
    assert unread == sorted(unread), "what is unread comes last"
    assert again.count("not read yet") < page.count("not read yet")
