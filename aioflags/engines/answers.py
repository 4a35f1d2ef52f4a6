"""What every driver makes of an answer: the rules for its body, and the result that it ends in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from aioflags.addresses import is_private_address, is_private_name, literal_address
from aioflags.disk_errors import is_destination_fault, is_out_of_resources, is_worth_another_file
from aioflags.engines.seam import Attempt, AttemptResult
from aioflags.errors import DownloadError, make_error
from aioflags.journal import Half
from aioflags.ranges import source_of
from aioflags.records import dataclass
from aioflags.retry import read_retry_after, retries_allowed
from aioflags.transfer import Accept, Ending, Redirect, Refuse, Restart, Unchanged, judge_end, judge_size
from aioflags.writer import Saved, Wanted

__all__ = [
    "BodyRules",
    "has_private_host",
    "judge_rest",
    "keeps_half",
    "result_of_bodiless",
    "result_of_saved",
    "result_of_unsaved",
    "wanted_of",
]

#: What a body ends as that was cut: all that came of it is good.
_CUTS = frozenset({"truncated", "disconnected", "stalled"})
#: After these nothing is left that could be completed.
_SPOILERS = frozenset({"checksum", "too_large", "exists", "storage"})


@dataclass(frozen=True, slots=True)
class BodyRules:
    """What the bytes of one body are held against.

    Args:
        attempt: Declares size and host.
        accept: The verdict on the head.
        max_bytes: Largest body accepted, `None` for any.
    """

    attempt: Attempt
    accept: Accept
    max_bytes: int | None

    def check_size(self, received: int) -> None:
        """Hold the bytes that came so far against the limits.

        Raises:
            ProtocolError, RefusedError, ChecksumError: They are too many.
        """
        announced = self.accept.length
        if announced is not None and received > announced:
            message = f"more than the announced {announced} bytes arrived"
            raise make_error("protocol", message, self.attempt.target.host)
        self._judge_size(received, is_whole=False)

    def check_end(self, received: int, ending: Ending) -> None:
        """Hold the whole body against its head and the list.

        Raises:
            DownloadError: It is not whole.
        """
        error = judge_end(self.accept, received, ending, host=self.attempt.target.host)
        if error is not None:
            raise error
        self._judge_size(received, is_whole=True)

    def _judge_size(self, received: int, *, is_whole: bool) -> None:
        error = judge_size(
            received,
            host=self.attempt.target.host,
            expected=self.attempt.expected_bytes,
            max_bytes=self.max_bytes,
            is_whole=is_whole,
        )
        if error is not None:
            raise error


def has_private_host(attempt: Attempt) -> bool:
    """Tell whether the URL itself says that it leads into a private network, by address or name: nobody is asked.

    Behind a proxy, which resolves names for us, this is all that can be known.
    """
    host = attempt.target.host
    address = literal_address(host)
    return is_private_name(host) if address is None else is_private_address(address)


def wanted_of(attempt: Attempt, accept: Accept | None = None) -> Wanted:
    """Say what the file is to be, before its answer or with it."""
    if accept is None:
        return Wanted(attempt.name, attempt.expected_digests, attempt.may_replace, attempt.row)
    rest = None
    if accept.validator is not None and attempt.may_keep:
        rest = Half("", 0, accept.validator, source_of(attempt.target), accept.length)
    return Wanted(
        attempt.name,
        attempt.expected_digests,
        attempt.may_replace,
        attempt.row,
        etag=accept.etag,
        last_modified=accept.last_modified,
        content_encoding=accept.content_encoding,
        rest=rest,
    )


def judge_rest(result: AttemptResult, *, has_asked: bool) -> AttemptResult:
    """Have the file asked for whole if its rest was asked for and what came is no good: the head may be to blame.

    Args:
        result: How the attempt ended.
        has_asked: It asked for the rest.

    Source: FAULTS, F20 and F25: from zero, once.
    """
    if not has_asked or result.error is None:
        return result
    is_unreadable = result.http_status is None and result.error.kind == "protocol"
    is_unfit = result.resumed_from > 0 and result.error.kind in {"protocol", "checksum"}
    return replace(result, error=None, must_restart=True) if is_unreadable or is_unfit else result


def keeps_half(attempt: Attempt, result: AttemptResult | None, *, has_begun: bool) -> bool:
    """Tell whether what there is of a file may be left for another attempt.

    Args:
        attempt: Says whether anybody could go on with it.
        result: How it ended; `None` if it was cancelled, after which only another run can go on.
        has_begun: A body came; else what there is stands as an earlier attempt left it.
    """
    if not attempt.may_keep:
        return False
    if result is None:
        return bool(attempt.row)
    if result.error is None:
        return result.location is not None
    if has_begun:
        return result.error.kind in _CUTS
    if result.detail == "out of resources":
        return True
    if attempt.row:
        return result.error.kind not in _SPOILERS
    status, detail = result.http_status, result.detail
    return retries_allowed(result.error.kind, http_status=status, detail=detail, retries=1) > 0


def result_of_saved(saved: Saved, accept: Accept, http_status: int) -> AttemptResult:
    """The result of a file that has appeared."""
    return AttemptResult(
        http_status=http_status,
        bytes=saved.bytes,
        digests=saved.digests,
        content_encoding=accept.content_encoding,
        resumed_from=accept.start,
    )


def result_of_unsaved(
    error: DownloadError, attempt: Attempt, http_status: int | None, resumed_from: int = 0
) -> AttemptResult:
    """The result of a body that was refused, came cut, or could not be written."""
    detail = _detail_of(error)
    if error.host is None:
        # The disk knows of no host; its cause, which `detail` has told, goes along.
        named = make_error(error.kind, error.message, attempt.target.host)
        named.__cause__ = error.__cause__
        error = named
    return AttemptResult(error=error, detail=detail, http_status=http_status, resumed_from=resumed_from)


def _detail_of(error: DownloadError) -> str:
    if is_out_of_resources(error):
        return "out of resources"
    if is_worth_another_file(error):
        return "lost bytes"
    return "destination" if is_destination_fault(error) else ""


def result_of_bodiless(
    verdict: Redirect | Refuse | Restart | Unchanged, http_status: int, headers: Mapping[str, str], *, is_private: bool
) -> AttemptResult:
    """The result of an answer that carries no file; names in `headers` are in lower case.

    Args:
        verdict: On the answer.
        http_status: Its status.
        headers: Its fields.
        is_private: It came from an address of a private network.
    """
    match verdict:
        case Redirect(location):
            return AttemptResult(location=location, http_status=http_status, is_private=is_private)
        case Restart():
            return AttemptResult(http_status=http_status, must_restart=True)
        case Unchanged():
            return AttemptResult(http_status=http_status, is_unchanged=True)
        case Refuse(error):
            return refused(error, http_status, headers)


def refused(error: DownloadError, http_status: int, headers: Mapping[str, str]) -> AttemptResult:
    """The result of an answer that carries no file; names in `headers` are in lower case."""
    value = headers.get("retry-after")
    retry_after = None
    if value is not None:
        try:
            retry_after = read_retry_after(value, headers.get("date"), datetime.now(UTC))
        except ValueError:
            retry_after = None
    return AttemptResult(error=error, http_status=http_status, retry_after=retry_after)
