"""A server that lies: raw sockets, no HTTP library, since only raw bytes can lie. The path names the fault.

Requests are counted by path and their heads kept. `/saved/…` answers well.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Self

BODY = bytes(range(256)) * 8  # 2 KiB


def head(status: int = 200, *fields: str, length: int | None = len(BODY)) -> bytes:
    """Build a response head; `length` in bytes, `None` for no Content-Length."""
    lines = [f"HTTP/1.1 {status} Whatever", "Connection: close", *fields]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


class Client:
    """One connection, as a fault sees it."""

    def __init__(self, server: HostileServer, sock: socket.socket) -> None:
        self.server = server
        self.sock = sock
        self._buffer = b""
        self.path = ""
        self.count = 0

    def read_head(self) -> bytes:
        """Read one request head; empty at the end of the connection."""
        while b"\r\n\r\n" not in self._buffer:
            block = self.sock.recv(65536)
            if not block:
                return b""
            self._buffer += block
        found, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        return found

    def send(self, *blocks: bytes) -> None:
        """Send bytes, each block by itself."""
        for block in blocks:
            self.sock.sendall(block)

    def drip(self, data: bytes, pause: float = 0.05) -> None:
        """Send byte by byte, until the server closes or the client goes away."""
        for index in range(len(data)):
            self.sock.sendall(data[index : index + 1])
            if self.server.closing.wait(pause):
                return

    def hold(self) -> None:
        """Say nothing more until the client goes away or the server closes."""
        self.sock.settimeout(0.1)
        while not self.server.closing.is_set():
            with suppress(TimeoutError):
                if not self.sock.recv(1024):
                    return

    def reset(self) -> None:
        """End the connection with RST."""
        # Without the pause the bytes sent before would be lost with the reset.
        self.server.closing.wait(0.05)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


Fault = Callable[[Client], None]


class HostileServer:
    """Serves faults on a free loopback port, each connection in a thread of its own; a context manager.

    Args:
        faults: Path without the first slash and anything behind the next one, to what happens.
        context: For https.
        host: Address to listen at.
        port: 0 for a free one.
    """

    def __init__(
        self,
        faults: dict[str, Fault],
        context: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._faults = faults
        self._context = context
        self._host = f"[{host}]" if ":" in host else host
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=256)
        self.port = self._listener.getsockname()[1]
        self.requests: Counter[str] = Counter()
        self.heads: dict[str, bytes] = {}
        self.closing = threading.Event()
        self._guard = threading.Lock()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end."""
        return f"{'http' if self._context is None else 'https'}://{self._host}:{self.port}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        # Closing alone would leave the accepting thread where it is.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self.closing.is_set():
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(raw,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, raw: socket.socket) -> None:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock: socket.socket = raw
        with suppress(OSError, ValueError):
            if self._context is not None:
                sock = self._context.wrap_socket(raw, server_side=True)
            self._talk(Client(self, sock))
        # A fault may have ended TLS by itself, which unwrapping says by ValueError.
        with suppress(OSError, ValueError):
            if isinstance(sock, ssl.SSLSocket):
                sock.settimeout(1)
                sock.unwrap()
        sock.close()
        raw.close()

    def _talk(self, client: Client) -> None:
        if request := client.read_head():
            client.path = request.split(b" ")[1].decode("latin-1")
            with self._guard:
                self.requests[client.path] += 1
                self.heads[client.path] = request
                client.count = self.requests[client.path]
            name = client.path.lstrip("/").partition("/")[0].partition("?")[0]
            if name == "saved":
                client.send(head() + BODY)
            else:
                self._faults[name](client)
