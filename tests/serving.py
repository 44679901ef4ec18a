"""Runs the console script in a process of its own, as a person would."""

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from pathlib import Path
from typing import NamedTuple

PATIENCE = 180  # seconds; the machine may be busy with other tests
# Warnings are errors here too, but for the web server's own: it leaves closing a socket to the interpreter.
PYTHON = (sys.executable, "-W", "error", "-W", "ignore::ResourceWarning")


class Answer(NamedTuple):
    status: int
    headers: Message
    text: str


def environment(data: Path, **settings: str) -> dict[str, str]:
    """What the process gets to see: our settings and nothing of those around the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("REGUI_", "DJANGO_"))}
    standard = {"REGUI_DATA": str(data), "REGUI_BIND": "127.0.0.1:0", "REGUI_ANONYMOUS_ROLE": "admin"}
    return {name: value for name, value in (kept | standard | settings).items() if value}


def regui(data: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return patiently(PATIENCE, data, *arguments, **settings)


def patiently(
    patience: float, data: Path, *arguments: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, which may take so many seconds."""
    return subprocess.run(
        [*PYTHON, "-m", "regui", *arguments],
        env=environment(data, **settings),
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
    )


class Running:
    """A process that serves; `output` is what it has printed so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.output: list[str] = []
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output.append(line.rstrip("\n"))
            if line.startswith("listening on "):
                self._listening.set()
        self._listening.set()

    @property
    def url(self) -> str:
        """The address it says it listens on, without the final slash."""
        assert self._listening.wait(PATIENCE), self.output
        lines = [line for line in self.output if line.startswith("listening on ")]
        assert lines, self.output
        return lines[0].removeprefix("listening on ").rstrip("/")

    def get(self, path: str, **headers: str) -> Answer:
        """GET a path below its address; an error status is an answer too."""
        return get(f"{self.url}{path}", **headers)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Send the signal to the process alone and wait; the seconds it took to end."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(PATIENCE)
        return time.monotonic() - began

    def close(self) -> None:
        """End it whatever state it is in, and all that it started in its session."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


def get(url: str, **headers: str) -> Answer:
    request = urllib.request.Request(url, headers={k.replace("_", "-"): v for k, v in headers.items()})
    opener = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as response:
            return Answer(response.status, response.headers, response.read().decode("utf-8", "replace"))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read().decode("utf-8", "replace"))


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


@contextmanager
def serving(
    data: Path, *arguments: str, program: tuple[str, ...] = (), cwd: Path | None = None, **settings: str
) -> Iterator[Running]:
    """`regui` with those arguments, until the block ends."""
    process = subprocess.Popen(
        [*(program or (*PYTHON, "-m", "regui")), *arguments],
        cwd=cwd,
        env=environment(data, **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    running = Running(process)
    try:
        yield running
    finally:
        running.close()


def processes(session: int) -> list[dict[str, str]]:
    """The processes of that session that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended while we looked
            continue
        if fields[3] == str(session) and fields[0] != "Z":
            found.append({"pid": stat.parent.name, "state": fields[0]})
    return found
