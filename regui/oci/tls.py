"""How TLS is spoken: whom to trust, and what to show of ourselves."""

import os
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import certifi

from regui.oci.errors import BadCertificate


@dataclass(frozen=True)
class Pem:
    """Certificates, or a certificate with its key, as PEM text, where a path would name a file of it."""

    text: str = field(repr=False)

    def __str__(self) -> str:
        return "that was entered"


Verify = bool | str | Pem
Cert = tuple[str, str] | str | Pem | None


def context_for(verify: Verify, cert: Cert, *, alone: bool) -> ssl.SSLContext:
    """What connections are made with. With `alone`, a CA file stands instead of the public authorities;
    without, beside them."""
    own = None if isinstance(verify, bool) else where(verify)
    try:
        if own and alone:
            context = ssl.create_default_context(**own)
        else:
            context = ssl.create_default_context()
            context.load_verify_locations(certifi.where())
            if own:
                context.load_verify_locations(**own)
    except (OSError, ValueError, TypeError) as error:
        raise BadCertificate(f"The CA file {verify} can't be read as certificates.") from error
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if cert:
        show(context, cert)
    return context


def where(authorities: str | Pem) -> dict[str, Any]:
    """What OpenSSL calls such authorities."""
    if isinstance(authorities, Pem):
        return {"cadata": authorities.text}
    return {"capath" if Path(authorities).is_dir() else "cafile": authorities}


def show(context: ssl.SSLContext, cert: tuple[str, str] | str | Pem) -> None:
    """Have that certificate shown to whoever asks for one; BadCertificate when it and its key don't do."""
    try:
        if isinstance(cert, Pem):
            with in_memory(cert.text) as path:
                context.load_cert_chain(path, password="")
            return
        file, key = (cert, None) if isinstance(cert, str) else cert
        # The empty password keeps OpenSSL from asking for one on a terminal.
        context.load_cert_chain(file, key or None, password="")
    except (OSError, ValueError) as error:
        named = cert[0] if isinstance(cert, tuple) else cert
        raise BadCertificate(
            f"The client certificate {named} and its key can't be used together.",
            hint="Both must be PEM files, the key without a password.",
        ) from error


@contextmanager
def in_memory(text: str) -> Iterator[str]:
    """A path to read that text at, for a moment: OpenSSL takes a private key from nothing but a file. It lies
    in memory; on disk, for its owner only, where the system knows no such files."""
    if sys.platform == "linux":
        with os.fdopen(os.memfd_create("pem"), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
    else:
        with NamedTemporaryFile("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            yield file.name


def check_authorities(pem: Pem) -> None:
    """Nothing, or raises BadCertificate when that holds no certificates to trust."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem.text)
    except (OSError, ValueError, TypeError) as error:
        raise BadCertificate("No certificate in PEM format was entered.") from error


def check_identity(pem: Pem) -> None:
    """Nothing, or raises BadCertificate when that isn't a certificate and its private key."""
    show(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), pem)
