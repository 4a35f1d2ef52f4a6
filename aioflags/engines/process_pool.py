"""A pool of processes whose futures all end, whenever a worker dies and whatever the system refuses."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing.context import BaseContext
from typing import Any, ParamSpec, TypeVar

__all__ = ["ProcessPool"]

P = ParamSpec("P")
T = TypeVar("T")


class ProcessPool(ProcessPoolExecutor):
    """Python's, with three of its gaps closed.

    Args:
        workers: How many processes, at most.
        context: How they are started, not by fork.
        initializer: Called in each, with `initargs`.
        initargs: Can be pickled.

    Raises:
        RuntimeError: The system refuses a thread.
    """

    def __init__(
        self, workers: int, context: BaseContext, initializer: Callable[..., None], initargs: tuple[Any, ...]
    ) -> None:
        super().__init__(workers, mp_context=context, initializer=initializer, initargs=initargs)
        self._submitting = threading.Lock()
        # The pool's own thread would start this one later, and die of a refusal; whoever waits would never hear of it.
        self._inside._call_queue._start_thread()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have it done by a worker.

        Raises:
            BrokenProcessPool: A worker has died.
            OSError: The system refuses a process.
            RuntimeError: The system refuses a thread.
        """
        with self._submitting:
            return super().submit(fn, *args, **kwargs)

    @property
    def _inside(self) -> Any:
        # What Python keeps to itself, as the type checker sees it.
        return self

    def _start_executor_manager_thread(self) -> None:
        is_first = self._executor_manager_thread is None
        try:
            super()._start_executor_manager_thread()
        except RuntimeError:
            # It has the thread all the same, and would wait for its end.
            self._inside._executor_manager_thread = None
            raise
        if is_first:
            self._have_submissions_ended_first(self._executor_manager_thread)

    def _have_submissions_ended_first(self, manager: Any) -> None:
        """Let the thread that has found a dead worker wait until nobody starts another.

        It walks over workers and futures while they may grow, dies of that, and leaves every future without an end
        (seen with Python 3.11.7; 3.12.1 keeps the two apart itself).
        """
        # Weak, or thread and pool, with all their semaphores, would be for the collector. If that comes while another
        # pool makes its own, Python cannot let go of them, and says so (seen with 3.12.1 and 3.13.0: "ResourceTracker
        # called reentrantly").
        of_pool, of_manager = weakref.ref(self), weakref.ref(manager)
        submitting, terminate = self._submitting, type(manager).terminate_broken

        def end_submissions_and_terminate(cause: object) -> None:
            with submitting:
                if (pool := of_pool()) is not None:
                    pool._inside._broken = "a worker process died"
            terminate(of_manager(), cause)

        manager.terminate_broken = end_submissions_and_terminate

    def end_unwatched(self) -> None:
        """End workers that were started, but have no thread to watch them: Python would wait for them at its end."""
        if not self._executor_manager_thread:
            for process in self._processes.values():
                process.kill()
                process.join()
