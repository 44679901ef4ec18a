"""The history of a repository's tags, as sentences."""

import re
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from regui.actions.models import Action
from regui.index import history
from regui.index.history import Move
from regui.index.models import Content, Manifest, Repository, TagMove
from tests import factories
from tests.factories import digest
from tests.people import ASKING
from tests.registry import RunningRegistry
from tests.web import acting
from tests.web.conftest import Visitor

OLD, NEW = digest("old"), digest("new")
THEN = datetime(2026, 8, 1, 12, 1, tzinfo=UTC)
WHEN = "2026-08-01 12:01:00 UTC"
ADDRESS = "/main/team/app/-/history/"
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#results"}


def wrote(repository: Repository, tag: str, before: str, after: str, **more: object) -> None:
    given = {"at": THEN, "since": None, "how": TagMove.How.CRAWL} | more
    history.write([Move(repository, tag, before, after, **given)])  # type: ignore[arg-type]


@pytest.fixture
def app(db: None) -> Repository:
    now = timezone.now()
    factories.registry(listed_at=now)
    repository = factories.repository("team/app", listed_at=now, tried_at=now, filled_at=THEN, tag_count=1)
    factories.tag(repository, "latest", factories.manifest(repository, "new"), seen_at=now)
    return repository


def sentences(text: str) -> list[str]:
    """What the page tells, in order, without markup."""
    rows = re.findall(r'<td class="c-main">(.*?)</td>', text, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]


def test_moves_are_told_in_sentences(app: Repository, bob: Visitor) -> None:
    wrote(app, "latest", OLD, NEW, how=TagMove.How.EVENT, actor="ci-bot")
    wrote(app, "1.0", OLD, "")
    wrote(app, "1.1", "", NEW)
    page = bob.get(ADDRESS).text
    assert sentences(page) == [
        f"1.1 came, on {NEW.short} noticed {WHEN}",
        f"1.0 left; it was on {OLD.short} noticed {WHEN}",
        f"latest moved from {OLD.short} to {NEW.short} told by the registry {WHEN}, by ci-bot",
    ]


def test_only_what_is_still_there_is_a_link(app: Repository, bob: Visitor) -> None:
    wrote(app, "latest", OLD, NEW)
    wrote(app, "1.0", OLD, "")
    page = bob.get(ADDRESS).text
    assert f"/-/manifests/{NEW}/" in page
    assert f"/-/manifests/{OLD}/" not in page
    assert "/-/tags/latest/" in page
    assert "/-/tags/1.0/" not in page


@pytest.mark.parametrize(
    ("query", "tags"),
    [
        ("", ["latest", "1.0", "edge"]),
        ("q=LAT", ["latest"]),
        ("q=*e*", ["latest", "edge"]),
        (f"q={OLD}", ["latest", "1.0"]),
        (f"q={OLD.short}", ["latest", "1.0"]),
        ("since=2026-08-01", ["latest", "1.0"]),
        ("since=2026-08-03", []),
        ("since=soon", ["latest", "1.0", "edge"]),
        ("per_page=1&page=2", ["1.0"]),
    ],
)
def test_a_history_is_filtered_and_paged(app: Repository, bob: Visitor, query: str, tags: list[str]) -> None:
    wrote(app, "edge", "", NEW, at=THEN - timedelta(days=2))
    wrote(app, "1.0", "", OLD)
    wrote(app, "latest", OLD, NEW, at=THEN + timedelta(minutes=1))
    found = re.findall(r'<tr data-tag="([^"]*)"', bob.get(f"{ADDRESS}?{query}", headers=HTMX).text)
    assert found == tags


def test_a_tag_tells_its_own_history(app: Repository, bob: Visitor) -> None:
    wrote(app, "1.0", OLD, "")
    content = b'{"schemaVersion": 2, "layers": []}'
    Content.objects.create(row=Manifest.objects.get(digest=NEW), manifest_deflated=zlib.compress(content))
    quiet = bob.get("/main/team/app/-/tags/latest/").text
    wrote(app, "latest", OLD, NEW)
    page = bob.get("/main/team/app/-/tags/latest/").text
    assert "History of this tag" not in quiet
    assert f"moved from {OLD.short} to {NEW.short}" in " ".join(sentences(page))
    assert f"{ADDRESS}?q=latest" in page


def deleted(digest: str, at: datetime, actor: str = "anonymous") -> None:
    """The journal has a delete of that digest."""
    Action.objects.create(
        registry="main",
        repository="team/app",
        kind="delete-digest",
        digest=digest,
        actor=actor,
        state=Action.State.DONE,
        started_at=at,
        fingerprint="",
    )


def test_who_deleted_a_digest_through_regui_is_named(app: Repository, bob: Visitor) -> None:
    deleted(OLD, THEN)
    wrote(app, "1.0", OLD, "")
    assert "1.0 was deleted; it was on" in sentences(bob.get(ADDRESS).text)[0]
    assert sentences(bob.get(ADDRESS).text)[0].endswith("by anonymous")


def test_a_delete_explains_what_left_by_it_and_nothing_before_or_after(app: Repository, bob: Visitor) -> None:
    day = timedelta(days=1)
    wrote(app, "early", OLD, "", at=THEN - day)
    deleted(OLD, THEN, "alice")
    wrote(app, "1.0", OLD, "", at=THEN + day)
    wrote(app, "1.0", "", OLD, at=THEN + 2 * day)
    wrote(app, "1.0", OLD, "", at=THEN + 3 * day)
    deleted(OLD, THEN + 4 * day, "bob")
    wrote(app, "other", OLD, "", at=THEN + 5 * day)
    told = [" ".join(sentence.split()[:2]) for sentence in sentences(bob.get(ADDRESS).text)]
    assert told == ["other was", "1.0 left;", "1.0 came,", "1.0 was", "early left;"]
    by = [sentence.rpartition("by ")[2] for sentence in sentences(bob.get(ADDRESS).text)[::3]]
    assert by == ["bob", "alice"]


def test_a_history_outlives_its_repository(app: Repository, bob: Visitor) -> None:
    wrote(app, "1.0", OLD, "")
    app.tags.all().delete()
    app.delete()
    page = bob.get(ADDRESS)
    assert page.status_code == 200
    assert sentences(page.text)
    assert bob.get("/main/never/seen/-/history/").status_code == 404


def test_without_moves_it_says_since_when_nothing_moved(app: Repository, bob: Visitor) -> None:
    page = bob.get(ADDRESS).text
    assert "Nothing has moved yet" in page
    assert "2026-08-01 12:01 UTC" in page


def test_a_stranger_sees_no_history(app: Repository, charlie: Visitor) -> None:
    wrote(app, "1.0", OLD, "")
    assert charlie.get(ADDRESS).status_code == 404


def test_names_of_people_can_not_break_the_page(app: Repository, bob: Visitor) -> None:
    wrote(app, "1.0", OLD, "", how=TagMove.How.EVENT, actor="<script>alert(1)</script>")
    assert "<script>alert" not in bob.get(ADDRESS).text


def test_a_long_history_costs_no_more_queries_than_a_short_one(
    app: Repository, bob: Visitor, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    wrote(app, "latest", OLD, NEW)
    for number in range(60):
        wrote(app, f"v{number}", OLD, "")
    with django_assert_num_queries(9 + ASKING):
        bob.get(ADDRESS)


def test_a_delete_through_regui_stands_in_the_history(
    registry: RunningRegistry, settings: object, db: None
) -> None:
    name = registry.unique("team/app")
    doomed = registry.push(name, tags=["1.0", "latest"])
    settings.REGISTRIES = acting.registered(registry.url)  # type: ignore[attr-defined]
    row = acting.row()
    alice = acting.Visitor(Client())
    assert alice.delete(name, doomed).status_code == 303
    told = TagMove.objects.filter(registry=row.name, repository=name)
    assert {(one.tag, one.before, one.after, one.how, one.actor) for one in told} == {
        ("1.0", doomed, "", "action", "anonymous"),
        ("latest", doomed, "", "action", "anonymous"),
    }
