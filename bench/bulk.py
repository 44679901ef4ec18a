"""How long deleting a thousand tags takes in one large repository, next to the registry's own time for it.

    python -m bench.bulk /tmp/bench --tags 1000 --largest 10000

Half of the tags are all that their digests have, and go with them; half have siblings that stay, and are only
taken away. The tags are posted as a person's ticks are, and a worker carries them out; pages are visited
meanwhile. The floor is the same requests in the same order from one bare connection, on a copy of the
registry's disk.
"""

import argparse
import http.client
import json
import re
import shutil
import sqlite3
import time
import uuid
from collections.abc import Iterator, Sequence
from html import unescape
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from bench import floor, pages, site, stage, synthetic
from bench.figures import Figure, at_most, p99, table
from bench.synthetic import Shape
from regui import oci
from tests.registry import Access, RunningRegistry

# Seconds between two visits, so that pages are visited and not besieged.
PAUSE = 0.1
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
FIELD = re.compile(r'<input type="hidden" name="([a-z]+)" value="([^"]*)"')


def measure(folder: Path, tags: int, largest: int) -> list[Figure]:
    """The action's time against its floor, and the pages meanwhile."""
    shape = Shape(20, largest + largest // 10, largest=largest)
    here = stage.Stage(folder / f"bulk-{largest}", shape)
    copy = here.folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(here.storage, copy)
    (here.folder / "written").unlink()  # its tags aren't those of its shape any more
    data, kinds = here.data("bulk"), pages.pages(shape)
    # Not the manifests': some of those go.
    paths = [path for kind, some in kinds.items() if kind != "manifest" for path in some]
    with here.registry() as registry:
        stage.run(data, registry, "sync")
        settings = {"REGUI_REGISTRY_URL": registry.url, "REGUI_SYNC_EVERY": "1d", "REGUI_STALE_AFTER": "1d"}
        with site.running(data, **settings) as server:
            visitor = site.Visitor(server.url)
            before = len(registry.requests())
            action = ask(visitor, synthetic.name(0), list(chosen(tags, largest)))
            seconds = visits(visitor, data, action, paths)
        log = writes(registry.requests()[before:])
    took, done, other = ended(data, action)
    shutil.rmtree(here.storage)
    copy.rename(here.storage)
    with here.registry() as registry:
        least = replay(registry, log)
    stage.say(f"{done} steps done, {other} not, in {took:.1f} s over {least:.1f} s; {len(log)} requests")
    what = f"deleting {tags:,} of {largest:,} tags at once ÷ the floor"
    found = at_most(what, took / least, 1.3)
    return [
        Figure(what, f"{found.found} ({took:.1f} s ÷ {least:.1f} s)", found.must, found.met and not other),
        at_most(f"pages meanwhile, p99 of {len(seconds):,} requests", p99(seconds), 250, "ms", 0),
    ]


def chosen(tags: int, largest: int) -> Iterator[str]:
    """Names of tags: the five of each of the first digests, and one of each of as many others as it
    takes."""
    whole = tags // 2 // 5
    numbers = [*range(5 * whole), *range(5 * whole, 5 * (whole + tags - 5 * whole), 5)]
    return (synthetic.tag(number, largest) for number in numbers)


def ask(visitor: site.Visitor, name: str, tags: Sequence[str]) -> str:
    """The id of the action, after the page that asks was looked at and agreed to."""
    path = f"{pages.R}/{name}/-/bulk/"
    _, start = visitor.ask("GET", f"{pages.R}/{name}/", None, {})
    token = dict(FIELD.findall(start.decode()))["csrfmiddlewaretoken"]
    fields = [("csrfmiddlewaretoken", token), ("ticked", "1"), ("do", "delete")]
    form = urlencode([*fields, ("tags", " ".join(tags))]).encode()
    headers = FORM | {"Cookie": f"csrftoken={token}"}
    status, body = visitor.ask("POST", path, form, headers)
    if status != http.HTTPStatus.OK:
        raise RuntimeError(f"{path}: {status} {body[:500]!r}")
    found = [(name, unescape(value)) for name, value in FIELD.findall(body.decode())]
    visitor.connection.request("POST", path, urlencode(found).encode(), headers)
    answer = visitor.connection.getresponse()
    answer.read()
    there = re.fullmatch(r"/-/actions/([0-9a-f]+)/", answer.getheader("Location", ""))
    if not there:
        raise RuntimeError(f"{path}: {answer.status}, and nowhere to go from there")
    return there[1]


def visits(visitor: site.Visitor, data: Path, action: str, paths: Sequence[str]) -> list[float]:
    """The seconds of pages until the action has ended."""
    found: list[float] = []
    while rows(data, "select finished_at from actions_action where id = ?", action)[0][0] is None:
        seconds, _ = visitor.get(paths[len(found) % len(paths)])
        found.append(seconds)
        time.sleep(PAUSE)
    return found


def ended(data: Path, action: str) -> tuple[float, int, int]:
    """The seconds from its start to its end, and how many of its steps were done, and not."""
    times = "(julianday(finished_at) - julianday(started_at)) * 86400"
    seconds = rows(data, f"select {times} from actions_action where id = ?", action)[0][0]
    counts = "sum(result = 'done'), sum(result <> 'done')"
    done, other = rows(
        data, f"select {counts} from actions_item where action_id = ? and do <> 'goes-along'", action
    )[0]
    return seconds, int(done), int(other)


def rows(data: Path, query: str, *values: str) -> list[tuple[float, ...]]:
    connection = sqlite3.connect(f"file:{data / 'regui.sqlite3'}?mode=ro", uri=True, timeout=30)
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


def writes(log: Sequence[Access]) -> list[Access]:
    """What changes the registry, and what is asked right before and after it: all but the plan's reading."""
    first = next(at for at, one in enumerate(log) if one.method in {"PUT", "DELETE"} and one.status < 300)
    return [
        one for one in log[first:] if one.path.partition("?")[0].rpartition("/")[0].endswith("/manifests")
    ]


def replay(registry: RunningRegistry, log: Sequence[Access]) -> float:
    """The seconds in which one connection gets all of it answered. What is put for a moment differs from what
    regui put: its digest is taken for regui's."""
    connection = http.client.HTTPConnection(urlsplit(registry.url).netloc, timeout=floor.TIMEOUT)
    own: dict[str, str] = {}
    began = time.monotonic()
    last = ""
    for one in log:
        path, _, reference = one.path.rpartition("/")
        body, headers = None, {"Accept": oci.ACCEPT}
        if one.method == "PUT":
            body = passing()
            headers["Content-Type"] = oci.OCI_INDEX
            last = oci.Digest.of(body)
        elif one.method == "DELETE" and last:
            own[reference], last = last, ""
        connection.request(one.method, f"{path}/{own.get(reference, reference)}", body, headers)
        response = connection.getresponse()
        response.read()
        if response.status // 100 != one.status // 100:
            raise RuntimeError(f"{one.method} {one.path}: {response.status} instead of {one.status}")
    connection.close()
    return time.monotonic() - began


def passing() -> bytes:
    """An empty index like no other, as regui puts it on a tag for a moment."""
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": oci.OCI_INDEX,
            "manifests": [],
            "annotations": {"regui.untag": str(uuid.uuid4())},
        }
    ).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tags", type=int, default=1_000)
    parser.add_argument("--largest", type=int, default=10_000)
    options = parser.parse_args()
    print(table(measure(options.folder, options.tags, options.largest)))


if __name__ == "__main__":
    main()
