"""HTTP/1.1 on the wire, as far as a server of simple requests needs it: heads are read, heads are written; no I/O."""

from __future__ import annotations

import re
import time
from http import HTTPStatus
from typing import NamedTuple

__all__ = ["MAX_HEAD", "BadRequestError", "Request", "format_date", "get_reason", "read_head", "write_head"]

MAX_HEAD = 16 * 1024
"""Longest request head in bytes; nginx and Apache draw the line between 8 and 32 KiB."""

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_HEAD = re.compile(
    rb"%s [!-~\x80-\xff]+ HTTP/1\.[0-9]\r\n(?:%s:[^\r\n\x00]*\r\n)*\r\n" % (_TOKEN, _TOKEN),
)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class BadRequestError(Exception):
    """The request cannot be understood; the connection must end after the answer.

    Args:
        status: The status of that answer.
        message: What is wrong, for the body of the answer.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


class Request(NamedTuple):
    """A request head.

    `target` is in origin form (`/path?query`); `headers` have lower-case names, repeated ones joined by a comma.
    """

    method: str
    target: str
    headers: dict[str, str]
    is_http_1_1: bool
    is_keep_alive: bool


def read_head(head: bytes) -> Request:
    """Read a request head, the empty line included.

    Raises:
        BadRequestError: It is malformed, or a body comes with it.

    Source: RFC 9112, sections 3 (request line, Host), 5 (fields), 6 (framing of a body), 9.3 (persistence).

    >>> read_head(b"GET /fr/fr.gif HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n").target
    '/fr/fr.gif'
    """
    if _HEAD.fullmatch(head) is None:
        raise BadRequestError(400, "the request head is malformed")
    line, *lines = head[:-4].decode("latin-1").split("\r\n")
    method, target, version = line.split(" ")
    headers: dict[str, str] = {}
    for field in lines:
        name, _, value = field.partition(":")
        name, value = name.lower(), value.strip(" \t")
        if name in headers:
            value = f"{headers[name]}, {value}"
            if name == "host":
                raise BadRequestError(400, "more than one Host")
        headers[name] = value
    is_http_1_1 = version != "HTTP/1.0"
    if is_http_1_1 and "host" not in headers:
        raise BadRequestError(400, "Host is missing")
    if "transfer-encoding" in headers or headers.get("content-length", "0") != "0":
        raise BadRequestError(405 if method not in ("GET", "HEAD") else 400, "no request may carry a body here")
    connection = headers.get("connection", "").lower()
    is_keep_alive = "close" not in connection if is_http_1_1 else "keep-alive" in connection
    return Request(method, _origin_form(target), headers, is_http_1_1, is_keep_alive)


def _origin_form(target: str) -> str:
    if target.startswith("/"):
        return target
    # A client that takes us for a proxy sends the whole URL, and RFC 9112, section 3.2.2, has every server accept it.
    scheme, separator, rest = target.partition("://")
    if scheme.lower() not in ("http", "https") or not separator:
        raise BadRequestError(400, "the request target is neither a path nor an http URL")
    _, slash, path = rest.partition("/")
    return slash + path or "/"


def write_head(status: int, fields: str, date: str) -> bytes:
    """Write an answer head; `fields` are whole lines, each with its line end."""
    line = f"HTTP/1.1 {status} {get_reason(status)}"
    return f"{line}\r\nDate: {date}\r\nServer: aioflags\r\n{fields}\r\n".encode("latin-1")


_REASONS = {status.value: status.phrase for status in HTTPStatus}


def get_reason(status: int) -> str:
    """The standard phrase of a status, or a neutral word for one that has none."""
    return _REASONS.get(status, "Status")


def format_date(timestamp: float) -> str:
    """Write a POSIX time as an HTTP date, whatever the locale is.

    Source: RFC 9110, section 5.6.7.

    >>> format_date(0)
    'Thu, 01 Jan 1970 00:00:00 GMT'
    """
    year, month, day, hour, minute, second, weekday, *_ = time.gmtime(timestamp)
    return f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year:04} {hour:02}:{minute:02}:{second:02} GMT"
