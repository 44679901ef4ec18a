"""Reverse proxies in front of the site: whom to believe what they say of who asks."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from regui import mapping
from regui.env import Env, refuse

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Networks = tuple[Network, ...]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
NOWHERE: Networks = ()


@dataclass(frozen=True)
class Proxies:
    """The addresses that are believed, and the headers by which they name a person and their groups; empty
    when none does. `groups` says what those are here."""

    networks: Networks = NOWHERE
    user_header: str = ""
    groups_header: str = ""
    groups: mapping.Mapping = mapping.NONE

    def trusts(self, peer: str) -> bool:
        """Whether a proxy of ours has that address."""
        address = parse_address(peer)
        return address is not None and any(address in network for network in self.networks)

    def client(self, peer: str, forwarded: str) -> str:
        """The address that asks: going back along `X-Forwarded-For` the first that is no proxy of ours.
        Whatever stands before that one may have been made up. What is no address ends the way too: then the
        last proxy is all that is known."""
        known = peer
        for hop in reversed(forwarded.split(",") if forwarded else []):
            if not self.trusts(known):
                break
            address = parse_address(hop)
            if address is None:
                break
            known = str(address)
        return known


def from_env(env: Env) -> Proxies:
    """What the environment says; refuses headers that nobody could be trusted to set."""
    networks = env.parsed("REGUI_TRUSTED_PROXIES", NOWHERE, parse_networks)
    user = env.parsed("REGUI_PROXY_USER_HEADER", "", parse_header)
    groups = env.parsed("REGUI_PROXY_GROUPS_HEADER", "", parse_header)
    named = env.parsed("REGUI_PROXY_GROUPS", mapping.NONE, mapping.parse)
    if user and not networks:
        raise refuse("REGUI_TRUSTED_PROXIES", "must say whose REGUI_PROXY_USER_HEADER is believed")
    if groups and not user:
        raise refuse("REGUI_PROXY_USER_HEADER", "must be set along with REGUI_PROXY_GROUPS_HEADER")
    if named and not groups:
        raise refuse("REGUI_PROXY_GROUPS_HEADER", "must be set along with REGUI_PROXY_GROUPS")
    return Proxies(networks, user, groups, named)


def parse_networks(text: str) -> Networks:
    """Addresses and networks with commas or white space between them. ValueError for what is neither, and for
    a network that is everywhere."""
    found: dict[Network, None] = {}
    for at, word in enumerate(filter(None, re.split(r"[\s,]+", text)), start=1):
        try:
            network = ipaddress.ip_network(word)
        except ValueError:
            what = "must hold addresses such as 10.0.0.7 and networks such as 10.0.0.0/8"
            raise ValueError(f"{what}, which entry {at} is not") from None
        if network.prefixlen == 0:
            raise ValueError("must not be every address: then anybody could be anyone")
        found.setdefault(network)
    return tuple(found)


def parse_header(text: str) -> str:
    """A header's name. Not one with `_`, which web servers drop, since it can't be told from one with `-`."""
    if not HEADER.fullmatch(text):
        raise ValueError("must be a header's name such as X-Forwarded-User, of letters, digits and dashes")
    return text


def parse_address(text: str) -> Address | None:
    """The address in a hop of `X-Forwarded-For`, which may have a port; None when there is none. An IPv4
    address in IPv6's clothes is the IPv4 address."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def variable(header: str) -> str:
    """What a header is called in `request.META`."""
    return f"HTTP_{header.upper().replace('-', '_')}"


def members(header: str) -> Iterable[str]:
    """The groups in a header's value: names with commas between them, as oauth2-proxy and Authelia send them;
    or `|`, as Authentik does."""
    return mapping.names(header.replace("|", ","))
