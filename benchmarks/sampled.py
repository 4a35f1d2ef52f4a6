"""The command line of aioflags with a sample of the running thread's stack at each tick of its processor time.

A child of `benchmarks.costs`. The system's timer counts the processor time of all threads and its signal reaches the
one that runs; the C handler of `faulthandler` writes that thread's stack at once, so neither the interpreter lock nor
the next bytecode decides what is seen, as they do in samplers that are written in Python. Nothing is called per
function: what is cheap stays cheap.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any

from benchmarks.samples import LABEL

__all__ = ["INTERVAL", "TIMERS", "name_threads", "sampling"]

# Seconds; the system looks at the timer at its own ticks only, 250 a second where this was measured.
INTERVAL = 0.004

# Both kinds of time, or that outside the kernel alone: what only the first sees is the kernel's.
TIMERS = {"all": (signal.ITIMER_PROF, signal.SIGPROF), "user": (signal.ITIMER_VIRTUAL, signal.SIGVTALRM)}


@contextmanager
def sampling(path: str, timer: str) -> Iterator[None]:
    """Write samples and the collector's comings and goings to the file `path`.

    Args:
        path: Of the file; read by `benchmarks.samples`.
        timer: One of `TIMERS`.
    """
    which, number = TIMERS[timer]
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

    def mark(phase: str, _: object) -> None:
        os.write(file, f"gc {phase} {threading.current_thread().name}\n".encode())

    # It restores `errno`, which its writing spoils, only if another handler comes after it (Python 3.11): without one,
    # a call of the system that has just failed would be taken for one that failed for no reason.
    signal.signal(number, signal.SIG_IGN)
    faulthandler.register(number, file=file, all_threads=False, chain=True)
    gc.callbacks.append(mark)
    signal.setitimer(which, INTERVAL, INTERVAL)
    try:
        yield
    finally:
        signal.setitimer(which, 0)
        gc.callbacks.remove(mark)
        # The handler stays, for a signal that is still on its way would end the process.


def name_threads() -> None:
    """Let the outermost frame of every thread started from now on bear the thread's name, for stacks know no other."""
    run = threading.Thread.run
    named: dict[str, Callable[[threading.Thread], None]] = {}

    def run_named(thread: threading.Thread) -> None:
        run(thread)

    def choose(self: threading.Thread) -> None:
        if self.name not in named:
            code = run_named.__code__.replace(co_name=LABEL + self.name)
            named[self.name] = FunctionType(code, globals(), self.name, None, run_named.__closure__)
        named[self.name](self)

    threading.Thread.run = choose  # type: ignore[method-assign]


def _usage() -> dict[str, float]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {"user": usage.ru_utime, "system": usage.ru_stime}


def main() -> None:
    """Run `aioflags` with the arguments after `TIMER SAMPLES REPORT`; the report is what it had used before and after.

    Raises:
        SystemExit: Always, with the status of the command line.
    """
    timer, samples, report, *arguments = sys.argv[1:]
    sys.argv = ["aioflags", *arguments]
    usage: dict[str, Any] = {"before": _usage()}
    name_threads()
    try:
        with sampling(samples, timer):
            from aioflags.__main__ import main as run

            run()
    finally:
        usage["after"] = _usage()
        with open(report, "w") as file:
            json.dump(usage, file)


if __name__ == "__main__":
    main()
