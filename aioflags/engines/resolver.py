"""Name resolution on threads of its own: neither the default executor nor libuv's few threads.

uvloop resolves two names at a time and the default executor is shared with files (both measured); a name that does
not exist is remembered for a while, since neither aiohttp nor the system has to.
"""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from aioflags.engines.faults import UNKNOWN_HOST
from aioflags.retry import UNKNOWN_HOST_REST
from aioflags.threads import Threads
from aioflags.urls import is_private_address, literal_address

__all__ = ["Address", "Resolver"]

V = TypeVar("V")

_THREADS = 32
_REMEMBERED = 50_000


class Address(NamedTuple):
    """Where a host can be reached.

    Args:
        host: Numeric, an IPv6 address with its scope.
        port: As it was asked for.
        family: `socket.AF_INET` or `socket.AF_INET6`.
        proto: For `socket.socket`.
    """

    host: str
    port: int
    family: int
    proto: int


class Resolver:
    """Resolves names; one for all connections of an engine."""

    def __init__(self) -> None:
        self._executor = Threads(_THREADS, thread_name_prefix="aioflags-dns")
        self._unknown: OrderedDict[str, tuple[float, tuple[object, ...]]] = OrderedDict()
        self._private: OrderedDict[str, bool] = OrderedDict()

    async def resolve(self, host: str, port: int, family: int) -> list[Address]:
        """Give the addresses of `host`.

        Raises:
            OSError: There is none; for a second the same answer is given without asking again.
        """
        loop = asyncio.get_running_loop()
        known = self._unknown.get(host)
        if known is not None and loop.time() < known[0]:
            # Raised anew each time: an exception that is kept keeps the frames of all who met it.
            raise socket.gaierror(*known[1])
        try:
            rows = await loop.run_in_executor(
                self._executor,
                socket.getaddrinfo,
                host,
                port,
                family,
                socket.SOCK_STREAM,
                0,
                socket.AI_ADDRCONFIG,
            )
        except socket.gaierror as error:
            if error.errno in UNKNOWN_HOST:
                _remember(self._unknown, host, (loop.time() + UNKNOWN_HOST_REST, error.args))
            raise
        addresses = [_as_address(row[4], row[0], row[2]) for row in rows]
        _remember(self._private, host, all(is_private_address(address.host) for address in addresses))
        return addresses

    async def run(self, work: Callable[[], V]) -> V:
        """Do something else that blocks, in the same threads."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def is_private(self, host: str) -> bool:
        """Tell whether `host` has only addresses of private networks, as far as was seen."""
        literal = literal_address(host)
        return is_private_address(literal) if literal is not None else self._private.get(host, False)

    async def close(self) -> None:
        """End the threads, without waiting for a name server that does not answer."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def _as_address(sockaddr: tuple[object, ...], family: int, proto: int) -> Address:
    ip, port = str(sockaddr[0]), int(str(sockaddr[1]))
    if len(sockaddr) == 4 and sockaddr[3]:
        ip = f"{ip.partition('%')[0]}%{sockaddr[3]}"
    return Address(ip, port, family, proto)


def _remember(cache: OrderedDict[str, V], host: str, value: V) -> None:
    cache[host] = value
    if len(cache) > _REMEMBERED:
        cache.popitem(last=False)
