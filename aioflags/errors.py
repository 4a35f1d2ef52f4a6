"""Everything that aioflags raises or keeps as data, split by who must act; knows no HTTP, no files, no loop.

::

    AioflagsError
    ├── UsageError, a ValueError   the caller: the call is wrong; raised before any request
    └── DownloadError              one item failed; kept in its Outcome
        ├── ConnectionFailed       the network: dns, connect, tls, timeout, stalled, disconnected
        ├── TruncatedError         the network: truncated
        ├── StatusError            the server: http
        ├── ProtocolError          the server: protocol, redirect
        ├── ChecksumError          whoever published the file: checksum
        ├── StorageError           the disk: storage; a fault of the destination itself ends the run
        └── RefusedError           the user, whose list or limits forbid it: url, name, exists, too_large, policy
"""

from __future__ import annotations

__all__ = [
    "KINDS",
    "AioflagsError",
    "ChecksumError",
    "ConnectionFailed",
    "DownloadError",
    "ProtocolError",
    "RefusedError",
    "StatusError",
    "StorageError",
    "TruncatedError",
    "UsageError",
    "make_error",
]


class AioflagsError(Exception):
    """Root of all errors of this package."""


class UsageError(AioflagsError, ValueError):
    """The call itself is wrong: a bad option, header or list. Raised before any request."""


class DownloadError(AioflagsError):
    """One item could not be downloaded.

    Args:
        kind: One of `KINDS`.
        message: What happened and what to do, free of secrets and of control characters.
        host: The host it happened at, `None` where no host was involved.

    All arguments are positional and plain, so that the error survives pickling (its cause does not).
    """

    def __init__(self, kind: str, message: str, host: str | None = None) -> None:
        super().__init__(kind, message, host)
        self.kind = kind
        self.message = message
        self.host = host

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


class ConnectionFailed(DownloadError):  # noqa: N818 - ConnectionError is a builtin
    """The network did not carry the request or the answer."""


class TruncatedError(DownloadError):
    """The body ended before its announced end."""


class StatusError(DownloadError):
    """The server answered with a status that is no success."""


class ProtocolError(DownloadError):
    """The answer is not valid HTTP, or does not fit the request."""


class ChecksumError(DownloadError):
    """The bytes are not those that the list declares."""


class StorageError(DownloadError):
    """The file could not be written."""


class RefusedError(DownloadError):
    """The user's list, limits or policy forbid this item."""


KINDS: dict[str, type[DownloadError]] = {
    "dns": ConnectionFailed,
    "connect": ConnectionFailed,
    "tls": ConnectionFailed,
    "timeout": ConnectionFailed,
    "stalled": ConnectionFailed,
    "disconnected": ConnectionFailed,
    "truncated": TruncatedError,
    "protocol": ProtocolError,
    "redirect": ProtocolError,
    "http": StatusError,
    "too_large": RefusedError,
    "checksum": ChecksumError,
    "exists": RefusedError,
    "name": RefusedError,
    "url": RefusedError,
    "storage": StorageError,
    "policy": RefusedError,
}


def make_error(kind: str, message: str, host: str | None = None) -> DownloadError:
    """Build the error whose class belongs to `kind`.

    Raises:
        KeyError: `kind` is not one of `KINDS`.

    >>> make_error("truncated", "5 of 10 bytes arrived", "example.org")
    TruncatedError('truncated', '5 of 10 bytes arrived', 'example.org')
    """
    return KINDS[kind](kind, message, host)
