"""A Redis server for tests: on a free port of this machine, keeping nothing."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 30  # seconds


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """The address of an empty one, until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(["redis-server", *options], cwd=folder, stdout=subprocess.DEVNULL)
    try:
        wait(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def wait(port: int) -> None:
    """Until it answers."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connected:
                connected.sendall(b"PING\r\n")
                assert connected.recv(16) == b"+PONG\r\n"
            return
        except ConnectionRefusedError:
            assert time.monotonic() < until, "redis-server doesn't answer"
            time.sleep(0.05)
