"""Outcomes on their way into the ledger: many at a time, in a thread of the hands; nobody waits for it but the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from aioflags.errors import StorageError
from aioflags.groups import finish_first
from aioflags.journal import End

__all__ = ["Recorder"]


# Seconds; the ledger is told of a file before it appears, so nobody is in a hurry to hear that it has.
_REST = 0.02


class Recorder:
    """Has outcomes written down.

    Args:
        executor: Where.
        record: Writes some ends; may raise `StorageError`.
        on_fault: Called once with the first error; nothing is written from then on.
    """

    def __init__(
        self,
        executor: Executor,
        record: Callable[[Sequence[End]], None],
        on_fault: Callable[[StorageError], None],
    ) -> None:
        self._executor = executor
        self._record = record
        self._on_fault = on_fault
        self._waiting: list[End] = []
        self._writing: asyncio.Future[None] | None = None
        self._fault: BaseException | None = None
        self._timer: asyncio.TimerHandle | None = None

    def add(self, end: End) -> None:
        """Have an end written with the next group."""
        self._waiting.append(end)
        if self._writing is None and self._timer is None and self._fault is None:
            self._write()

    def _write(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._waiting:
            return
        ends, self._waiting = self._waiting, []
        self._writing = asyncio.get_running_loop().run_in_executor(self._executor, self._record, ends)
        self._writing.add_done_callback(self._go_on)

    def _go_on(self, written: asyncio.Future[None]) -> None:
        self._writing = None
        self._fault = None if written.cancelled() else written.exception()
        if isinstance(self._fault, StorageError):
            self._on_fault(self._fault)
        elif self._fault is None:
            self._timer = asyncio.get_running_loop().call_later(_REST, self._write)

    async def close(self) -> None:
        """Wait until everything is written, cancelled or not.

        Raises:
            StorageError: Something could not be written.
        """
        await finish_first(asyncio.ensure_future(self._drain()))
        if self._fault is not None:
            raise self._fault

    async def _drain(self) -> None:
        while self._writing is not None or self._timer is not None:
            if self._writing is None:
                self._write()
            else:
                await asyncio.wait([self._writing])
                # Its callback comes first, and may have begun another.
                await asyncio.sleep(0)
