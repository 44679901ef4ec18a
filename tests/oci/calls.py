"""Every call that reads, for tests of what is true of all of them."""

from collections.abc import Callable

import pytest

from regui import oci

NAME = "team/app"
BODY = b"some bytes"
DIGEST = oci.Digest.of(BODY)
Call = Callable[[oci.Client], object]
CALLS: dict[str, Call] = {
    "ping": lambda client: client.ping(),
    "catalog": lambda client: list(client.catalog()),
    "tags": lambda client: list(client.tags(NAME)),
    "manifest": lambda client: client.manifest(NAME, "latest"),
    "read_blob": lambda client: client.read_blob(NAME, DIGEST),
    "blob": lambda client: list(client.blob(NAME, DIGEST)),
    "referrers": lambda client: client.referrers(NAME, DIGEST),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
