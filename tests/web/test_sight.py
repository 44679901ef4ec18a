"""What one may not see is nowhere: no page that a reader of some repositories gets tells of the others, be it
by name, by digest, or by a number that changes with them. Every address there is is asked for."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, reverse
from pytest_django import Settings

from regui.accounts.access import Role
from regui.web import urls
from tests.hidden import Halves, differing, steady, telling, values
from tests.people import SignedIn
from tests.registry import RunningRegistry
from tests.web.conftest import registered

PALETTE = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#palette-found"}
SUMMED = PALETTE | {"HX-Target": "div#results"}
# Pages of which a part is asked for besides: the palette, and sums that take a while.
PARTS = {"search": PALETTE, "cleanup": SUMMED, "what-if": SUMMED}
# What is asked of a page besides: each of its parts, orders and files, and words that only the others have.
ASKED: dict[str, list[str]] = {
    "search": [
        *("q=app", "q=otherteam", "q=hushtag", "q=1.0", "q=digest:{shared}", "q={layer}", "q={base}"),
        *("q=label:codename", "q=marmalade", "q=untagged:yes", "q=signed:yes", "q=size:>1", "q=type:image"),
        *("q={base}&in=layers", "q=e&in=tags", "q=created:<9000d"),
    ],
    "registry": [
        *("sort=-size", "sort=name", "q=otherteam", "q=app", "ns=otherteam", "kind=image", "empty=1"),
        *("q=tag:hushtag*", "q=digest:{shared}", "refresh=1", "page=2&per_page=1"),
    ],
    "repository": ["show=releases", "show=untagged", "show=gone", "q=1", "sort=-size", "refresh=1"],
    "tag": ["tab=config", "tab=referrers", "tab=raw", "tab=pull", "tab=history"],
    "manifest": ["tab=layers", "tab=referrers", "tab=platforms"],
    "history": ["q=1", "q=hushtag*", "since=2020-01-01"],
    "activity": ["q=otherteam", "q=slow", "q=hushtag", "format=csv", "kind=copy", "state=waiting"],
    "storage": ["layers=shared", "layers=saved"],
    "in-use": ["q=otherteam", "q=team", "q=hushtag"],
    "trash": ["q=otherteam", "q=doomed", "q=hushtag"],
}
# The same of pages that readers don't get.
CLEANING: dict[str, list[str]] = {
    "what-if": ["keep=1&older=0d", "repositories=otherteam/**", "repositories=*team/vault"],
    "policies": ["q=hushtag"],
    "policy-add": ["from=pull-requests"],
    "policy-tags": ["q=vault", "in=otherteam/vault", "by-rule=1", "format=csv", "format=json"],
    "runs": ["policy=hushtag-policy", "policy=mine", "state=asking", "page=2&per_page=1"],
    "run": ["q=vault", "format=csv", "format=json"],
    "in-use": ASKED["in-use"],
}
# Pages that say how many bytes would be freed; what others need stays, and who may not see them is told so.
FREEING = ("tag-delete", "manifest-delete", "repository-delete", "untagged-delete", "bulk", "what-if")


@pytest.fixture
def halves(registry: RunningRegistry, settings: Settings, db: None) -> Halves:
    registry.wipe()
    return Halves(registry, registered(settings, registry.url))


def patterns() -> Iterator[URLPattern]:
    """All addresses of our own pages."""
    waiting: list[Any] = [*urls.urlpatterns]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, URLPattern):
            waiting.extend(one.url_patterns)
        elif one.lookup_str.startswith("regui."):
            yield one


def addresses(halves: Halves, questions: dict[str, list[str]]) -> dict[str, str]:
    """Every page about the team's half, with what is asked of it besides, and its name."""
    found: dict[str, str] = {}
    for pattern in patterns():
        name = pattern.name or ""
        for kwargs in values(pattern, halves):
            place = reverse(name, kwargs=kwargs)
            asked = [quote(one.format(**halves.words()), safe="=&:") for one in questions.get(name, [])]
            found |= dict.fromkeys([place, *(f"{place}?{one}" for one in asked)], name)
    return found


def answers(browser: Client, places: dict[str, str]) -> dict[str, str]:
    """What each of these answers, and its part."""
    found = {}
    for place, name in places.items():
        response = browser.get(place)
        head = f"{response.status_code} {response.headers.get('Location', '')}"
        part = browser.get(place, headers=PARTS[name]).text if name in PARTS else ""
        found[place] = steady(f"{head} {response.getvalue().decode()} {part}")
    return found


@pytest.mark.parametrize(
    ("role", "questions", "least"), [(Role.READER, ASKED, 60), (Role.MAINTAINER, CLEANING, 60)]
)
def test_no_page_tells_of_what_one_may_not_see(
    halves: Halves, role: Role, questions: dict[str, list[str]], least: int
) -> None:
    bob = SignedIn("bob", (role, "team/**"))
    places = addresses(halves, questions)
    before = answers(bob, places)
    shown = [name for place, name in places.items() if before[place].startswith("200")]
    assert len(shown) > least
    assert questions.keys() <= set(shown)
    assert "not told: what you may not see may need it too" in before["/main/team/app/-/tags/1.0/"]
    traces = halves.traces()
    halves.add()
    cache.clear()  # sums that were added up before it
    traces |= halves.traces()
    after = answers(bob, places)
    told = {place: telling(traces, place, body, after[place]) for place, body in before.items()}
    assert not {place: found for place, found in told.items() if found}
    changed = {place: differing(body, after[place]) for place, body in before.items() if body != after[place]}
    freeing = {place for place, name in places.items() if role is Role.MAINTAINER and name in FREEING}
    assert not {place: lines for place, lines in changed.items() if place not in freeing}
