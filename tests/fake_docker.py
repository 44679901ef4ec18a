"""A `docker` command for tests: it knows the few subcommands the demo uses, and runs the tests' registry as
the container. `FAKE_DOCKER` is a folder for its state; without one, no engine answers."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.registry import binary


def main(arguments: list[str]) -> int:
    if "FAKE_DOCKER" not in os.environ:
        print("Cannot connect to the Docker daemon. Is the docker daemon running?", file=sys.stderr)
        return 1
    state = Path(os.environ["FAKE_DOCKER"])
    with (state / "calls").open("a", encoding="utf-8") as calls:
        calls.write(json.dumps(arguments) + "\n")
    match arguments:
        case ["info"] | ["rm", "--force", _]:
            return 0
        case ["run", *_, "registry:3"]:
            return run(state)
        case ["port", _, "5000/tcp"]:
            print(f"127.0.0.1:{(state / 'port').read_text()}")
            return 0
        case ["stop", "--time", _, _]:
            os.kill(int((state / "pid").read_text()), signal.SIGTERM)
            return 0
    print(f"unknown command {arguments}", file=sys.stderr)
    return 1


def run(state: Path) -> int:
    """Start a registry that outlives us, as a container would."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    configuration = {
        "version": "0.1",
        "storage": {
            "filesystem": {"rootdirectory": str(state / "storage")},
            "delete": {"enabled": True},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    (state / "config.json").write_text(json.dumps(configuration))
    with (state / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(binary()), "serve", str(state / "config.json")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "OTEL_TRACES_EXPORTER": "none"},
            start_new_session=True,
        )
    (state / "port").write_text(str(port))
    (state / "pid").write_text(str(process.pid))
    print("0123456789abcdef")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
