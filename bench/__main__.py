"""Runs every bench and prints one table.

    python -m bench small|medium|full [folder]

`small` takes a few minutes and says little, `medium` some ten; `full` is the size the figures are promised
for, takes an hour or more, and ten gigabytes and four million files in the folder.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench import browser, bulk, events, figures, fill, memory, pages, retention, stage
from bench.synthetic import Shape


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    fill: Shape
    rounds: int
    pages: Shape
    beside: Shape
    seconds: int
    pushes: int
    deleted: int


SIZES = {
    "small": Size(Shape(20, 1_000), 1, Shape(200, 5_000, largest=1_000), Shape(20, 1_000), 3, 12, 100),
    "medium": Size(
        Shape(100, 5_000), 3, Shape(1_000, 20_000, largest=10_000), Shape(100, 5_000), 10, 40, 300
    ),
    "full": Size(
        Shape(2_000, 100_000), 3, Shape(10_000, 500_000, largest=10_000), Shape(400, 20_000), 30, 100, 1_000
    ),
}


def measure(folder: Path, size: Size) -> list[figures.Figure]:
    """All figures; the heaviest load on the disk last."""
    found = []
    stage.say("fills and their floor")
    found += fill.measure(folder / "fill", size.fill, size.rounds)
    stage.say("pages")
    found += pages.measure(folder, size.pages)
    found += pages.while_filling(folder, size.pages, size.beside)
    stage.say("the browser")
    found += browser.measure(folder, size.pages)
    stage.say("events")
    found += events.seen(folder, size.pushes)
    for rate, each in events.RATES:
        found += events.burst(folder, rate, each, size.seconds)
    stage.say("many deletes")
    found += bulk.measure(folder, size.deleted, 10 * size.deleted)
    stage.say("policies")
    found += retention.measure(folder, size.pages)
    stage.say("memory")
    return found + memory.measure(folder, size.pages)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("folder", nargs="?", type=Path, help="kept; without one a temporary folder is used")
    options = parser.parse_args()
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
        print(figures.table(measure(options.folder, SIZES[options.size])))
        return
    with tempfile.TemporaryDirectory(prefix="regui-bench-") as folder:
        print(figures.table(measure(Path(folder), SIZES[options.size])))


if __name__ == "__main__":
    main()
