"""The secret key that regui makes for itself, and those before it."""

import os
import secrets
from pathlib import Path

from regui.env import refuse


def earlier(text: str) -> list[str]:
    """The keys that were in use before, one a line; or, all on one line, with commas between them."""
    return [key.strip() for key in text.split("\n" if "\n" in text else ",") if key.strip()]


def secret_key(path: Path) -> str:
    """The key kept in that file, made there on first use, readable by its owner only.

    Two processes that start together agree: the file appears whole, and the first one's stays.
    """
    try:
        if not path.exists():
            make(path)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise refuse("REGUI_DATA", f"{path.parent} can't be used: {error.strerror}") from error


def make(path: Path) -> None:
    """Write a fresh key there, unless another process was faster."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(50), encoding="ascii")
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
