"""Seals what must not lie in clear in the database: passwords of registries, private keys, tokens.

Who gets hold of the database, or of a copy of it, has nothing without `REGUI_SECRET_KEY`. Each purpose has a
key of its own, derived from that one, so that a sealed value opens only where it was put: moved to another
column, it is as good as broken.
"""

import base64
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

# Said into every key, so that what Django signs with the same secret key has nothing to do with them.
CONTEXT = "regui sealed"


class Unopened(Exception):
    """A sealed value that no key opens. It never repeats the value."""

    def __init__(self) -> None:
        super().__init__(
            "What is kept sealed can't be opened: it was sealed with another REGUI_SECRET_KEY, or changed. "
            "Name the key of that time in REGUI_SECRET_KEY_OLD, or enter the secret again."
        )


def seal(text: str, purpose: str) -> str:
    """The text, to be opened by `unseal` for the same purpose alone; different each time. Nothing stays
    nothing, so that an empty column says that there is no secret."""
    return current(purpose).encrypt(text.encode()).decode("ascii") if text else ""


def unseal(sealed: str, purpose: str) -> str:
    """What was sealed, with the key of today or one before it; Unopened when none of them opens it."""
    if not sealed:
        return ""
    for key in accepted():
        if (text := opened(sealer(key, purpose), sealed)) is not None:
            return text
    raise Unopened


def opens(sealed: str, purpose: str) -> bool:
    """Whether it can be opened at all."""
    try:
        unseal(sealed, purpose)
    except Unopened:
        return False
    return True


def is_current(sealed: str, purpose: str) -> bool:
    """Whether the key of today opens it, so that those before it may be forgotten."""
    return not sealed or opened(current(purpose), sealed) is not None


def opened(sealer: "Fernet", sealed: str) -> str | None:
    """What was sealed; None when that isn't what sealed it."""
    try:
        return sealer.decrypt(sealed.encode()).decode()
    except crypto("fernet").InvalidToken:
        return None


def accepted() -> list[str]:
    """The secret keys that open: today's, then those before it."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def current(purpose: str) -> "Fernet":
    return sealer(settings.SECRET_KEY, purpose)


def sealer(key: str, purpose: str) -> "Fernet":
    """What seals for one purpose with a key derived (RFC 5869) from that secret key."""
    hkdf, sha256 = crypto("hazmat.primitives.kdf.hkdf").HKDF, crypto("hazmat.primitives.hashes").SHA256
    info = f"{CONTEXT}: {purpose}".encode()
    derived: bytes = hkdf(sha256(), length=32, salt=None, info=info).derive(key.encode())
    made: Fernet = crypto("fernet").Fernet(base64.urlsafe_b64encode(derived))
    return made


def crypto(name: str) -> Any:
    """A module of `cryptography`: seven megabytes, for those processes only that have something to seal."""
    return import_module(f"cryptography.{name}")
