"""Threads, as many as the system gives: a limit on processes (`ulimit -u`, a container's) counts them, too."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

__all__ = ["REFUSAL", "Threads", "was_refused"]

#: What a user is told of a system that gives none at all.
REFUSAL = (
    "this machine starts no further thread or process: a limit is reached (ulimit -u, or that of a container); "
    "raise it, end other programs, or ask for less with --concurrency"
)


class Threads(ThreadPoolExecutor):
    """An executor that makes do with the threads that it has, if it has any, when the system gives no more."""

    def _adjust_thread_count(self) -> None:
        # What was submitted is in the queue by now: to raise would be to lose what another thread will do.
        try:
            super()._adjust_thread_count()
        except RuntimeError:
            if not self._threads:
                raise


def was_refused(error: BaseException) -> bool:
    """Tell whether an error comes of a thread that the system has not started."""
    return any(isinstance(each, RuntimeError) and "start new thread" in str(each) for each in _all_of(error, set()))


def _all_of(error: BaseException | None, seen: set[int]) -> Iterator[BaseException]:
    """Give an error, its causes, and those that it is a group of."""
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        if isinstance(error, BaseExceptionGroup):
            for each in error.exceptions:
                yield from _all_of(each, seen)
        yield from _all_of(error.__cause__, seen)
        error = error.__context__
