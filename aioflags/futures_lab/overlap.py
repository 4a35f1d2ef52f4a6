"""Claims about what overlaps: waiting and computing, in threads, on a loop and in processes; measured here and now.

Compared are not speeds, which are at the mercy of whatever else the machine has to do, but moments: two jobs work until
the same moment and say when each was at it; their overlap is the share of time in which both were.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise
from math import isqrt
from time import perf_counter
from typing import TypeAlias

from aioflags.futures_lab.lab import AtLeast, AtMost, Claim, Expected, Facts
from aioflags.futures_lab.machine import count_cores, has_gil
from aioflags.futures_lab.workers import process_pool

__all__ = ["CLAIMS", "claims_for"]

Moments: TypeAlias = Sequence[tuple[float, float]]

# Nearly 1 on an idle machine, 0.1 on one with three times the work it has cores for; what cannot overlap gives 0.
_OVERLAP = AtLeast(0.02)
_NO_OVERLAP = AtMost(0.01)
_PATIENCE = 1.5
_PATIENCE_WITH_PROCESSES = 3.0


def count_primes(limit: int = 1_000) -> int:
    numbers = range(2, limit)
    prime = (all(n % d for d in range(2, isqrt(n) + 1)) for n in numbers)
    return sum(prime)


def compute(end: float) -> Moments:
    steps = []
    while (start := perf_counter()) < end:
        count_primes()
        steps.append((start, perf_counter()))
    quickest = min((b - a for a, b in steps), default=0)
    # Steps that took longer: the thread stood still in the middle.
    return [(a, b) for a, b in steps if b - a < 3 * quickest]


def wait_for_silence(end: float) -> Moments:
    start = perf_counter()
    ours, theirs = socket.socketpair()
    with ours, theirs, suppress(TimeoutError):
        ours.settimeout(max(0.001, end - start))
        ours.recv(1)  # blocks: they send nothing
    return [(start, perf_counter())]


def overlap(one: Moments, other: Moments) -> float:
    shorter = min(sum(b - a for a, b in job) for job in (one, other))
    begins = [(a, 1) for a, _ in (*one, *other)]
    ends = [(b, -1) for _, b in (*one, *other)]
    both, at_it = 0.0, 0
    for (now, change), (later, _) in pairwise(sorted(begins + ends)):
        at_it += change
        both += later - now if at_it == 2 else 0
    return round(both / shorter, 2) if shorter else 0.0


def try_two(executor: Executor, job: Callable[[float], Moments]) -> float:
    end = perf_counter() + 0.4
    one, other = executor.map(job, [end, end])
    return overlap(one, other)


def waiting_concurrent() -> Facts:
    with ThreadPoolExecutor(2) as threads:
        share = try_two(threads, wait_for_silence)
    return {"share of time both wait": share}


async def waiting_asyncio() -> Facts:
    async def wait_in_a_task(end: float) -> Moments:
        start = perf_counter()
        ours, theirs = socket.socketpair()
        with ours, theirs, suppress(TimeoutError):
            ours.setblocking(False)
            async with asyncio.timeout(end - start):
                await asyncio.get_running_loop().sock_recv(ours, 1)
        return [(start, perf_counter())]

    end = perf_counter() + 0.2
    two = await asyncio.gather(wait_in_a_task(end), wait_in_a_task(end))
    return {"share of time both wait": overlap(*two)}


def computing_concurrent() -> Facts:
    with ThreadPoolExecutor(2) as threads:
        share = try_two(threads, compute)
    return {
        "share of time both compute": share,
        "the interpreter has a GIL": has_gil(),
    }


async def computing_asyncio() -> Facts:
    async def compute_in_a_task(end: float) -> Moments:
        steps = []
        while (start := perf_counter()) < end:
            count_primes()
            steps.append((start, perf_counter()))
            await asyncio.sleep(0)  # lets the other one in
        return steps

    end = perf_counter() + 0.2
    jobs = [compute_in_a_task(end), compute_in_a_task(end)]
    one, other = await asyncio.gather(*jobs)
    return {
        "share of time both compute": overlap(one, other),
        "the interpreter has a GIL": has_gil(),
    }


def processes_concurrent() -> Facts:
    with process_pool(2) as processes:
        return {
            "share of time both wait": try_two(processes, wait_for_silence),
            "share of time both compute": try_two(processes, compute),
            "cores": count_cores(),
        }


async def processes_asyncio() -> Facts:
    loop = asyncio.get_running_loop()
    shares = []
    with process_pool(2) as processes:
        for job in (wait_for_silence, compute):
            end = perf_counter() + 0.4
            one = loop.run_in_executor(processes, job, end)
            other = loop.run_in_executor(processes, job, end)
            shares.append(overlap(await one, await other))
    return {
        "share of time both wait": shares[0],
        "share of time both compute": shares[1],
        "cores": count_cores(),
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
        helpers=(wait_for_silence, overlap, try_two),
        expected={"share of time both wait": (_OVERLAP, _OVERLAP)},
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
        helpers=(count_primes, compute, overlap, try_two),
        expected={"share of time both compute": (expected, _NO_OVERLAP)},
        patience=_PATIENCE,
    )


def _processes(expected: Expected, *, cores: int) -> Claim:
    several = "Processes overlap both waiting and computing, for each has an interpreter of its own."
    single = "Processes overlap waiting, but no computing where there is a single core."
    return Claim(
        name="processes-overlap-both",
        sentence=several if cores > 1 else single,
        lesson="They take long to start, and arguments and results must cross as bytes: use them for much computing on "
        "little data.",
        probes=(processes_concurrent, processes_asyncio),
        helpers=(count_primes, compute, wait_for_silence, overlap, try_two),
        expected={
            "share of time both wait": (_OVERLAP, _OVERLAP),
            "share of time both compute": (expected, expected),
        },
        patience=_PATIENCE_WITH_PROCESSES,
    )


CLAIMS = claims_for(cores=count_cores(), gil=has_gil())
