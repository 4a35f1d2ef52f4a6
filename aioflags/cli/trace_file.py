"""`--trace-file`: what happened as Chrome trace events, for Perfetto or chrome://tracing, on disk as it happens.

The file is whole JSON after every write: its end is written with each batch, and the next batch begins there.

Source: "Trace Event Format", JSON object format; complete events nest by their times.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from itertools import pairwise
from typing import Any

from aioflags.cli.outlet import Outlet
from aioflags.cli.trace import Label, label_by_name
from aioflags.errors import UsageError
from aioflags.redact import redact_text, redact_url
from aioflags.trace import PHASES, Attempted, Finished, Scheduled

__all__ = ["TraceFile"]

_BEGIN = '{"displayTimeUnit": "ms", "traceEvents": [\n'
_END = "]}"


class TraceFile:
    """A tracer that writes slices: a lane for each worker, a slice for each attempt, and in it one for each phase.

    Waiting for a slot happens in no lane; it has slices of its own. Memory does not grow with the number of items.

    Args:
        path: Overwritten if it is there.
        title: What the process is called.
        label: What an item is called.

    Raises:
        UsageError: The file cannot be written.

    Attributes:
        fault: Why the file could not be written on, if so.
    """

    def __init__(self, path: str, title: str, label: Label = label_by_name) -> None:
        try:
            self._file = open(path, "wb")  # noqa: SIM115 - closed by `close`
        except OSError as error:
            raise UsageError(f"--trace-file {path}: {error.strerror}") from error
        self.fault: OSError | None = None
        self._label = label
        self._can_seek = self._file.seekable()
        self._has_events = False
        self._began = time.monotonic()
        self._attempts = 0
        self._lanes: dict[str, int] = {}
        self._outlet = Outlet(self._write, self._note_fault)
        self._put("M", "process_name", args={"name": title})

    @property
    def is_full(self) -> bool:
        """The disk is slow; wait for room before more happens."""
        return self._outlet.is_full

    async def wait_for_room(self) -> None:
        """Return when the disk has taken enough."""
        await self._outlet.wait_for_room()

    def scheduled(self, event: Scheduled) -> None:
        """Slices are written when they have ended."""

    def attempted(self, event: Attempted) -> None:
        """Write the slices of an attempt."""
        lane = self._lane_of(event.worker)
        marks = [round(1e6 * (mark - self._began)) for mark in event.marks]
        self._attempts += 1
        wait: dict[str, Any] = {"cat": "waiting", "id": self._attempts}
        name = self._label(event.url, event.name)
        if marks[1] > marks[0]:
            self._put("b", PHASES[0], ts=marks[0], **wait, args={"file": name})
            self._put("e", PHASES[0], ts=marks[1], **wait)
        self._put("X", name, tid=lane, ts=marks[1], dur=marks[-1] - marks[1], cat="attempt", args=_facts(event))
        for phase, (begin, end) in zip(PHASES[1:], pairwise(marks[1:]), strict=True):
            if end > begin:
                self._put("X", phase, tid=lane, ts=begin, dur=end - begin, cat="phase")

    def finished(self, event: Finished) -> None:
        """An outcome without an attempt took no time."""

    def close(self, patience: float | None = None) -> None:
        """Write what is left; waits `patience` seconds at most, `None` for as long as it takes."""
        self._outlet.put(_END)
        self._outlet.close(patience)

    def _lane_of(self, worker: str) -> int:
        lane = self._lanes.get(worker)
        if lane is None:
            lane = self._lanes[worker] = len(self._lanes) + 1
            self._put("M", "thread_name", tid=lane, args={"name": worker})
            self._put("M", "thread_sort_index", tid=lane, args={"sort_index": lane})
        return lane

    def _put(self, kind: str, name: str, *, tid: int = 0, ts: int = 0, **rest: Any) -> None:
        self._outlet.put(json.dumps({"ph": kind, "name": name, "pid": os.getpid(), "tid": tid, "ts": ts, **rest}))

    # What follows runs in the thread of the outlet.

    def _write(self, text: str) -> None:
        events = text.splitlines()
        is_last = events[-1] == _END
        if is_last:
            events.pop()
        if events:
            begin = ",\n" if self._has_events else _BEGIN
            self._file.write((begin + ",\n".join(events)).encode("ascii"))
            self._has_events = True
        if is_last or self._can_seek:
            place = self._file.tell() if self._can_seek else 0
            self._file.write(f"\n{_END}\n".encode("ascii"))
            self._file.flush()
            if not is_last:
                self._file.seek(place)
        if is_last:
            self._file.close()

    def _note_fault(self, error: OSError) -> None:
        self.fault = error
        with suppress(OSError):  # what it holds cannot be written either
            self._file.close()


def _facts(event: Attempted) -> dict[str, Any]:
    facts = {
        "url": redact_url(event.url),
        "attempt": event.attempt,
        "waited": round(event.durations[0], 6),
        "bytes": event.received,
    }
    if event.error is not None:
        facts["error"] = redact_text(str(event.error))
    return facts
