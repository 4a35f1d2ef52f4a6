"""Connections of the blocking driver: urllib3's, kept open by origin, each read guarded, private peers refused.

urllib3's pool is not used: it normalises the path of a URL, and a signed URL must reach the wire as it was given.
"""

from __future__ import annotations

import base64
import errno
import socket
import ssl
import time
from collections import OrderedDict
from io import BufferedReader, RawIOBase
from typing import Any
from urllib.parse import unquote, urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from aioflags.engines.blocking_names import BlockingNames
from aioflags.engines.blocking_response import FinalResponse
from aioflags.engines.faults import PrivateAddressError
from aioflags.engines.guard import GuardedSocket
from aioflags.engines.seam import Attempt
from aioflags.settings import Settings
from aioflags.urls import Target, is_private_address

__all__ = ["Connection", "Connections"]

_KEEP_ALIVE = 20.0
# Every thread keeps so many, and open files are few.
_MOST_IDLE = 2
_Key = tuple[str, str, int, bool]


class Connection(HTTPConnection):
    """A connection that refuses private peers where only public ones are allowed, and knows which kind it has."""

    response_class = FinalResponse
    is_public_only = False
    is_private = False
    names: BlockingNames

    def _new_conn(self) -> socket.socket:
        sock = self._connect_to_one()
        self.is_private = is_private_address(str(sock.getpeername()[0]))
        if self.is_private and self.is_public_only:
            sock.close()
            raise PrivateAddressError(errno.EACCES, "a private address")
        return sock

    def _connect_to_one(self) -> socket.socket:
        """Connect to one of the addresses of the host; where only public ones are allowed no packet goes to others."""
        name = self._dns_host
        failure: Exception = PrivateAddressError(0, "only private addresses")
        try:
            for address in self.names.find(name.strip("[]"), self.port):
                if self.is_public_only and is_private_address(address):
                    continue
                self.host = address
                try:
                    return super()._new_conn()
                except HTTPError as error:
                    failure = error
        finally:
            # The certificate is to be for the name.
            self.host = name
        raise failure


class _HurriedSocket(RawIOBase):
    """A socket whose reads share one deadline; a socket's own timeout counts from each byte.

    Args:
        sock: Connected.
        seconds: How long they may take together.
    """

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self._sock = sock
        self._until = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._sock.recv_into(buffer)

    def makefile(self, *_: object) -> BufferedReader:
        """Give the file that an HTTP parser asks for."""
        return BufferedReader(self)

    def sendall(self, data: bytes) -> None:
        """Send all."""
        self._sock.sendall(data)


class _TLSConnection(Connection, HTTPSConnection):
    """The same for https."""

    def _tunnel(self) -> None:
        sock: Any = self.sock
        # A proxy that drips its answer would hold the thread for ever.
        self.sock = _HurriedSocket(sock, float(self.timeout))  # type: ignore[arg-type]
        try:
            super()._tunnel()
        finally:
            self.sock = sock


class Connections:
    """The connections of one thread.

    Args:
        settings: Time to connect, proxy.
        ssl_context: For https.
        names: Knows addresses, those of the proxy, too.
    """

    def __init__(self, settings: Settings, ssl_context: ssl.SSLContext, names: BlockingNames) -> None:
        self._settings = settings
        self._names = names
        self._ssl_context = ssl_context
        self._proxy = None if settings.proxy is None else urlsplit(settings.proxy)
        self._idle: OrderedDict[_Key, tuple[Connection, float]] = OrderedDict()

    @property
    def via_proxy(self) -> bool:
        """All connections are to a proxy."""
        return self._proxy is not None

    def take(self, attempt: Attempt) -> tuple[Connection, bool]:
        """Give a connection for `attempt`, and whether it was used before; a new one is connected.

        Raises:
            OSError, urllib3.exceptions.HTTPError: It cannot be connected.
        """
        connection, since = self._idle.pop(_key_of(attempt), (None, 0.0))
        if connection is not None and attempt.is_fresh:
            connection.close()
            connection = None
        if connection is not None:
            if time.monotonic() - since < _KEEP_ALIVE and connection.is_connected:
                return connection, True
            connection.close()
        return self._connect(attempt), False

    def give_back(self, attempt: Attempt, connection: Connection) -> None:
        """Keep a connection whose answer was read to its end."""
        if connection.sock is None:
            return
        self._idle[_key_of(attempt)] = (connection, time.monotonic())
        if len(self._idle) > _MOST_IDLE:
            self._idle.popitem(last=False)[1][0].close()

    def close(self) -> None:
        """Close all."""
        for connection, _ in self._idle.values():
            connection.close()
        self._idle.clear()

    def request_line_target(self, target: Target) -> str:
        """What stands in the request line: the path as it was given, behind a proxy of http the whole URL."""
        if self._proxy is not None and target.scheme == "http":
            return target.url
        rest = target.url.split("://", 1)[1]
        return rest[min(index for index in (rest.find("/"), rest.find("?"), len(rest)) if index >= 0) :]

    def proxy_headers(self, target: Target) -> dict[str, str]:
        """Credentials for the proxy, where the request itself goes to it."""
        return self._proxy_authorization() if self._proxy is not None and target.scheme == "http" else {}

    def _connect(self, attempt: Attempt) -> Connection:
        target = attempt.target
        host, port = self._peer_of(target)
        timeout = self._settings.connect_timeout
        connection: Connection
        if target.scheme == "https":
            connection = _TLSConnection(host, port, timeout=timeout, ssl_context=self._ssl_context)
            connection.assert_hostname = None if self._ssl_context.check_hostname else False
            if self._proxy is not None:
                connection.set_tunnel(target.host, target.port, headers=self._proxy_authorization())
        else:
            connection = Connection(host, port, timeout=timeout)
        connection.names = self._names
        connection.is_public_only = attempt.is_public_only and self._proxy is None
        try:
            connection.connect()
        except BaseException:
            connection.close()
            raise
        connection.sock = GuardedSocket(connection.sock)
        return connection

    def _peer_of(self, target: Target) -> tuple[str, int]:
        if self._proxy is None:
            return target.host, target.port
        assert self._proxy.hostname is not None
        return self._proxy.hostname, self._proxy.port or 80

    def _proxy_authorization(self) -> dict[str, str]:
        assert self._proxy is not None
        if self._proxy.username is None:
            return {}
        user, password = unquote(self._proxy.username), unquote(self._proxy.password or "")
        token = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
        return {"Proxy-Authorization": f"Basic {token}"}


def _key_of(attempt: Attempt) -> _Key:
    return (*attempt.target.origin, attempt.is_public_only)
