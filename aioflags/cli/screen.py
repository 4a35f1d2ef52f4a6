"""Where output goes: records and results to standard output, the rest and the progress to standard error."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO

from aioflags.cli.outlet import Outlet
from aioflags.cli.progress import Bar, Snapshot, show_line, wants_bar

__all__ = ["Screen"]

_PLAIN_INTERVAL = 5.0
_REST = 1.0


class Screen:
    """Standard output and standard error, with the progress on the latter.

    `fault` says why standard output can no longer be written, if so.

    Args:
        is_json: Records go to standard output, results to standard error with the rest.
        progress: `auto`, `bar`, `plain` or `none`, as on the command line.
        on_fault: Called by another thread when standard output cannot be written.
    """

    def __init__(self, *, is_json: bool, progress: str, on_fault: Callable[[], None]) -> None:
        self._is_json = is_json
        self._on_fault = on_fault
        has_bar = wants_bar(progress, is_terminal=_is_terminal(sys.stderr), term=os.environ.get("TERM", ""))
        self._bar = Bar() if has_bar and sys.stderr is not None else None
        self._is_plain = progress == "plain" or (progress == "auto" and not has_bar)
        self._next_line = time.monotonic() + _PLAIN_INTERVAL
        self.fault: OSError | None = None
        self._out = Outlet(self._write_out, self._note_fault)
        self._err = Outlet(self._write_err, lambda _: None)

    def record(self, record: dict[str, Any]) -> None:
        """Give a record to the program that reads our output, if it wants any."""
        if self._is_json:
            self._out.put(json.dumps(record))

    def result(self, line: str) -> None:
        """Give a result to the user: on standard output, unless records go there."""
        (self._err if self._is_json else self._out).put(line)

    def note(self, line: str) -> None:
        """Tell the user something besides: on standard error."""
        self._err.put(line)

    @property
    def is_full(self) -> bool:
        """Our readers are slow; wait for room before more is put."""
        return self._out.is_full or self._err.is_full

    async def wait_for_room(self) -> None:
        """Return when our readers have taken enough."""
        await self._out.wait_for_room()
        await self._err.wait_for_room()

    @property
    def rest(self) -> float:
        """Seconds from one snapshot to the next: to look at a thousand transfers is work, too."""
        return 0.0 if self._bar is not None else _REST

    def show(self, snapshot: Snapshot) -> None:
        """Show how far the job is, in the way that was asked for."""
        if self._bar is not None:
            self._bar.show(snapshot)
        elif self._is_plain and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + _PLAIN_INTERVAL
            self.note(show_line(snapshot))

    def end_progress(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()

    def close_out(self, patience: float | None = None) -> None:
        """Write out all results, so that what is noted next stands below them; waits as `close` does."""
        self.end_progress()
        self._out.close(patience)

    def close(self, patience: float | None = None) -> None:
        """Write what is left, for `patience` seconds at most; `None` for as long as it takes."""
        self.close_out(patience)
        self._err.close(patience)

    def _write_out(self, text: str) -> None:
        # On one terminal with the bar, only the bar knows where lines may stand.
        if not (self._bar is not None and _is_terminal(sys.stdout) and self._bar.print(text)):
            _write(sys.stdout, text)

    def _write_err(self, text: str) -> None:
        if not (self._bar is not None and self._bar.print(text)):
            _write(sys.stderr, text)

    def _note_fault(self, error: OSError) -> None:
        self.fault = error
        with suppress(RuntimeError):  # the loop has ended by itself
            self._on_fault()


def _write(stream: TextIO | None, text: str) -> None:
    if stream is not None:
        stream.write(text)
        stream.flush()


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()
