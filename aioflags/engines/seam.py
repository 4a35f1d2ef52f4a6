"""The seam between policy and mechanism: what one attempt is told, what it answers. Plain data, no network, no loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Protocol

from aioflags.errors import DownloadError
from aioflags.journal import Half
from aioflags.records import dataclass
from aioflags.urls import Target

__all__ = ["Attempt", "AttemptResult", "Engine", "Meter", "Times"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request for one item.

    Args:
        target: Where the request goes.
        name: Final name, relative to the destination, `/` between folders.
        headers: User headers that may go to this target.
        expected_bytes: Size in bytes that the content must have.
        expected_digests: Algorithm to hexadecimal digest that the content must have.
        may_replace: A file of this name may be replaced.
        is_public_only: Refuse addresses of private networks: a public server redirected here.
        is_fresh: Use no kept connection: the last one was closed before it was answered.
        row: Number of the item in the ledger, 0 if none is kept.
        half: What an earlier attempt has left of the file; gone on with if it came from this target.
        may_keep: Somebody could go on with what is left if this attempt is cut; if not, nothing may be left.
        is_conditional: The headers ask for the file only if it has changed.
    """

    target: Target
    name: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    expected_bytes: int | None = None
    expected_digests: Mapping[str, str] = field(default_factory=dict)
    may_replace: bool = False
    is_public_only: bool = False
    is_fresh: bool = False
    row: int = 0
    half: Half | None = None
    may_keep: bool = False
    is_conditional: bool = False


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """How one attempt ended: saved (`error` and `location` are `None`, nothing else is said), redirected, or failed.

    Args:
        error: Why it failed.
        location: Where the server wants us to ask instead.
        detail: More than the kind says: `destination` for a fault that ends the run, as `lost bytes` does after the
            last attempt; `out of resources` for one that passes when other attempts end, `proxy` for a proxy that
            cannot be reached, `refused` or `no route` for what the system says of a connection, or what
            `aioflags.retry.retries_allowed` knows.
        http_status: Status of the answer, `None` if none came.
        bytes: Size of the saved file in bytes.
        digests: Algorithm to hexadecimal digest of the saved file.
        content_encoding: Coding in which the file was sent and is stored.
        requests: Requests that were sent.
        retry_after: Seconds that the server asks us to stay away, `None` if it does not.
        is_stale: A kept connection was closed by the server before it answered: nobody's fault, asked again at once.
        is_private: The server's address belongs to a private network.
        half: What is left of the file to go on with.
        resumed_from: Bytes that were there before the body of this answer.
        must_restart: The rest could not be had; the file is to be asked for whole.
        is_unchanged: The file is still the one that we have.
    """

    error: DownloadError | None = None
    location: str | None = None
    detail: str = ""
    http_status: int | None = None
    bytes: int = 0
    digests: Mapping[str, str] = field(default_factory=dict)
    content_encoding: str | None = None
    requests: int = 1
    retry_after: float | None = None
    is_stale: bool = False
    is_private: bool = False
    half: Half | None = None
    resumed_from: int = 0
    must_restart: bool = False
    is_unchanged: bool = False


Times = tuple[str, int, int | None, tuple[float | None, ...]]


class Meter:
    """What an attempt shows of itself while it runs; written by the engine, read by a display.

    `received` and `total` are bytes of the whole file, those that were there before included; `worker` names the
    thread or process at work, if any; the others are times in seconds on the monotonic clock, or `None`.

    Args:
        on_scheduled: Called with the future of the attempt, once the engine has it.
    """

    __slots__ = (
        "connected",
        "ended",
        "first_byte",
        "last_byte",
        "on_received",
        "on_scheduled",
        "received",
        "sent",
        "started",
        "total",
        "worker",
    )

    def __init__(self, on_scheduled: Callable[[object], None] | None = None) -> None:
        self.on_scheduled = on_scheduled
        self.on_received: Callable[[], None] | None = None
        self.worker = ""
        self.received = 0
        self.total: int | None = None
        self.started: float | None = None
        self.connected: float | None = None
        self.sent: float | None = None
        self.first_byte: float | None = None
        self.last_byte: float | None = None
        self.ended: float | None = None

    def scheduled(self, future: object) -> None:
        """The engine has made a future of the attempt: an `asyncio.Task` or a `concurrent.futures.Future`."""
        if self.on_scheduled is not None:
            self.on_scheduled(future)

    def received_whole(self) -> None:
        """All of the answer is at hand, and was found to be whole: nothing more is wanted of the host."""
        if self.on_received is not None:
            self.on_received()

    def times(self) -> Times:
        """Everything that was measured, as plain data for `take_over` in another process."""
        moments = self.started, self.connected, self.sent, self.first_byte, self.last_byte, self.ended
        return self.worker, self.received, self.total, moments

    def take_over(self, times: Times) -> None:
        """Show what was measured in another process."""
        self.worker, self.received, self.total, moments = times
        self.started, self.connected, self.sent, self.first_byte, self.last_byte, self.ended = moments


class Engine(Protocol):
    """A way to make attempts. No retry, no naming, no limits: those are the downloader's.

    `capacity` is how many attempts it can have in flight, `None` for as many as are wanted.
    """

    @property
    def capacity(self) -> int | None: ...

    async def fetch(self, attempt: Attempt, meter: Meter) -> AttemptResult:
        """Make one attempt; failure of the item is in the result, whatever is raised is a bug or a cancellation.

        Cancelled, it returns when nothing is at work for it any more. A task can be stopped at its next await; what
        a thread or process is doing can only be waited for: it looks up a few times a second whether anybody still
        wants the file, except while it resolves a name or connects.
        """

    async def close(self) -> None:
        """Give back connections and threads."""
