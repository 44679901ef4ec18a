"""What is kept of an image's config: what pages show of it.

The rest is half of it, digests of unpacked layers above all, which nothing can deflate. The registry has the
config itself, and the manifest its digest."""

import json
from collections.abc import Collection, Mapping
from typing import Any

FIELDS = frozenset(
    ["architecture", "os", "os.version", "variant", "created", "author", "config", "history"],
)
RUNTIME = frozenset(
    [
        *("User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels"),
        *("StopSignal", "Healthcheck"),
    ]
)


def reduced(config: bytes) -> bytes:
    """The fields of a config that `oci.Config` reads, but for `diff_ids`, in its own order; what can't be
    written again as it was read stays whole."""
    fields = only(json.loads(config), FIELDS)
    if isinstance(fields.get("config"), dict):
        fields["config"] = only(fields["config"], RUNTIME)
    try:
        return json.dumps(fields, separators=(",", ":"), allow_nan=False).encode()
    except (ValueError, RecursionError):
        return config


def only(fields: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name in names}
