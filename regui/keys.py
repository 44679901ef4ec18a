"""The secret key that regui makes for itself."""

import os
import secrets
from pathlib import Path


def secret_key(path: Path) -> str:
    """The key kept in that file, made there on first use, readable by its owner only.

    Two processes that start together agree: the file appears whole, and the first one's stays.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50), encoding="ascii")
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii").strip()
