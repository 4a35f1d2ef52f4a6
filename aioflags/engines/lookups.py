"""Addresses of hosts, kept for a while: a list names few hosts many times."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import OrderedDict
from typing import Any

from aioflags.addresses import literal_address
from aioflags.engines.resolver import Resolver

__all__ = ["Lookups"]

#: Seconds; nobody tells us how long an answer holds. Source: FAULTS, suggested settings.
_GOOD_FOR = 300.0
_REMEMBERED = 50_000

_AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]


class Lookups:
    """Finds addresses, one look-up for a host at a time.

    Args:
        resolver: Asked for what is not known.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._known: OrderedDict[tuple[str, int], tuple[float, list[_AddressInfo]]] = OrderedDict()
        self._asked: dict[tuple[str, int], asyncio.Future[None]] = {}

    async def find(self, host: str, port: int) -> list[_AddressInfo]:
        """Give the addresses of `host` as `socket.getaddrinfo` does, each time beginning with the next one.

        Raises:
            OSError: There is none.
        """
        if literal_address(host) is not None:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))]
        key = host, port
        while (addresses := self._recall(key)) is None:
            asked = self._asked.get(key)
            if asked is None:
                await self._ask(key)
            else:
                # Its own failure is told to whoever asked; the others ask again, which costs nothing: see `Resolver`.
                await asyncio.shield(asked)
        return addresses

    def _recall(self, key: tuple[str, int]) -> list[_AddressInfo] | None:
        until, addresses = self._known.get(key, (0.0, []))
        if time.monotonic() >= until:
            return None
        addresses.append(addresses.pop(0))
        return list(addresses)

    async def _ask(self, key: tuple[str, int]) -> None:
        asked = self._asked[key] = asyncio.get_running_loop().create_future()
        try:
            found = await self._resolver.resolve(*key, socket.AF_UNSPEC)
        finally:
            del self._asked[key]
            asked.set_result(None)
        rows: list[_AddressInfo] = [
            (each.family, socket.SOCK_STREAM, each.proto, "", (each.host, each.port)) for each in found
        ]
        self._known[key] = (time.monotonic() + _GOOD_FOR, rows)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
