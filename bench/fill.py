"""How long `regui sync` takes, first and again, next to the least time its requests could take.

python -m bench.fill /tmp/bench --tags 10000 --rounds 3
"""

import argparse
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench import floor, stage
from bench.figures import Figure, at_most, table
from bench.synthetic import Shape
from tests.registry import Access


def measure(folder: Path, shape: Shape, rounds: int) -> list[Figure]:
    """Rounds of: fill, the fill's floor, an unchanged resync, the resync's floor; each against a registry
    process of its own. Ratios are between medians. A command's start, which is what one with nothing to do
    takes, isn't counted."""
    here = stage.Stage(folder, shape)
    times: dict[str, list[float]] = {"fill": [], "resync": []}
    floors: dict[str, list[float]] = {"fill": [], "resync": []}
    asked: list[Access] = []
    for turn in range(rounds):
        data = here.data("fill")
        with here.registry() as registry:
            stage.run(data, registry, "migrate")
            start, _ = stage.run(data, registry, "migrate")
        for kind, found in times.items():
            with here.registry() as registry:
                seconds, said = stage.run(data, registry, "sync")
                asked = registry.requests()
            with here.registry() as registry:
                least = floor.replay(registry.url, floor.asks(asked, here.storage))
            found.append(seconds - start)
            floors[kind].append(least)
            stage.say(f"{kind} {turn + 1}: {seconds:.1f} s, {start:.1f} s of it to start, over {least:.1f} s")
            stage.say(f"{said.strip()}; {kinds(asked)}")
        shutil.rmtree(data)
    expected = shape.tags + shape.repositories
    size = f"{shape.tags:,} tags"
    return [
        ratio(f"first fill of {size} ÷ the floor", times["fill"], floors["fill"], 1.35),
        ratio(f"unchanged resync of {size} ÷ the floor", times["resync"], floors["resync"], 1.25),
        at_most(
            "requests on an unchanged resync ÷ (tags + repositories)", len(asked) / expected, 1.02, "", 4
        ),
    ]


def ratio(what: str, times: Sequence[float], floors: Sequence[float], limit: float) -> Figure:
    found = at_most(what, median(times) / median(floors), limit)
    detail = f"{found.found} ({median(times):.1f} s ÷ {median(floors):.1f} s)"
    return Figure(found.what, detail, found.must, found.met)


def kinds(asked: Sequence[Access]) -> str:
    """How many requests of which kind."""
    counts = Counter(f"{kind(one.path)} {one.status}" for one in asked)
    return ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))


def kind(path: str) -> str:
    for part, word in (("/manifests/sha256:", "by digest"), ("/manifests/", "by tag"), ("/blobs/", "blob")):
        if part in path:
            return word
    return "listing"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tags", type=int, default=10_000)
    parser.add_argument("--repositories", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    shape = Shape(options.repositories or max(options.tags // 50, 1), options.tags)
    print(table(measure(options.folder, shape, options.rounds)))


if __name__ == "__main__":
    main()
