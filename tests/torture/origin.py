"""A well-kept origin that takes its time: validators, ranges, kept connections, and an account of what was asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256

from tests.faultserver import FaultServer
from tests.hostile import Client

__all__ = ["Origin"]

_RANGE = re.compile(rb"(?i)\r\nrange: bytes=(\d+)-\r\n")
_IF_RANGE = re.compile(rb'(?i)\r\nif-range: ("[^"]+")\r\n')
_BLOCK = 65_536


class Origin(FaultServer):
    """Serves bodies by path.

    Args:
        bodies: Path without the first slash to body.
        pause: Seconds after each block of 64 KiB.

    Attributes:
        sent: Bytes of bodies that went out so far.
        continued: Requests that were answered with the rest of a body.
    """

    def __init__(self, bodies: Mapping[str, bytes], pause: float) -> None:
        super().__init__()
        self._bodies = bodies
        self._pause = pause
        self.sent = 0
        self.continued = 0

    def _talk(self, client: Client) -> None:
        while request := client.read_head():
            # So that every field ends alike.
            request += b"\r\n"
            path = request.split(b" ", 2)[1].decode("ascii")[1:]
            body = self._bodies[path]
            tag = b'"%b"' % sha256(body).hexdigest()[:20].encode()
            asked, condition = _RANGE.search(request), _IF_RANGE.search(request)
            start = int(asked[1]) if asked and condition and condition[1] == tag else 0
            with self._guard:
                self.requests[path] += 1
                self.continued += start > 0
            fields = b"ETag: %b\r\nAccept-Ranges: bytes\r\nContent-Length: %d\r\n" % (tag, len(body) - start)
            if start:
                whole = b"Content-Range: bytes %d-%d/%d\r\n" % (start, len(body) - 1, len(body))
                client.send(b"HTTP/1.1 206 Rest\r\n" + fields + whole + b"\r\n")
            else:
                client.send(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n")
            for offset in range(start, len(body), _BLOCK):
                block = body[offset : offset + _BLOCK]
                client.send(block)
                with self._guard:
                    self.sent += len(block)
                if self.closing.wait(self._pause):
                    return
