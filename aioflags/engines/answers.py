"""What every driver makes of an answer: the rules for its body, and the result that it ends in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from aioflags.addresses import is_private_address, is_private_name, literal_address
from aioflags.disk_errors import is_destination_fault, is_out_of_resources
from aioflags.engines.seam import Attempt, AttemptResult
from aioflags.errors import DownloadError, make_error
from aioflags.retry import read_retry_after
from aioflags.transfer import Accept, Ending, judge_end, judge_size
from aioflags.writer import Saved

__all__ = ["BodyRules", "has_private_host", "refused", "result_of_saved", "result_of_unsaved"]


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
            RefusedError, ChecksumError: They are too many.
        """
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


def result_of_saved(saved: Saved, accept: Accept, http_status: int) -> AttemptResult:
    """The result of a file that has appeared."""
    return AttemptResult(
        http_status=http_status, bytes=saved.bytes, digests=saved.digests, content_encoding=accept.content_encoding
    )


def result_of_unsaved(error: DownloadError, attempt: Attempt, http_status: int) -> AttemptResult:
    """The result of a body that was refused, came cut, or could not be written."""
    detail = "out of resources" if is_out_of_resources(error) else "destination" if is_destination_fault(error) else ""
    if error.host is None:
        # The disk knows of no host; its cause, which `detail` has told, goes along.
        named = make_error(error.kind, error.message, attempt.target.host)
        named.__cause__ = error.__cause__
        error = named
    return AttemptResult(error=error, detail=detail, http_status=http_status)


def refused(error: DownloadError, http_status: int, headers: Mapping[str, str]) -> AttemptResult:
    """The result of an answer that carries no file; look-up in `headers` ignores case."""
    value = headers.get("Retry-After")
    retry_after = None
    if value is not None:
        try:
            retry_after = read_retry_after(value, headers.get("Date"), datetime.now(UTC))
        except ValueError:
            retry_after = None
    return AttemptResult(error=error, http_status=http_status, retry_after=retry_after)
