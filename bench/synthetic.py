"""A registry of any size, written straight to disk the way distribution keeps it.

    python -m bench.synthetic /tmp/registry --repositories 10000 --tags 500000 --largest 10000

Manifests and image configs are real and can be asked for; layers are only named, no request of regui's needs
them. The same numbers give the same bytes. `_layers` is written for configs alone.
"""

import argparse
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import accumulate, cycle, islice
from pathlib import Path

from bench import documents

TEAMS = (
    *("payments", "checkout", "identity", "search", "catalogue", "logistics", "billing", "mobile", "web"),
    *("platform", "data", "ml", "security", "observability", "messaging", "crm", "analytics", "gateway"),
    *("inventory", "support"),
)
PARTS = (
    *("api", "worker", "frontend", "gateway", "cron"),
    *("importer", "exporter", "proxy", "scheduler", "migrate"),
)
# Repositories differ in size: most are small, some are large.
WEIGHTS = (1, 1, 2, 3, 5, 8, 13, 2, 1, 4)
WORKERS = 2


@dataclass(frozen=True)
class Shape:
    """How large. `distinct` is the share of tags that have a digest of their own; `largest` the tags of one
    repository, 0 for none that stands out."""

    repositories: int
    tags: int
    distinct: float = 0.2
    largest: int = 0

    def sizes(self) -> list[int]:
        """The tags of each repository, the largest first."""
        rest = self.repositories - bool(self.largest)
        weights = list(islice(cycle(WEIGHTS), rest))
        left = self.tags - self.largest
        marks = [left * done // max(sum(weights), 1) for done in accumulate(weights)]
        sizes = [after - before for before, after in zip([0, *marks], marks, strict=False)]
        return ([self.largest] if self.largest else []) + sizes

    def digests(self, tags: int) -> int:
        """The manifests that so many tags of one repository lead to."""
        return max(1, round(tags * self.distinct)) if tags else 0


def name(number: int) -> str:
    """The name of that repository: the first is the largest."""
    team = TEAMS[number % len(TEAMS)]
    part = PARTS[number // len(TEAMS) % len(PARTS)]
    return f"{team}/{part}-{number // (len(TEAMS) * len(PARTS)):03d}"


def tag(number: int, among: int) -> str:
    """The name of that tag of a digest: five of a digest are a version, what it resolves, its commit …"""
    image, turn = divmod(number, 5)
    version = f"{1 + image // 400}.{image // 20 % 20}.{image % 20}"
    if number == among - 1:
        return "latest"
    commit = f"{documents.number('commit', image):016x}"[:8]
    return (version, f"{version}-{commit}", f"main-{commit}", f"build-{7000 + image}", f"rc-{version}")[turn]


def write(storage: Path, shape: Shape) -> float:
    """Write it below that folder, a registry's root directory; the seconds it took."""
    began = time.monotonic()
    root = storage / "docker" / "registry" / "v2"
    for hundred in range(256):
        (root / "blobs" / "sha256" / f"{hundred:02x}").mkdir(parents=True, exist_ok=True)
    jobs = list(plan(shape))
    shares = [jobs[at::WORKERS] for at in range(WORKERS)]
    with ProcessPoolExecutor(WORKERS) as pool:
        list(pool.map(_repositories, [root] * WORKERS, [shape] * WORKERS, shares))
    return time.monotonic() - began


def plan(shape: Shape) -> Iterator[tuple[str, int, int]]:
    """Each repository's name, number of tags and the number of its first image."""
    seed = 0
    for number, tags in enumerate(shape.sizes()):
        yield name(number), tags, seed
        seed += shape.digests(tags)


def _repositories(root: Path, shape: Shape, jobs: list[tuple[str, int, int]]) -> None:
    for repository, tags, seed in jobs:
        _repository(root, repository, tags, shape.digests(tags), seed)


def _repository(root: Path, repository: str, tags: int, digests: int, seed: int) -> None:
    folder = root / "repositories" / repository
    for part in ("_layers/sha256", "_manifests/revisions/sha256", "_manifests/tags"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    # From here on plain system calls: there are millions.
    home = str(folder)
    tops = []
    for number in range(seed, seed + digests):
        top = documents.made(number, repository)
        tops.append(top.digest)
        _manifest(str(root), home, top)
    for at in range(tags):
        place = f"{home}/_manifests/tags/{tag(at, tags)}"
        _folder(place)
        _folder(f"{place}/current")
        _file(f"{place}/current/link", tops[at * digests // tags].encode())


def _manifest(root: str, home: str, made: documents.Made) -> None:
    for child in made.children:
        _manifest(root, home, child)
    _blob(root, made.body)
    _link(f"{home}/_manifests/revisions", made.digest)
    for body in made.configs:
        _blob(root, body)
        _link(f"{home}/_layers", documents.digest(body))


def _blob(root: str, body: bytes) -> None:
    hexadecimal = documents.digest(body)[7:]
    place = f"{root}/blobs/sha256/{hexadecimal[:2]}/{hexadecimal}"
    _folder(place)
    _file(f"{place}/data", body)


def _link(folder: str, digest: str) -> None:
    place = f"{folder}/sha256/{digest[7:]}"
    _folder(place)
    _file(f"{place}/link", digest.encode())


def _folder(path: str) -> None:
    os.mkdir(path)  # noqa: PTH102 — a Path for each of millions takes longer than the folder


def _file(path: str, body: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        os.write(file, body)
    finally:
        os.close(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("storage", type=Path)
    parser.add_argument("--repositories", type=int, default=100)
    parser.add_argument("--tags", type=int, default=5_000)
    parser.add_argument("--distinct", type=float, default=0.2)
    parser.add_argument("--largest", type=int, default=0)
    options = parser.parse_args()
    shape = Shape(options.repositories, options.tags, options.distinct, options.largest)
    print(f"{shape} in {write(options.storage, shape):.1f} s")


if __name__ == "__main__":
    main()
