"""What HTTP says about a request for a resource: ranges, conditions, HEAD; a pure decision, sent by somebody else."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple

from aioflags.flagserver.messages import Request, get_reason
from aioflags.flagserver.resources import LAST_MODIFIED, Resource, make_text

__all__ = ["Answer", "answer_content", "answer_status"]

_RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)[ \t]*", re.IGNORECASE)
_MAX_DIGITS = 20


class Answer(NamedTuple):
    """An answer about to be sent: the body is `resource` from `start` to `stop`.

    `fields` are header lines, each with its line end; Date, framing and Connection are added by the sender.
    """

    status: int
    fields: str
    resource: Resource
    start: int
    stop: int

    @property
    def has_body(self) -> bool:
        """Whether the status allows a body, and with it a length. Source: RFC 9110, sections 15.3.5 and 15.4.5."""
        return self.status not in (204, 304)


def answer_status(status: int, message: str = "", *, fields: str = "") -> Answer:
    """Answer with a status and a line of text that says it."""
    resource = make_text(message or f"{status} {get_reason(status)}")
    if status == 405:
        fields += "Allow: GET, HEAD\r\n"
    fields = f"Content-Type: {resource.content_type}\r\n{fields}"
    return Answer(status, fields, resource, 0, resource.size)


def answer_content(request: Request, resource: Resource, *, ranges: bool = True) -> Answer:
    """Answer with the content, a range of it, or the news that the client has it already.

    Source: RFC 9110, sections 13.2.2 (order of conditions) and 14.2 (what to do with a Range).
    """
    headers = request.headers
    if "if-match" in headers and not _is_listed(headers["if-match"], resource.etag):
        return answer_status(412)
    if _is_unchanged(headers, resource):
        return Answer(304, _validators(resource, ranges), resource, 0, 0)
    fields = _content_fields(resource, ranges)
    if ranges and request.method == "GET" and "range" in headers and _may_continue(headers, resource):
        span = _read_range(headers["range"], resource.size)
        if span == (0, 0):
            return answer_status(416, fields=f"Content-Range: bytes */{resource.size}\r\n")
        if span is not None:
            start, stop = span
            fields += f"Content-Range: bytes {start}-{stop - 1}/{resource.size}\r\n"
            return Answer(206, fields, resource, start, stop)
    return Answer(200, fields, resource, 0, resource.size)


@lru_cache(maxsize=4096)
def _content_fields(resource: Resource, ranges: bool) -> str:
    return f"Content-Type: {resource.content_type}\r\n{_validators(resource, ranges)}"


def _validators(resource: Resource, ranges: bool) -> str:
    unit = "bytes" if ranges else "none"
    return f"ETag: {resource.etag}\r\nLast-Modified: {LAST_MODIFIED}\r\nAccept-Ranges: {unit}\r\n"


def _is_unchanged(headers: dict[str, str], resource: Resource) -> bool:
    if "if-none-match" in headers:
        return _is_listed(headers["if-none-match"], resource.etag)
    if "if-modified-since" not in headers:
        return False
    try:
        since = parsedate_to_datetime(headers["if-modified-since"]).timestamp()
    except ValueError:
        return False
    return since >= parsedate_to_datetime(LAST_MODIFIED).timestamp()


def _is_listed(value: str, etag: str) -> bool:
    return value.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in value.split(","))


def _may_continue(headers: dict[str, str], resource: Resource) -> bool:
    return headers.get("if-range", resource.etag) in (resource.etag, LAST_MODIFIED)


def _read_range(value: str, size: int) -> tuple[int, int] | None:
    """Start and stop of the single range asked for, (0, 0) if it lies outside, `None` if there is no such range."""
    found = _RANGE.fullmatch(value)
    if found is None or found[0].strip() == "bytes=-" or max(len(found[1]), len(found[2])) > _MAX_DIGITS:
        return None
    if not found[1]:
        start, stop = max(0, size - int(found[2])), size
    else:
        start = int(found[1])
        if found[2] and int(found[2]) < start:
            return None
        stop = min(size, int(found[2]) + 1) if found[2] else size
    return (start, stop) if start < stop else (0, 0)
