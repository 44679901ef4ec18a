"""How often somebody may be wrong about a secret: so often from one address, then not for some time.

It is counted in Django's cache, as sign-in counts too: in this process's memory. That is all of regui, unless
somebody runs several for one database; then each counts for itself, and so many times as often are allowed.
To count in the database would let every wrong guess write to it, which costs more than a guess is worth.
"""

import ipaddress
import logging
import time
from dataclasses import dataclass

from django.core.cache import cache

log = logging.getLogger(__name__)

# Bits: who has one IPv6 address has all that begin like it.
PREFIX = 64


@dataclass(frozen=True)
class Limit:
    """`most` times wrong about secrets of a kind, within `span` seconds from the first time."""

    kind: str
    most: int
    span: int

    def failed(self, address: str) -> None:
        """Count that somebody there was wrong."""
        key = self.key(address)
        if cache.add(key, 1, self.span):
            cache.set(f"{key}:ends", time.time() + self.span, self.span)
            return
        try:
            count = cache.incr(key)
        except ValueError:  # the time ended just now
            self.failed(address)
            return
        if count == self.most:
            log.warning("%s was wrong about a %s's secret %s times", origin(address), self.kind, count)

    def blocked(self, address: str) -> int:
        """For how many more seconds nobody there is to be listened to; 0 when they are."""
        key = self.key(address)
        if cache.get(key, 0) < self.most:
            return 0
        ends: float = cache.get(f"{key}:ends", 0)
        return max(1, round(ends - time.time()))

    def key(self, address: str) -> str:
        return f"wrong:{self.kind}:{origin(address)}"


LIMITS = {
    limit.kind: limit for limit in (Limit("hook", 20, 60), Limit("token", 20, 60), Limit("registry", 10, 60))
}


def failed(kind: str, address: str) -> None:
    """Count that somebody there was wrong about a secret of that kind."""
    LIMITS[kind].failed(address)


def blocked(kind: str, address: str) -> int:
    """For how many seconds nobody there is to be listened to about a secret of that kind; 0 when they are.
    Asked before a secret is looked at, it ends all guessing; asked after, it never keeps out who has one."""
    return LIMITS[kind].blocked(address)


def origin(address: str) -> str:
    """What counts as one: an IPv4 address, or the network that an IPv6 address is in."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found.packed, PREFIX), strict=False).network_address)
