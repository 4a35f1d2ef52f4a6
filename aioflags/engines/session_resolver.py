"""The resolver as aiohttp wants to have it."""

from __future__ import annotations

import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from aioflags.engines.faults import PrivateAddressError
from aioflags.engines.resolver import Resolver
from aioflags.urls import is_private_address

__all__ = ["SessionResolver"]


class SessionResolver(AbstractResolver):
    """The resolver as one aiohttp connector sees it.

    Args:
        resolver: Shared; not closed by the connector.
        is_public_only: Leave out addresses of private networks.
    """

    def __init__(self, resolver: Resolver, *, is_public_only: bool) -> None:
        self._resolver = resolver
        self.is_public_only = is_public_only

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Give the addresses of `host`, marked as numbers, so that nobody looks them up again.

        Raises:
            PrivateAddressError: There are only such as may not be used.
            OSError: There is none.
        """
        addresses = await self._resolver.resolve(host, port, family)
        if self.is_public_only:
            addresses = [address for address in addresses if not is_private_address(address.host)]
            if not addresses:
                raise PrivateAddressError(0, "only private addresses")
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(hostname=host, host=ip, port=port, family=family, proto=proto, flags=flags)
            for ip, port, family, proto in addresses
        ]

    async def close(self) -> None:
        """The shared resolver outlives the connector."""
