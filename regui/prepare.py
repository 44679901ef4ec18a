"""What must be in place before work begins: the tables, the rows of the registries, the static files.

Processes that start together don't do it twice: one does, the others wait.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from filelock import FileLock

import regui
from regui.accounts import groups
from regui.env import refuse
from regui.index import connect

# Any fixed number will do, as long as nobody else in the database uses it: "regui" in ASCII.
ADVISORY_LOCK = 0x7265677569


def database(*, serves: bool = True) -> None:
    """Bring the tables up to date, and the rows of the registries in step with the settings.

    What they name no more goes when the process `serves` what regui has to show: registries are hidden, and
    groups don't administer any longer. A command may well run where those settings aren't set at all.
    """
    data_folder(settings.DATA)
    database_file()
    if unmigrated():
        with migration_lock():
            call_command("migrate", interactive=False, verbosity=0)
    connect.ensure_registries(hide=serves)
    if serves:
        groups.appoint()


def data_folder(path: Path) -> None:
    """Make the folder for regui's own files, which nobody else may look into; ImproperlyConfigured when it
    can't be made or written to."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise refuse("REGUI_DATA", f"{path} can't be used: {error.strerror}") from error
    if not os.access(path, os.W_OK):
        raise refuse("REGUI_DATA", f"{path} can't be written to")


def database_file() -> None:
    """Make SQLite's file, readable by its owner only. What SQLite puts beside it goes by the same rights."""
    path = Path(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite" and path.is_absolute() and path.parent.is_dir() and not path.exists():
        path.touch(mode=0o600)


def unmigrated() -> bool:
    """Whether a migration is missing."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@contextmanager
def migration_lock() -> Iterator[None]:
    """Held by one process at a time: of those that share `REGUI_DATA`, or the PostgreSQL database."""
    if connection.vendor != "postgresql":
        with FileLock(settings.DATA / "migrate.lock"):
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_LOCK])


def static_files() -> None:
    """Gather the static files under `STATIC_ROOT`, when they aren't there already as they should be."""
    root = Path(settings.STATIC_ROOT)
    stamp = root.with_name(f"{root.name}.stamp")
    wanted = fingerprint(settings.STATICFILES_DIRS)
    with FileLock(root.with_name(f"{root.name}.lock")):
        if root.is_dir() and stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
            return
        stamp.unlink(missing_ok=True)
        # Earlier files stay: a page that was loaded before an upgrade may still ask for them.
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(wanted, encoding="ascii")


def fingerprint(folders: list[Path]) -> str:
    """A hash over what those folders hold, and over what decides how it is served."""
    found = hashlib.sha256(f"{regui.__version__} {settings.STATIC_URL}".encode())
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            body = path.read_bytes()
            found.update(f"\n{path.relative_to(folder)} {len(body)}\n".encode())
            found.update(body)
    return found.hexdigest()
