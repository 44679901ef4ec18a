"""What programs read: from the index as it is, and from the registry where that was never read."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from regui import oci
from regui.index import connect, history
from regui.index.models import Registry, Repository, Sync, Tag, TagMove
from tests import factories, images
from tests.actions.conftest import stand  # noqa: F401 — a fixture
from tests.actions.stand import Stand
from tests.api.calling import Caller
from tests.fake import Fake
from tests.index.conftest import registered
from tests.people import ASKING

NOW = factories.NOW


@pytest.fixture
def shelf(settings: Settings, db: None) -> Repository:
    """A repository that was read, of a registry that doesn't answer."""
    registered(settings, "http://127.0.0.1:9")
    Registry.objects.update(listed_at=NOW, tried_at=NOW)
    shelf = factories.repository("team/app", tag_count=3, size=1000)
    for name in ("v1.10", "v1.9", "latest"):
        factories.tag(shelf, name, factories.manifest(shelf, name, layers={"base": 7}, labels={"n": name}))
    return shelf


@pytest.fixture(autouse=True)
def rested() -> None:
    """No memory of another test's failures, at a port that came up again."""
    connect.close()


PLACE = "/registries/main/repositories/team/app"


def test_registries_are_listed_with_their_sums(bob: Caller, shelf: Repository) -> None:
    one = bob.get("/registries/main").json()
    assert (one["name"], one["host"], one["repositories"]) == ("main", "127.0.0.1:9", 1)
    assert one["as_of"] == "2026-08-01T12:00:00Z"
    listed = bob.get("/registries").json()
    assert listed == {"items": [one], "next": None}


def test_repositories_are_filtered_by_the_one_language_and_sorted(bob: Caller, shelf: Repository) -> None:
    factories.repository("team/web", tag_count=9, size=10)
    factories.repository("other", tag_count=0, size=None)

    def names(**query: str) -> list[str]:
        return [one["name"] for one in bob.get("/registries/main/repositories", query).json()["items"]]

    assert names() == ["other", "team/app", "team/web"]
    assert names(q="repo:team/*") == ["team/app", "team/web"]
    assert names(sort="-tags") == ["team/web", "team/app", "other"]
    assert names(sort="size") == ["team/web", "team/app", "other"]
    assert names(sort="-name", q="size:>5B") == ["team/web", "team/app"]


def test_a_repository_says_as_of_when_it_is(bob: Caller, shelf: Repository) -> None:
    one = bob.get(PLACE).json()
    assert (one["registry"], one["name"], one["tags"], one["size"]) == ("main", "team/app", 3, 1000)
    assert one["as_of"] == "2026-08-01T12:00:00Z"
    assert one["problem"] == ""


def test_tags_stand_in_the_order_of_versions(bob: Caller, shelf: Repository) -> None:
    page = bob.get(f"{PLACE}/-/tags").json()
    assert [tag["name"] for tag in page["items"]] == ["v1.9", "v1.10", "latest"]
    assert page["as_of"] == "2026-08-01T12:00:00Z"
    first = page["items"][0]
    assert first["digest"] == factories.digest("v1.9")
    assert (first["kind"], first["size"], first["platforms"]) == ("image", 7, ["linux/amd64"])
    assert first["seen_at"] == "2026-08-01T12:00:00Z"
    only = bob.get(f"{PLACE}/-/tags", {"q": "label:n=latest"}).json()["items"]
    assert [tag["name"] for tag in only] == ["latest"]
    releases = bob.get(f"{PLACE}/-/tags", {"releases": "true", "sort": "-name"}).json()["items"]
    assert [tag["name"] for tag in releases] == ["v1.10", "v1.9"]


def test_what_is_remembered_is_told_along_with_the_problem(bob: Caller, shelf: Repository) -> None:
    answer = bob.get(f"{PLACE}/-/tags", {"refresh": "true"})
    assert answer.status_code == 200
    assert len(answer.json()["items"]) == 3
    assert answer.json()["problem"]
    assert answer.json()["hint"]
    one = bob.get(f"{PLACE}/-/manifests/{factories.digest('never read')}")
    assert one.status_code == 502
    assert one.json()["error"]["code"] == "unreachable"
    assert one.json()["error"]["hint"]


def test_what_was_never_read_is_read_through(bob: Caller, stand: Stand) -> None:  # noqa: F811
    digest = stand.registry.push_index(stand.name, tags=["1.0", "latest"], attested=True)
    place = f"/registries/main/repositories/{stand.name}"
    one = bob.get(f"{place}/-/manifests/{digest}").json()
    assert one["digest"] == digest
    assert one["kind"] == "index"
    assert [line["platform"] for line in one["children"] if not line["attestation"]] == [
        "linux/amd64",
        "linux/arm64",
    ]
    assert any(line["attestation"] for line in one["children"])
    assert one["complete"]
    assert one["seen_at"]
    assert [child["digest"] for child in one["document"]["manifests"]] == [
        line["digest"] for line in one["children"]
    ]
    tags = bob.get(f"{place}/-/tags").json()
    assert {tag["name"]: tag["digest"] for tag in tags["items"]} == {"1.0": digest, "latest": digest}
    assert tags["as_of"]
    tag = bob.get(f"{place}/-/tags/1.0").json()
    assert (tag["tag"], tag["digest"], tag["tags"]) == ("1.0", digest, ["1.0", "latest"])
    image = one["children"][0]["digest"]
    layers = bob.get(f"{place}/-/manifests/{image}").json()
    assert layers["layers"]
    assert layers["config"]


def test_a_tag_is_asked_for_when_it_was_seen_a_while_ago(bob: Caller, stand: Stand) -> None:  # noqa: F811
    stand.registry.push(stand.name, tags=["1.0"])
    address = f"/registries/main/repositories/{stand.name}/-/tags/1.0"
    before = bob.get(address).json()["digest"]
    after = stand.registry.push(stand.name, tags=["1.0"])
    assert bob.get(address).json()["digest"] == before, "confirmed a moment ago"
    assert bob.get(address, {"refresh": "true"}).json()["digest"] == after
    Tag.objects.update(seen_at=timezone.now() - timedelta(minutes=2))
    again = stand.registry.push(stand.name, tags=["1.0"])
    assert bob.get(address).json()["digest"] == again


def test_what_the_registry_does_not_have_is_not_found(bob: Caller, stand: Stand) -> None:  # noqa: F811
    place = f"/registries/main/repositories/{stand.name}"
    for address in ("", "/-/tags", "/-/tags/1.0", f"/-/manifests/{oci.Digest.of(b'none')}"):
        answer = bob.get(f"{place}{address}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not-found"), address
    assert not Repository.objects.filter(name=stand.name).exists()


def test_a_fresh_index_reads_the_catalog_through(bob: Caller, settings: Settings, db: None) -> None:
    with Fake() as fake:
        registered(settings, fake.url)
        with oci.Client(fake.url) as client:
            images.push(client, "team/app", images.image(), ["1.0"])
            images.push(client, "team/web", images.image(), ["1.0"])
        assert bob.get("/registries/main/repositories/team/web").json()["tags"] == 1
        page = bob.get("/registries/main/repositories").json()
    assert [(one["name"], one["tags"]) for one in page["items"]] == [("team/app", 1), ("team/web", 1)]
    assert page["as_of"]


def test_untagged_manifests_are_listed_as_far_as_they_were_seen(bob: Caller, shelf: Repository) -> None:
    loose = factories.manifest(shelf, "loose")
    every = bob.get(f"{PLACE}/-/manifests").json()["items"]
    assert {one["digest"]: one["tags"] for one in every} == {
        factories.digest(name): [name] for name in ("v1.10", "v1.9", "latest")
    } | {loose.digest: []}
    alone = bob.get(f"{PLACE}/-/manifests", {"untagged": "true"}).json()["items"]
    assert [one["digest"] for one in alone] == [loose.digest]


def test_the_history_outlives_the_repository(bob: Caller, shelf: Repository) -> None:
    move = history.Move(shelf, "v1.9", "", factories.digest("v1.9"), NOW, None, TagMove.How.EVENT, "dave")
    history.write([move])
    shelf.tags.all().delete()
    Repository.objects.all().delete()
    items = bob.get(f"{PLACE}/-/history").json()["items"]
    assert [(one["tag"], one["how"], one["actor"]) for one in items] == [("v1.9", "event", "dave")]
    assert bob.get(f"{PLACE}/-/history", {"q": "tag:v2"}).json()["items"] == []
    assert bob.get(f"{PLACE}/-/history", {"since": "2026-08-02"}).json()["items"] == []
    assert bob.get("/registries/main/repositories/never/-/history").status_code == 404


def test_the_search_finds_what_the_page_finds_in_the_same_groups(bob: Caller, shelf: Repository) -> None:
    found = bob.get("/search", {"q": "v1"}).json()
    assert [tag["name"] for tag in found["tags"]["items"]] == ["v1.10", "v1.9"]
    assert (found["tags"]["count"], found["tags"]["more"], found["tags"]["partly"]) == (2, False, False)
    assert found["tags"]["items"][0]["repository"] == "team/app"
    assert found["repositories"]["items"] == []
    assert [one["name"] for one in bob.get("/search", {"q": "app"}).json()["repositories"]["items"]] == [
        "team/app"
    ]
    base = bob.get("/search", {"q": factories.digest("base"), "in": "layers"}).json()
    assert [one["digest"] for one in base["layers"]["items"]] == [factories.digest("base")]
    assert base["tags"] is None
    one = bob.get("/search", {"q": f"digest:{factories.digest('latest')}"}).json()["manifests"]["items"]
    assert [(found["digest"], found["tags"]) for found in one] == [(factories.digest("latest"), ["latest"])]
    assert bob.get("/search", {"q": " "}).json()["tags"] is None


def test_a_wrong_query_is_explained(bob: Caller, shelf: Repository) -> None:
    for address in ("/search", "/registries/main/repositories", f"{PLACE}/-/tags", "/actions"):
        answer = bob.get(address, {"q": "size:huge" if address != "/actions" else "size:>1MB"})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (422, "wrong-query"), address
        assert set(error["details"]) == {"position", "text", "why", "example"}


def test_a_reading_is_asked_for_and_watched(alice: Caller, bob: Caller, shelf: Repository) -> None:
    later = timezone.now() + timedelta(hours=1)
    Registry.objects.update(due_at=later)
    Repository.objects.update(due_at=later)
    address = "/registries/main/sync"
    assert not bob.get(address).json()["waiting"]
    assert bob.post(address).status_code == 403
    answer = alice.post(address)
    assert (answer.status_code, answer.json()["waiting"]) == (202, True)
    assert Repository.objects.get().due_at < timezone.now()  # type: ignore[operator]
    Sync.objects.create(registry=shelf.registry, started_at=timezone.now(), repositories=0, tags=2)
    running = bob.get(address).json()
    assert not running["waiting"]
    assert (running["running"]["total"], running["running"]["tags"], running["last"]) == (1, 2, None)
    Sync.objects.update(finished_at=timezone.now())
    assert bob.get(address).json()["last"]["tags"] == 2


@pytest.mark.parametrize(
    ("address", "queries"),
    [
        ("/registries", 1),
        ("/registries/main/repositories", 2),
        (f"{PLACE}/-/tags", 4),
        (f"{PLACE}/-/manifests", 4),
        (f"{PLACE}/-/history", 3),
    ],
)
def test_a_list_costs_the_same_however_much_it_holds(
    bob: Caller,
    shelf: Repository,
    address: str,
    queries: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(30):
        factories.repository(f"team/a-{number}", tag_count=1)
        factories.tag(shelf, f"a-{number}", factories.manifest(shelf))
        history.write([history.Move(shelf, f"a-{number}", "", "sha256:0", NOW, None, TagMove.How.CRAWL)])
    bob.get(address)
    with django_assert_num_queries(queries + ASKING):
        assert bob.get(address).status_code == 200


def test_a_search_costs_the_same_however_much_it_finds(
    bob: Caller, shelf: Repository, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        factories.tag(factories.repository(f"team/a-{number}", tag_count=1), f"a-{number}")
    with django_assert_max_num_queries(7 + ASKING):
        found = bob.get("/search", {"q": "a"}).json()
    assert found["tags"]["count"] >= 30
    assert len(found["tags"]["items"]) == 10
