"""The connections of the asyncio engine: those of aiohttp, but for what aiohttp and uvloop would mistake or lose."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from functools import partial
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.helpers import _EXC_SENTINEL
from aiohttp.http_exceptions import HttpProcessingError

from aioflags.engines.faults import PrivateAddressError
from aioflags.engines.session_resolver import SessionResolver
from aioflags.urls import is_private_address

__all__ = ["Connector"]

_KEEP_ALIVE = 20.0


class Connector(aiohttp.TCPConnector):
    """A pool without limits: how many requests are in flight, and to whom, is decided elsewhere.

    Args:
        resolver: Decides which addresses may be connected to, too. It is asked about names only, and its answers are
            kept for a while; so what it decides is held against each address once more, before there is a socket.
        ssl_context: As aiohttp takes it.
        is_fresh: Keep no connection.
    """

    def __init__(self, resolver: SessionResolver, ssl_context: ssl.SSLContext | bool, *, is_fresh: bool) -> None:
        super().__init__(
            limit=0,
            limit_per_host=0,
            force_close=is_fresh,
            keepalive_timeout=None if is_fresh else _KEEP_ALIVE,
            ttl_dns_cache=300,
            dns_cache_max_size=50_000,
            resolver=resolver,
            ssl=ssl_context,
            socket_factory=_public_socket if resolver.is_public_only else None,
        )
        make_protocol: Any = partial(_Protocol, loop=asyncio.get_running_loop())
        self._factory = make_protocol

    async def _get(self, key: Any, traces: Any) -> Any:
        """Drop idle connections on which bytes came that nobody asked for.

        aiohttp would take them for the answer to the next request (tried with 3.14.5). Source: RFC 9112, section 9.2.
        """
        idle = self._conns.get(key, ())
        for row in [row for row in idle if row[0].should_close]:
            row[0].close()
            self._conns[key].remove(row)
        return await super()._get(key, traces)

    def close_idle(self) -> None:
        """Give back the open files of connections that nobody uses; aiohttp has no public way, and keeps any number."""
        for idle in self._conns.values():
            for protocol, _ in idle:
                protocol.abort()
        self._conns.clear()


def _public_socket(address_info: tuple[Any, ...]) -> socket.socket:
    """Make the socket for one address.

    Raises:
        PrivateAddressError: It is that of a private network.
    """
    family, kind, protocol, _, address = address_info
    if is_private_address(str(address[0])):
        raise PrivateAddressError(errno.EACCES, "a private address")
    return socket.socket(family, kind, protocol)


class _Protocol(ResponseHandler):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let TLS stock nothing while reading is paused.

        uvloop forgets what it has in stock when the connection ends at that moment, and the file would lack its end
        without anybody knowing (uvloop#661). With nothing in stock, the end waits in the socket behind the bytes.
        """
        set_limits = getattr(transport, "set_read_buffer_limits", None)
        if set_limits is not None:
            set_limits(high=1, low=0)
        super().connection_made(transport)

    def set_exception(self, exc: BaseException, exc_cause: BaseException = _EXC_SENTINEL) -> None:
        """Tell of broken framing whoever reads a body, too.

        aiohttp tells whoever waits for a head only, and the body would be waited for until the server is called stalled
        (tried with 3.14.5). A body that has come to its end is whole, whatever follows it.
        """
        super().set_exception(exc, exc_cause)
        if isinstance(exc, HttpProcessingError) and self._payload is not None and not self._payload.is_eof():
            error = aiohttp.ClientPayloadError("the framing is broken")
            error.__cause__ = exc
            self._payload.set_exception(error)

    def close(self) -> None:
        """Let go at once: all was read, and nobody is to wait up to 30 s for a server that leaves TLS late or never.

        Until then asyncio would keep the connection open, and a loop that ends before would leave it to the collector.
        """
        self.abort()
