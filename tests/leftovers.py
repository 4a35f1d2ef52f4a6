"""What must not be there when something has ended or was cancelled: tasks, threads, open files, parts."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

__all__ = ["files_in", "forgive_uvloop", "leaving_nothing", "moments"]


def forgive_uvloop() -> None:
    """Let pass what uvloop reports of itself when TLS is cancelled at a bad moment: it reads from what it has closed.

    Seen with 0.23, whoever cancels; nothing is lost by it.
    """

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if "the handler is closed" not in str(context.get("exception")):
            loop.default_exception_handler(context)

    asyncio.get_running_loop().set_exception_handler(handle)


def moments() -> Iterator[int]:
    """Give the turns of the loop after which to cancel: each of the first, then ever fewer, over a whole download."""
    turns = 0
    # A turn of uvloop without work takes a microsecond, one of asyncio in debug mode a hundred.
    slowness = asyncio.get_running_loop().get_debug()
    while turns < (600 if slowness else 12_000):
        yield turns
        turns += 1 + turns // (8 if slowness else 6)


def files_in(folder: str | Path) -> list[str]:
    """Names of what a run has put into its destination; the folder of the ledger is not one of them."""
    return sorted(set(os.listdir(folder)) - {".aioflags"})


def open_files() -> Counter[str]:
    """What the descriptors of this process lead to; uvloop opens /dev/null once, for itself."""
    found: Counter[str] = Counter()
    for name in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            found[os.readlink(f"/proc/self/fd/{name}")] += 1
    del found["/dev/null"]
    return found


async def until_gone(what: Callable[[], Any]) -> None:
    """Wait for what goes by itself, but in its own time; fail if it does not."""
    since = time.monotonic()
    while time.monotonic() - since < 10:
        if not what():
            return
        await asyncio.sleep(0.01)
    assert not what()


@asynccontextmanager
async def leaving_nothing(path: Path) -> AsyncIterator[None]:
    """Fail if a task, a thread, an open file or a part is there that was not there before."""
    tasks, threads, files = asyncio.all_tasks(), set(threading.enumerate()), open_files()
    yield
    assert asyncio.all_tasks() - tasks == set()
    assert not (path / ".aioflags").exists()
    await until_gone(lambda: set(threading.enumerate()) - threads)
    await until_gone(lambda: open_files() - files)
    assert asyncio.all_tasks() - tasks == set()
