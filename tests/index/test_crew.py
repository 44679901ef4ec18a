"""The threads of a crawl: in which order they ask, and how they end."""

import threading

import pytest

from regui import oci
from regui.index.crew import Crew
from regui.index.talk import Talk, ask
from tests.fake import Fake


@pytest.fixture
def client(fake: Fake) -> oci.Client:
    return oci.Client(fake.url)


def test_what_is_wanted_first_is_asked_before_all_that_waits(client: oci.Client) -> None:
    asked: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def work(_: oci.Client, item: str) -> None:
        begun.set()
        assert go_on.wait(10)
        asked.append(item)

    def talk(*rounds: list[str]) -> Talk[str]:
        for items in rounds:
            yield from ask(work, items)
        return rounds[-1][-1]

    with Crew[str](client, 1) as crew:
        assert list(crew.begin(talk(["a1", "a2"]))) == []
        assert begun.wait(10)
        assert list(crew.begin(talk(["b1"]))) == []
        assert list(crew.begin(talk(["c1", "c2"], ["c3"]), first=True)) == []
        go_on.set()
        ended: list[str] = []
        while crew.talks:
            ended += crew.finished(10)

    assert asked[:3] == ["a1", "c1", "c2"]
    assert asked.index("a2") < asked.index("b1")
    assert sorted(ended) == ["a2", "b1", "c3"]


def test_what_has_not_begun_is_dropped_at_the_end(client: oci.Client) -> None:
    asked: list[int] = []
    begun = threading.Event()

    def work(_: oci.Client, item: int) -> None:
        asked.append(item)
        begun.set()
        threading.Event().wait(0.1)

    def talk() -> Talk[None]:
        yield from ask(work, range(100))

    with Crew[None](client, 2) as crew:
        assert list(crew.begin(talk())) == []
        assert begun.wait(10)

    assert len(asked) < 20


def test_what_a_thread_breaks_on_is_raised(client: oci.Client) -> None:
    def work(_: oci.Client, item: int) -> float:
        return 1 / item

    def talk() -> Talk[None]:
        yield from ask(work, [0])

    with Crew[None](client, 1) as crew:
        assert list(crew.begin(talk())) == []
        with pytest.raises(ZeroDivisionError):
            list(crew.finished(10))
