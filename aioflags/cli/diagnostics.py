"""Errors that nobody expected, and log records of libraries, on standard error: whole, but without secrets."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import traceback
from io import TextIOWrapper
from typing import Any

from aioflags.redact import redact_text

__all__ = ["format_bug", "handle_loop_error", "report_bug", "set_up_diagnostics"]


def format_bug(error: BaseException) -> str:
    """Give the traceback of `error`, secrets redacted line by line, and say whose fault it is."""
    text = "".join(traceback.format_exception(error))
    lines = [redact_text(line) for line in text.splitlines()]
    return "\n".join([*lines, "aioflags: error: this is a bug in aioflags; please report it with the lines above"])


def report_bug(error: BaseException) -> None:
    """Print an unexpected error."""
    print(format_bug(error), file=sys.stderr)


def handle_loop_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Print what an event loop could hand to nobody; a loop's exception handler."""
    print(redact_text(f"aioflags: {context.get('message')}"), file=sys.stderr)
    if isinstance(error := context.get("exception"), BaseException):
        report_bug(error)


def set_up_diagnostics() -> None:
    """Have warnings of libraries and errors of threads redacted, too; what the terminal cannot show is escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    handler = logging.StreamHandler()
    handler.setFormatter(_Redacting("%(name)s: %(levelname)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    threading.excepthook = _report_thread_bug


def _report_thread_bug(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None:
        report_bug(arguments.exc_value)


class _Redacting(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(redact_text(line) for line in super().format(record).splitlines())
