"""From a target to a connection: look the name up, connect to one of its addresses, shake hands."""

from __future__ import annotations

import errno
import socket
import ssl
from functools import partial
from typing import Any

import aiohappyeyeballs

from aioflags.addresses import is_private_address
from aioflags.engines.calling import connect_to
from aioflags.engines.faults import PrivateAddressError
from aioflags.engines.link import Link
from aioflags.engines.lookups import Lookups
from aioflags.engines.readiness import Readiness
from aioflags.engines.resolver import Resolver
from aioflags.engines.tls import load_ssl_context
from aioflags.engines.tls_link import TLSLink
from aioflags.urls import Target

__all__ = ["Dialer"]

#: Seconds that one address is given before the next is tried, too. Source: RFC 8305, section 8.
_HEAD_START = 0.25


class Dialer:
    """Makes connections.

    Args:
        readiness: What they wait with.
        resolver: Looks names up.
        ssl_context: Who is trusted; `None` for the system's certificates, which are read when they are needed first.
        insecure: Verify nothing.
    """

    def __init__(
        self, readiness: Readiness, resolver: Resolver, ssl_context: ssl.SSLContext | None, *, insecure: bool
    ) -> None:
        self._readiness = readiness
        self._resolver = resolver
        self._lookups = Lookups(resolver)
        self._context = ssl_context
        self._insecure = insecure

    async def dial(self, target: Target, *, is_public_only: bool) -> Link:
        """Connect to where `target` is.

        Args:
            target: Where to.
            is_public_only: Never connect to an address of a private network.

        Raises:
            OSError: It did not work, `PrivateAddressError` and `ssl.SSLError` included.
        """
        context = await self._trust() if target.scheme == "https" else None
        addresses = await self._lookups.find(target.host, target.port)
        if is_public_only:
            addresses = [each for each in addresses if not is_private_address(str(each[4][0]))]
            if not addresses:
                raise PrivateAddressError(errno.EACCES, "only private addresses")
        sock = await _connect(addresses, self._readiness)
        if context is None:
            return Link(sock, self._readiness)
        try:
            link = TLSLink(sock, self._readiness, context, target.host)
        except BaseException:
            sock.close()
            raise
        try:
            await link.shake_hands()
        except BaseException:
            link.close()
            raise
        return link

    async def _trust(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = await self._resolver.run(partial(load_ssl_context, insecure=self._insecure))
        return self._context


async def _connect(addresses: list[Any], readiness: Readiness) -> socket.socket:
    if len(addresses) == 1:
        sock = await connect_to(addresses[0], readiness)
    else:
        sock = await _connect_to_first(addresses)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        sock.close()
        raise
    return sock


async def _connect_to_first(addresses: list[Any]) -> socket.socket:
    try:
        return await aiohappyeyeballs.start_connection(addresses, happy_eyeballs_delay=_HEAD_START, interleave=1)
    except RuntimeError as error:
        # What uvloop says now and then in place of an error of the system.
        raise ConnectionAbortedError(errno.ECONNABORTED, "the connection could not be made") from error
