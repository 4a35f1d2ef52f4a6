"""Claims about what overlaps: waiting and computing, in threads, on a loop and in processes; measured here and now."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from math import isqrt
from time import perf_counter

from aioflags.futures_lab.lab import AtLeast, AtMost, Claim, Expected, Facts
from aioflags.futures_lab.machine import count_cores, has_gil
from aioflags.futures_lab.workers import process_pool

__all__ = ["CLAIMS", "claims_for"]

# Two jobs at once are done in the time of one, or in the time of two: 2 or 1 times the speed. Less than 2 is what two
# threads of one core give (about 1.3), or a machine of two cores on which a third program computes (1.33).
_OVERLAP = AtLeast(1.2)
_NO_OVERLAP = AtMost(1.2)
_PATIENCE = 1.5
_PATIENCE_WITH_PROCESSES = 2.5


def wait_for_silence() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, suppress(TimeoutError):
        ours.settimeout(0.05)
        ours.recv(1)  # blocks: they send nothing


def count_primes(limit: int = 60_000) -> int:
    numbers = range(2, limit)
    prime = (all(n % d for d in range(2, isqrt(n) + 1)) for n in numbers)
    return sum(prime)


def speed_up(executor: Executor, work: Callable[[], object]) -> float:
    started = perf_counter()
    for _ in range(2):
        executor.submit(work).result()
    one_by_one = perf_counter() - started
    for future in [executor.submit(work) for _ in range(2)]:
        future.result()
    at_once = perf_counter() - started - one_by_one
    return round(one_by_one / at_once, 2)


async def speed_up_awaited(work: Callable[[], Awaitable[object]]) -> float:
    started = perf_counter()
    for _ in range(2):
        await work()
    one_by_one = perf_counter() - started
    await asyncio.gather(work(), work())
    at_once = perf_counter() - started - one_by_one
    return round(one_by_one / at_once, 2)


def waiting_concurrent() -> Facts:
    with ThreadPoolExecutor(2) as threads:
        speed = speed_up(threads, wait_for_silence)
    return {"speed of two, waiting": speed}


async def waiting_asyncio() -> Facts:
    async def wait_on_the_loop() -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with ours, theirs, suppress(TimeoutError):
            ours.setblocking(False)
            await asyncio.wait_for(loop.sock_recv(ours, 1), 0.05)

    speed = await speed_up_awaited(wait_on_the_loop)
    return {"speed of two, waiting": speed}


def computing_concurrent() -> Facts:
    with ThreadPoolExecutor(2) as threads:
        speed = speed_up(threads, count_primes)
    return {"speed of two, computing": speed}


async def computing_asyncio() -> Facts:
    async def compute_on_the_loop() -> None:
        count_primes()

    speed = await speed_up_awaited(compute_on_the_loop)
    return {"speed of two, computing": speed}


def processes_concurrent() -> Facts:
    with process_pool(2) as processes:
        return {
            "speed of two, waiting": speed_up(processes, wait_for_silence),
            "speed of two, computing": speed_up(processes, count_primes),
        }


async def processes_asyncio() -> Facts:
    with process_pool(2) as processes:

        def run(work: Callable[[], object]) -> Awaitable[object]:
            loop = asyncio.get_running_loop()
            return loop.run_in_executor(processes, work)

        waiting = await speed_up_awaited(lambda: run(wait_for_silence))
        computing = await speed_up_awaited(lambda: run(count_primes))
    return {
        "speed of two, waiting": waiting,
        "speed of two, computing": computing,
    }


def claims_for(*, cores: int, gil: bool) -> tuple[Claim, ...]:
    """Give the claims as they are for a machine: one core overlaps no computing, nor do threads under a GIL."""
    computing = _OVERLAP if cores > 1 else _NO_OVERLAP
    return (
        _waiting(),
        _computing(_NO_OVERLAP if gil else computing, gil=gil),
        _processes(computing, cores=cores),
    )


def _waiting() -> Claim:
    return Claim(
        name="threads-overlap-waiting",
        sentence="Threads overlap waiting, for blocking input and output releases the GIL; so do tasks at an await.",
        lesson="Two that wait take as long as one. For downloads threads and asyncio both do; a thread costs more "
        "memory, a task needs libraries that await.",
        probes=(waiting_concurrent, waiting_asyncio),
        helpers=(wait_for_silence, speed_up, speed_up_awaited),
        expected={"speed of two, waiting": (_OVERLAP, _OVERLAP)},
        patience=_PATIENCE,
    )


def _computing(expected: Expected, *, gil: bool) -> Claim:
    with_gil = "Threads do not overlap computing, for only one at a time holds the GIL; tasks on a loop never do."
    without_gil = "Threads overlap computing if there are cores, for here is no GIL; tasks on a loop never do."
    return Claim(
        name="threads-and-computing",
        sentence=with_gil if gil else without_gil,
        lesson="A task that computes holds up all the others of its loop. Give such work to processes, or to threads "
        "of a free-threaded build.",
        probes=(computing_concurrent, computing_asyncio),
        helpers=(count_primes, speed_up, speed_up_awaited),
        expected={"speed of two, computing": (expected, _NO_OVERLAP)},
        patience=_PATIENCE,
    )


def _processes(expected: Expected, *, cores: int) -> Claim:
    several = (
        "Processes overlap both waiting and computing: each has an interpreter of its own, and the cores are several."
    )
    single = "Processes overlap waiting, but no computing where there is a single core."
    return Claim(
        name="processes-overlap-both",
        sentence=several if cores > 1 else single,
        lesson="They take long to start, and arguments and results must cross as bytes: use them for much computing on "
        "little data.",
        probes=(processes_concurrent, processes_asyncio),
        helpers=(wait_for_silence, count_primes, speed_up, speed_up_awaited),
        expected={
            "speed of two, waiting": (_OVERLAP, _OVERLAP),
            "speed of two, computing": (expected, expected),
        },
        patience=_PATIENCE_WITH_PROCESSES,
    )


CLAIMS = claims_for(cores=count_cores(), gil=has_gil())
