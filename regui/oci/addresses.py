"""Which addresses are connected to, decided on those that a name stands for at the very moment.

A registry names other hosts to us: a token server, a place for blobs. Were one of them a cloud's metadata
service, which gives this machine's own credentials to whoever asks from here, the answer could end up on a
page. What a name or an unusual spelling of a number leads to is known only once it is resolved, and may be
something else the next time. So the address looked at here is the one connected to, not one asked for before.
"""

import socket
from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from urllib3.exceptions import LocationParseError
from urllib3.util.connection import allowed_gai_family

Address = IPv4Address | IPv6Address
Resolve = Callable[..., Sequence[tuple[Any, Any, int, str, tuple[Any, ...]]]]

LINK_LOCAL = (ip_network("169.254.0.0/16"), ip_network("fe80::/10"))
# Where clouds tell a machine its secrets. Most have 169.254.169.254; the names, such as
# metadata.google.internal, lead to one of these.
METADATA = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",
        "fe80::a9fe:a9fe",  # OpenStack
        "169.254.170.2",  # Amazon: containers
        "169.254.170.23",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",  # Google
        "168.63.129.16",  # Azure
        "100.100.100.200",  # Alibaba
        "169.254.0.23",  # Tencent
        "192.0.0.192",  # Oracle
        "fd00:c1::a9fe:a9fe",
        "169.254.42.42",  # Scaleway
        "fd00:42::42",
    )
)
# An IPv4 address is the end of those, which a gateway takes to it.
NAT64 = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
COMPATIBLE = ip_network("::/96")


class OffLimits(OSError):
    """A name that leads to an address we don't connect to. `metadata` says that nothing allows it."""

    def __init__(self, address: Address) -> None:
        super().__init__(f"{address} is off limits")
        self.address = address
        self.metadata = not METADATA.isdisjoint(meant(address))


def connect(
    host: str,
    port: int,
    *,
    timeout: float | None,
    options: Sequence[tuple[Any, ...]] | None = None,
    link_local: bool = False,
    resolve: Resolve = socket.getaddrinfo,
) -> socket.socket:
    """A socket connected to the first of the host's addresses that takes it. OffLimits when it has none but
    those we don't connect to; any other OSError when none answers, gaierror when it has none at all."""
    host = host.strip("[]")
    try:
        host.encode("idna")
    except UnicodeError:
        raise LocationParseError(f"'{host}', label empty or too long") from None
    trouble = OSError(f"{host} has no address")
    for family, kind, protocol, _, where in resolve(host, port, allowed_gai_family(), socket.SOCK_STREAM):
        address = ip_address(str(where[0]).partition("%")[0])
        if is_off_limits(address, link_local=link_local):
            trouble = OffLimits(address)
            continue
        sock = socket.socket(family, kind, protocol)
        try:
            for option in options or ():
                sock.setsockopt(*option)
            sock.settimeout(timeout)
            sock.connect(where)
        except OSError as error:
            sock.close()
            trouble = error
        else:
            return sock
    raise trouble


def is_off_limits(address: Address, *, link_local: bool = False) -> bool:
    """Whether that is a metadata service's address or, unless `link_local` allows those, a link-local one."""
    for one in meant(address):
        if one in METADATA or (not link_local and any(one in network for network in LINK_LOCAL)):
            return True
    return False


def meant(address: Address) -> Iterator[Address]:
    """Yield the address, and the IPv4 addresses that it stands for, if it is one of those kinds."""
    yield address
    if isinstance(address, IPv4Address):
        return
    last = IPv4Address(int(address) & 0xFFFFFFFF)
    if any(address in network for network in (*NAT64, COMPATIBLE)):
        yield last
    yield from filter(None, (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())))
