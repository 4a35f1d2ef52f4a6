"""The few tools that the probes share, so that what is shown of them is short."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from aioflags.futures_lab.lab import Value

__all__ = ["Gate", "kind_of", "listen", "state_of", "try_await", "try_call"]


class Gate:
    """Holds back whoever comes until it is opened; leaving its block opens it, so that no thread waits for ever.

    Attributes:
        reached: Set when the first one has come.
    """

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._opened = threading.Event()

    def wait(self) -> str:
        """Return "passed" when the gate is open."""
        self.reached.set()
        self._opened.wait()
        return "passed"

    def open(self) -> None:
        """Let everyone pass, now and later."""
        self._opened.set()

    def __enter__(self) -> Gate:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.open()


def try_call(function: Callable[..., Value], *args: Any, **options: Any) -> Value:
    """Give what a call returns, or "raises" and the name of its error."""
    try:
        return function(*args, **options)
    except (Exception, asyncio.CancelledError) as error:
        return f"raises {type(error).__name__}"


async def try_await(awaitable: Awaitable[Value]) -> Value:
    """Give what an await gives, or "raises" and the name of its error."""
    try:
        return await awaitable
    except (Exception, asyncio.CancelledError) as error:
        return f"raises {type(error).__name__}"


def kind_of(thing: object) -> str:
    """Name the package whose Future something is; a Task is one of asyncio's. Of other things, where they are from."""
    if isinstance(thing, Future):
        return "concurrent.futures"
    if isinstance(thing, asyncio.Future):
        return "asyncio"
    return type(thing).__module__.split(".")[0]


def state_of(future: Future[Any] | asyncio.Future[Any]) -> str:
    """Read the state of a Future where people do: in its repr."""
    found = re.match(r"<Future at \w+ state=(\w+)|<\w+ (\w+)", repr(future))
    assert found is not None
    return found[1] or found[2]


@contextmanager
def listen() -> Iterator[list[str]]:
    """Collect what Python says of errors on its own account: logged, in a thread, or where nobody could catch it."""
    heard: list[str] = []
    log = logging.getLogger("concurrent.futures")
    ear = logging.Handler()
    ear.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]
    kept = log.propagate, threading.excepthook, sys.unraisablehook
    log.propagate = False
    threading.excepthook = lambda told: heard.append(f"thread: {told.exc_type.__name__}")
    sys.unraisablehook = lambda told: heard.append(f"unraisable: {told.exc_type.__name__}")
    log.addHandler(ear)
    try:
        yield heard
    finally:
        log.removeHandler(ear)
        log.propagate, threading.excepthook, sys.unraisablehook = kept
