"""SIGINT and SIGTERM: the first ends the intake, the second ends the run, the third is the system's own.

SIGUSR1, and SIGINFO where there is one (Ctrl-T on BSD and macOS), ask how it goes.

`add_signal_handler` is used and not KeyboardInterrupt, which would strike between any two instructions.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from types import FrameType
from typing import Self

__all__ = ["Interrupts"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: Windows has neither.
_QUESTIONS = tuple(getattr(signal, name) for name in ("SIGUSR1", "SIGINFO") if hasattr(signal, name))


class Interrupts:
    """Listens for the signals while its block runs, within a running loop.

    `first` is the number of the signal that came first, `None` as long as none has.

    Args:
        on_first: Called on the loop at the first signal.
        on_second: Called on the loop at the second.
        on_question: Called on the loop when somebody asks how it goes.
    """

    def __init__(
        self, on_first: Callable[[], None], on_second: Callable[[], None], on_question: Callable[[], None]
    ) -> None:
        self._on_first = on_first
        self._on_second = on_second
        self._on_question = on_question
        self._is_by_loop = True
        self.first: int | None = None

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        try:
            for number in _SIGNALS:
                self._loop.add_signal_handler(number, self._take, number)
            for number in _QUESTIONS:
                self._loop.add_signal_handler(number, self._on_question)
        except NotImplementedError:  # Windows
            self._is_by_loop = False
            for number in _SIGNALS:
                signal.signal(number, self._take_in_main_thread)
        return self

    def __exit__(self, *_: object) -> None:
        for number in _SIGNALS:
            self._let_go(number)
        for number in _QUESTIONS:
            if self._is_by_loop:
                self._loop.remove_signal_handler(number)
                # By default it would kill us; a question that comes too late is no reason to die.
                signal.signal(number, signal.SIG_IGN)

    def _take_in_main_thread(self, number: int, _: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self._take, number)

    def _take(self, number: int) -> None:
        if self.first is None:
            self.first = number
            self._on_first()
            return
        for each in _SIGNALS:
            self._let_go(each)
        self._on_second()

    def _let_go(self, number: int) -> None:
        if self._is_by_loop:
            self._loop.remove_signal_handler(number)
        else:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
