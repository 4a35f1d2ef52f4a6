"""The engine on processes: the blocking driver on a pool of processes; what crosses is plain data.

Workers are started by spawn or forkserver, never by fork: a forked child would inherit threads' locks in whatever
state they were. A script that uses this engine needs the usual `if __name__ == "__main__":`.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.context import BaseContext
from typing import Any

from aioflags.destination import Destination
from aioflags.engines.blocking_body import SharedByteRate
from aioflags.engines.blocking_driver import BlockingDriver
from aioflags.engines.blocking_names import BlockingNames
from aioflags.engines.guard import AbandonedError, Guard
from aioflags.engines.process_pool import ProcessPool
from aioflags.engines.seam import Attempt, AttemptResult, Meter, Times
from aioflags.engines.tls import load_ssl_context
from aioflags.errors import make_error
from aioflags.groups import finish_first, shut_down, wait_out
from aioflags.ledger_notes import LedgerNotes
from aioflags.settings import Settings
from aioflags.threads import Threads
from aioflags.writer import Writer

__all__ = ["ProcessesEngine"]

_Answer = tuple[AttemptResult, Times]
#: What it raises if the system has no process or thread to give; a fork server dies of that, and its pipe ends.
_REFUSALS = (OSError, EOFError, RuntimeError)


class _NoWorkerError(Exception):
    """The system refuses to start a worker."""


class ProcessesEngine:
    """Makes attempts in worker processes, one at a time in each.

    Args:
        directory: The destination.
        run_name: Name of the run's private folder in it.
        settings: Deadlines, limits, TLS, proxy; the byte rate is shared out among the workers.
        workers: How many processes; one for each core by default.
        ledger: Path of the ledger that the workers take notes in, `None` if none is kept.
    """

    def __init__(
        self,
        directory: str,
        run_name: str,
        settings: Settings,
        *,
        workers: int | None = None,
        ledger: str | None = None,
    ) -> None:
        self._workers = workers or os.cpu_count() or 1
        self.capacity: int | None = self._workers
        share = None if settings.limit_rate is None else settings.limit_rate / self._workers
        self._settings = replace(settings, limit_rate=share)
        self._places = (directory, run_name, ledger)
        self._context: BaseContext = multiprocessing.get_context(_start_method())
        # One byte for each attempt in flight, set when nobody wants its file any more; one if a worker cannot begin.
        self._flags: Any = self._context.RawArray("B", self._workers + 1)
        self._free = list(range(self._workers))
        self._pool: ProcessPool | None = None
        self._refusal: str | None = None
        self._starter = Threads(1, thread_name_prefix="aioflags-starter")

    async def fetch(self, attempt: Attempt, meter: Meter) -> AttemptResult:
        """Make one attempt, see `aioflags.engines.seam.Engine`."""
        slot = self._free.pop()
        try:
            # Starting a process takes long enough to be felt on the loop.
            submitting = asyncio.get_running_loop().run_in_executor(self._starter, self._submit, attempt, slot)
            future = await finish_first(submitting, partial(self._give_up, slot))
            meter.scheduled(future)
            result, times = await self._wait(future, slot)
        except BrokenProcessPool:
            if self._flags[self._workers]:
                return _no_worker("it can start no thread", attempt)
            # A worker was killed: all attempts of its pool are lost, the run is not.
            message = "the worker process that made this attempt died"
            error = make_error("disconnected", message, attempt.target.host)
            return AttemptResult(error=error, half=attempt.half if attempt.may_keep else None)
        except _NoWorkerError as refusal:
            return _no_worker(str(refusal), attempt)
        finally:
            self._free.append(slot)
        meter.take_over(times)
        return result

    async def _wait(self, future: Future[_Answer], slot: int) -> _Answer:
        try:
            return await asyncio.shield(asyncio.wrap_future(future))
        except asyncio.CancelledError:
            await self._give_up(slot, future)
            raise

    async def _give_up(self, slot: int, future: Future[_Answer]) -> None:
        """Tell the worker that nobody wants the file, and wait until it has heard."""
        self._flags[slot] = 1
        if not future.cancel():
            await wait_out(asyncio.wrap_future(future))

    def _submit(self, attempt: Attempt, slot: int) -> Future[_Answer]:
        """Hand an attempt to the workers; in one thread only, so that a broken pool has one successor.

        Raises:
            _NoWorkerError: The system refuses to start one, now or before.
        """
        if self._refusal is None:
            self._flags[slot] = 0
            try:
                return self._hand_over(attempt, slot)
            except _REFUSALS as error:
                if isinstance(error, RuntimeError) and "thread" not in str(error):
                    raise
                self._refusal = getattr(error, "strerror", None) or str(error) or type(error).__name__
                # The pool has it in its queue all the same; a worker that is there already is to leave it.
                self._flags[slot] = 1
                if self._pool is not None:
                    self._pool.end_unwatched()
        raise _NoWorkerError(self._refusal)

    def _hand_over(self, attempt: Attempt, slot: int) -> Future[_Answer]:
        pool = self._pool or self._open_pool()
        try:
            return pool.submit(_work, attempt, slot)
        except BrokenProcessPool:
            pool.shutdown()
            return self._open_pool().submit(_work, attempt, slot)

    def _open_pool(self) -> ProcessPool:
        initargs = (*self._places, self._settings, self._flags)
        self._pool = ProcessPool(self._workers, self._context, _open_worker, initargs)
        return self._pool

    async def close(self) -> None:
        """End the processes."""
        executors: list[Executor] = [self._starter]
        if self._pool is not None:
            executors.append(self._pool)
        for executor in executors:
            await shut_down(executor)


def _no_worker(reason: str, attempt: Attempt) -> AttemptResult:
    message = f"cannot start a worker process: {reason}; allow more of them, or choose another --engine"
    error = make_error("storage", message, attempt.target.host)
    # No other item would fare better: like a fault of the destination it ends the run.
    return AttemptResult(error=error, detail="destination", requests=0)


def _start_method() -> str:
    return "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


# What follows runs in the worker processes.


@dataclass(slots=True)
class _Worker:
    driver: BlockingDriver
    settings: Settings
    flags: Any
    name: str


_workers: list[_Worker] = []


def _open_worker(directory: str, run_name: str, ledger: str | None, settings: Settings, flags: Any) -> None:
    # Ctrl-C goes to everyone at the terminal; what it means is decided by the process that has the user.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        threading.Thread(target=_end_with_parent, name="aioflags-orphan", daemon=True).start()
    except RuntimeError:
        # Said by a byte: what an initializer raises is printed, and the pool says only that a worker has died.
        flags[-1] = 1
        os._exit(1)
    destination = Destination(directory)
    destination.join(run_name)
    journal = None if ledger is None else LedgerNotes.join(ledger)
    writer = Writer(destination, durability=settings.durability, algorithms=settings.hashes, journal=journal)
    context = load_ssl_context(settings.cacert, insecure=settings.insecure)
    rate = None if settings.limit_rate is None else SharedByteRate(settings.limit_rate)
    driver = BlockingDriver(writer, settings, context, BlockingNames(), rate)
    _workers.append(_Worker(driver, settings, flags, f"process {os.getpid()}"))


def _end_with_parent() -> None:
    """A pool's workers wait for work for ever, also when whoever would bring it was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _work(attempt: Attempt, slot: int) -> _Answer:
    worker = _workers[0]
    meter = Meter()
    meter.worker = worker.name
    meter.started = time.monotonic()
    guard = Guard(worker.settings, meter, attempt.target.host, lambda: bool(worker.flags[slot]))
    try:
        guard.check_wanted()
        result = worker.driver.fetch(attempt, guard)
    except AbandonedError:
        result = AttemptResult()
    meter.ended = time.monotonic()
    return result, meter.times()
