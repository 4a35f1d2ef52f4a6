"""What servers do when a file is cut and its rest is asked for: steps, one for each request of a path, as faults.

Old and new file have the same length and differ in every byte, so a file that is made of both shows.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from tests.hostile import Client, Fault, head

__all__ = ["CUT_AT", "NEW", "OLD", "SIZE", "Answer", "Asked", "Ranges", "cut", "refuse", "rest", "say", "whole"]

OLD = bytes(range(256)) * 8192  # 2 MiB
NEW = bytes(255 - byte for byte in range(256)) * 8192
SIZE = len(OLD)
CUT_AT = 1_500_000
ETAG = 'ETag: "old"'


@dataclass(frozen=True)
class Asked:
    """What a request asks for: the first byte of its range, `None` without, and its condition."""

    start: int | None
    if_range: str | None


Answer = Callable[[Client, Asked], None]


def field_of(client: Client, name: str) -> str | None:
    """The value of a field of the request that is answered."""
    found = re.search(rf"(?im)^{name}: *(.*?)\r?$", client.server.heads[client.path].decode("latin-1"))
    return None if found is None else found[1]


def asked_by(client: Client) -> Asked:
    """Read what a request asks for."""
    bounds = re.fullmatch(r"bytes=([0-9]+)-", field_of(client, "Range") or "")
    return Asked(int(bounds[1]) if bounds else None, field_of(client, "If-Range"))


class Ranges:
    """What each path was asked for, in order."""

    def __init__(self) -> None:
        self.asked: dict[str, list[Asked]] = defaultdict(list)
        self._guard = threading.Lock()

    def steps(self, *answers: Answer) -> Fault:
        """A fault whose first answer is the first of `answers` and so on; the last one repeats."""

        def fault(client: Client) -> None:
            asked = asked_by(client)
            with self._guard:
                self.asked[client.path].append(asked)
                number = len(self.asked[client.path])
            answers[min(number, len(answers)) - 1](client, asked)

        return fault


def say(*blocks: bytes) -> Answer:
    """Send these bytes whatever was asked."""
    return lambda client, _: client.send(*blocks)


def whole(body: bytes = OLD, *fields: str, status: int = 200) -> Answer:
    """Send all of a file, with a strong ETag unless other fields are given."""
    return say(head(status, *(fields or (ETAG,)), length=len(body)), body)


def cut(*fields: str, at: int = CUT_AT, body: bytes = OLD, end: Callable[[Client], None] | None = None) -> Answer:
    """Announce all of a file, and end after its first `at` bytes."""

    def answer(client: Client, _: Asked) -> None:
        client.send(head(200, *(fields or (ETAG,)), length=len(body)), body[:at])
        if end is not None:
            end(client)

    return answer


def refuse(status: int, *fields: str) -> Answer:
    """Send no file; in `fields` `{start}` is the first byte that was asked for."""
    return lambda client, asked: client.send(
        head(status, *(line.format(start=asked.start) for line in fields), length=0)
    )


def rest(
    body: bytes = OLD,
    *fields: str,
    shift: int = 0,
    until: int | None = None,
    more: bytes = b"",
    range_field: str | None = "Content-Range: bytes {first}-{last}/{size}",
    length: int | None = -1,
) -> Answer:
    """Send a 206 with what was asked for; a request for no range gets all of `body` as a 200.

    Args:
        body: The file.
        fields: Instead of the ETag.
        shift: Bytes by which the answer begins too late.
        until: Bytes of the body that come before the connection ends.
        more: What comes after them.
        range_field: The field that says which part this is, `None` for none.
        length: Content-Length, -1 for what is right, `None` for none.
    """

    def answer(client: Client, asked: Asked) -> None:
        if asked.start is None:
            client.send(head(200, *(fields or (ETAG,)), length=len(body)), body)
            return
        first = asked.start + shift
        part = body[first:]
        said = (range_field or "").format(first=first, last=len(body) - 1, size=len(body), other=len(body) + 1)
        own = [line for line in said.split("\n") if line]
        announced = len(part) if length == -1 else length
        client.send(head(206, *(fields or (ETAG,)), *own, length=announced), part[:until] + more)

    return answer
