"""When a policy runs next."""

from datetime import UTC, datetime, timedelta, timezone

from regui.retention.schedule import next_after, upcoming

NOON = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)


def test_the_next_times_come_in_order_and_after_the_moment() -> None:
    assert upcoming("0 3 * * *", NOON, 3) == [datetime(2026, 8, day, 3, 0, tzinfo=UTC) for day in (2, 3, 4)]
    assert next_after("0 12 * * *", NOON) == NOON + timedelta(days=1), "not the moment itself"


def test_times_are_in_utc_wherever_the_moment_is_from() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=9)))
    assert next_after("30 12 * * *", elsewhere) == NOON + timedelta(minutes=30)


def test_without_a_schedule_there_is_no_next_time() -> None:
    assert next_after("", NOON) is None
    assert upcoming("", NOON, 3) == []
