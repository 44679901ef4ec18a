"""Notifications: more than any registry sends, and how soon a push can be seen.

python -m bench.events /tmp/bench --seconds 30
"""

import argparse
import json
import socket
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

from bench import pages, site, stage, synthetic
from bench.figures import Figure, table
from bench.load import SHAPE, Load
from tests import images
from tests.registry import RunningRegistry

TOKEN = "a-token-for-the-bench"
HEADERS = {
    "Authorization": f"Bearer {TOKEN}",
    "Content-Type": "application/vnd.docker.distribution.events.v1+json",
}
SENDERS = 4
# Of so many events one is sent again.
TWICE = 50
LATE = 60  # seconds
PUSHERS, PAUSE = 4, 1.0
# Events a second, and how many of them in a request.
RATES = ((1_000, 20), (300, 1))


def send(url: str, load: Load, rate: int, each: int, seconds: int) -> float:
    """Send `rate` events a second, `each` in a request, from several connections; the seconds it took. A
    request that isn't taken is sent again, as registries do."""
    feed, lock = load.events(), threading.Lock()
    requests = iter(range(rate * seconds // each))
    began = time.monotonic()

    def work() -> None:
        visitor = site.Visitor(url)
        while True:
            with lock:
                number = next(requests, None)
                if number is None:
                    break
                due = began + number * each / rate
                time.sleep(max(due - time.monotonic(), 0))
                body = json.dumps({"events": list(islice(feed, each))}).encode()
            for _ in range(2 if number % TWICE == 0 else 1):
                while visitor.post(f"/hooks/{stage.NAME}", body, HEADERS) >= 300:
                    time.sleep(0.05)
        visitor.connection.close()

    threads = [threading.Thread(target=work) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - began


def burst(folder: Path, rate: int, each: int, seconds: int) -> list[Figure]:
    """Events at that rate, and whether the index comes to say what they told."""
    here = stage.Stage(folder / f"events-{rate}", SHAPE)
    data = here.data("events")
    with here.registry() as registry:
        stage.run(data, registry, "sync")
        load = Load(here.storage)
        with site.running(
            data,
            REGUI_REGISTRY_URL=registry.url,
            REGUI_REGISTRY_EVENTS_TOKEN=TOKEN,
            REGUI_SYNC_EVERY="1d",
        ) as server:
            site.Visitor(server.url).get("/-/activity/")
            took = send(server.url, load, rate, each, seconds)
            late = settled(data)
    lost, wrong = compared(data, load)
    (here.folder / "written").unlink()  # its tags aren't those of its shape any more
    what = f"{rate:,} events a second, {each} a request, for {seconds} s"
    stage.say(f"{what}: sent in {took:.1f} s, applied {late:.1f} s after the end; {lost} {wrong}")
    faults = sum(lost.values()) + sum(wrong.values())
    return [
        Figure(f"{what}: lost or wrong rows", str(faults), "0", faults == 0),
        Figure("the same, applied after the end within", f"{late:.1f} s", f"{LATE} s", late <= LATE),
        Figure("the same, sent in", f"{took:.1f} s", f"{seconds} s", took <= seconds * 1.05),
    ]


def settled(data: Path) -> float:
    """The seconds until no event waits, at most twice the time they may take."""
    began = time.monotonic()
    while time.monotonic() - began < 2 * LATE:
        if one(data, "select count(*) from index_event where applied_at is null") == 0:
            break
        time.sleep(0.2)
    return time.monotonic() - began


def compared(data: Path, load: Load) -> tuple[dict[str, int], dict[str, int]]:
    """How many rows of which kind are missing, and how many say something else than they must."""
    found = {
        (name, tag): digest or ""
        for name, tag, digest in rows(
            data,
            "select r.name, t.name, case when t.gone_at is null then m.digest end from index_tag t "
            "join index_repository r on r.id = t.repository_id "
            "left join index_manifest m on m.id = t.manifest_id",
        )
    }
    wrong = sum(found.get(key, "") != digest for key, digest in load.tags.items())
    pulls = int(one(data, "select coalesce(sum(count), 0) from index_pullcount"))
    lost = {
        "events": load.sent - int(one(data, "select count(*) from index_event")),
        "moves": abs(load.moves - int(one(data, "select count(*) from index_tagmove"))),
        "pulls": abs(load.pulls - pulls),
    }
    return lost, {"tags": wrong}


def rows(data: Path, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(f"file:{data / 'regui.sqlite3'}?mode=ro", uri=True, timeout=30)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def one(data: Path, query: str) -> Any:
    return rows(data, query)[0][0]


def seen(folder: Path, pushes: int) -> list[Figure]:
    """Images pushed to a real registry that notifies, and whether a page opened a second later has them."""
    here = stage.Stage(folder / "pushes", SHAPE)
    data = here.data("pushes")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        bind = f"127.0.0.1:{probe.getsockname()[1]}"
    endpoint = {
        "name": "regui",
        "url": f"http://{bind}/hooks/{stage.NAME}",
        "headers": {"Authorization": [f"Bearer {TOKEN}"]},
        "timeout": "1s",
        "threshold": 3,
        "backoff": "2s",
        "ignoredmediatypes": ["application/octet-stream"],
    }
    notifications = {"events": {"includereferences": True}, "endpoints": [endpoint]}
    # Filled beforehand: a registry queues what nobody takes, our own reads too, and sends it first.
    with here.registry() as registry:
        stage.run(data, registry, "sync")
    with (
        here.registry(notifications=notifications) as registry,
        site.running(
            data,
            REGUI_BIND=bind,
            REGUI_REGISTRY_URL=registry.url,
            REGUI_REGISTRY_EVENTS_TOKEN=TOKEN,
            REGUI_STALE_AFTER="1d",
            REGUI_SYNC_EVERY="1d",
        ) as server,
    ):
        push(registry, server.url, "warm", 0)
        with ThreadPoolExecutor(PUSHERS) as pool:
            shares = [pool.submit(push_some, registry, server.url, at, pushes) for at in range(PUSHERS)]
            there = sum(share.result() for share in shares)
    (here.folder / "written").unlink()
    done = pushes // PUSHERS * PUSHERS
    what = f"pushes on the page a second after their 201, of {done}"
    return [Figure(what, f"{there / done:.1%}", "99 %", there / done >= 0.99)]


def push_some(registry: RunningRegistry, url: str, at: int, pushes: int) -> int:
    """How many of one pusher's images were there in time."""
    return sum(push(registry, url, f"p{at}", turn) for turn in range(pushes // PUSHERS))


def push(registry: RunningRegistry, url: str, who: str, turn: int) -> bool:
    """Push an image under a new tag, wait, and look."""
    name, tag = synthetic.name(turn % SHAPE.repositories), f"pushed-{who}-{turn}"
    digest = registry.push_built(name, images.image(), [tag])
    time.sleep(PAUSE)
    _, text = site.Visitor(url).get(f"{pages.R}/{name}/?q={tag}")
    return f'data-tag="{tag}"' in text and digest.hex[:12] in text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--pushes", type=int, default=100)
    options = parser.parse_args()
    figures = seen(options.folder, options.pushes)
    for rate, each in RATES:
        figures += burst(options.folder, rate, each, options.seconds)
    print(table(figures))


if __name__ == "__main__":
    main()
