"""How a registry lets a tag be taken away while its siblings stay.

By its name where that is known to untag and nothing else: some registries (Azure's) delete the manifest with
all its tags when asked to delete one. Everywhere else by something that lies on the tag for a moment and is
then deleted by its own digest, which needs nothing but deletes by digest.
"""

import enum
import time

from regui import oci

# Seconds for which an answer holds.
HOLDS = 600.0
_known: dict[tuple[str, str], tuple[float, "Way"]] = {}


class Way(enum.Enum):
    """How a tag is taken away."""

    BY_TAG = "by tag"
    PASSING = "passing"
    NONE = "none"


def of(client: oci.Client, name: str) -> Way:
    """How tags of this repository are taken away, by requests that can't match anything. Raises
    `oci.Unsupported` when deletes are switched off."""
    key = (client.url, name)
    until, way = _known.get(key, (0.0, Way.NONE))
    if time.monotonic() < until:
        return way
    client.check_deletes(name)
    way = Way.BY_TAG if client.untags(name) else Way.PASSING
    _known[key] = time.monotonic() + HOLDS, way
    return way
