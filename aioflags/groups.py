"""Group commit and its executor: many waiters on the loop, one job in a thread.

A thread hop costs more than the write of a small file, so one job is in flight at a time and what arrives meanwhile
goes in the next. Each waiter holds an `asyncio.Future`, the group is one `concurrent.futures.Future`.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from typing import Any, Generic, TypeVar

__all__ = ["GroupCommit", "finish_first", "shut_down", "wait_out"]

J = TypeVar("J")
R = TypeVar("R")


# Jobs in a group after which others may be expected.
_CROWD = 8


class GroupCommit(Generic[J, R]):
    """Runs jobs in groups, one group in flight; made on the loop that it is used on.

    Args:
        executor: Where the groups run.
        work: Does a group in a thread; returns as many results as it was given jobs, an exception for a job that
            failed. What it raises itself fails the whole group.
        rest: Seconds after the end of a large group before the next begins, so that it is large, too.
        most: Size after which a group takes no more jobs, `None` for as many as have come; whoever waits for the
            first of many need not wait for the last.
        size_of: Tells what a job counts against `most`; without it 1.
    """

    def __init__(
        self,
        executor: Executor,
        work: Callable[[Sequence[J]], Sequence[R | Exception]],
        *,
        rest: float = 0.0,
        most: int | None = None,
        size_of: Callable[[J], int] = lambda _: 1,
    ) -> None:
        self._executor = executor
        self._work = work
        # To ask for it each time is a call of the system before Python 3.12.
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[J, asyncio.Future[R]]] = deque()
        self._group: list[tuple[J, asyncio.Future[R]]] = []
        self._running: asyncio.Future[Sequence[R | Exception]] | None = None
        self._is_closed = False
        self._rest = rest
        self._most = float("inf") if most is None else most
        self._size_of = size_of
        self._timer: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Cancel the jobs that have not begun; a job that is put from now on is cancelled, too."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        waiting, self._waiting = self._waiting, deque()
        for _, future in waiting:
            future.cancel()

    def submit(self, job: J, future: asyncio.Future[Any] | None = None) -> asyncio.Future[R]:
        """Have `job` done with the next group; groups and the results within one keep the order of the calls.

        Args:
            job: For a group.
            future: Gets the result, if somebody waits for it already; else one is made.
        """
        if future is None:
            future = self._loop.create_future()
        if self._is_closed:
            future.cancel()
            return future
        self._waiting.append((job, future))
        if self._running is None and self._timer is None:
            self._start()
        return future

    async def put(self, job: J) -> R:
        """Have `job` done with the next group and wait for it.

        A cancelled caller takes its job back if it has not begun; else it waits for the group, so that nothing is at
        work for it any more when the cancellation goes on.
        """
        future = self.submit(job)
        try:
            return await future
        except asyncio.CancelledError:
            await self.withdraw(future)
            raise

    async def withdraw(self, future: asyncio.Future[Any]) -> None:
        """Take back the job whose result nobody waits for any more; returns when nothing is at work for it."""
        before = len(self._waiting)
        self._waiting = deque(row for row in self._waiting if row[1] is not future)
        if len(self._waiting) == before and self._running is not None:
            await wait_out(self._running)

    def _start(self) -> None:
        self._timer = None
        if not self._waiting:
            # All have been taken back.
            return
        self._group = self._take_group()
        self._running = self._run([job for job, _ in self._group])
        self._running.add_done_callback(self._finish)

    def _run(self, jobs: Sequence[J]) -> asyncio.Future[Sequence[R | Exception]]:
        try:
            return self._loop.run_in_executor(self._executor, self._work, jobs)
        except RuntimeError as error:
            # No thread is to be had, or no more: those who wait are told, and not whoever has made the group start.
            refused: asyncio.Future[Sequence[R | Exception]] = self._loop.create_future()
            refused.set_exception(error)
            return refused

    def _take_group(self) -> list[tuple[J, asyncio.Future[R]]]:
        """Take jobs from the front until they are enough, at least one."""
        group: list[tuple[J, asyncio.Future[R]]] = []
        size = 0
        while self._waiting and (not group or size < self._most):
            group.append(self._waiting.popleft())
            size += self._size_of(group[-1][0])
        return group

    def _finish(self, running: asyncio.Future[Sequence[R | Exception]]) -> None:
        group, self._group, self._running = self._group, [], None
        try:
            _deliver(running, [future for _, future in group])
        finally:
            if self._rest and len(group) >= _CROWD:
                self._timer = self._loop.call_later(self._rest, self._start)
            elif self._waiting:
                self._start()


def _deliver(running: asyncio.Future[Sequence[R | Exception]], futures: Sequence[asyncio.Future[R]]) -> None:
    failure = asyncio.CancelledError() if running.cancelled() else running.exception()
    results: Sequence[R | BaseException] = [failure] * len(futures) if failure is not None else running.result()
    try:
        for future, result in zip(futures, results, strict=True):
            if future.done():
                continue
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result)
    except Exception as bug:
        # In `work`: the loop is told, and those without a result would wait for ever.
        for future in futures:
            if not future.done():
                future.set_exception(bug)
        raise


async def finish_first(future: asyncio.Future[R], clean_up: Callable[[R], Awaitable[object]] | None = None) -> R:
    """Await a job in a thread; a cancelled caller waits for its end, cleans up what it made, then is cancelled.

    A thread cannot be stopped, only waited for or abandoned (and what it made would be).
    """
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await wait_out(future)
        # Its error is looked at, or the loop would report it as lost.
        has_result = not future.cancelled() and future.exception() is None
        if clean_up is not None and has_result:
            await wait_out(asyncio.ensure_future(clean_up(future.result())))
        raise


async def wait_out(future: asyncio.Future[R]) -> None:
    """Wait for the end of `future`; whoever is cancelled already can be cancelled again, and waits all the same."""
    while not future.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([future])


async def shut_down(executor: Executor) -> None:
    """End an executor and its threads without blocking the loop; waits for the jobs that run.

    Raises:
        Exception: Whatever the executor raises; one that cannot end must not be waited for.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def end() -> None:
        fault: Exception | None = None
        try:
            executor.shutdown(wait=True, cancel_futures=True)
        except Exception as error:
            fault = error
        loop.call_soon_threadsafe(_settle, ended, fault)

    thread = threading.Thread(target=end, name="aioflags-shutdown", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        # The system gives no thread: the loop has to wait for what is at work, and to end all the same.
        executor.shutdown(wait=True, cancel_futures=True)
        return
    try:
        await finish_first(ended)
    finally:
        # All that it has left to do is to return; without this it would be seen after the end now and then.
        thread.join()


def _settle(future: asyncio.Future[None], fault: Exception | None) -> None:
    if future.done():
        return
    if fault is None:
        future.set_result(None)
    else:
        future.set_exception(fault)
