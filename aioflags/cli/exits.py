"""How the program ends: its exit statuses, and the way out when a thread is stuck."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from enum import IntEnum
from typing import NoReturn

__all__ = ["ExitStatus", "abandon", "fill_standard_files", "leave", "silence_stdout", "status_of_signal"]

_PATIENCE = 1.0


class ExitStatus(IntEnum):
    """What the program tells its caller.

    `LOCAL_FAULT` is a fault on this side that stopped the run before its list was through: the destination, standard
    output, and a proxy that refuses us or cannot be reached. Such a proxy is none of the items' faults; the same
    command carries on when it is well again. Where every item had its outcome all the same, it is `FAILURES`.
    """

    CLEAN = 0
    FAILURES = 1
    USAGE = 2
    LOCAL_FAULT = 3
    BUG = 70  # EX_SOFTWARE of BSD's sysexits
    INTERRUPTED = 130
    TERMINATED = 143


def status_of_signal(number: int) -> ExitStatus:
    """Give the status of a run that `number` ended: 128 and the number, as shells have it."""
    return ExitStatus.INTERRUPTED if number == signal.SIGINT else ExitStatus.TERMINATED


def fill_standard_files() -> None:
    """Open what should be open: else the next socket becomes standard output, and receives what is printed."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def silence_stdout() -> None:
    """Point standard output nowhere: its reader is gone, and the interpreter would complain of that at its exit."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def leave(status: int, patience: float = _PATIENCE) -> NoReturn:
    """End the process; threads that have not ended within `patience` seconds are left where they are.

    The interpreter would wait without end for a thread that is stuck in the resolver or on a dead file system.
    """
    deadline = time.monotonic() + patience
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.current_thread():
            thread.join(max(0.0, deadline - time.monotonic()))
    if all(thread.daemon or thread is threading.current_thread() for thread in threading.enumerate()):
        sys.exit(status)
    abandon(status)


def abandon(status: int) -> NoReturn:
    """End the process at once, with all that it has printed; nothing is waited for."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    logging.shutdown()
    os._exit(status)
