"""What one may not see is nowhere in the API: no answer to a reader of some repositories tells of the others,
be it by name, by digest, or by a number that changes with them. Every route there is is asked."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse
from pytest_django import Settings

from regui.accounts.access import Role
from regui.api.v1 import urls
from tests.api.calling import JSON
from tests.hidden import Halves, differing, steady, telling, values
from tests.index.conftest import registered
from tests.people import SignedIn
from tests.registry import RunningRegistry

# What is asked of a route besides, by its name.
ASKED: dict[str, list[str]] = {
    "search_everywhere": [
        *("q=app", "q=otherteam", "q=hushtag", "q=1.0", "q=digest:{shared}", "q={layer}", "q={base}"),
        *("q=label:codename", "q=untagged:yes", "q=size:>1", "q={base}&in=layers", "q=e&in=tags&limit=1000"),
    ],
    "list_repositories": ["q=otherteam", "sort=-size", "q=tag:hushtag*", "refresh=true", "limit=1"],
    "get_repository": ["refresh=true"],
    "list_tags": ["q=1", "releases=true", "refresh=true"],
    "list_manifests": ["untagged=true"],
    "list_history": ["q=hushtag*", "since=2020-01-01"],
    "list_actions": ["q=otherteam", "q=slow", "q=hushtag", "kind=copy", "state=waiting"],
}


@pytest.fixture
def halves(registry: RunningRegistry, settings: Settings, db: None) -> Halves:
    registry.wipe()
    return Halves(registry, registered(settings, registry.url))


def patterns() -> Iterator[URLPattern]:
    """All routes."""
    waiting: list[URLPattern | URLResolver] = [*urls.urlpatterns]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, URLPattern):
            yield one
        else:
            waiting.extend(one.url_patterns)


def addresses(halves: Halves) -> list[str]:
    """Every route about the team's half, with everything that may be asked of it."""
    found: list[str] = []
    for pattern in patterns():
        for kwargs in values(pattern, halves):
            place = reverse(f"v1:{pattern.name}", "regui.api.v1.urls", kwargs=kwargs)
            asked = [one.format(**halves.words()) for one in ASKED.get(pattern.name or "", [])]
            found += [place, *(f"{place}?{quote(one, safe='=&:')}" for one in asked)]
    return list(dict.fromkeys(found))


def answers(program: Client, places: list[str]) -> dict[str, str]:
    found = {}
    for place in places:
        response = program.get(place)
        found[place] = steady(f"{response.status_code} {response.text}")
    return found


def test_no_route_tells_of_what_one_may_not_see(halves: Halves) -> None:
    bob = SignedIn("bob", (Role.READER, "team/**"))
    places = addresses(halves)
    before = answers(bob, places)
    assert sum(body.startswith("200") for body in before.values()) > 40
    traces = halves.traces()
    halves.add()
    traces |= halves.traces()
    after = answers(bob, places)
    told = {place: telling(traces, place, body, after[place]) for place, body in before.items()}
    assert not {place: found for place, found in told.items() if found}
    assert not {
        place: differing(body, after[place]) for place, body in before.items() if body != after[place]
    }


def test_sums_say_that_they_are_of_a_part(halves: Halves) -> None:
    bob, alice = SignedIn("bob", (Role.READER, "team/**")), SignedIn("alice", (Role.ADMIN, "**"))
    mine = halves.row.repositories.filter(name__startswith="team/")
    found, whole = (one.get("/api/v1/registries/main").json() for one in (bob, alice))
    assert found["partial"]
    assert found["size"] == sum(row.size or 0 for row in mine)
    assert (found["repositories"], found["images"], found["summed_at"]) == (3, None, None)
    assert not whole["partial"]
    assert whole["repositories"] > 3
    assert found == bob.get("/api/v1/registries").json()["items"][0]

    rows = bob.get("/api/v1/registries/main/repositories").json()["items"]
    assert [row["name"] for row in rows] == ["team/app", "team/copied", "team/web"]
    assert {row["unique_size"] for row in rows} == {None}
    sync = bob.get("/api/v1/registries/main/sync").json()["last"]
    assert sync["partial"]
    assert [one["repository"] for one in sync["failures"]] == ["team/web"]
    assert (sync["repositories"], sync["requests"]) == (None, None)


def test_a_plan_counts_the_repositories_that_one_may_not_see(halves: Halves) -> None:
    mary, alice = SignedIn("mary", (Role.MAINTAINER, "team/**")), SignedIn("alice", (Role.ADMIN, "**"))
    wish = {"kind": "delete-digest", "registry": "main", "repository": "team/app"}
    for digest in (halves.shared.digest, halves.digests["team/app:1.0"]):
        asked = wish | {"digest": digest}
        found, whole = (
            one.post("/api/v1/plans", asked, JSON, headers={"Origin": "http://testserver"}).json()
            for one in (mary, alice)
        )
        assert not telling(halves.traces(), "", str(found))
        assert found["not_shown"] > 0
        assert any("otherteam" in one for one in whole["shared_with"])
        assert whole["not_shown"] == 0
        assert found["fingerprint"] == whole["fingerprint"]
