"""Which hosts are given up for a while, because nothing goes well with them. Pure: told the time, never asks for it.

A host is given up when attempt after attempt fails in a way that says "the host is ill" and nothing goes well in
between; its items then fail at once, without a request. Later *one* of them is a probe, while the others wait: if it
goes well the host is back, else it is given up for twice as long.

Whether a failure is the host's or the URL's decides how many are needed. Before a request could be sent, the URL had
no part in it; of an answer 500, or a connection lost in the middle, it may be the cause.
"""

from __future__ import annotations

from collections import OrderedDict
from enum import Enum

from aioflags.errors import DownloadError, make_error
from aioflags.records import dataclass

__all__ = ["Breaker", "GivenUp", "Sign", "read_sign"]

#: Seconds that a host is given up for at first, and at most: about what a restart takes, and a repair.
_FIRST_REST = 60.0
_LONGEST_REST = 600.0
#: Hosts in trouble that are remembered, the latest.
_REMEMBERED_HOSTS = 10_000


class Sign(Enum):
    """What the end of an attempt says about the health of its host."""

    WELL = "it answers"
    ILL = "it was reached, and failed"
    UNREACHABLE = "no request could be sent to it"
    UNKNOWN = "there is no such host"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class _Limits:
    """When a host is given up: its failures in a row, the seconds they took, and the items that used up their tries.

    Either `lost` items in not less than `haste` seconds, or `failures` attempts in not less than `patience` seconds.
    """

    lost: int
    haste: float
    failures: int
    patience: float


# More than the default of attempts in flight to one host, so no single moment can do it; and a list of twenty files
# has all its attempts. A minute outlives three rounds of the default deadline to connect.
_UNREACHABLE = _Limits(lost=20, haste=0.0, failures=20, patience=60.0)
# A hundred URLs may be broken and stand together in a list, but others come in between before half a minute is
# over. Patience is that for the longest Retry-After that is waited for by default: a server may be in maintenance.
_ILL = _Limits(lost=100, haste=30.0, failures=20, patience=300.0)


class _Streak:
    """Failures in a row."""

    __slots__ = ("failures", "lost", "since")

    def __init__(self, now: float) -> None:
        self.since = now
        self.failures = 0
        self.lost = 0

    def add(self, *, is_lost: bool) -> None:
        self.failures += 1
        self.lost += is_lost

    def exceeds(self, limits: _Limits, now: float, *, is_quiet: bool) -> bool:
        span = now - self.since
        return (self.lost >= limits.lost and span >= limits.haste and is_quiet) or (
            self.failures >= limits.failures and span >= limits.patience
        )


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A host that is given up: since how many failures, why, and until when on the caller's clock."""

    host: str
    failures: int
    error: DownloadError
    until: float

    def error_for_item(self) -> DownloadError:
        """The error of an item that is not asked for because of this: the host's last one, and what came of it."""
        times = "1 failure" if self.failures == 1 else f"{self.failures} failures in a row"
        message = f"{self.error.message}; {self.host} was given up for a while after {times}"
        return make_error(self.error.kind, message, self.error.host)


class _Patient:
    """A host in trouble."""

    __slots__ = ("given_up", "ill", "rest", "unreachable")

    def __init__(self) -> None:
        self.ill: _Streak | None = None
        self.unreachable: _Streak | None = None
        self.given_up: GivenUp | None = None
        self.rest = _FIRST_REST


class Breaker:
    """Remembers the hosts that are in trouble, and says what that means for their items."""

    def __init__(self) -> None:
        self._patients: OrderedDict[str, _Patient] = OrderedDict()

    def __repr__(self) -> str:
        given_up = sum(each.given_up is not None for each in self._patients.values())
        return f"Breaker({len(self._patients)} hosts in trouble, {given_up} given up)"

    def note(self, host: str, sign: Sign, error: DownloadError | None, *, is_lost: bool, now: float) -> None:
        """Take note of an attempt that has ended.

        Args:
            host: Where it was made.
            sign: What its end says.
            error: Why it failed.
            is_lost: Its item has no further attempt.
            now: Seconds on the caller's clock.
        """
        if sign is Sign.WELL:
            self._patients.pop(host, None)
        elif sign is not Sign.NOTHING:
            assert error is not None
            self._add(self._patient(host), host, sign, error, is_lost=is_lost, now=now)

    def _add(
        self, patient: _Patient, host: str, sign: Sign, error: DownloadError, *, is_lost: bool, now: float
    ) -> None:
        patient.ill = patient.ill or _Streak(now)
        patient.ill.add(is_lost=is_lost)
        if sign is Sign.ILL:
            patient.unreachable = None
        else:
            patient.unreachable = patient.unreachable or _Streak(now)
            patient.unreachable.add(is_lost=is_lost)
        if patient.given_up is not None and patient.given_up.until <= now:
            patient.rest = min(2 * patient.rest, _LONGEST_REST)
            patient.given_up = GivenUp(host, patient.ill.failures, error, now + patient.rest)
        elif patient.given_up is None and sign is Sign.UNKNOWN and is_lost and patient.ill.failures > 1:
            # The name was looked up twice: no other URL of a host that does not exist will do better.
            patient.given_up = GivenUp(host, patient.ill.failures, error, now + patient.rest)

    def review(self, host: str, error: DownloadError, *, is_quiet: bool, now: float) -> None:
        """Give the host up if there has been enough.

        Args:
            host: Where an attempt has failed.
            error: Why.
            is_quiet: No item that was tried there has an attempt in flight or to come. Until then, items that have
                begun keep the attempts that the user allows; unless it takes too long.
            now: Seconds on the caller's clock.
        """
        patient = self._patients.get(host)
        if patient is None or patient.given_up is not None or patient.ill is None:
            return
        is_unreachable = patient.unreachable is not None and patient.unreachable.exceeds(
            _UNREACHABLE, now, is_quiet=is_quiet
        )
        if is_unreachable or patient.ill.exceeds(_ILL, now, is_quiet=True):
            patient.given_up = GivenUp(host, patient.ill.failures, error, now + patient.rest)

    def given_up(self, host: str, now: float) -> GivenUp | None:
        """Tell why the items of the host are to fail now; `None` if they are not."""
        patient = self._patients.get(host)
        if patient is None or patient.given_up is None or patient.given_up.until <= now:
            return None
        return patient.given_up

    def is_doubtful(self, host: str) -> bool:
        """Tell whether no new item is to be begun at the host while another one is being tried there."""
        patient = self._patients.get(host)
        if patient is None:
            return False
        unreachable = patient.unreachable
        return patient.given_up is not None or (
            unreachable is not None and unreachable.failures >= _UNREACHABLE.failures
        )

    def all_given_up(self) -> list[GivenUp]:
        """Give the hosts that are given up, those included whose time is over and whose probe has not gone well yet."""
        return [each.given_up for each in self._patients.values() if each.given_up is not None]

    def _patient(self, host: str) -> _Patient:
        patient = self._patients.get(host)
        if patient is None:
            patient = self._patients[host] = _Patient()
        self._patients.move_to_end(host)
        if len(self._patients) > _REMEMBERED_HOSTS:
            self._patients.popitem(last=False)
        return patient


def read_sign(
    kind: str | None, *, http_status: int | None, detail: str = "", was_sent: bool, is_paused: bool = False
) -> Sign:
    """Tell what the end of an attempt says about its host.

    Args:
        kind: Kind of the error, `None` if there was none.
        http_status: Status of the answer, if one came.
        detail: More than the kind says, see `aioflags.engines.seam.AttemptResult`.
        was_sent: The request was sent.
        is_paused: The server said for how long to stay away: it is busy, not ill.

    >>> read_sign("http", http_status=404, was_sent=True), read_sign("timeout", http_status=None, was_sent=False)
    (<Sign.WELL: 'it answers'>, <Sign.UNREACHABLE: 'no request could be sent to it'>)
    """
    if kind is None or (http_status is not None and http_status < 500):
        return Sign.WELL
    if http_status is not None:
        return Sign.NOTHING if is_paused else Sign.ILL
    if detail in {"out of resources", "proxy"}:
        return Sign.NOTHING
    if detail == "unknown host":
        return Sign.UNKNOWN
    if kind in {"dns", "connect", "tls"} or (kind == "timeout" and not was_sent):
        return Sign.UNREACHABLE
    return Sign.ILL if kind in {"timeout", "disconnected"} else Sign.NOTHING
