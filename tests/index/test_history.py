"""Moves of tags: kept once, found again, and told apart from a repository's first fill."""

from datetime import datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from regui.index import history, search
from regui.index.history import Move, Wanted
from regui.index.models import Repository, TagMove
from tests import factories
from tests.factories import NOW, digest

CRAWL, EVENT, ACTION = TagMove.How.CRAWL, TagMove.How.EVENT, TagMove.How.ACTION
pytestmark = pytest.mark.django_db
OLD, NEW, NEWER = digest("old"), digest("new"), digest("newer")


def move(
    before: str, after: str, *, tag: str = "latest", minutes: int = 0, how: str = CRAWL, actor: str = ""
) -> Move:
    at = NOW + timedelta(minutes=minutes)
    return Move(factories.repository(), tag, before, after, at, None, TagMove.How(how), actor)


def told(repository: Repository, text: str = "", since: datetime | None = None) -> list[tuple[str, str, str]]:
    found = history.of_repository(repository, Wanted(search.parse(text), since))
    return [(one.tag, one.before, one.after) for one in found]


def test_moves_are_kept_by_name_and_newest_first() -> None:
    repository = factories.repository()
    history.write([move("", OLD), move(OLD, NEW, minutes=1), move(NEW, "", minutes=2)])
    assert told(repository) == [("latest", NEW, ""), ("latest", OLD, NEW), ("latest", "", OLD)]
    registry = repository.registry.name
    repository.delete()
    assert TagMove.objects.filter(registry=registry, repository="team/app").count() == 3


def test_what_did_not_move_is_no_move() -> None:
    history.write([move(OLD, OLD)])
    assert not TagMove.objects.exists()


@pytest.mark.parametrize("how", [EVENT, ACTION])
def test_whoever_knows_more_explains_what_a_crawl_noticed(how: str) -> None:
    history.write([move(OLD, NEW, minutes=5)])
    history.write([move(OLD, NEW, how=how, actor="ci-bot")])
    kept = TagMove.objects.get()
    assert (kept.how, kept.actor, kept.at) == (how, "ci-bot", NOW)


def test_what_an_event_told_is_not_told_again_by_a_crawl() -> None:
    history.write([move(OLD, NEW, how=EVENT, actor="ci-bot")])
    history.write([move(OLD, NEW, minutes=5)])
    kept = TagMove.objects.get()
    assert (kept.how, kept.actor, kept.at) == (EVENT, "ci-bot", NOW)


def test_moving_to_and_fro_is_three_moves() -> None:
    history.write([move("", OLD), move(OLD, NEW), move(NEW, OLD)])
    history.write([move(OLD, NEW)])
    assert len(told(factories.repository())) == 4


def test_a_tag_of_the_first_fill_is_no_news_and_a_later_one_is() -> None:
    repository = factories.repository(filled_at=NOW)
    first = factories.tag(repository, "1.0", first_seen_at=NOW)
    later = factories.tag(repository, "1.1", first_seen_at=NOW + timedelta(minutes=1))
    assert not history.came(first)
    assert history.came(later)
    unread = factories.repository("team/new", listed_at=None)
    assert not history.came(factories.tag(unread, "1.0"))


def test_moves_are_found_by_tag_digest_and_time() -> None:
    repository = factories.repository()
    history.write(
        [
            move("", OLD),
            move(OLD, NEW, minutes=10),
            move("", NEW, tag="1.0", minutes=20),
            move("", NEWER, tag="1.1", minutes=30),
        ]
    )
    assert [tag for tag, _, _ in told(repository, text="1.*")] == ["1.1", "1.0"]
    assert [tag for tag, _, _ in told(repository, text="LAT")] == ["latest", "latest"]
    assert [tag for tag, _, _ in told(repository, text=NEW)] == ["1.0", "latest"]
    assert [tag for tag, _, _ in told(repository, text=OLD.short)] == ["latest", "latest"]
    assert [tag for tag, _, _ in told(repository, text=f"latest {NEW[:20]}")] == ["latest"]
    assert [tag for tag, _, _ in told(repository, text="-tag:latest")] == ["1.1", "1.0"]
    assert [tag for tag, _, _ in told(repository, text=f"digest:{OLD[7:20]} -{NEW}")] == ["latest"]
    assert [tag for tag, _, _ in told(repository, text='"1.*"')] == []
    assert [tag for tag, _, _ in told(repository, text="repo:team 1.1")] == ["1.1"]
    assert told(repository, text="team") == []
    assert [tag for tag, _, _ in told(repository, since=NOW + timedelta(minutes=20))] == ["1.1", "1.0"]
    assert [one.after for one in history.of_tag(repository, "latest")] == [NEW, OLD]
    assert told(factories.repository("team/other")) == []


def test_many_moves_cost_few_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    factories.repository()
    repository = Repository.objects.select_related("registry").get()
    names = [f"v{number}" for number in range(100)]
    moves = [Move(repository, name, "", NEW, NOW, None, TagMove.How.CRAWL) for name in names]
    with django_assert_num_queries(2):
        history.write(moves)
