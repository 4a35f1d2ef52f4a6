"""Lines on their way to a stream, collected and written by a thread of their own.

A pipe that nobody reads, or a terminal that was stopped, blocks whoever writes to it: that must not be the loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

__all__ = ["Outlet"]

_INTERVAL = 0.1
_ROOM = 1 << 20


class Outlet:
    """Writes lines in the order in which they were put: at once, but at most ten times a second.

    Args:
        write: Writes text and flushes it; called by one thread.
        on_fault: Called once, by that thread, when `write` raises OSError; what comes after is dropped.
    """

    def __init__(self, write: Callable[[str], None], on_fault: Callable[[OSError], None]) -> None:
        self._write = write
        self._on_fault = on_fault
        self._lines: list[str] = []
        self._waiting = 0
        self._is_broken = False
        self._changed = threading.Condition()
        self._is_closing = threading.Event()
        self._has_room: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self._thread = threading.Thread(target=self._run, name="aioflags-outlet", daemon=True)
        self._thread.start()

    @property
    def is_full(self) -> bool:
        """So much is unwritten that whoever puts more should wait for room."""
        return self._waiting > _ROOM

    def put(self, line: str) -> None:
        """Have a line written; its line end is added."""
        with self._changed:
            if self._is_broken:
                return
            self._lines.append(line)
            self._waiting += len(line)
            if len(self._lines) == 1:
                self._changed.notify()

    async def wait_for_room(self) -> None:
        """Return when not too much is unwritten."""
        while self.is_full:
            event = asyncio.Event()
            with self._changed:
                self._has_room = asyncio.get_running_loop(), event
                self._changed.notify()
            if self.is_full:
                await event.wait()

    def close(self, patience: float | None = None) -> None:
        """Write what is left and end the thread; waits `patience` seconds at most, `None` for as long as it takes."""
        with self._changed:
            self._is_closing.set()
            self._changed.notify()
        self._thread.join(patience)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._lines and not self._is_closing.is_set():
                    self._changed.wait()
                lines, self._lines = self._lines, []
            if not lines:
                return
            self._write_out(lines)
            self._is_closing.wait(_INTERVAL)

    def _write_out(self, lines: list[str]) -> None:
        lines.append("")
        try:
            self._write("\n".join(lines))
        except OSError as error:
            with self._changed:
                self._is_broken = True
                self._lines.clear()
                self._waiting = 0
            self._on_fault(error)
        with self._changed:
            self._waiting = sum(map(len, self._lines))
            waiter, self._has_room = self._has_room, None
        if waiter is not None and not waiter[0].is_closed():
            waiter[0].call_soon_threadsafe(waiter[1].set)
