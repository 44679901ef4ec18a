"""Readings as conversations: what one asks of the registry it yields, and the answers come back to it.

So a page can wait for its one reading, and a crawl can have several under way in one thread: while the
answers of one become rows, the registry works for another. Nothing but the asking happens in other threads.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from regui import oci
from regui.index.connect import Link

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Ask:
    """Questions of one kind; `work` asks one item's with the client it is given, and touches no database."""

    work: Callable[[oci.Client, Any], Any]
    items: Sequence[Any]


# Each item with what `work` made of it or the error it met, in the items' order.
Answers = list[tuple[Any, Any]]
Talk = Generator[Ask, Answers, R]


def ask(
    work: Callable[[oci.Client, T], R], items: Iterable[T]
) -> Generator[Ask, Answers, list[tuple[T, R | oci.Error]]]:
    """Every item with its answer, or the error it met: `yield from` this in a talk."""
    asked = list(items)
    if not asked:
        return []
    return (yield Ask(work, asked))


def settle(talk: Talk[R], link: Link, deadline: float | None) -> R:
    """What the talk comes to, after waiting for each of its answers, no longer than to the deadline
    (monotonic): what isn't answered by then is `oci.TimedOut`."""
    client = link.client.until(deadline)
    try:
        question = next(talk)
        while True:
            answers = link.map(partial(question.work, client), question.items, deadline)
            question = talk.send(list(answers))
    except StopIteration as end:
        result: R = end.value
        return result
