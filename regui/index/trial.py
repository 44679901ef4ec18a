"""Trying how a registry would be reached, without keeping anything of it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from regui import oci
from regui.index import connect
from regui.registries import RegistrySettings

# Seconds that somebody waits for it, and that a connection may take of these.
BUDGET, CONNECT = 10.0, 4.0


@dataclass(frozen=True)
class Trial:
    """What came of it: why the registry can't be used, or what it was found to be able to do."""

    error: oci.Error | None = None
    found: Mapping[str, oci.Finding] = field(default_factory=dict)


def run(record: RegistrySettings, sample: oci.Sample) -> Trial:
    """Ask the registry as the record says, once, about something in it where anything is known. Sends
    requests that change nothing."""
    patience = oci.Timeout(connect=CONNECT, read=BUDGET, total=BUDGET)
    try:
        with connect.build(record, tries=1, timeout=patience) as unbounded:
            client = unbounded.until(time.monotonic() + BUDGET)
            client.ping()
            return Trial(found=oci.examine(client, sample))
    except oci.Error as error:
        return Trial(error)
