"""Which IP addresses are private, and which host names are addresses; resolves no name."""

from __future__ import annotations

import ipaddress

__all__ = ["is_private_address", "literal_address"]

_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")


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


def literal_address(host: str) -> str | None:
    """Give back `host` if it is an IP address, a dotted quad or IPv6 without brackets, else `None`."""
    if ":" not in host and not host[-1:].isdigit():
        return None
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return None
    return host


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
    return not address.is_global or address.is_multicast or address.is_reserved
