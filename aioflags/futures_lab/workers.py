"""Processes for the lab: started afresh, all ready before work begins, gone when they are not needed or orphaned."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import Any

from aioflags.futures_lab.lab import Facts, NotTriedError

__all__ = ["observe_in_child", "process_pool"]

_PATIENCE = 30.0


@contextmanager
def process_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of `workers` processes that have all started, none of them by fork."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(workers)
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(barrier,)) as pool:
        # One process is started for each job as long as none is idle, and the barrier keeps them all from that.
        with _deaf_to_interrupts():
            jobs = [pool.submit(os.getpid) for _ in range(workers)]
        wait(jobs)
        yield pool


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach, which goes to everyone at the terminal, not even as they begin.

    It is for the parent to understand, and the parent's other threads still hear it.
    """
    if sys.platform == "win32":
        yield
        return
    # The tracker's own start, which the first process would cause, ends with the signal let through.
    resource_tracker.ensure_running()
    kept = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, kept)


def _begin(barrier: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to understand
    threading.Thread(target=_end_with_parent, daemon=True).start()
    barrier.wait(_PATIENCE)


def _end_with_parent() -> None:
    """A pool's worker waits for work for ever, also when its parent was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def observe_in_child(probe: Callable[[], Facts]) -> Facts:
    """Run a probe in a process of its own, which takes with it whatever threads the probe leaves.

    Raises:
        NotTriedError: The probe raised an error, or ended without an answer, or gave none in 30 seconds.
    """
    context = multiprocessing.get_context("spawn")
    reader, writer = context.Pipe(duplex=False)
    child = context.Process(target=_send_facts, args=(probe, writer), daemon=True)
    with _deaf_to_interrupts():
        child.start()
    writer.close()
    try:
        if not reader.poll(_PATIENCE):
            raise NotTriedError(f"no answer in {_PATIENCE:.0f} s")
        answer = reader.recv()
    except EOFError as error:
        raise NotTriedError("its process ended without an answer") from error
    finally:
        child.kill()
        child.join()
        child.close()
        reader.close()
    if isinstance(answer, str):
        raise NotTriedError(answer)
    assert isinstance(answer, dict)
    return answer


def _send_facts(probe: Callable[[], Facts], writer: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    warnings.simplefilter("ignore")  # they are about a library that is not ours
    try:
        writer.send(dict(probe()))
    except Exception as error:
        writer.send(f"{type(error).__name__}: {error}")
