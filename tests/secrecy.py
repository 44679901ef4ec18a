"""Looks for secrets where none should be."""

import base64
import html
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus


def forms(secret: str) -> set[bytes]:
    """How a secret may look: as it is, escaped, in hex, or in base64 with whatever stands around it."""
    raw = secret.encode()
    escaped = {html.escape(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1]}
    quoted = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    found = {raw, raw.hex().encode(), *(form.encode() for form in escaped | quoted)}
    for before in range(3):
        # Of the outermost characters some bits belong to what stands around.
        coded = base64.b64encode(b"x" * before + raw + b"x" * (-(before + len(raw)) % 3))
        inner = coded[(0, 2, 3)[before] : -4]
        found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def leaks(secrets: Mapping[str, str], places: Mapping[str, bytes]) -> Iterator[str]:
    """Yield which secret is in which place."""
    for name, secret in secrets.items():
        looked_for = forms(secret)
        for place, content in places.items():
            if any(form in content for form in looked_for):
                yield f"{name} in {place}"


def files(folder: Path) -> dict[str, bytes]:
    """The content of every file below a folder, by its path: a database's as it lies on the disk."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
