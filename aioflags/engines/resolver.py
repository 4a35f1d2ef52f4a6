"""Name resolution for aiohttp on threads of its own: neither the default executor nor libuv's few threads.

uvloop resolves two names at a time and the default executor is shared with files (both measured); a name that does
not exist is remembered for a while, since aiohttp has no negative cache.
"""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from aiohttp.abc import AbstractResolver, ResolveResult

from aioflags.engines.faults import UNKNOWN_HOST, PrivateAddressError
from aioflags.retry import UNKNOWN_HOST_REST
from aioflags.threads import Threads
from aioflags.urls import is_private_address, literal_address

__all__ = ["Resolver", "SessionResolver"]

V = TypeVar("V")

_THREADS = 32
_REMEMBERED = 50_000


class Resolver:
    """Resolves names; one for all sessions of an engine."""

    def __init__(self) -> None:
        self._executor = Threads(_THREADS, thread_name_prefix="aioflags-dns")
        self._unknown: OrderedDict[str, tuple[float, tuple[object, ...]]] = OrderedDict()
        self._private: OrderedDict[str, bool] = OrderedDict()

    async def resolve(self, host: str, port: int, family: int) -> list[ResolveResult]:
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
        results = [_as_result(host, row[4], row[0], row[2]) for row in rows]
        _remember(self._private, host, all(is_private_address(result["host"]) for result in results))
        return results

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
        results = await self._resolver.resolve(host, port, family)
        if not self.is_public_only:
            return results
        public = [result for result in results if not is_private_address(result["host"])]
        if not public:
            raise PrivateAddressError(0, "only private addresses")
        return public

    async def close(self) -> None:
        """The shared resolver outlives the connector."""


def _as_result(host: str, address: tuple[object, ...], family: int, proto: int) -> ResolveResult:
    ip, port = str(address[0]), int(str(address[1]))
    if len(address) == 4 and address[3]:
        ip = f"{ip.partition('%')[0]}%{address[3]}"
    return ResolveResult(
        hostname=host,
        host=ip,
        port=port,
        family=family,
        proto=proto,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )


def _remember(cache: OrderedDict[str, V], host: str, value: V) -> None:
    cache[host] = value
    if len(cache) > _REMEMBERED:
        cache.popitem(last=False)
