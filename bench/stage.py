"""What the benches run: a registry process on a synthetic registry, and regui as a person would start it."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import synthetic
from tests.registry import RunningRegistry
from tests.serving import patiently

NAME = "main"
LONGEST = 3600  # seconds for one command


class Stage:
    """A folder with one synthetic registry in it; written once, then kept for who comes with the same
    shape."""

    def __init__(self, folder: Path, shape: synthetic.Shape) -> None:
        self.folder, self.shape = folder, shape
        self.storage = folder / "storage"
        mark = folder / "written"
        if not mark.exists() or mark.read_text(encoding="utf-8") != repr(shape):
            shutil.rmtree(folder, ignore_errors=True)
            say(f"writing {shape.tags:,} tags in {shape.repositories:,} repositories")
            synthetic.write(self.storage, shape)
            mark.write_text(repr(shape), encoding="utf-8")

    @contextmanager
    def registry(self, **sections: Any) -> Iterator[RunningRegistry]:
        """A fresh process that serves it, with an empty access log and the cache that Debian configures."""
        (self.folder / "access.log").unlink(missing_ok=True)
        options: dict[str, Any] = {"storage__cache": {"blobdescriptor": "inmemory"}} | sections
        running = RunningRegistry(self.folder, **options)
        try:
            yield running
        finally:
            running.stop()

    def data(self, name: str) -> Path:
        """An empty folder for regui's files."""
        data = self.folder / name
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir()
        return data


def run(data: Path, registry: RunningRegistry, *arguments: str) -> tuple[float, str]:
    """The seconds a regui command takes, its start included, and what it prints; raises when it fails."""
    began = time.monotonic()
    done = patiently(LONGEST, data, *arguments, REGUI_REGISTRY_URL=registry.url)
    seconds = time.monotonic() - began
    if done.returncode:
        raise RuntimeError(f"regui {' '.join(arguments)}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
    return seconds, done.stdout


def say(line: str) -> None:
    print(f"  {time.strftime('%H:%M:%S')} {line}", flush=True)
