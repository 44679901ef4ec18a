"""How long pages take: at some size, at one hundredth of it, and while a fill runs.

    python -m bench.pages /tmp/bench --tags 50000 --repositories 1000 --largest 10000

One client that keeps its connection asks a real server; pages and sizes take turns, so that a busy moment of
the machine hits all of them.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import quote

from bench import documents, rarities, site, stage, synthetic
from bench.figures import Figure, at_most, p50, p99, spread, table
from bench.synthetic import Shape
from tests.registry import RunningRegistry
from tests.serving import environment

TIMES, WARM = 150, 5
SCALE = 100
OTHER = "other"
R = f"/{stage.NAME}"
Paths = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Limits:
    """Milliseconds: half of the requests, 99 % of them, and 99 % while a fill runs."""

    middle: float = 25
    worst: float = 100
    filling: float = 250


PAGE, SEARCH = Limits(), Limits(middle=50, worst=150)


def pages(shape: Shape) -> Paths:
    """The addresses that stand for each kind of page: several where a kind has dear and cheap ones."""
    largest = f"{R}/{synthetic.name(0)}/"
    return {
        "repository list": lists(f"{R}/", shape.repositories),
        f"tag list of {shape.largest:,} tags": lists(largest, shape.digests(shape.largest)),
        "manifest": manifests(shape),
        "storage": [f"{R}/-/storage/"],
        "activity": ["/-/activity/", "/-/activity/?page=2"],
        "history": [f"{largest}-/history/"],
    }


def searches(shape: Shape) -> Paths:
    """Searches for what is found once or not at all, and for what is found almost everywhere: words, and what
    else can be asked."""
    last = synthetic.name(shape.repositories - 1)
    commit = synthetic.tag(5 * (shape.digests(shape.largest) - 1) + 2, shape.largest)
    digest = documents.made(0, synthetic.name(0)).digest
    words = [last, commit, f"digest:{digest}", "no-such-thing-anywhere"]
    rare = ["size:>10TB", "created:<30d", "type:artifact", "signed:yes", f"platform:{rarities.PLATFORM}"]
    rare += [
        f"label:{rarities.LABEL}=yes",
        "pulled:<2h",
        "untagged:yes",
        "type:index size:<1MB",
        "latest created:<1h",
    ]
    common = ["size:>10MB", "created:<9y", "type:index", "signed:no", "platform:linux/arm64", "-type:image"]
    common += ["label:org.opencontainers.image.revision", "pulled:no", "untagged:no"]
    return {
        "search, rare words": searched(words),
        "search, common words": searched(["api", "latest", "main", "payments 1.0"]),
        "search, other rare terms": searched(rare),
        "search, other common terms": searched(common),
    }


def searched(texts: Sequence[str]) -> list[str]:
    """The addresses of searches for these."""
    return [f"/-/search/?q={quote(text)}" for text in texts]


def lists(path: str, rows: int) -> list[str]:
    """A list as it opens, its next and its last page, and its other orders."""
    end = max(rows // 50, 1)
    return [path, f"{path}?page=2", f"{path}?page={end}", f"{path}?sort=-size", f"{path}?sort=name"]


def manifests(shape: Shape) -> list[str]:
    """Images of the largest repository and of a small one, an index among them."""
    plan = list(synthetic.plan(shape))
    chosen = [(plan[0], at) for at in range(min(shape.digests(plan[0][1]), 5))] + [(plan[len(plan) // 2], 0)]
    return [
        f"{R}/{name}/-/manifests/{documents.made(seed + at, name).digest}/" for (name, _, seed), at in chosen
    ]


def filled(here: stage.Stage) -> Path:
    """The folder of a regui that has read the whole registry and has a past; filled once, then kept."""
    data, mark = here.folder / "index", here.folder / "filled"
    if not mark.exists():
        here.data("index")
        with here.registry() as registry:
            seconds, said = stage.run(data, registry, "sync")
        stage.say(f"{said.strip()} ({seconds:.0f} s)")
        mark.touch()
    with here.registry() as registry:
        for what in ("past", "rarities"):
            subprocess.run([sys.executable, "-m", f"bench.{what}"], env=settings(data, registry), check=True)
    return data


def settings(data: Path, registry: RunningRegistry, **more: str) -> dict[str, str]:
    """The environment of regui on that registry. Pages aren't stale however long this takes."""
    return environment(data, REGUI_REGISTRY_URL=registry.url, REGUI_STALE_AFTER="1d", **more)


def visit(get: Callable[[str], tuple[float, str]], paths: Paths, times: int) -> dict[str, list[float]]:
    """The seconds of so many visits of each kind, in turns."""
    rounds = {kind: list(islice(cycle(some), times)) for kind, some in paths.items()}
    found: dict[str, list[float]] = {kind: [] for kind in paths}
    for turn in range(times):
        for kind, some in rounds.items():
            found[kind].append(get(some[turn])[0])
    return found


def times(pair: Mapping[stage.Stage, Paths]) -> list[dict[str, list[float]]]:
    """The seconds that each kind of page takes, for each of some stages with its pages: from servers that run
    side by side and are asked in turns, so that what the machine does meanwhile meets them alike."""
    found: list[dict[str, list[float]]] = [{kind: [] for kind in paths} for paths in pair.values()]
    with ExitStack() as stack:
        visitors = []
        for here, paths in pair.items():
            data, registry = filled(here), stack.enter_context(here.registry())
            environs = ours(settings(data, registry))
            server = stack.enter_context(site.running(data, "serve", "--no-worker", **environs))
            visitors.append(site.Visitor(server.url))
            visit(visitors[-1].get, paths, WARM)
        for turn in range(TIMES):
            for visitor, paths, seconds in zip(visitors, pair.values(), found, strict=True):
                for kind, some in paths.items():
                    seconds[kind].append(visitor.get(some[turn % len(some)])[0])
    return found


def ours(environs: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environs.items() if name.startswith("REGUI_")}


def queries(here: stage.Stage, paths: Paths) -> dict[str, int]:
    """The most database queries that a page of each kind takes."""
    with here.registry() as registry:
        done = subprocess.run(
            [sys.executable, "-m", "bench.queries", *(path for some in paths.values() for path in some)],
            env=settings(filled(here), registry),
            check=True,
            capture_output=True,
            text=True,
        )
    counts = json.loads(done.stdout)
    return {kind: max(counts[path] for path in some) for kind, some in paths.items()}


def measure(folder: Path, shape: Shape) -> list[Figure]:
    """Each kind of page at this size, its ratio to one hundredth of it, and the queries it takes."""
    small = Shape(
        shape.repositories // SCALE, shape.tags // SCALE, shape.distinct, max(shape.largest // SCALE, 10)
    )
    large_stage, small_stage = (stage.Stage(folder / f"pages-{one.tags}", one) for one in (shape, small))
    figures = []
    for kinds, limits, compared in ((pages, PAGE, True), (searches, SEARCH, False)):
        large, less = times({large_stage: kinds(shape), small_stage: kinds(small)})
        many, few = queries(large_stage, kinds(shape)), queries(small_stage, kinds(small))
        for (kind, found), tiny, now, then in zip(
            large.items(), less.values(), many.values(), few.values(), strict=True
        ):
            figures.append(spread(f"{kind}, p50 / p99", found, limits.middle, limits.worst))
            if compared:
                figures.append(
                    at_most(f"{kind} ÷ at one hundredth of the size, p50", p50(found) / p50(tiny), 1.5, "", 2)
                )
                same = f"{now} queries, {then} at one hundredth"
                figures.append(Figure(f"{kind}, queries", same, "the same", now == then))
    return figures


def while_filling(folder: Path, shape: Shape, other: Shape) -> list[Figure]:
    """Each kind of page while `regui sync` fills another registry's part of the same index."""
    here, beside = stage.Stage(folder / f"pages-{shape.tags}", shape), stage.Stage(folder / "beside", other)
    data, paths = here.data("filling"), pages(shape)
    # A copy: the other registry isn't part of what the index is measured with.
    shutil.copytree(filled(here), data, dirs_exist_ok=True)
    with here.registry() as registry, beside.registry() as second:
        environs = settings(data, registry, REGUI_REGISTRIES=OTHER, REGUI_REGISTRY_OTHER_URL=second.url)
        found: dict[str, list[float]] = {kind: [] for kind in paths}
        with site.running(data, "serve", "--no-worker", **ours(environs)) as server:
            visitor = site.Visitor(server.url)
            visit(visitor.get, paths, 1)
            fill = subprocess.Popen(
                [sys.executable, "-m", "regui", "sync", OTHER],
                env=environs,
                stdout=subprocess.PIPE,
                text=True,
            )
            try:
                time.sleep(1)
                while fill.poll() is None:
                    for kind, seconds in visit(visitor.get, paths, 1).items():
                        found[kind] += seconds
                assert fill.stdout is not None
                stage.say(fill.stdout.read().strip())
            finally:
                fill.kill()
                fill.wait()
    every = [one for some in found.values() for one in some]
    stage.say(", ".join(f"{kind} {p99(some):.0f} ms" for kind, some in found.items()))
    return [at_most(f"pages while a fill runs, p99 of {len(every):,} requests", p99(every), 250, "ms", 0)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tags", type=int, default=50_000)
    parser.add_argument("--repositories", type=int, default=1_000)
    parser.add_argument("--largest", type=int, default=10_000)
    options = parser.parse_args()
    shape = Shape(options.repositories, options.tags, largest=options.largest)
    print(table([*measure(options.folder, shape), *while_filling(options.folder, shape, Shape(100, 5_000))]))


if __name__ == "__main__":
    main()
