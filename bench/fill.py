"""How long `regui sync` takes, first and again, next to the least time its requests could take.

python -m bench.fill /tmp/bench --tags 10000 --rounds 3
"""

import argparse
import resource
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import floor, stage
from bench.figures import Figure, at_most, table
from bench.synthetic import Shape
from tests.registry import Access

LIMITS = {"fill": ("first fill", 1.35), "resync": ("unchanged resync", 1.25)}


@dataclass(frozen=True)
class Turn:
    """A run and its floor. In seconds: how long each took, and the CPU time of regui, of who asks for the
    floor, and of the registry for each."""

    requests: int
    seconds: float
    least: float
    ours: float
    theirs: float
    registry: float
    registry_least: float


def measure(folder: Path, shape: Shape, rounds: int) -> list[Figure]:
    """Rounds of: fill, the fill's floor, an unchanged resync, the resync's floor; each against a registry
    process of its own. Ratios are between medians. A command's start, which is what one with nothing to do
    takes, isn't counted."""
    here = stage.Stage(folder, shape)
    turns: dict[str, list[Turn]] = {kind: [] for kind in LIMITS}
    for number in range(1, rounds + 1):
        data = here.data("fill")
        with here.registry() as registry:
            stage.run(data, registry, "migrate")
            began = spent()
            start, _ = stage.run(data, registry, "migrate")
            start_cpu = spent() - began
        for kind, found in turns.items():
            found.append(turn(here, data, start, start_cpu, f"{kind} {number}"))
        shutil.rmtree(data)
    size, expected = f"{shape.tags:,} tags", shape.tags + shape.repositories
    figures = [figure for kind, found in turns.items() for figure in figures_of(kind, size, found)]
    ratio = turns["resync"][-1].requests / expected
    return [*figures, at_most("requests on an unchanged resync ÷ (tags + repositories)", ratio, 1.02, "", 4)]


def turn(here: stage.Stage, data: Path, start: float, start_cpu: float, name: str) -> Turn:
    """`regui sync`, then the floor of what it asked."""
    with here.registry() as registry:
        began = spent()
        seconds, said = stage.run(data, registry, "sync")
        synced = spent()
        asked = registry.requests()
    stopped = spent()
    with here.registry() as registry:
        wanted = floor.asks(asked, here.storage)
        cpu = time.process_time()
        least = floor.replay(registry.url, wanted)
        cpu = time.process_time() - cpu
    stage.say(f"{name}: {seconds:.1f} s, {start:.1f} s of it to start, over {least:.1f} s")
    stage.say(f"{said.strip()}; {kinds(asked)}")
    ours = synced - began - start_cpu
    return Turn(len(asked), seconds - start, least, ours, cpu, stopped - synced, spent() - stopped)


def spent() -> float:
    """CPU seconds of all commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def figures_of(kind: str, size: str, turns: Sequence[Turn]) -> list[Figure]:
    """The ratio of times; and CPU time, which other work on the machine hardly distorts."""
    words, limit = LIMITS[kind]
    took, least = median(one.seconds for one in turns), median(one.least for one in turns)
    found = at_most(f"{words} of {size} ÷ the floor", took / least, limit)
    work = median((one.ours + one.registry) / (one.theirs + one.registry_least) for one in turns)
    ours, theirs = (
        1000 * median(cpu / one.requests for one, cpu in pairs)
        for pairs in ([(one, one.ours) for one in turns], [(one, one.theirs) for one in turns])
    )
    return [
        Figure(found.what, f"{found.found} ({took:.1f} s ÷ {least:.1f} s)", found.must, found.met),
        Figure("the same in CPU time, the registry's included", f"{work:.3f}"),
        Figure("CPU time a request, regui's and the floor's", f"{ours:.2f} and {theirs:.2f} ms"),
    ]


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
