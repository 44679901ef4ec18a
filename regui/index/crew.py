"""The threads of a crawl: they ask what talks want to know, at the registry's pace, and never touch a
database."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from regui import oci
from regui.index import pace, pages
from regui.index.talk import Answers, Ask, Talk

R = TypeVar("R")

# Seconds between two looks at whether the window has opened.
MOMENT = 0.005
# One answer of so many is looked at for how long it took.
SAMPLE = 8
TRIES, PAUSE, GROWTH = 3, 0.2, 3.0
# Seconds that what is on its way at the end is waited for.
PATIENCE = 1.5
PASSING = frozenset({429, 502, 503, 504})  # statuses that may be gone when asked again


class Job(Generic[R]):
    """A talk and the question it waits for the answers to."""

    def __init__(self, talk: Talk[R], asked: Ask, *, first: bool) -> None:
        self.talk, self.work, self.items, self.first = talk, asked.work, asked.items, first
        self.answers: list[Any] = [None] * len(asked.items)
        self.left = len(asked.items)


class Crew(Generic[R]):
    """`size` threads with one client. A context manager, that ends them; what they have begun is waited for
    a moment, and its answer not wanted."""

    def __init__(self, client: oci.Client, size: int, rate: float = 0.0) -> None:
        self.client, self.rate = client, rate
        self.pace = pace.start(size)
        self.talks = 0
        # What is to be asked, and a sign for each of it: False sends a thread home.
        self._todo: deque[tuple[Job[R], int]] = deque()
        self._signs: SimpleQueue[bool] = SimpleQueue()
        self._done: SimpleQueue[Job[R] | BaseException] = SimpleQueue()
        self._guard = threading.Lock()
        self._in_flight, self._in_vain, self._slot = 0, 0, 0.0
        self._threads = [threading.Thread(target=self._ask, name="crawl", daemon=True) for _ in range(size)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            while True:
                self._signs.get_nowait()
        except Empty:
            pass
        for _ in self._threads:
            self._signs.put(False)
        until = time.monotonic() + PATIENCE
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0))

    def begin(self, talk: Talk[R], *, first: bool = False) -> Iterator[R]:
        """Take a talk on; yields what it comes to when it asks nothing. With `first`, what it asks comes
        before all that waits."""
        self.talks += 1
        yield from self._go_on(talk, None, first=first)

    def finished(self, timeout: float) -> Iterator[R]:
        """Wait for answers to one talk, at most so many seconds, and let it go on: yields what it comes to,
        if it ends. Raises what a thread broke on."""
        try:
            job = self._done.get(timeout=timeout)
        except Empty:
            return
        if isinstance(job, BaseException):
            raise job
        yield from self._go_on(job.talk, list(zip(job.items, job.answers, strict=True)), first=job.first)

    def _go_on(self, talk: Talk[R], answers: Answers | None, *, first: bool) -> Iterator[R]:
        try:
            asked = next(talk) if answers is None else talk.send(answers)
        except StopIteration as end:
            self.talks -= 1
            yield end.value
            return
        job = Job(talk, asked, first=first)
        questions = range(len(asked.items))
        if first:
            self._todo.extendleft((job, at) for at in reversed(questions))
        else:
            self._todo.extend((job, at) for at in questions)
        for _ in questions:
            self._signs.put(True)

    def _ask(self) -> None:
        """What each thread does."""
        while self._signs.get():
            job, at = self._todo.popleft()
            try:
                job.answers[at] = self._answer(job, at)
            except BaseException as error:  # noqa: BLE001  # raised again where the talks are led
                self._done.put(error)
                return
            with self._guard:
                job.left -= 1
                last = not job.left
            if last:
                self._done.put(job)

    def _answer(self, job: Job[R], at: int) -> Any:
        """The answer to one question, or the error it met each time it was asked. Once nothing answers at
        all, nothing is asked twice."""
        attempt = 0
        while True:
            attempt += 1
            self._enter()
            began = time.monotonic()
            found: Any
            try:
                found = job.work(self.client, job.items[at])
            except oci.Error as error:
                found = error
            now = time.monotonic()
            passing = is_passing(found)
            with self._guard:
                self._in_flight -= 1
                if passing:
                    wait = found.retry_after if isinstance(found, oci.Refused) else None
                    wait = PAUSE * GROWTH ** (attempt - 1) if wait is None else wait
                    self.pace = pace.refused(self.pace, wait, now)
                    hopeless = self._in_vain >= len(self._threads) or wait > pace.LONGEST_PAUSE
                    if attempt >= TRIES:
                        self._in_vain += 1
                else:
                    self._in_vain = 0
                    if at % SAMPLE == 0:
                        self.pace = pace.answered(self.pace, now - began, now)
            if not passing or hopeless or attempt >= TRIES:
                return found

    def _enter(self) -> None:
        """Wait until one more request may be sent."""
        while True:
            now = time.monotonic()
            since_page = pages.since()
            with self._guard:
                wait = self.pace.not_before - now
                if wait <= 0 and self._in_flight < pace.allowed(self.pace, since_page):
                    self._in_flight += 1
                    self._slot = pace.slot(self._slot, self.rate, now)
                    wait = self._slot - now
                    break
            time.sleep(min(max(wait, MOMENT), 1.0))
        if wait > 0:
            time.sleep(wait)


def is_passing(found: object) -> bool:
    """Whether that is trouble which may be gone when asked again."""
    return isinstance(found, oci.Dropped) or (isinstance(found, oci.Refused) and found.status in PASSING)
