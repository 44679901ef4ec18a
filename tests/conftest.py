"""Fixtures for every test: a real registry, and a client of it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import filelock
import hypothesis
import pytest
from django.core.cache import cache
from django.db import connections
from django.test import override_settings

from regui import oci
from regui.paths import resource
from tests.registry import RunningRegistry, open_registry
from tests.serving import serving

# Machines with two busy cores make any deadline for a single example a lie.
hypothesis.settings.register_profile("few", max_examples=10, deadline=None)
hypothesis.settings.register_profile("short", max_examples=50, deadline=None)
hypothesis.settings.register_profile("long", max_examples=2000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))


@pytest.fixture(scope="session", autouse=True)
def plain_static() -> Iterator[None]:
    """Static files go by their plain names and lie where the source has them, without a run of collectstatic:
    for the whole session, as the live server that its tests share looks for them once, when it starts."""
    plain = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    with override_settings(STATIC_ROOT=resource("static"), STORAGES=plain):
        yield


@pytest.fixture(autouse=True)
def nobody_was_wrong() -> None:
    """What tests before this one were wrong about isn't held against it."""
    cache.clear()


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """A real registry, open to all and with deletes enabled, shared by the tests of one process: use names of
    your own (`registry.unique()`), or `registry.wipe()` first."""
    running = open_registry(tmp_path_factory.mktemp("registry"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for all processes of one run of the tests."""
    base = tmp_path_factory.getbasetemp()
    # Each of several workers has a folder of its own in that of the whole run.
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def started(shared: Path) -> Path:
    """A data folder as regui's first start leaves it, to be copied: making tables takes longer than most of
    what comes after it."""
    folder = shared / "started"
    with filelock.FileLock(f"{folder}.lock"):
        if not folder.exists():
            with serving(shared / "starting", "serve", "--no-worker") as first:
                assert first.url
            (shared / "starting").rename(folder)
    return folder


@pytest.fixture
def data(started: Path, tmp_path: Path) -> Path:
    """A data folder of this test's own, as a first start leaves it."""
    return Path(shutil.copytree(started, tmp_path / "data"))


@pytest.fixture
def client(registry: RunningRegistry) -> Iterator[oci.Client]:
    """A client of `registry`."""
    with registry.connect() as connected:
        yield connected


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    tmp_path_factory: pytest.TempPathFactory, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """A database for each process of the tests; SQLite's in a file, as people have it: it locks one in memory
    by other rules, which tests with threads would meet."""
    database = connections["default"].settings_dict
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "regui.sqlite3")
