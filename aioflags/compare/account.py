"""What this process and all that it started cost so far, by the operating system's own account."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

from aioflags.records import dataclass

__all__ = ["Account", "look_up"]


@dataclass(frozen=True, slots=True)
class Account:
    """What processes cost.

    Args:
        cpu: Seconds of processor.
        memory: Bytes: the sum of each process's own peak, so memory that they share is counted in each; `None` where
            the system does not tell.
        threads: How many there are.
        processes: How many there are.
    """

    cpu: float
    memory: int | None
    threads: int
    processes: int


def look_up() -> Account:
    """Look at this process and its living descendants; on systems without `/proc` at this one and at ended ones."""
    if not os.path.exists("/proc/self/stat"):
        return _look_up_without_proc()
    # The clock of ticks, 10 ms each, is too coarse for a short run; of ourselves we know better.
    cpu, memory, threads, processes = time.process_time(), _peak(os.getpid()), 0, 0
    tick = os.sysconf("SC_CLK_TCK")
    for pid, fields in _family():
        processes += 1
        threads += int(fields[17])
        if pid != os.getpid():
            cpu += sum(map(int, fields[11:15])) / tick
            memory += _peak(pid)
    return Account(cpu, memory, threads, processes)


def _family() -> Iterator[tuple[int, list[str]]]:
    """This process and its descendants, each with its fields of `/proc/PID/stat` from the state on.

    Source: proc_pid_stat(5).
    """
    parents: dict[int, tuple[int, list[str]]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError), open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                # The name of a program may hold anything, brackets and spaces included.
                fields = file.read().rpartition(")")[2].split()
                parents[int(name)] = int(fields[1]), fields
    for pid, (_, fields) in parents.items():
        ancestor = pid
        while ancestor not in (os.getpid(), 0) and ancestor in parents:
            ancestor = parents[ancestor][0]
        if ancestor == os.getpid():
            yield pid, fields


def _peak(pid: int) -> int:
    with suppress(OSError), open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def _look_up_without_proc() -> Account:
    cpu, memory = time.process_time(), None
    with suppress(ImportError):  # Windows
        import resource

        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu += children.ru_utime + children.ru_stime
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
    return Account(cpu, memory, threading.active_count(), 1)
