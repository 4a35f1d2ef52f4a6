"""Bytes over time: is a transfer stalled, how long must the job wait to keep its rate. Time comes in as an argument."""

from __future__ import annotations

__all__ = ["ByteRate", "Pace"]


class Pace:
    """Watches one body for silence and for a mean speed below the minimum.

    Only time spent waiting for the network counts: while our own disk or rate limit holds the transfer back, the
    server is not to blame.

    Args:
        idle_timeout: Seconds without any byte that are too many; also the window of the mean speed.
        min_speed: Bytes per second over that window; 0 for off.
    """

    __slots__ = ("_idle_timeout", "_min_speed", "_received", "_since", "_waited")

    def __init__(self, idle_timeout: float, min_speed: float) -> None:
        self._idle_timeout = idle_timeout
        self._min_speed = min_speed
        self._since: float | None = None
        self._waited = 0.0
        self._received = 0

    def wait(self, now: float) -> None:
        """The transfer starts to wait for bytes."""
        self._since = now

    def receive(self, size: int, now: float) -> None:
        """`size` bytes came; the transfer is busy with them until the next `wait`."""
        if self._since is not None:
            self._waited += now - self._since
            self._since = None
        self._received += size

    def complaint(self, now: float) -> str | None:
        """Say why the transfer is to be given up, `None` if it is well; opens a new window when one has passed."""
        silent = 0.0 if self._since is None else now - self._since
        if silent >= self._idle_timeout:
            return f"no bytes for {silent:.3g} s"
        waited = self._waited + silent
        if waited < self._idle_timeout:
            return None
        speed = self._received / waited
        if speed < self._min_speed:
            return f"only {speed:.3g} bytes per second over {waited:.3g} s, the minimum is {self._min_speed:.3g}"
        self._received = 0
        # What was waited in this window must not count again in the next one.
        self._waited = -silent
        return None

    def check_at(self, now: float) -> float:
        """Tell when `complaint` could first change its mind; the earliest time at which to ask again."""
        if self._since is None:
            return now + self._idle_timeout - max(0.0, self._waited)
        silent = now - self._since
        until_silent = self._idle_timeout - silent
        until_window = self._idle_timeout - self._waited - silent
        return now + min(until_silent, until_window)


class ByteRate:
    """A token bucket for the bytes of a whole job; takers may go into debt and wait it off.

    Args:
        rate: Bytes per second.
        burst: Seconds of traffic that may pass at once after a pause.
    """

    __slots__ = ("_burst", "_free_at", "rate")

    def __init__(self, rate: float, burst: float = 0.1) -> None:
        self.rate = rate
        self._burst = burst
        self._free_at = float("-inf")

    def take(self, size: int, now: float) -> float:
        """Charge `size` bytes at time `now`; returns the seconds that the taker must wait before it goes on."""
        start = max(self._free_at, now - self._burst)
        self._free_at = start + size / self.rate
        return max(0.0, self._free_at - now)
