"""What regui takes after it has read a whole registry by itself: memory of all its processes, its database.

python -m bench.memory /tmp/bench --tags 50000 --repositories 1000
"""

import argparse
import sqlite3
import time
from pathlib import Path

from bench import site, stage, synthetic
from bench.figures import Figure, at_most, table
from bench.synthetic import Shape

MB = 1_000_000
LOOK = 2.0  # seconds between two looks
LONGEST = 3600


def measure(folder: Path, shape: Shape) -> list[Figure]:
    """Start `regui` on the registry, wait until it has read it, look at some pages, then at its memory."""
    here = stage.Stage(folder / f"pages-{shape.tags}", shape)
    data = here.data("memory")
    with (
        here.registry() as registry,
        site.running(data, REGUI_REGISTRY_URL=registry.url, REGUI_SYNC_SHARE="100%") as server,
    ):
        visitor = site.Visitor(server.url)
        began, peak = time.monotonic(), 0
        while unread(data, shape.tags):
            if time.monotonic() - began > LONGEST:
                raise RuntimeError("the fill takes too long")
            time.sleep(LOOK)
            peak = max(peak, site.memory(server.process.pid))
        stage.say(f"filled in {time.monotonic() - began:.0f} s; at most {peak / MB:.0f} MB meanwhile")
        for path in (f"/{stage.NAME}/", f"/{stage.NAME}/{synthetic.name(0)}/", "/-/activity/"):
            visitor.get(path)
        after = max(peak_of(server.process.pid), site.memory(server.process.pid))
    size = site.database(data)
    return [
        at_most(f"memory after a full fill of {shape.tags:,} tags", after / MB, 250, "MB", 0),
        Figure("the same at its highest during the fill", f"{peak / MB:,.0f} MB"),
        at_most(f"database at {shape.tags:,} tags", size / MB, 600, "MB", 0),
    ]


def peak_of(session: int) -> int:
    """The most memory within a few seconds, in which periodic work goes on."""
    found = 0
    for _ in range(5):
        found = max(found, site.memory(session))
        time.sleep(1)
    return found


def unread(data: Path, tags: int) -> bool:
    """Whether tags are yet to be read, straight from the database so that no page is involved."""
    path = data / "regui.sqlite3"
    if not path.exists():
        return True
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        (read,) = connection.execute(
            "select count(*) from index_tag where manifest_id is not null"
        ).fetchone()
        (left,) = connection.execute(
            "select count(*) from index_repository where tag_count is null and gone_at is null"
        ).fetchone()
    except sqlite3.OperationalError:  # the tables aren't made yet
        return True
    finally:
        connection.close()
    return bool(read < tags or left)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tags", type=int, default=50_000)
    parser.add_argument("--repositories", type=int, default=1_000)
    parser.add_argument("--largest", type=int, default=10_000)
    options = parser.parse_args()
    print(table(measure(options.folder, Shape(options.repositories, options.tags, largest=options.largest))))


if __name__ == "__main__":
    main()
