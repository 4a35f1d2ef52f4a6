"""What a job shows while it runs: a bar with the longest transfers on a terminal, a plain line now and then elsewhere.

The loop takes a `Snapshot` a few times a second; how it looks is decided here, and drawn by a thread of rich.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aioflags.cli.quantities import show_count, show_duration, show_size
from aioflags.records import dataclass
from aioflags.redact import escape_text

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["Bar", "Pace", "Snapshot", "Transfer", "choose_transfers", "show_line", "show_transfer", "wants_bar"]

_PER_SECOND = 5
_SHOWN = 4
_WIDTH = 20
_NARROW = 70
_HORIZON = 5.0


@dataclass(frozen=True, slots=True)
class Transfer:
    """One transfer in flight: name, host, age in seconds, bytes so far and in all if announced, redacted URL."""

    name: str
    host: str
    age: float
    received: int
    total: int | None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How far a job is.

    Args:
        done: Items that have ended, however they did.
        total: Items in all, `None` if nobody can tell.
        is_exact: `total` is no estimate.
        bytes: Bytes received.
        speed: Bytes per second lately.
        remaining: Seconds still to go, `None` if nobody can tell.
        failed: Items that failed or are missing.
        transfers: Those to be shown, the longest first.
        waiting: What the job as a whole waits for, if for anything.
    """

    done: int = 0
    total: int | None = None
    is_exact: bool = True
    bytes: int = 0
    speed: float = 0.0
    remaining: float | None = None
    failed: int = 0
    transfers: Sequence[Transfer] = ()
    waiting: str = ""


class Pace:
    """Speed and time to go, smoothed over some seconds so that they can be read."""

    def __init__(self) -> None:
        self._time = 0.0
        self._done = 0
        self._bytes = 0
        self._files_speed = 0.0
        self.speed = 0.0

    def update(self, time: float, done: int, bytes: int) -> None:  # noqa: A002 - the word of the contract
        """Take note of files and bytes at `time`, in seconds since the start."""
        span = time - self._time
        if span <= 0:
            return
        # The mean so far at first, then one that forgets.
        weight = max(span / time, min(1.0, span / _HORIZON))
        self.speed += weight * (max(0, bytes - self._bytes) / span - self.speed)
        self._files_speed += weight * ((done - self._done) / span - self._files_speed)
        self._time, self._done, self._bytes = time, done, bytes

    def remaining(self, total: int | None, transfers: Sequence[Transfer]) -> float | None:
        """Give the seconds still to go with `total` items, of which `transfers` are in flight.

        By bytes when all that remains is in flight and of known size, else by files.
        """
        if total is None or total <= self._done:
            return None
        missing = sum((each.total or 0) - each.received for each in transfers)
        if len(transfers) == total - self._done and all(each.total for each in transfers):
            return missing / self.speed if self.speed else None
        return (total - self._done) / self._files_speed if self._files_speed > 1e-6 else None


def wants_bar(mode: str, *, is_terminal: bool, term: str) -> bool:
    """Tell whether `--progress` means a bar here."""
    return mode == "bar" or (mode == "auto" and is_terminal and term not in ("", "dumb"))


def choose_transfers(transfers: Sequence[Transfer]) -> list[Transfer]:
    """Pick the few that have been running longest, and long enough to be of interest."""
    slow = [each for each in transfers if each.age >= 2.0]
    return sorted(slow, key=lambda each: each.age, reverse=True)[:_SHOWN]


def show_line(snapshot: Snapshot) -> str:
    """Say in one line how far the job is.

    >>> show_line(Snapshot(done=5, total=20, bytes=1000, speed=500.0, remaining=3.0, failed=1))
    '5/20 files, 1.0 kB, 500 B/s, 1 failed, 0:03 to go'
    """
    total = "" if snapshot.total is None else f"/{'' if snapshot.is_exact else '~'}{snapshot.total}"
    files = f"{snapshot.done}{total} files" if total else show_count(snapshot.done, "file")
    parts = [files, show_size(snapshot.bytes), f"{show_size(snapshot.speed)}/s"]
    if snapshot.failed:
        parts.append(f"{snapshot.failed} failed")
    if snapshot.remaining is not None:
        parts.append(f"{show_duration(snapshot.remaining)} to go")
    if snapshot.waiting:
        parts.append(snapshot.waiting)
    return ", ".join(parts)


def show_transfer(transfer: Transfer) -> str:
    """Say in one line how far a transfer is."""
    if transfer.total:
        share = f"{transfer.received * 100 // transfer.total:3}%"
        sizes = f"{share} of {show_size(transfer.total)}"
    else:
        sizes = show_size(transfer.received)
    return escape_text(f"{sizes}, {show_duration(transfer.age)}  {transfer.name}  ({transfer.host})")


class Bar:
    """One line for the job and some for its longest transfers, on standard error; gone when it is stopped."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._snapshot = Snapshot()
        self._is_shown = False
        # Whoever writes while the bar comes or goes would write into it.
        self._lock = threading.Lock()
        self._console = Console(file=sys.stderr, force_terminal=True)
        self._live = Live(
            console=self._console,
            get_renderable=self._render,
            refresh_per_second=_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def show(self, snapshot: Snapshot) -> None:
        """Have `snapshot` drawn with the next refresh."""
        self._snapshot = snapshot
        with self._lock:
            if not self._is_shown:
                self._is_shown = True
                self._live.start()

    def stop(self) -> None:
        """Take the bar away; the cursor stands where it began."""
        with self._lock:
            if self._is_shown:
                self._is_shown = False
                self._live.stop()

    def print(self, text: str) -> bool:
        """Write whole lines above the bar; false, and nothing written, if no bar is shown."""
        with self._lock:
            if self._is_shown:
                self._console.out(text, end="", highlight=False)
            return self._is_shown

    def _render(self) -> RenderableType:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        snapshot = self._snapshot
        grid = Table.grid(padding=(0, 1))
        line = Text(show_line(snapshot), no_wrap=True, overflow="ellipsis")
        if snapshot.failed:
            line.highlight_regex(r"\d+ failed", "red")
        if self._console.width < _NARROW:
            grid.add_row(line)
        else:
            total = snapshot.total
            bar = ProgressBar(total=total or 1, completed=snapshot.done, width=_WIDTH, pulse=total is None)
            grid.add_row(bar, line)
        transfers = (
            Text(f"  {show_transfer(each)}", style="dim", no_wrap=True, overflow="ellipsis")
            for each in snapshot.transfers
        )
        return Group(grid, *transfers)
