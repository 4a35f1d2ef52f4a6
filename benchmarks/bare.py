"""The floor: an `asyncio.Protocol` that asks for file after file and believes whatever comes.

No list, no names, no limits, no deadlines, no retries, no record: what is left is the loop, the kernel and a few lines
of Python. How far aioflags is above it is what being right costs.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import cast

from aioflags.groups import GroupCommit, shut_down
from aioflags.items import Item
from aioflags.urls import parse_url

__all__ = ["fetch_barely", "save_barely"]

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"\r\nContent-Length: "

Sink = Callable[[str, bytes], None]


class _Getter(asyncio.Protocol):
    """One connection, whose requests follow one another until there are no items left.

    Args:
        items: What is left to ask for, shared by all.
        sink: Gets name and body of each file.
    """

    def __init__(self, items: Iterator[Item], sink: Sink) -> None:
        self._items = items
        self._sink = sink
        self._name = ""
        self._stock = b""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def _ask(self) -> None:
        item = next(self._items, None)
        if item is None:
            self._transport.close()
            return
        host, _, path = item.url.removeprefix("http://").partition("/")
        self._name = path.rpartition("/")[2]
        self._transport.write(f"GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        data = self._stock + data
        end = data.find(_END_OF_HEAD)
        start = data.find(_LENGTH, 0, end) + len(_LENGTH)
        if end < 0 or len(data) - end - len(_END_OF_HEAD) < int(data[start : data.find(b"\r", start)]):
            self._stock = data
            return
        self._stock = b""
        self._sink(self._name, data[end + len(_END_OF_HEAD) :])
        self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        self.ended.set_exception(error) if error is not None else self.ended.set_result(None)


async def _fetch(items: Iterator[Item], connections: int, sink: Sink) -> None:
    first = next(items)
    target = parse_url(first.url)
    make = partial(_Getter, itertools.chain([first], items), sink)
    loop = asyncio.get_running_loop()
    opening = [loop.create_connection(make, target.host, target.port) for _ in range(connections)]
    await asyncio.gather(*[protocol.ended for _, protocol in await asyncio.gather(*opening)])


async def fetch_barely(items: Iterator[Item], directory: str, connections: int) -> int:
    """Ask for all items, of one host and by plain http, and write nothing; gives how many came."""
    count = 0

    def sink(name: str, body: bytes) -> None:
        nonlocal count
        count += 1

    await _fetch(items, connections, sink)
    return count


async def save_barely(items: Iterator[Item], directory: str, connections: int) -> int:
    """The same, and let each file appear by a rename, in groups and in a thread; gives how many are there."""
    os.makedirs(directory, exist_ok=True)
    folder = os.open(directory, os.O_RDONLY)
    executor = ThreadPoolExecutor(1)
    groups: GroupCommit[tuple[str, bytes], None] = GroupCommit(executor, partial(_write_group, folder))
    saved: list[asyncio.Future[None]] = []
    try:
        await _fetch(items, connections, lambda name, body: saved.append(groups.submit((name, body))))
        await asyncio.gather(*saved)
    finally:
        await shut_down(executor)
        os.close(folder)
    return len(saved)


def _write_group(folder: int, group: Sequence[tuple[str, bytes]]) -> list[Exception | None]:
    for name, body in group:
        part = f".{name}"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=folder)
        try:
            os.write(descriptor, body)
        finally:
            os.close(descriptor)
        os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
    return [None] * len(group)
