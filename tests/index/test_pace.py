"""How hard a crawl presses."""

import pytest

from regui.index import pace


def test_it_begins_with_all_that_is_allowed() -> None:
    assert pace.allowed(pace.start(6), since_page=float("inf")) == 6


def test_a_refusal_halves_it_and_is_waited_out() -> None:
    slowed = pace.refused(pace.start(6), retry_after=5, now=100)
    assert pace.allowed(slowed, since_page=float("inf")) == 3
    assert slowed.not_before == 105


def test_what_was_in_flight_when_it_slowed_slows_it_no_further() -> None:
    slowed = pace.start(8)
    for moment in (100.0, 100.1, 100.2):
        slowed = pace.refused(slowed, None, moment)
    assert slowed.window == 4
    assert pace.refused(slowed, None, 102).window == 2


def test_no_pause_is_longer_than_a_minute() -> None:
    assert pace.refused(pace.start(6), retry_after=86_400, now=0).not_before == pace.LONGEST_PAUSE


def test_answers_that_take_ever_longer_slow_it() -> None:
    slowed = pace.start(6)
    for number in range(100):
        slowed = pace.answered(slowed, 0.01, now=number)
    assert slowed.window == 6
    for number in range(100, 200):
        slowed = pace.answered(slowed, 2.0, now=number)
    assert slowed.window == pytest.approx(1, abs=1)
    for number in range(200, 600):
        slowed = pace.answered(slowed, 0.01, now=number)
    assert slowed.window == 6


def test_jitter_of_a_quick_registry_is_no_reason() -> None:
    jittery = pace.start(6)
    for number in range(100):
        jittery = pace.answered(jittery, 0.001 if number % 3 else 0.1, now=number)
    assert jittery.window == 6


def test_it_never_stops_altogether() -> None:
    slowed = pace.start(1)
    for number in range(20):
        slowed = pace.refused(slowed, None, now=10 * number)
    assert pace.allowed(slowed, since_page=float("inf")) == 1


def test_someones_page_comes_first() -> None:
    assert pace.allowed(pace.start(8), since_page=0.1) == 1


@pytest.mark.parametrize(("rate", "expected"), [(0, 100.0), (10, 100.1), (1000, 100.001)])
def test_requests_are_as_far_apart_as_the_rate_says(rate: float, expected: float) -> None:
    assert pace.slot(100.0, rate, now=100.0) == pytest.approx(expected)


def test_rest_makes_work_its_share() -> None:
    assert pace.rest(2, 0.1) == pytest.approx(18)
    assert pace.rest(2, 1) == 0
