"""Addresses of hosts for threads that may block: each is asked for once at a time, and kept for a while.

A name that does not exist is remembered, too, or a list of its URLs would be as many questions.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import OrderedDict
from typing import Any

from aioflags.engines.faults import UNKNOWN_HOST
from aioflags.records import dataclass
from aioflags.retry import UNKNOWN_HOST_REST

__all__ = ["BlockingNames"]

#: Seconds; nobody tells us how long an answer holds. Source: FAULTS, suggested settings.
_GOOD_FOR = 300.0
_REMEMBERED = 50_000


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was said of a name: its addresses, or the arguments of the error that there are none."""

    until: float
    addresses: tuple[str, ...] = ()
    error: tuple[Any, ...] | None = None


class BlockingNames:
    """Finds addresses; one for all threads of an engine."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._asked: set[str] = set()
        self._answers: OrderedDict[str, _Answer] = OrderedDict()

    def find(self, host: str, port: int) -> tuple[str, ...]:
        """Give the addresses of `host` in the order of the system's choice.

        Raises:
            OSError: There is none; for a second the same answer is given without asking again.
        """
        with self._changed:
            while host in self._asked:
                self._changed.wait()
            answer = self._answers.get(host)
            is_known = answer is not None and time.monotonic() < answer.until
            if not is_known:
                self._asked.add(host)
        if not is_known:
            answer = self._ask(host, port)
        assert answer is not None
        if answer.error is not None:
            # Raised anew each time: an exception that is kept keeps the frames of all who met it.
            raise socket.gaierror(*answer.error)
        return answer.addresses

    def _ask(self, host: str, port: int) -> _Answer:
        answer = None
        try:
            answer = _look_up(host, port)
        finally:
            with self._changed:
                self._asked.discard(host)
                if answer is not None:
                    self._answers[host] = answer
                    self._answers.move_to_end(host)
                    if len(self._answers) > _REMEMBERED:
                        self._answers.popitem(last=False)
                self._changed.notify_all()
        return answer


def _look_up(host: str, port: int) -> _Answer:
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno not in UNKNOWN_HOST:
            raise
        return _Answer(time.monotonic() + UNKNOWN_HOST_REST, error=error.args)
    return _Answer(time.monotonic() + _GOOD_FOR, tuple(dict.fromkeys(str(row[4][0]) for row in rows)))
