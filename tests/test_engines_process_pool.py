"""A pool of processes whose futures all end."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.synchronize import SemLock
from typing import Any

import pytest

from aioflags.engines.process_pool import ProcessPool


def nothing() -> None:
    """Initialise a worker, or be its work."""


needs_kill = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills a worker")


def open_pool() -> ProcessPool:
    """Open one of two workers."""
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    return ProcessPool(2, multiprocessing.get_context(method), nothing, ())


@pytest.fixture
def pool() -> Iterator[ProcessPool]:
    pool = open_pool()
    yield pool
    pool.shutdown()


def test_work_is_done_in_other_processes(pool: ProcessPool) -> None:
    """By as many as were asked for, at most."""
    done = {pool.submit(os.getpid).result(30) for _ in range(8)}
    assert os.getpid() not in done
    assert 1 <= len(done) <= 2


def semaphores() -> set[int]:
    """Tell which the process has, by their identity."""
    return {id(each) for each in gc.get_objects() if isinstance(each, SemLock)}


@pytest.mark.parametrize("is_killed", [False, pytest.param(True, marks=needs_kill)])
def test_pool_that_has_ended_leaves_no_semaphore_to_the_collector(is_killed: bool) -> None:
    """However it ends, they go with it."""
    gc.collect()
    gc.disable()
    try:
        before = semaphores()
        pool = open_pool()
        pid = pool.submit(os.getpid).result(30)
        if is_killed:
            long = pool.submit(time.sleep, 60)
            os.kill(pid, signal.SIGKILL)
            assert isinstance(long.exception(30), BrokenProcessPool)
            del long
        assert semaphores() > before
        pool.shutdown()
        del pool
        assert not semaphores() - before
    finally:
        gc.enable()


@pytest.mark.slow
@needs_kill
def test_worker_dies_while_another_is_started(pool: ProcessPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was handed over ends, and so does the pool with all of its processes."""
    long = pool.submit(time.sleep, 60)
    internals: Any = pool
    (first,) = internals._processes.values()
    start = internals._spawn_process

    def start_beside_a_death() -> None:
        first.kill()
        first.join()
        # The pool hears of it now; it is to do nothing about it before the second worker is its own.
        time.sleep(0.1)
        start()

    monkeypatch.setattr(pool, "_spawn_process", start_beside_a_death)
    futures: list[Future[Any]] = [long, pool.submit(os.getpid)]
    monkeypatch.undo()
    assert not wait(futures, 30).not_done
    assert all(isinstance(future.exception(), BrokenProcessPool) for future in futures)
    # Its own way to end waits for its processes, without limit.
    ending = threading.Thread(target=pool.shutdown, daemon=True)
    ending.start()
    ending.join(30)
    assert not ending.is_alive()
    with pytest.raises(BrokenProcessPool):
        pool.submit(nothing)


def test_worker_without_a_watcher_is_ended(pool: ProcessPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system has given a process and refuses the thread; what there is of the pool can be ended."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    before = set(multiprocessing.active_children())
    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="new thread"):
        patch.setattr(threading.Thread, "start", refuse)
        pool.submit(nothing)
    pool.end_unwatched()
    assert set(multiprocessing.active_children()) == before
    pool.shutdown()


def test_worker_with_a_watcher_is_left_alone(pool: ProcessPool) -> None:
    """The pool that goes on is not ended."""
    worker = pool.submit(os.getpid).result(30)
    pool.end_unwatched()
    assert pool.submit(os.getpid).result(30) == worker
