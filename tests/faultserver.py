"""The server that lies, and more that only raw bytes can do: kept connections, every head that it saw, a proxy."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress

import trustme

from tests.hostile import BODY, Client, Fault, HostileServer

__all__ = ["FaultServer", "Gate", "Gauge", "answer", "say", "server_context"]


def answer(body: bytes = BODY, *fields: str, status: int = 200) -> bytes:
    """Build a whole answer that leaves the connection open."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def say(*blocks: bytes) -> Fault:
    """Send these bytes, whatever was asked, and leave the connection open."""

    def fault(client: Client) -> None:
        client.send(*blocks)
        keep_open(client)

    return fault


def keep_open(client: Client) -> None:
    """Let the next request come over the same connection."""
    assert isinstance(client.server, FaultServer)
    client.server.kept.add(client)


class Gauge:
    """Counts how many answers are under way at a time, and the most of them."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self.now = 0
        self.most = 0

    def __enter__(self) -> None:
        with self._guard:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_: object) -> None:
        with self._guard:
            self.now -= 1


class Gate:
    """A fault that answers well once it is opened, and tells how many wait before it."""

    def __init__(self, reply: bytes = answer()) -> None:
        self.gauge = Gauge()
        self._reply = reply
        self._opened = threading.Event()

    def open(self) -> None:
        """Let all pass, those that come later, too."""
        self._opened.set()

    def __call__(self, client: Client) -> None:
        with self.gauge:
            while not (self._opened.is_set() or client.server.closing.is_set()):
                self._opened.wait(0.05)
        client.send(self._reply)
        keep_open(client)


class FaultServer(HostileServer):
    """Serves faults; keeps a connection open after those that say so, and every head that it saw.

    As a proxy it tunnels CONNECT, and answers absolute-form requests itself, by the path in them.

    Args:
        faults: First segment of the path, to what happens; `saved` answers well and keeps the connection.
        context: For https.
        host: Address to listen at.
        port: 0 for a free one.
    """

    def __init__(
        self,
        faults: Mapping[str, Fault] | None = None,
        context: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        super().__init__({"saved": say(answer()), **(faults or {})}, context, host, port)
        self.kept: set[Client] = set()
        self.seen: list[bytes] = []
        self.connections = 0

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [head.split(b" ")[1].decode("latin-1") for head in self.seen]

    def fields(self, path: str) -> dict[str, str]:
        """The fields of the last request for `path`, names in lower case."""
        lines = next(head for head in reversed(self.seen) if head.split(b" ")[1] == path.encode("latin-1"))
        pairs = (line.partition(": ") for line in lines.decode("latin-1").split("\r\n")[1:])
        return {name.lower(): value for name, _, value in pairs}

    def _serve(self, raw: socket.socket) -> None:
        with self._guard:
            self.connections += 1
        super()._serve(raw)

    def _talk(self, client: Client) -> None:
        while request := client.read_head():
            method, target, _ = request.split(b"\r\n")[0].split(b" ", 2)
            client.path = target.decode("latin-1")
            with self._guard:
                self.seen.append(request)
                self.requests[client.path] += 1
                client.count = self.requests[client.path]
            if method == b"CONNECT":
                self._faults.get("CONNECT", tunnel)(client)
            else:
                path = client.path.partition("://")[2].partition("/")[2] if "://" in client.path else client.path[1:]
                self._faults[path.partition("/")[0].partition("?")[0]](client)
            if client not in self.kept:
                return
            self.kept.discard(client)


def tunnel(client: Client) -> None:
    """Connect to where the client wants to go, and carry bytes both ways until one side ends."""
    host, _, port = client.path.rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=5) as origin:
        client.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        back = threading.Thread(target=_carry, args=(origin, client.sock), daemon=True)
        back.start()
        _carry(client.sock, origin)
        back.join(5)


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(65536):
            sink.sendall(block)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def server_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """Make a TLS context whose certificate is for `names`, by default for what the server calls itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("127.0.0.1", "localhost"))).configure_cert(context)
    return context
