"""Whether this machine still gets out: the network as a whole, and the proxy. Pure: told the time, never asks for it.

When everything fails at once, it is not the items' fault and not that of their hosts: nothing new is started but a
*probe* now and then, and no attempt is charged. A network that does not come back in some minutes is waited for no
longer; a proxy that does not answer as many attempts as an item has, or refuses us, ends the run.
"""

from __future__ import annotations

from enum import Enum

from aioflags.errors import DownloadError, make_error
from aioflags.retry import backoff

__all__ = ["Finding", "Uplink", "read_finding"]

#: Failures in a row, different hosts and seconds that it takes: a list may have some dead hosts next to each other.
_FAILURES = 8
_HOSTS = 3
_SPAN = 2.0
#: The same for failures of this machine's own, at hosts that have answered before: no list explains those.
_LOCAL_FAILURES = 3
#: Seconds to the first probe, and between probes at most: it costs next to nothing to look.
_FIRST_REST = 1.0
_LONGEST_REST = 15.0
#: Seconds that a network is waited for: a router restarts in less, and a job without network must end some time.
_PATIENCE = 300.0
_KNOWN_HOSTS = 1000


class Finding(Enum):
    """What the end of an attempt says about the way out."""

    REACHED = "something answered"
    SILENT = "nothing came from outside"
    LOCAL = "no route or no name server"
    NO_PROXY = "the proxy cannot be reached"
    REFUSED = "the proxy refuses us"
    NOTHING = "nothing"


class Uplink:
    """The way out, and whether it is to be waited for.

    `waits_for` says for what, empty if for nothing; `is_spent` that it was waited for in vain, and nothing has come
    from outside since. `halted_by` is the error that ends the run, if so.

    Args:
        retries: Further attempts at a proxy after the first.
    """

    def __init__(self, *, retries: int) -> None:
        self._retries = retries
        self._known: set[str] = set()
        self._failures = 0
        self._local_failures = 0
        self._hosts: set[str] = set()
        self._since = 0.0
        self._probes = 0
        self._next_probe = 0.0
        self.is_spent = False
        self.is_probing = False
        self.waits_for = ""
        self.halted_by: DownloadError | None = None

    def __repr__(self) -> str:
        return f"Uplink({f'waits for {self.waits_for}' if self.waits_for else 'up'}, {self._failures} failures)"

    def renew(self) -> None:
        """Another run begins: what halted the one before may be well again, and has all its attempts."""
        if self.halted_by is not None:
            self.halted_by = None
            self._probes = 0

    def opens_at(self) -> float:
        """Tell from when on an attempt may be started, on the caller's clock; infinity while a probe is out."""
        if not self.waits_for:
            return float("-inf")
        return float("inf") if self.is_probing else self._next_probe

    def begin_probe(self) -> None:
        """The attempt that starts now is the probe."""
        self.is_probing = True

    def end_probe(self) -> None:
        """The probe has ended; unless `note` was told otherwise, it said nothing and the next may start."""
        self.is_probing = False

    def note(
        self, finding: Finding, host: str, error: DownloadError | None, *, is_probe: bool, jitter: float, now: float
    ) -> bool:
        """Take note of an attempt that has ended.

        Args:
            finding: What its end says.
            host: Where it was made.
            error: Why it failed.
            is_probe: It was the probe.
            jitter: A number from 0 to 1 for the time to the next attempt at a proxy, drawn by the caller.
            now: Seconds on the caller's clock.

        Returns:
            Whether the failure is the way's: its item is not charged for it.
        """
        if finding is Finding.REACHED:
            self._reach(host)
        elif finding is Finding.REFUSED:
            self._halt(error)
        elif finding is Finding.NO_PROXY:
            return self._miss_proxy(error, is_probe=is_probe, jitter=jitter, now=now)
        elif finding is not Finding.NOTHING:
            return self._miss(finding, host, is_probe=is_probe, now=now)
        return False

    def _reach(self, host: str) -> None:
        self._failures = self._local_failures = self._probes = 0
        self._hosts.clear()
        self.is_spent = False
        self.waits_for = ""
        if len(self._known) < _KNOWN_HOSTS:
            self._known.add(host)

    def _miss(self, finding: Finding, host: str, *, is_probe: bool, now: float) -> bool:
        if self.waits_for:
            if is_probe:
                self._rest(min(_FIRST_REST * 2.0**self._probes, _LONGEST_REST), now)
                self.is_spent = now - self._since >= _PATIENCE
                self.waits_for = "" if self.is_spent else self.waits_for
            return True
        if not self._failures:
            self._since = now
        self._failures += 1
        self._local_failures += finding is Finding.LOCAL and host in self._known
        if len(self._hosts) < _HOSTS:
            self._hosts.add(host)
        if self._is_down(now):
            self.waits_for = "the network"
            self._rest(_FIRST_REST, now)
        return False

    def _is_down(self, now: float) -> bool:
        # A network that was never there is no network that went away: who starts without it is told at once.
        if self.is_spent or not self._known:
            return False
        is_silent = self._failures >= _FAILURES and len(self._hosts) >= _HOSTS and now - self._since >= _SPAN
        return is_silent or self._local_failures >= _LOCAL_FAILURES

    def _miss_proxy(self, error: DownloadError | None, *, is_probe: bool, jitter: float, now: float) -> bool:
        was_waiting = bool(self.waits_for)
        # Those that were in flight together tell one thing together.
        if is_probe or not was_waiting:
            if self._probes >= self._retries:
                self._halt(error)
            else:
                self.waits_for = "the proxy"
                self._rest(backoff(self._probes + 1, jitter), now)
        return was_waiting

    def _rest(self, delay: float, now: float) -> None:
        self._probes += 1
        self._next_probe = now + delay

    def _halt(self, error: DownloadError | None) -> None:
        assert error is not None
        self.waits_for = ""
        self.halted_by = make_error(error.kind, f"{error.message}; the run was stopped", error.host)


def read_finding(
    kind: str | None, *, http_status: int | None, detail: str = "", via_proxy: bool, is_loopback: bool
) -> Finding:
    """Tell what the end of an attempt says about the way out.

    Args:
        kind: Kind of the error, `None` if there was none.
        http_status: Status of the answer, if one came.
        detail: More than the kind says, see `aioflags.engines.seam.AttemptResult`.
        via_proxy: Requests go through a proxy; the network is then what the proxy says of it.
        is_loopback: The host is this machine, which no network is needed for.

    Source: RFC 9110, section 15.5.8, for 407.

    >>> read_finding("connect", http_status=None, detail="refused", via_proxy=False, is_loopback=False)
    <Finding.REACHED: 'something answered'>
    """
    if via_proxy:
        if http_status == 407:
            return Finding.REFUSED
        if detail == "proxy":
            return Finding.NO_PROXY
        return Finding.NOTHING if http_status is None and kind is not None else Finding.REACHED
    if is_loopback:
        return Finding.NOTHING
    if kind is None or http_status is not None or kind == "tls" or detail == "refused":
        return Finding.REACHED
    if detail in {"out of resources", "unknown host"}:
        return Finding.NOTHING
    if kind == "dns" or detail == "no route":
        return Finding.LOCAL
    return Finding.SILENT if kind in {"connect", "timeout"} else Finding.NOTHING
