"""The tracers that a command line asks for, together: made, waited for and closed as one."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from aioflags.cli.trace import Label, TextTrace, Tracers
from aioflags.cli.trace_file import TraceFile
from aioflags.trace import Tracer

__all__ = ["Tracing"]


class Tracing:
    """What `--trace` and `--trace-file` bring about.

    Args:
        args: The command line.
        label: What an item is called.

    Raises:
        UsageError: The file cannot be written.
    """

    def __init__(self, args: argparse.Namespace, label: Label) -> None:
        self._has_text = args.trace
        self._label = label
        self._file = None if args.trace_file is None else TraceFile(args.trace_file, f"aioflags, {args.engine}", label)

    def tracer(self, note: Callable[[str], None]) -> Tracer | None:
        """Give the tracer for the downloader, `None` if none was asked for; `note` is called with lines of text."""
        tracers: list[Tracer] = [TextTrace(note, self._label)] if self._has_text else []
        if self._file is not None:
            tracers.append(self._file)
        return Tracers(tracers) if tracers else None

    @property
    def fault(self) -> str | None:
        """Why the file could not be written to its end, if so."""
        fault = None if self._file is None else self._file.fault
        return None if fault is None else f"--trace-file cannot be written: {fault.strerror}"

    async def wait_for_room(self) -> None:
        """Return when the file has taken enough."""
        if self._file is not None and self._file.is_full:
            await self._file.wait_for_room()

    def close(self, patience: float | None = None) -> None:
        """Write what is left, for `patience` seconds at most; `None` for as long as it takes."""
        if self._file is not None:
            self._file.close(patience)
