"""What runs somewhere is locked until its source falls silent."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from regui.actions import inuse
from regui.actions.models import InUse, Source
from tests.factories import NOW, digest, registry

SINCE = datetime(2026, 7, 31, 20, 0, 59, tzinfo=UTC)
REASON = "running in prod since 2026-07-31 20:00 UTC"


def use(
    source: str = "prod",
    *,
    tag: str = "",
    on: str = "",
    since: datetime = SINCE,
    left: timedelta = timedelta(hours=1),
    repository: str = "team/app",
    registry: str = "main",
) -> InUse:
    """A use that a source told, which holds for that time yet."""
    fields = {"actor": "alice", "told_at": NOW, "expires_at": NOW + left}
    row, _ = Source.objects.get_or_create(name=source, defaults=fields)
    return InUse.objects.create(
        source=row, registry=registry, repository=repository, tag=tag, digest=on, since=since
    )


# Reasons


@pytest.mark.django_db
def test_a_use_locks_its_tag_and_its_digest() -> None:
    use(tag="1.0", on=digest("a"))
    use(on=digest("b"))
    use(tag="edge")
    found = inuse.of_repository(registry(), "team/app", NOW)
    assert found.tags == {"1.0": REASON, "edge": REASON}
    assert found.digests == {digest("a"): REASON, digest("b"): REASON}
    assert found.afloat == {"edge"}


@pytest.mark.django_db
def test_what_expired_locks_nothing() -> None:
    use(tag="1.0", left=timedelta())
    assert not inuse.of_repository(registry(), "team/app", NOW)
    assert inuse.of_repository(registry(), "team/app", NOW - timedelta(seconds=1))


@pytest.mark.django_db
def test_a_reason_names_two_sources_and_counts_the_others_the_first_first() -> None:
    later = SINCE + timedelta(hours=1)
    use("beta", tag="1.0", on=digest("a"), since=later)
    use("alpha", tag="1.0", on=digest("a"), since=later)
    both = "running in alpha since 2026-07-31 21:00 UTC and in beta since 2026-07-31 21:00 UTC"
    assert inuse.of_repository(registry(), "team/app", NOW).tags == {"1.0": both}
    use("prod", tag="1.0")
    three = f"{REASON} and in alpha since 2026-07-31 21:00 UTC, and in 1 other"
    assert inuse.of_repository(registry(), "team/app", NOW).tags == {"1.0": three}


@pytest.mark.django_db
def test_a_registry_s_uses_come_by_repository_in_one_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    use(tag="1.0")
    use(tag="2.0", repository="team/web")
    use(tag="3.0", registry="other")
    row = registry()
    with django_assert_num_queries(1):
        found = inuse.of_registry(row, NOW)
    assert {name: uses.tags for name, uses in found.items()} == {
        "team/app": {"1.0": REASON},
        "team/web": {"2.0": REASON},
    }
    with django_assert_num_queries(1):
        assert inuse.of_repository(row, "team/web", NOW).tags == {"2.0": REASON}
