"""What the end of an attempt teaches about its host, the way out of this machine, and how soon to come back. Pure."""

from __future__ import annotations

from aioflags.addresses import is_loopback_host
from aioflags.breaker import Sign, read_sign
from aioflags.engines.seam import AttemptResult
from aioflags.records import dataclass
from aioflags.retry import SLOW_STATUSES, TRANSIENT_STATUSES
from aioflags.schedule import Feedback
from aioflags.uplink import Finding, read_finding

__all__ = ["BLAMELESS", "NOTHING", "Lesson", "lesson_of", "pause_of"]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one attempt has taught.

    Args:
        feedback: How much its host can bear.
        sign: The health of its host.
        finding: The way out of this machine.
        pause: Seconds for which the server wants its whole host to be left alone.
    """

    feedback: Feedback
    sign: Sign
    finding: Finding
    pause: float = 0.0


#: That of an attempt that has not come to its end.
NOTHING = Lesson(Feedback.NEUTRAL, Sign.NOTHING, Finding.NOTHING)
#: That of one which failed because of something else than item and host.
BLAMELESS = Lesson(Feedback.BLAMELESS, Sign.NOTHING, Finding.NOTHING)

# Nearly all attempts of a big job teach one of these.
_WELL = Lesson(Feedback.WELL, Sign.WELL, Finding.REACHED)
_WELL_AT_HOME = Lesson(Feedback.WELL, Sign.WELL, Finding.NOTHING)


def lesson_of(result: AttemptResult, *, host: str, was_sent: bool, via_proxy: bool) -> Lesson:
    """Tell what an attempt has taught.

    Args:
        result: How it ended.
        host: Where it was made, a name or an address.
        was_sent: The request was sent.
        via_proxy: It went through a proxy.
    """
    error = result.error
    if error is None:
        return _WELL_AT_HOME if not via_proxy and is_loopback_host(host) else _WELL
    pause = pause_of(result)
    status, detail = result.http_status, result.detail
    if result.is_stale:
        sign = Sign.NOTHING
    else:
        sign = read_sign(error.kind, http_status=status, detail=detail, was_sent=was_sent, is_paused=pause > 0)
    finding = read_finding(
        error.kind, http_status=status, detail=detail, via_proxy=via_proxy, is_loopback=is_loopback_host(host)
    )
    return Lesson(_feedback_of(error.kind, status, detail), sign, finding, pause)


def _feedback_of(kind: str, status: int | None, detail: str) -> Feedback:
    if detail == "out of resources":
        return Feedback.OUT_OF_RESOURCES
    if status in SLOW_STATUSES:
        return Feedback.REFUSED
    return Feedback.SLOW_DOWN if kind in {"timeout", "stalled"} else Feedback.NEUTRAL


def pause_of(result: AttemptResult) -> float:
    """Tell for how many seconds the server wants its whole host to be left alone."""
    return (result.retry_after or 0.0) if result.http_status in TRANSIENT_STATUSES else 0.0
