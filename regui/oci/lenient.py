"""JSON from strangers: a value of the wanted type, or the empty one."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from regui.oci.errors import Malformed

# Neither can be stored in PostgreSQL nor sent to a browser.
UNSTORABLE = {0: "\N{REPLACEMENT CHARACTER}"} | dict.fromkeys(
    range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}"
)


def parse_json(body: bytes) -> Any:
    """The value; Malformed for anything but UTF-8 JSON, for NaN and for nesting beyond Python's patience."""
    try:
        return json.loads(body.decode(), parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed("The registry's answer should be JSON and isn't.") from error


def no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object; Malformed for anything else."""
    value = parse_json(body)
    if not isinstance(value, dict):
        raise Malformed("The registry's answer should be a JSON object and isn't.")
    return value


def text(value: Any) -> str:
    """The string, storable; empty for anything else."""
    if not isinstance(value, str):
        return ""
    return value if value.isascii() and "\0" not in value else value.translate(UNSTORABLE)


def texts(value: Any) -> tuple[str, ...]:
    """The strings of a list; anything else is left out."""
    return tuple(text(item) for item in each(value) if isinstance(item, str))


def integer(value: Any) -> int | None:
    """The whole number; None for anything else, true and false too."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def record(value: Any) -> Mapping[str, Any]:
    """The object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def each(value: Any) -> Sequence[Any]:
    """The list; an empty one for anything else."""
    return value if isinstance(value, list) else ()


def mapping(value: Any) -> dict[str, str]:
    """The object's entries that are strings."""
    return {text(key): text(item) for key, item in record(value).items() if isinstance(item, str)}
