"""A PostgreSQL server for tests: a cluster of its own in a temporary folder, reachable by its socket only.

`python -m tests.postgres COMMAND …` runs a command that finds regui's database there.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote


def program(name: str) -> str:
    """The newest version's, where Debian puts it, or else the one in the path."""
    return str(max(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), default=name))


def as_its_user() -> list[str]:
    """What to put before a command: PostgreSQL refuses to run as root."""
    return ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of an empty database, until the block ends."""
    # Not below pytest's folders: a socket's path may have 107 bytes, and another user has to reach it.
    home = Path(tempfile.mkdtemp(prefix="regui-pg-"))
    try:
        if os.getuid() == 0:
            shutil.chown(home, "postgres")
        cluster = home / "cluster"
        control = [*as_its_user(), program("pg_ctl"), "--pgdata", str(cluster), "--silent", "--wait"]
        init = "--auth=trust --username=regui --no-sync --encoding=UTF8 --no-locale"
        options = f"-c listen_addresses='' -c unix_socket_directories={home} -c fsync=off"
        run([*control, "init", f"--options={init}"], home)
        run([*control, "start", f"--log={home / 'log'}", f"--options={options}"], home)
        try:
            yield f"postgres://regui@{quote(str(home), safe='')}/postgres"
        finally:
            run([*control, "stop", "--mode=immediate"], home)
    finally:
        shutil.rmtree(home)


def run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)


def main(command: list[str]) -> int:
    """The exit status of the command, run beside a server."""
    with postgresql() as url:
        return subprocess.run(command, env=os.environ | {"REGUI_DATABASE_URL": url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
