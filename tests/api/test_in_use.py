"""What clusters tell of what runs, as programs send it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from regui.accounts.access import Role
from regui.actions.models import InUse, Source
from regui.index.connect import ensure_registries
from regui.index.models import Registry, Repository
from regui.registries import RegistrySettings
from tests.api.calling import Caller
from tests.factories import digest, manifest, repository, tag
from tests.people import grant, person
from tests.registry import RunningRegistry

HOST = "registry.example:5000"


@pytest.fixture
def rows(settings: Settings, db: None) -> Repository:
    """A registry that nobody can reach, whose repository team/app is known."""
    settings.REGISTRIES = {"main": RegistrySettings("main", "http://127.0.0.1:9", pull_host=HOST)}
    ensure_registries()
    found = repository(of=Registry.objects.get(name="main"))
    tag(found, "1.0", manifest(found, "one"))
    return found


def put(caller: Caller, source: str, images: list[str], **body: Any) -> Any:
    return caller.send("PUT", f"/in-use/{source}", body={"images": images, **body})


def held(source: str = "prod") -> list[tuple[str, str, str]]:
    rows = InUse.objects.filter(source__name=source)
    return sorted(rows.values_list("repository", "tag", "digest"))


def maintainer(name: str, pattern: str = "**") -> Caller:
    one = person(name)
    grant(Role.MAINTAINER, pattern, user=one)
    return Caller(person=one)


@pytest.mark.usefixtures("rows")
def test_all_that_clusters_print_is_understood(alice: Caller) -> None:
    other = digest("other")
    answer = put(
        alice,
        "prod",
        [
            f"{HOST}/team/app:1.0",
            f"{HOST}/team/web:2.0@{other}",
            f"docker-pullable://{HOST}/team/web@{other}",
            f"docker://{HOST.upper()}/team/app:1.0",
            "127.0.0.1:9/team/app",
            "nginx:1.25",
            f"sha256:{'a' * 64}",
            f"{HOST}/team/app:-",
            "",
            f"{HOST}/team/app:1.0",
        ],
        ttl="90m",
    )
    assert answer.status_code == 200
    told = answer.json()
    assert held() == [
        ("team/app", "1.0", digest("one")),
        ("team/app", "latest", ""),
        ("team/web", "", other),
        ("team/web", "2.0", other),
    ]
    assert (told["source"], told["held"], told["ignored"]) == ("prod", 4, 3)
    assert told["ignored_images"] == [
        {"image": "nginx:1.25", "why": "of no registry here"},
        {"image": f"sha256:{'a' * 64}", "why": "an image's ID, which says nothing of a repository"},
        {"image": f"{HOST}/team/app:-", "why": "not a reference to an image"},
    ]
    row = Source.objects.get()
    assert row.expires_at - row.told_at == timedelta(minutes=90)


@pytest.mark.usefixtures("rows")
def test_a_list_replaces_the_last_and_what_stays_keeps_its_since(alice: Caller) -> None:
    put(alice, "prod", [f"{HOST}/team/app:1.0", f"{HOST}/team/app:2.0"])
    put(alice, "staging", [f"{HOST}/team/app:2.0"])
    long_ago = timezone.now() - timedelta(days=3)
    InUse.objects.update(since=long_ago)
    told = put(alice, "prod", [f"{HOST}/team/app:1.0", f"{HOST}/team/app:3.0"]).json()
    assert told["held"] == 2
    since = dict(InUse.objects.filter(source__name="prod").values_list("tag", "since"))
    assert since["1.0"] == long_ago
    assert since["3.0"] > long_ago
    assert held("staging") == [("team/app", "2.0", "")]
    assert put(alice, "prod", []).json()["held"] == 0
    assert held() == []


def test_a_tag_nobody_has_read_is_asked_for_and_moves_with_the_next_list_alone(
    registry: RunningRegistry, settings: Settings, alice: Caller
) -> None:
    settings.REGISTRIES = {"main": RegistrySettings("main", registry.url)}
    ensure_registries()
    name, host = registry.unique(), registry.url.removeprefix("http://")
    first = registry.push(name, tags=["live"])
    put(alice, "prod", [f"{host}/{name}:live", f"{host}/{name}:absent"])
    assert held() == [(name, "absent", ""), (name, "live", first)]
    registry.push(name, tags=["live"])
    assert held() == [(name, "absent", ""), (name, "live", first)]


def test_a_digest_that_was_known_once_stays_when_nobody_can_say_it(rows: Repository, alice: Caller) -> None:
    put(alice, "prod", [f"{HOST}/team/app:1.0"])
    rows.tags.update(gone_at=timezone.now())
    put(alice, "prod", [f"{HOST}/team/app:1.0"])
    assert held() == [("team/app", "1.0", digest("one"))]


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    ("source", "body", "where"),
    [
        ("prod", {"images": [], "ttl": "59s"}, "body.ttl"),
        ("prod", {"images": [], "ttl": "8d"}, "body.ttl"),
        ("prod", {"images": [], "ttl": "soon"}, "body.ttl"),
        ("prod", {"ttl": "1h"}, "body.images"),
        ("prod", {"images": [], "sort": "x"}, "body.sort"),
        ("prod", {"images": ["a"] * 10_001}, "body.images"),
        ("Prod!", {"images": []}, "path.source"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(
    alice: Caller, source: str, body: dict[str, Any], where: str
) -> None:
    answer = alice.send("PUT", f"/in-use/{source}", body=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["details"][0]["where"] == where
    assert not Source.objects.exists()


@pytest.mark.usefixtures("rows")
def test_more_than_a_megabyte_is_refused(alice: Caller) -> None:
    answer = put(alice, "prod", ["x" * 1000] * 1000)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too-large")


@pytest.mark.usefixtures("rows")
def test_one_tells_only_of_what_one_may_delete_and_learns_of_nothing_else(bob: Caller) -> None:
    assert put(bob, "prod", [f"{HOST}/team/app:1.0"]).status_code == 403
    mary = maintainer("mary", "team/**")
    told = put(mary, "prod", [f"{HOST}/team/app:1.0", f"{HOST}/vault/a:1", f"{HOST}/vault/b:1"]).json()
    assert (told["held"], told["ignored"]) == (1, 2)
    assert {one["why"] for one in told["ignored_images"]} == {"not for you to tell"}


@pytest.mark.usefixtures("rows")
def test_nobody_speaks_for_somebody_else_but_who_may_delete_everywhere(alice: Caller) -> None:
    mary, nina = maintainer("mary", "team/**"), maintainer("nina", "team/**")
    put(mary, "prod", [f"{HOST}/team/app:1.0"])
    answer = put(nina, "prod", [])
    assert answer.status_code == 403
    assert "Somebody else tells" in answer.json()["error"]["message"]
    assert nina.send("DELETE", "/in-use/prod").status_code == 403
    assert held() == [("team/app", "1.0", digest("one"))]
    assert put(alice, "prod", []).status_code == 200
    assert put(mary, "prod", []).status_code == 403
    Source.objects.update(expires_at=timezone.now())
    assert put(mary, "prod", []).status_code == 200
    assert mary.send("DELETE", "/in-use/prod").status_code == 200
    assert not Source.objects.exists()


@pytest.mark.usefixtures("rows")
def test_what_is_told_is_shown_to_who_may_see_it(alice: Caller, bob: Caller, charlie: Caller) -> None:
    put(alice, "prod", [f"{HOST}/team/app:1.0", f"{HOST}/vault/a:1", "nginx"])
    put(alice, "vault", [f"{HOST}/vault/a:1"])
    mary = maintainer("mary", "team/**")
    assert [one["source"] for one in bob.get("/in-use").json()["items"]] == ["prod", "vault"]
    (row,) = mary.get("/in-use").json()["items"]
    assert (row["source"], row["held"], row["expired"]) == ("prod", 1, False)
    assert (row["told_by"], row["images"], row["ignored"], row["ignored_images"]) == (None, None, None, None)
    found = mary.get("/in-use/prod").json()
    assert [(one["repository"], one["tag"]) for one in found["items"]] == [("team/app", "1.0")]
    assert mary.get("/in-use/vault").status_code == 404
    whole = alice.get("/in-use/prod").json()
    assert (whole["held"], whole["images"], whole["ignored"]) == (2, 3, 1)
    assert charlie.get("/in-use").json()["items"] == []
    pages = list(alice.pages("/in-use/prod", {"limit": 1}))
    assert [[one["repository"] for one in items] for items in pages] == [["team/app"], ["vault/a"]]


@pytest.mark.usefixtures("rows")
def test_ten_thousand_images_are_taken_and_told_again(alice: Caller) -> None:
    images = [f"{HOST}/team/app:{number}" for number in range(10_000)]
    assert put(alice, "prod", images).json()["held"] == 10_000
    assert put(alice, "prod", images[1:]).json()["held"] == 9_999
    assert InUse.objects.count() == 9_999


# Going over what is in use


def test_a_program_is_refused_what_runs_and_an_administrator_s_goes_over_it(
    registry: RunningRegistry, settings: Settings, alice: Caller
) -> None:
    settings.REGISTRIES = {"main": RegistrySettings("main", registry.url)}
    ensure_registries()
    name, why = registry.unique(), "the cluster was switched off"
    registry.push(name, tags=["1.0"])
    put(alice, "prod", [f"{registry.url.removeprefix('http://')}/{name}:1.0"])
    wish = {"kind": "untag", "registry": "main", "repository": name, "tags": ["1.0"]}
    plan = alice.post("/plans", wish).json()
    (held,) = plan["protected"]
    assert held["in_use"]
    assert held["reason"].startswith("running in prod since ")
    refused = alice.post("/actions", plan)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "protected")
    assert "override" in refused.json()["error"]["hint"]
    mary = maintainer("mary")
    assert mary.post("/plans", wish | {"override": why}).status_code == 403
    assert alice.post("/plans", wish | {"override": "short"}).status_code == 422
    over = alice.post("/plans", wish | {"override": why}).json()
    assert (over["protected"], over["asked"]) == ([], {"tags": ["1.0"], "override": why})
    assert mary.post("/actions", over).status_code == 403
    started = alice.post("/actions", over)
    assert started.status_code == 202, started.content
    asked = alice.get(f"/actions/{started.json()['id']}/plan").json()["asked"]
    assert asked["override"] == why
