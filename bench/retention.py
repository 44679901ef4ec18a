"""How long it takes to say what policies would do, over a registry of some size.

python -m bench.retention /tmp/bench --tags 50000 --repositories 1000 --largest 10000
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

from bench import pages, stage, synthetic
from bench.figures import Figure, at_most, table
from bench.synthetic import Shape

# By what was done: what that is, and the seconds that it may take.
LIMITS = {
    "counts": ("what a policy would do with {tags:,} tags, in counts", 3),
    "pulls": ("the same for rules on pulls", 3),
    "labels": ("the same for a rule on labels", 3),
    "page": ("50 of its reasons", 3),
    "one": ("50 reasons in a repository of {largest:,} tags", 0.2),
    "freed": ("the bytes that it would free", 10),
    "curves": ("what if: any number kept and any age", 10),
    "insight": ("what is worth cleaning up", 20),
}
MEMORY = 400


def measure(folder: Path, shape: Shape) -> list[Figure]:
    """Each of them, on a copy of the index that pages are measured with."""
    here = stage.Stage(folder / f"pages-{shape.tags}", shape)
    data = here.data("deciding")
    shutil.copytree(pages.filled(here), data, dirs_exist_ok=True)
    with here.registry() as registry:
        environs = pages.settings(data, registry)
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], env=environs, check=True)
        command = [sys.executable, "-m", "bench.deciding", synthetic.name(0)]
        done = subprocess.run(command, env=environs, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    told = {"tags": shape.tags, "largest": min(shape.largest, shape.tags)}
    figures = [
        at_most(words.format(**told), found[what], limit, "s", 2) for what, (words, limit) in LIMITS.items()
    ]
    return [*figures, at_most("all of that, at most in memory", found["memory"] / 1e6, MEMORY, "MB", 0)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tags", type=int, default=50_000)
    parser.add_argument("--repositories", type=int, default=1_000)
    parser.add_argument("--largest", type=int, default=10_000)
    options = parser.parse_args()
    shape = Shape(options.repositories, options.tags, largest=options.largest)
    print(table(measure(options.folder, shape)))


if __name__ == "__main__":
    main()
