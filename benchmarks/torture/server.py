"""A server of raw sockets that a mishap scripts: one route a path, each request in a thread, everything counted."""

from __future__ import annotations

import re
import socket
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Self

__all__ = ["MODIFIED", "Exchange", "MishapServer", "Route"]

#: Last-Modified of everything that is served whole.
MODIFIED = "Mon, 05 Jan 2026 00:00:00 GMT"

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class Exchange:
    """One request, and the ways to answer it.

    Attributes:
        method: GET or HEAD, by which a body is sent or left out.
        path: With its query, as it came.
        fields: Request header fields, names in lower case.
        count: How many requests with this method came for this path, this one included.
    """

    def __init__(self, server: MishapServer, sock: socket.socket, request: bytes) -> None:
        self.server = server
        self._sock = sock
        first, *lines = request.decode("latin-1").split("\r\n")
        self.method, self.path, _ = first.split(" ", 2)
        self.fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.count = server.note(self.method, self.path)

    def answer(self, status: int, body: bytes, *fields: str, until: int | None = None) -> None:
        """Announce the whole of `body` and send it, up to the offset `until` in bytes."""
        lines = [f"HTTP/1.1 {status} Whatever", "Connection: close", f"Content-Length: {len(body)}", *fields, "", ""]
        self._sock.sendall("\r\n".join(lines).encode("latin-1"))
        if self.method != "HEAD":
            sent = body[:until]
            self._sock.sendall(sent)
            self.server.count_bytes(len(sent))

    def serve(self, body: bytes, *, until: int | None = None, ranges: bool = True) -> None:
        """Answer as a well-kept server does: validators, conditions, ranges with If-Range.

        Args:
            body: The object.
            until: Break off when this offset of the object is reached, in bytes.
            ranges: Take part requests.

        Source: RFC 9110, sections 13 and 14.
        """
        tag = f'"{sha256(body).hexdigest()[:16]}"'
        known = [f"ETag: {tag}", f"Last-Modified: {MODIFIED}"]
        if self._has_it(tag):
            self._sock.sendall("\r\n".join(["HTTP/1.1 304 Not Modified", "Connection: close", *known, "", ""]).encode())
            return
        if not ranges:
            self.answer(200, body, *known, until=until)
            return
        known.append("Accept-Ranges: bytes")
        asked = _RANGE.fullmatch(self.fields.get("range", ""))
        if asked is None or self.fields.get("if-range", tag) not in {tag, MODIFIED}:
            self.answer(200, body, *known, until=until)
            return
        start, end = int(asked[1]), min(int(asked[2] or len(body)), len(body) - 1)
        if start >= len(body):
            self.answer(416, b"", f"Content-Range: bytes */{len(body)}")
            return
        part = [*known, f"Content-Range: bytes {start}-{end}/{len(body)}"]
        self.answer(206, body[start : end + 1], *part, until=None if until is None else max(0, until - start))

    def hold(self) -> None:
        """Say nothing more until the client goes away or the server closes."""
        self._sock.settimeout(0.1)
        while not self.server.closing.is_set():
            with suppress(TimeoutError):
                if not self._sock.recv(1024):
                    return

    def _has_it(self, tag: str) -> bool:
        if "if-none-match" in self.fields:
            return self.fields["if-none-match"] == tag
        return self.fields.get("if-modified-since") == MODIFIED


Route = Callable[[Exchange], None]


class MishapServer:
    """Serves the routes of one mishap on a free loopback port; a context manager.

    Attributes:
        requests: How many requests came, by method and path.
        sent: Bytes of bodies that were sent so far.
    """

    def __init__(self, routes: Mapping[str, Route]) -> None:
        self._routes = routes
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.requests: Counter[tuple[str, str]] = Counter()
        self.sent = 0
        self.closing = threading.Event()
        self._guard = threading.Lock()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

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

    def note(self, method: str, path: str) -> int:
        """Count a request; gives how many there were like it."""
        with self._guard:
            self.requests[method, path] += 1
            return self.requests[method, path]

    def count_bytes(self, sent: int) -> None:
        """Count bytes of a body that went out."""
        with self._guard:
            self.sent += sent

    def _accept(self) -> None:
        while not self.closing.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._talk, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _talk(self, sock: socket.socket) -> None:
        with sock, suppress(OSError, ValueError):
            sock.settimeout(30)
            request = b""
            while b"\r\n\r\n" not in request:
                block = sock.recv(65536)
                if not block:
                    return
                request += block
            exchange = Exchange(self, sock, request.partition(b"\r\n\r\n")[0])
            route = self._routes.get(exchange.path)
            if route is None:
                exchange.answer(404, b"<html>there is no such page</html>")
            else:
                route(exchange)
            # Without this the kernel may answer unread bytes with a reset that takes the answer along.
            sock.shutdown(socket.SHUT_WR)
