"""Debian's registry server, downloaded and unpacked but never installed.

Its package, installed, would start a server that listens on every interface.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from filelock import FileLock

PACKAGE = "docker-registry"
# apt gives its downloads to a user of its own, who can't write into our temporary folder.
APT = ["apt-get", "-q", "-o", "APT::Sandbox::User=root"]
PATIENCE = 300  # seconds for one apt command on a slow line


class CannotStart(Exception):
    """There is no registry server to be had here; says why and what would help."""


def registry_binary(data: Path) -> Path:
    """The path of a `docker-registry` that can be run, kept below `data`; downloaded there on first use.

    Processes that ask at the same time wait for the first one. Raises CannotStart.
    """
    home = data / "registry"
    binary = home / "usr" / "bin" / "docker-registry"
    if binary.exists():
        return binary
    data.mkdir(parents=True, exist_ok=True)
    with FileLock(data / "registry.lock"), tempfile.TemporaryDirectory(dir=data, prefix=".registry-") as work:
        if not binary.exists():
            unpacked = Path(work) / "unpacked"
            run(["dpkg-deb", "-x", str(download(Path(work))), str(unpacked)], Path(work))
            # Whole or not at all: what another process sees under the final name can be run.
            unpacked.rename(home)
    return binary


def download(work: Path) -> Path:
    """The package's file in `work`, by the machine's package lists or, when those are missing or stale, by
    lists of our own: so it needs no root and changes nothing on the machine."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise CannotStart(
            "The demo needs a running Docker engine, or a Debian or Ubuntu machine to take the package "
            f"{PACKAGE} from. To look at a registry you have, set REGUI_REGISTRY_URL"
        )
    try:
        run([*APT, "download", PACKAGE], work)
    except CannotStart:
        (work / "lists" / "partial").mkdir(parents=True)
        (work / "cache" / "archives" / "partial").mkdir(parents=True)
        own = [*APT, "-o", f"Dir::State::Lists={work / 'lists'}", "-o", f"Dir::Cache={work / 'cache'}"]
        run([*own, "update"], work)
        run([*own, "download", PACKAGE], work)
    found = list(work.glob(f"{PACKAGE}_*.deb"))
    if len(found) != 1:
        raise CannotStart(f"apt-get download {PACKAGE} said it worked and left {len(found)} files")
    return found[0]


def run(command: list[str], work: Path) -> None:
    """Run one command in `work`; raises CannotStart with what it said last when it fails."""
    try:
        done = subprocess.run(
            command,
            cwd=work,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotStart(f"Could not get a registry server: {error}") from error
    if done.returncode:
        said = " / ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-3:])
        raise CannotStart(f"Could not get a registry server: {' '.join(command)} failed: {said}")
