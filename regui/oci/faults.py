"""Turns what the network stack raises into this package's errors.

The stack wraps its exceptions in each other, differently by version, so all that hang together are looked at.
"""

import http.client
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import requests
import urllib3

from regui.oci import addresses
from regui.oci.errors import BadCertificate, Dropped, Error, NotARegistry, OffLimits, TimedOut, Unreachable

NETWORK = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)
PLAIN_HTTP = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")


@contextmanager
def translated(host: str) -> Iterator[None]:
    """Raises an `Error` that names the host for whatever the network stack raises inside the block."""
    try:
        yield
    except NETWORK as error:
        raise translate(error, host) from error


def translate(error: BaseException, host: str) -> Error:
    causes = list(chain(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return tls(cause, host)
        if isinstance(cause, addresses.OffLimits):
            return off_limits(cause, host)
    for cause in causes:
        if isinstance(
            cause, TimeoutError | requests.Timeout | urllib3.exceptions.TimeoutError
        ) and not isinstance(cause, urllib3.exceptions.NewConnectionError):
            return TimedOut(f"{host} didn't answer in time.")
        if isinstance(cause, socket.gaierror | urllib3.exceptions.NameResolutionError):
            return Unreachable(f"{host} can't be found: no such host name.")
        if isinstance(cause, ConnectionRefusedError):
            return Unreachable(f"{host} refuses connections.")
    for cause in causes:
        if isinstance(cause, urllib3.exceptions.NewConnectionError):
            return Unreachable(f"{host} can't be reached.")
        if isinstance(cause, requests.exceptions.InvalidURL | urllib3.exceptions.LocationParseError):
            return Unreachable(f"{host} is not an address one can connect to.")
        if isinstance(cause, http.client.BadStatusLine) and not isinstance(
            cause, http.client.RemoteDisconnected
        ):
            return NotARegistry(f"{host} doesn't speak HTTP.")
    return Dropped(f"{host} broke the connection off.")


def chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and all it was made of."""
    waiting, seen = [error], set[int]()
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = (*current.args, getattr(current, "reason", None), current.__cause__, current.__context__)
        waiting.extend(item for item in inner if isinstance(item, BaseException))


def tls(error: ssl.SSLError, host: str) -> Error:
    """What a failed TLS connection means."""
    words = str(error)
    if any(name in words.upper().replace(" ", "_") for name in PLAIN_HTTP):
        return NotARegistry(
            f"{host} doesn't speak TLS.", hint="It seems to speak plain HTTP: begin its address with http://."
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        why = re.sub(r"\.$", "", error.verify_message or "not valid")
        return BadCertificate(f"The certificate of {host} was not accepted: {why}.")
    if "alert" in words.lower() and ("certificate" in words.lower() or "unknown ca" in words.lower()):
        return BadCertificate(
            f"{host} wants a client certificate, or doesn't accept ours.",
            hint="Set the client certificate and its key in the settings.",
        )
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Dropped(f"{host} broke the connection off.")
    why = getattr(error, "reason", None) or "it failed"
    return Unreachable(f"No TLS connection with {host} came about: {why}.")


def off_limits(error: addresses.OffLimits, host: str) -> OffLimits:
    """What an address that isn't connected to means."""
    hint = OffLimits.metadata if error.metadata else ""
    return OffLimits(f"{host} leads to {error.address}, which regui doesn't connect to.", hint=hint)
