"""The registries that the contract's tests run against: a real one in four modes, and the well-behaved
fake."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from regui import oci
from tests import registry as registries
from tests.fake import Fake
from tests.registry import USER, RunningRegistry
from tests.tokens import TokenServer

MODES = ["open", "basic", "bearer", "tls", "fake"]
AUTH = {"open": "none", "basic": "basic", "bearer": "bearer", "tls": "none", "fake": "none"}


@pytest.fixture(scope="session")
def tokens() -> Iterator[TokenServer]:
    """The token server of `bearer_registry`."""
    users = {USER.username: USER.password, "bob": "builder", "charlie": "brown"}
    with TokenServer(users) as server:
        yield server


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("contract")


@pytest.fixture(scope="session")
def basic_registry(folder: Path) -> Iterator[RunningRegistry]:
    running = registries.basic_registry(folder / "basic")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def bearer_registry(folder: Path, tokens: TokenServer) -> Iterator[RunningRegistry]:
    running = registries.bearer_registry(folder / "bearer", tokens)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def tls_registry(folder: Path) -> Iterator[RunningRegistry]:
    running = registries.tls_registry(folder / "tls")
    yield running
    running.stop()


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def client(mode: str, request: pytest.FixtureRequest) -> Iterator[oci.Client]:
    """A client of the registry in that mode, signed in where it asks for that."""
    if mode == "fake":
        with Fake() as fake, oci.Client(fake.url) as connected:
            yield connected
        return
    fixture = "registry" if mode == "open" else f"{mode}_registry"
    running: RunningRegistry = request.getfixturevalue(fixture)
    with running.connect() as connected:
        yield connected


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A repository's name that no other test uses."""
    words = "".join(letter if letter.isalnum() else "-" for letter in request.node.name.lower())
    return "contract/" + "-".join(filter(None, words.split("-")))[:120]
