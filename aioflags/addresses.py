"""Which IP addresses are private, and which host names are addresses; resolves no name."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

__all__ = ["is_loopback_host", "is_private_address", "literal_address"]

_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
# Not every Python that we run on knows these: protocol assignments, the relays of 6to4 (RFC 7526), the second range
# for documentation (RFC 9637).
_MORE = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")))
_PRIVATE_ENDINGS = frozenset({"localhost", "local", "internal", "home.arpa"})


def is_private_address(ip: str) -> bool:
    """Tell whether an address is anything but globally routable; what is no address counts as private.

    An address that embeds an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo) is judged by that one.

    Source: the IANA special-purpose registries (RFC 6890); RFC 6052, 3056, 4380.

    >>> is_private_address("::ffff:127.0.0.1"), is_private_address("2606:4700::1111")
    (True, False)
    """
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return True
    if isinstance(address, ipaddress.IPv4Address):
        return _is_private(address)
    embedded = _embedded(address)
    if embedded:
        return any(_is_private(inner) for inner in embedded)
    return _is_private(address) or address not in _GLOBAL_V6


def is_private_name(host: str) -> bool:
    """Tell whether a name means something in a private network only: one word, or below a name reserved for that.

    Source: RFC 6761 (localhost), 6762 (local), 8375 (home.arpa); ICANN board, 2024-07-29 (internal); RFC 7085 on why
    one word is no name of the internet.

    >>> is_private_name("metadata.google.internal"), is_private_name("example.org")
    (True, False)
    """
    if literal_address(host) is not None:
        return False
    *above, last = host.lower().rstrip(".").split(".")
    return not above or last in _PRIVATE_ENDINGS or f"{above[-1]}.{last}" in _PRIVATE_ENDINGS


def literal_address(host: str) -> str | None:
    """Give back `host` if it is an IP address, a dotted quad or IPv6 without brackets, else `None`."""
    if ":" not in host and not host[-1:].isdigit():
        return None
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return None
    return host


@lru_cache(maxsize=1024)
def is_loopback_host(host: str) -> bool:
    """Tell whether `host`, a name or an address, is this machine; a name that merely leads here is not known.

    Source: RFC 6761, section 6.3, for names below localhost.

    >>> is_loopback_host("127.0.0.2"), is_loopback_host("a.localhost"), is_loopback_host("example.org")
    (True, True, False)
    """
    literal = literal_address(host)
    if literal is None:
        return host.rpartition(".")[2].lower() == "localhost"
    address = ipaddress.ip_address(literal)
    embedded = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (embedded or address).is_loopback


def _embedded(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address.sixtofour:
        return [address.sixtofour]
    if address.teredo:
        return list(address.teredo)
    if address in _NAT64 or address in _COMPATIBLE:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    return []


def _is_private(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    is_special = not address.is_global or address.is_multicast or address.is_reserved
    return is_special or any(address in network for network in _MORE)
