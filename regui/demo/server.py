"""Runs the demo's registry: Docker's `registry:3` where an engine runs, else Debian's server."""

import hashlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from regui import oci
from regui.demo.binary import CannotStart, registry_binary

IMAGE = "registry:3"
# Seconds: for the engine to answer, to fetch the image and start it, for the registry to answer, and to end.
ENGINE, FETCH, START, STOP = 10, 300, 20, 3


@contextmanager
def running(data: Path, say: Callable[[str], None]) -> Iterator[str]:
    """The address of a registry that runs until the block ends; it keeps what it holds below `data`, or in a
    volume. Deletes are enabled, and only this machine can connect. Raises CannotStart."""
    owner = os.getpid()
    url, stop = start(data, say)
    try:
        wait_until_ready(url)
        yield url
    finally:
        # A forked worker of the web server leaves this block too, and must not end what isn't its own.
        if os.getpid() == owner:
            stop()


def start(data: Path, say: Callable[[str], None]) -> tuple[str, Callable[[], None]]:
    """The address of a registry just started, and what ends it."""
    if engine_runs():
        say(f"starting a demo registry with Docker ({IMAGE})")
        try:
            return start_container(data)
        except CannotStart as error:
            say(f"{error}; trying Debian's server instead")
    say("starting a demo registry (Debian's docker-registry, unpacked and not installed)")
    return start_process(registry_binary(data), data)


def engine_runs() -> bool:
    """Whether a Docker engine answers."""
    if shutil.which("docker") is None:
        return False
    try:
        docker("info", patience=ENGINE)
    except CannotStart:
        return False
    return True


def docker(*arguments: str, patience: float) -> str:
    """What a docker command prints; raises CannotStart when it fails."""
    try:
        done = subprocess.run(
            ["docker", *arguments],  # noqa: S607 (the one the person has in their path)
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patience,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotStart(f"docker {arguments[0]} failed: {error}") from error
    if done.returncode:
        raise CannotStart(f"docker {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip()


def start_container(data: Path) -> tuple[str, Callable[[], None]]:
    """A container of ours, on a port the engine chooses, its contents in a volume of the same name."""
    name = f"regui-demo-{hashlib.sha256(str(data).encode()).hexdigest()[:8]}"

    def stop() -> None:
        docker("stop", "--time", str(STOP), name, patience=ENGINE)

    # One may be left from a run that was killed.
    docker("rm", "--force", name, patience=ENGINE)
    docker(
        *("run", "--detach", "--rm", "--name", name, "--publish", "127.0.0.1::5000"),
        *("--volume", f"{name}:/var/lib/registry", "--env", "REGISTRY_STORAGE_DELETE_ENABLED=true"),
        *("--env", "OTEL_TRACES_EXPORTER=none", IMAGE),
        patience=FETCH,
    )
    try:
        host = docker("port", name, "5000/tcp", patience=ENGINE).splitlines()[0]
        url = f"http://{host}"
        wait_until_ready(url)
    except (CannotStart, IndexError) as error:
        stop()
        raise CannotStart(f"The container's port can't be reached: {error}") from error
    return url, stop


def start_process(binary: Path, data: Path) -> tuple[str, Callable[[], None]]:
    """Debian's server on a free loopback port, its files and its log below `data`."""
    home = data / "demo"
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    config = home / "config.json"
    config.write_text(json.dumps(configuration(home / "storage", port)), encoding="utf-8")
    # Should we be killed outright, the kernel tells the registry to end too.
    tied = ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []
    with (home / "registry.log").open("wb") as log:
        # In a session of its own, Ctrl C doesn't reach it: we end it when nobody needs it any more.
        process = subprocess.Popen(
            [*tied, str(binary), "serve", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def stop() -> None:
        process.terminate()
        try:
            process.wait(STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    return f"http://127.0.0.1:{port}", stop


def configuration(storage: Path, port: int) -> dict[str, object]:
    """The server's configuration; JSON is YAML too."""
    return {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(storage)},
            "delete": {"enabled": True},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {"addr": f"127.0.0.1:{port}", "secret": secrets.token_hex()},
    }


def free_port() -> int:
    """A loopback port that nobody uses at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_until_ready(url: str) -> None:
    """Return once a registry answers there; CannotStart when it takes too long."""
    deadline = time.monotonic() + START
    with oci.Client(url) as client:
        while True:
            try:
                client.ping()
            except oci.Error as error:
                if time.monotonic() > deadline:
                    raise CannotStart(f"The demo registry does not answer: {error}") from error
                time.sleep(0.05)
            else:
                return
