"""Fixtures for every test: a real registry, and a client of it."""

import os
from collections.abc import Iterator

import hypothesis
import pytest
from django.db import connections

from regui import oci
from tests.registry import RunningRegistry, open_registry

# Machines with two busy cores make any deadline for a single example a lie.
hypothesis.settings.register_profile("few", max_examples=10, deadline=None)
hypothesis.settings.register_profile("short", max_examples=50, deadline=None)
hypothesis.settings.register_profile("long", max_examples=2000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """A real registry, open to all and with deletes enabled, shared by the tests of one process: use names of
    your own (`registry.unique()`), or `registry.wipe()` first."""
    running = open_registry(tmp_path_factory.mktemp("registry"))
    yield running
    running.stop()


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
