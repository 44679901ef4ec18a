"""A fake registry for faults and other vendors' ways, and an impatient client of it."""

from collections.abc import Iterator

import pytest

from regui import oci
from tests.fake import Fake
from tests.oci.signing import TokenFake

# Seconds; short enough for a suite of tests, long enough for a busy machine.
SOON = oci.Timeout(pause=0.01)
IMPATIENT = oci.Timeout(connect=1, read=0.3, total=0.5, pause=0.01)


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as running:
        yield running


@pytest.fixture(params=[False, True], ids=["requests", "direct"])
def direct(request: pytest.FixtureRequest) -> bool:
    """Both ways to the network, which must not differ in anything but their cost."""
    return bool(request.param)


@pytest.fixture
def client(fake: Fake, direct: bool) -> Iterator[oci.Client]:
    """A client of the fake that asks again without much of a pause."""
    with oci.Client(fake.url, timeout=SOON, direct=direct) as connected:
        yield connected


@pytest.fixture
def impatient(fake: Fake, direct: bool) -> Iterator[oci.Client]:
    """A client of the fake that soon gives up."""
    with oci.Client(fake.url, timeout=IMPATIENT, direct=direct) as connected:
        yield connected


@pytest.fixture
def tokens() -> Iterator[TokenFake]:
    """The token server that the fake sends its clients to."""
    with TokenFake() as server:
        yield server
