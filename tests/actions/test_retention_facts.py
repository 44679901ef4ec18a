"""What rules are told about tags, from rows."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from regui.actions.models import InUse, Protection, Source
from regui.actions.retention import facts
from regui.index import listing
from regui.index.models import Event, Inbox, Manifest, PullCount, Registry, Repository, TagMove
from regui.retention.tags import Half, Moment, Tag
from tests import bulk, factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

NEEDS = {"created", "first_seen", "pushed", "pulled", "labels"}
How = TagMove.How


def at(moment: datetime) -> int:
    return int(moment.timestamp())


def days(count: float) -> datetime:
    return NOW - timedelta(days=count)


def known(row: Repository, needs: Collection[str] = NEEDS) -> dict[str, Tag]:
    """What is known of a repository's tags by name; both ways of asking say the same."""
    [stand] = facts.stands(row.registry, needs, [row.name])
    assert sorted(facts.of_repository(row, needs)) == sorted(stand.tags)
    assert (stand.key, stand.name) == (row.pk, row.name)
    return {tag.name: tag for tag in stand.tags}


def moved(row: Repository, tag: str, after: str, moment: datetime, how: str = How.EVENT) -> None:
    place = {"registry": row.registry.name, "repository": row.name, "tag": tag}
    TagMove.objects.create(**place, before="", after=after, at=moment, how=how)


def pulled(row: Repository, moment: datetime, tag: str = "", digest: str = "") -> None:
    place: dict[str, Any] = {"registry": row.registry.name, "repository": row.name}
    PullCount.objects.create(**place, tag=tag, digest=digest, day=moment.date(), count=1, last_at=moment)


def test_a_tag_is_told_with_its_image_and_its_dates() -> None:
    row = factories.repository()
    image = factories.manifest(row, created_at=days(9), labels={"a": "1"})
    factories.tag(row, "v1", image, first_seen_at=days(3), pulled_at=days(2))
    assert known(row)["v1"] == Tag(
        "v1", image.pk, at(days(9)), at(days(3)), None, at(days(2)), labels={"a": "1"}
    )


@pytest.mark.parametrize(
    "created", [None, datetime(1, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)], ids=str
)
def test_dates_that_cannot_be_true_are_unknown(created: datetime | None) -> None:
    row = factories.repository()
    image = factories.manifest(row, created_at=created)
    factories.tag(row, "v1", image)
    assert known(row)["v1"].created is None


def test_what_an_image_says_of_a_time_before_images_is_not_believed_either() -> None:
    row = factories.repository()
    image = factories.manifest(row)
    factories.tag(row, "old", image, created_key=facts.EARLIEST - 1)
    factories.tag(row, "less-old", image, created_key=facts.EARLIEST)
    found = known(row, ())
    assert (found["old"].created, found["less-old"].created) == (None, facts.EARLIEST)


def test_tags_that_left_and_those_that_speak_about_others_are_left_out() -> None:
    row = factories.repository()
    factories.tag(row, "v1", factories.manifest(row))
    factories.tag(row, "gone", factories.manifest(row), gone_at=NOW)
    factories.tag(row, f"sha256-{'0' * 64}.sig", factories.manifest(row))
    factories.tag(row, "unread")
    found = known(row)
    assert sorted(found) == ["unread", "v1"]
    assert found["unread"].manifest is None
    assert found["unread"].created is None


def test_a_tag_that_moved_was_first_seen_on_its_image_then() -> None:
    row = factories.repository()
    image = factories.manifest(row)
    factories.tag(row, "moved", image, first_seen_at=days(300))
    factories.tag(row, "still", image, first_seen_at=days(300))
    moved(row, "moved", image.digest, days(5), How.CRAWL)
    found = known(row)
    assert found["moved"].first_seen == at(days(5))
    assert found["still"].first_seen == at(days(300))
    assert found["moved"].pushed is None


@pytest.mark.parametrize("how", [How.EVENT, How.ACTION])
def test_when_it_was_pushed_is_what_its_last_move_tells(how: str) -> None:
    row = factories.repository()
    image, other = factories.manifest(row), factories.manifest(row)
    for name in ("told", "elsewhere", "unexplained"):
        factories.tag(row, name, image, first_seen_at=days(300))
        moved(row, name, image.digest, days(20), how)
    moved(row, "elsewhere", other.digest, days(9), how)
    moved(row, "unexplained", image.digest, days(8), How.CRAWL)
    found = known(row)
    assert found["told"].pushed == at(days(20))
    assert found["elsewhere"].pushed is None
    assert found["unexplained"].pushed is None


def test_a_pull_by_name_by_digest_or_of_a_child_counts_and_the_last_one_is_told() -> None:
    row, other = factories.repository(), factories.repository("team/other")
    child, image = factories.manifest(row), factories.manifest(row)
    index = factories.index(row, [child])
    factories.tag(row, "by-name", image, pulled_at=days(40))
    factories.tag(row, "by-digest", factories.manifest(row, "alone"))
    factories.tag(row, "index", index)
    factories.tag(row, "never", factories.manifest(row))
    factories.tag(other, "index", index)
    pulled(row, days(30), "by-name", "sha256:" + "0" * 64)
    pulled(row, days(20), digest=str(factories.digest("alone")))
    pulled(row, days(25), digest=str(factories.digest("alone")))
    pulled(row, days(10), digest=child.digest)
    found = {name: tag.pulled for name, tag in known(row).items()}
    assert found == {
        "by-name": at(days(30)),
        "by-digest": at(days(20)),
        "index": at(days(10)),
        "never": None,
    }
    assert known(other)["index"].pulled is None


def test_an_index_has_the_labels_of_its_children_too() -> None:
    row = factories.repository()
    child = factories.manifest(row, labels={"keep": "yes", "a": "child"})
    index = factories.index(row, [child], labels={"a": "index"})
    factories.tag(row, "v1", index)
    assert known(row)["v1"].labels == {"keep": "yes", "a": "index"}
    assert known(row, ())["v1"].labels == {}


def test_locks_are_told_whatever_is_asked_for() -> None:
    row = factories.repository()
    image = factories.manifest(row)
    for name in ("v1", "running", "beside"):
        factories.tag(row, name, image if name != "v1" else factories.manifest(row))
    Protection.objects.create(registry="main", repositories="**", tags="v*", created_by="a", created_at=NOW)
    Protection.objects.create(registry="main", repositories="x/*", tags="*", created_by="a", created_at=NOW)
    now = datetime.now(UTC)
    source = Source.objects.create(name="prod", actor="a", told_at=now, expires_at=now + timedelta(hours=1))
    use = {"source": source, "registry": "main", "repository": row.name, "since": NOW}
    InUse.objects.create(**use, tag="running", digest=image.digest)
    found = known(row, ())
    assert found["v1"].protected == "protected by v*"
    assert found["v1"].used == ""
    assert found["running"].used == found["beside"].used == "running in prod since 2026-08-01 12:00 UTC"
    assert found["beside"].protected == ""


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"doubt": "half of it is missing"}, "half of it is missing"),
        ({"listed_at": None}, "its tags were never listed completely"),
        ({"problem": "the registry said no"}, "the registry said no"),
    ],
)
def test_a_repository_of_which_too_little_is_known_stands_without_tags(
    fields: dict[str, Any], reason: str
) -> None:
    row = factories.repository(**fields)
    factories.tag(row, "v1", factories.manifest(row))
    [stand] = facts.stands(row.registry, (), ["**"])
    assert (stand.tags, stand.wary) == ([], reason)
    assert facts.wary(row) == reason
    assert facts.of_repository(row, ()) == []


def test_nothing_stands_with_tags_in_a_registry_whose_catalog_is_doubted() -> None:
    row = factories.repository()
    factories.tag(row, "v1", factories.manifest(row))
    Registry.objects.update(doubt="its disk is missing")
    assert [one.wary for one in facts.stands(factories.registry(), (), ["**"])] == ["its disk is missing"]


def test_repositories_are_those_that_are_covered_chosen_and_listed_by_name() -> None:
    for name in ("team/b", "team/a", "team/deep/c", "other/a", "team/gone", "team/z"):
        row = factories.repository(name, gone_at=NOW if name == "team/gone" else None)
        factories.tag(row, "v1", factories.manifest(row))
    registry = factories.registry()
    found = facts.stands(registry, (), ["team/*", "other/**"], chosen=lambda name: name != "team/z")
    assert [(one.name, len(one.tags)) for one in found] == [("other/a", 1), ("team/a", 1), ("team/b", 1)]
    assert list(facts.stands(registry, (), [])) == []


def test_pulls_are_told_of_while_a_worker_looks_after_events_that_come_in() -> None:
    row = factories.told(factories.registry(), days(100))
    told = Moment(at(NOW), at(days(100)))
    untold = Moment(at(NOW))
    assert facts.moment(row, NOW) == told
    waiting = Event.objects.create(
        registry="main", uid="1", action="pull", repository="a", at=NOW, received_at=days(1)
    )
    assert facts.moment(row, NOW) == untold
    waiting.delete()
    Inbox.objects.update(beat_at=days(1))
    assert facts.moment(row, NOW) == untold
    Inbox.objects.update(beat_at=NOW)
    assert facts.moment(row, NOW) == told
    Registry.objects.update(events_since=None)
    assert facts.moment(row, NOW) == untold
    Registry.objects.update(events_since=days(100))
    Inbox.objects.all().delete()
    assert facts.moment(row, NOW) == untold


def test_more_repositories_and_tags_take_no_more_queries(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    registry = factories.registry()
    for number in range(3):
        bulk.tags(factories.repository(f"team/app{number}"), 40)
    # The doubt, the repositories, what protects, what runs, and then tags, moves and pulls for all of them.
    with django_assert_num_queries(7):
        assert len(list(facts.stands(registry, {"first_seen", "pulled"}, ["**"]))) == 3
    with django_assert_num_queries(5):
        assert sum(len(one.tags) for one in facts.stands(registry, (), ["**"])) == 120
    assert Manifest.objects.count() > 100


def test_portions_hold_so_many_tags_and_repositories() -> None:
    rows = [(number, f"r{number}", 4_000, "") for number in range(5)]
    assert [len(some) for some in facts.portions(rows)] == [2, 2, 1]
    large = [(1, "a", 9_000, ""), (2, "b", 50_000, ""), (3, "c", None, "")]
    assert [len(some) for some in facts.portions(large)] == [1, 1, 1]
    assert [len(some) for some in facts.portions([(n, "a", 0, "") for n in range(501)])] == [500, 1]


def test_events_that_never_tell_of_pulls_say_nothing_of_what_was_not_pulled() -> None:
    row = factories.told(factories.registry(), days(100))
    PullCount.objects.all().delete()
    assert facts.moment(row, NOW) == Moment(at(NOW)), "pushes alone come in"
    here = factories.repository()
    pulled(here, days(20), "v1")
    assert facts.moment(row, NOW) == Moment(at(NOW)), "none lately"
    pulled(here, days(2), "v1")
    assert facts.moment(row, NOW) == Moment(at(NOW), at(days(20))), "not before the first"


def test_a_tag_that_leads_nowhere_is_told_as_one_that_could_not_be_read() -> None:
    row = factories.repository()
    image = factories.manifest(row, created_at=days(9))
    factories.tag(row, "v1", image, problem=listing.DANGLING)
    assert known(row)["v1"].manifest is None


@pytest.mark.parametrize("year", [1980, 2012])
def test_no_image_is_older_than_images_are(year: int) -> None:
    # Builders that want the same bytes each time write a date of their own: 1 January 1980, for one.
    row = factories.repository()
    factories.tag(row, "v1", factories.manifest(row, created_at=datetime(year, 1, 1, 0, 0, 1, tzinfo=UTC)))
    assert known(row)["v1"].created is None


def test_labels_that_could_not_be_read_are_not_said_to_be_absent() -> None:
    row = factories.repository()
    child = factories.manifest(row, labels={"a": "1"})
    unread = factories.manifest(row, read_at=None)
    for name, children in (("whole", [child]), ("half", [child, unread]), ("none", [unread])):
        factories.tag(row, name, factories.index(row, children))
    factories.tag(row, "unread", unread)
    found = known(row)
    assert {name: isinstance(tag.labels, Half) for name, tag in found.items()} == {
        "whole": False,
        "half": True,
        "none": True,
        "unread": True,
    }
    assert found["half"].labels == {"a": "1"}
