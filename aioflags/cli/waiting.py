"""What a run says of its waiting: notes when it begins and ends, and the whole picture for whoever asks by a signal."""

from __future__ import annotations

from collections.abc import Sequence

from aioflags.cli.progress import Snapshot, Transfer, show_line, show_transfer
from aioflags.cli.quantities import show_count
from aioflags.jobs import Waiting
from aioflags.redact import escape_text

__all__ = ["Notes", "show_moment", "show_wait"]

_SHOWN = 20
#: Seconds; shorter rests are part of the work, and no news.
_NEWSWORTHY = 1.0
_SLOW = 2.0


class Notes:
    """Makes the lines that tell what has changed since the last look.

    Args:
        is_verbose: Single hosts are news, too; else only what the whole run waits for.
    """

    def __init__(self, *, is_verbose: bool) -> None:
        self._is_verbose = is_verbose
        self._way = ""
        self._paused: dict[str, float] = {}
        self._given_up: dict[str, float] = {}

    def look(self, waiting: Waiting, now: float) -> list[str]:
        """Give the lines for what is new; `now` on the clock of the loop."""
        lines = self._way_lines(waiting)
        if self._is_verbose:
            lines += self._given_up_lines(waiting, now)
            lines += self._pause_lines(waiting, now)
        return lines

    def _way_lines(self, waiting: Waiting) -> list[str]:
        before, self._way = self._way, waiting.way
        if waiting.way == before:
            return []
        if waiting.way:
            return [f"waiting for {waiting.way}: nothing gets through"]
        return [f"{before} did not come back; no longer waiting" if waiting.is_in_vain else f"{before} is back"]

    def _given_up_lines(self, waiting: Waiting, now: float) -> list[str]:
        before = self._given_up
        self._given_up = {each.host: each.until for each in waiting.given_up}
        lines = [
            f"{each.host} is given up for {each.until - now:.0f} s: {each.error.message}"
            for each in waiting.given_up
            if before.get(each.host) != each.until
        ]
        lines += [f"{host} is back" for host in before if host not in self._given_up]
        return [escape_text(line) for line in lines]

    def _pause_lines(self, waiting: Waiting, now: float) -> list[str]:
        before = self._paused
        self._paused = {each.host: each.until for each in waiting.paused if each.until - now >= _NEWSWORTHY}
        lines = [
            f"{each.host} is paused for {each.until - now:.0f} s: {each.why}"
            for each in waiting.paused
            if each.host in self._paused and before.get(each.host) != each.until
        ]
        # A pause of which less than a second is left is as good as over.
        lines += [f"{host} goes on" for host in before if host not in self._paused]
        return [escape_text(line) for line in lines]


def show_wait(waiting: Waiting, transfers: Sequence[Transfer], now: float) -> str:
    """Say in a few words what the run as a whole waits for; empty if it is at work."""
    if waiting.way:
        return f"waiting for {waiting.way}"
    if transfers:
        is_received = all(each.total and each.received >= each.total and each.age >= _SLOW for each in transfers)
        return "waiting for the disk" if is_received else ""
    waits = [*waiting.paused, *([waiting.retry] if waiting.retry is not None else [])]
    if not waits:
        return ""
    first = min(waits, key=lambda each: each.until)
    return escape_text(f"waiting for {first.host}, {max(0.0, first.until - now):.0f} s")


def show_moment(snapshot: Snapshot, transfers: Sequence[Transfer], waiting: Waiting, now: float) -> list[str]:
    """Say how far the job is, what is in flight, and what is waited for; `now` on the clock of the loop."""
    lines = [show_line(snapshot)]
    oldest = sorted(transfers, key=lambda each: each.age, reverse=True)
    lines += _few([f"in flight: {show_transfer(each)}  {each.url}" for each in oldest])
    lines += _few(
        [
            f"paused: {each.host} for {each.until - now:.0f} s, {each.why}; {show_count(each.waiting, 'item')} waiting"
            for each in waiting.paused
        ]
    )
    lines += _few([f"given up: {each.host} {_rest(each.until - now)}, {each.error}" for each in waiting.given_up])
    if waiting.retry is not None:
        seconds = max(0.0, waiting.retry.until - now)
        count = show_count(waiting.retry.waiting, "item")
        lines.append(f"another attempt: {count}, the first at {waiting.retry.host} in {seconds:.0f} s")
    if waiting.probe_at is not None:
        lines.append(f"waiting for {waiting.way}: looked for again in {max(0.0, waiting.probe_at - now):.0f} s")
    return [escape_text(line) for line in lines]


def _rest(seconds: float) -> str:
    return f"for {seconds:.0f} s" if seconds > 0 else "until a probe goes well"


def _few(lines: list[str]) -> list[str]:
    return lines if len(lines) <= _SHOWN else [*lines[:_SHOWN], f"... and {len(lines) - _SHOWN} more"]
