"""What the end of an attempt teaches about its host, the way out of this machine, and how soon to come back. Pure."""

from __future__ import annotations

from aioflags.addresses import is_loopback_host
from aioflags.breaker import Sign, read_sign
from aioflags.engines.seam import AttemptResult
from aioflags.retry import SLOW_STATUSES, TRANSIENT_STATUSES
from aioflags.schedule import Feedback
from aioflags.uplink import Finding, read_finding

__all__ = ["feedback_of", "finding_of", "pause_of", "sign_of"]


def feedback_of(result: AttemptResult) -> Feedback:
    """Tell what an attempt taught about its host."""
    if result.error is None:
        return Feedback.WELL
    if result.detail == "out of resources":
        return Feedback.OUT_OF_RESOURCES
    if result.http_status in SLOW_STATUSES:
        return Feedback.REFUSED
    return Feedback.SLOW_DOWN if result.error.kind in {"timeout", "stalled"} else Feedback.NEUTRAL


def sign_of(result: AttemptResult, *, was_sent: bool) -> Sign:
    """Tell what an attempt says about the health of its host."""
    if result.error is None:
        return Sign.WELL
    if result.is_stale:
        return Sign.NOTHING
    return read_sign(
        result.error.kind,
        http_status=result.http_status,
        detail=result.detail,
        was_sent=was_sent,
        is_paused=pause_of(result) > 0,
    )


def finding_of(result: AttemptResult, *, host: str, via_proxy: bool) -> Finding:
    """Tell what an attempt at `host`, a name or an address, says about the way out of this machine."""
    return read_finding(
        None if result.error is None else result.error.kind,
        http_status=result.http_status,
        detail=result.detail,
        via_proxy=via_proxy,
        is_loopback=is_loopback_host(host),
    )


def pause_of(result: AttemptResult) -> float:
    """Tell for how many seconds the server wants its whole host to be left alone."""
    return (result.retry_after or 0.0) if result.http_status in TRANSIENT_STATUSES else 0.0
