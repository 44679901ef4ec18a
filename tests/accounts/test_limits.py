"""How often somebody may be wrong about a secret."""

import logging
import threading
import time

import pytest

from regui.accounts import limits
from regui.accounts.limits import Limit

HERE, THERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def quick() -> Limit:
    """Three times in two seconds."""
    return Limit("quick", 3, 2)


def test_who_is_wrong_too_often_is_not_listened_to(quick: Limit) -> None:
    for _ in range(3):
        assert quick.blocked(HERE) == 0
        quick.failed(HERE)

    assert 1 <= quick.blocked(HERE) <= 2
    assert quick.blocked(THERE) == 0, "others are"


def test_it_ends_by_itself(quick: Limit) -> None:
    for _ in range(5):
        quick.failed(HERE)
    assert quick.blocked(HERE)

    time.sleep(2.1)

    assert quick.blocked(HERE) == 0
    quick.failed(HERE)
    assert quick.blocked(HERE) == 0, "it begins anew"


def test_each_kind_of_secret_counts_for_itself() -> None:
    for _ in range(20):
        limits.failed("hook", HERE)

    assert 1 <= limits.blocked("hook", HERE) <= 60
    assert limits.blocked("token", HERE) == 0


def test_threads_count_together(quick: Limit) -> None:
    many = Limit("many", 400, 60)

    def wrong() -> None:
        for _ in range(50):
            many.failed(HERE)

    threads = [threading.Thread(target=wrong) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert many.blocked(HERE)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("", "no address", True),
        ("192.0.2.1", "", False),
    ],
)
def test_what_counts_as_one_address(quick: Limit, one: str, other: str, same: bool) -> None:
    for _ in range(3):
        quick.failed(one)

    assert bool(quick.blocked(other)) == same


def test_it_is_written_down_once(quick: Limit, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "regui"):
        for _ in range(9):
            quick.failed(HERE)

    assert caplog.messages == ["192.0.2.1 was wrong about a quick's secret 3 times"]
