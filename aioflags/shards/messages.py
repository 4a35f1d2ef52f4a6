"""What crosses between the parent of a job and its workers: plain data that any stream of bytes can carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aioflags.errors import DownloadError
from aioflags.items import Outcome
from aioflags.jobs import Running, Waiting
from aioflags.register import Claim
from aioflags.settings import Settings

__all__ = [
    "Bug",
    "Cancel",
    "Fault",
    "Leave",
    "Order",
    "Pause",
    "Place",
    "Plan",
    "Renew",
    "Report",
    "Share",
    "Stop",
    "Stray",
]


class Place(NamedTuple):
    """Where files go: the destination, the private folder of the run in it, and the ledger, `None` if none is kept."""

    directory: str
    run_name: str
    ledger: str | None


# From the parent to a worker


class Plan(NamedTuple):
    """The first message: where files go, with which limits, by which engine, and the headers of every request."""

    place: Place
    settings: Settings
    engine: str
    headers: Mapping[str, str]


class Order(NamedTuple):
    """One item, named and claimed; its number among those handed out, its lane, and what its own host may be told."""

    number: int
    lane: int
    claim: Claim
    credentials: Mapping[str, str]


class Share(NamedTuple):
    """Items to download."""

    orders: Sequence[Order]


class Cancel(NamedTuple):
    """Nobody wants the items of a lane any more; each is reported all the same, when nothing is at work for it."""

    lane: int


class Leave(NamedTuple):
    """End what is in flight, and yourself."""


class Stop(NamedTuple):
    """Start nothing new; what is in flight goes on."""


class Renew(NamedTuple):
    """What halted the run is to be tried again."""


# Either way


class Pause(NamedTuple):
    """A host asks to be left alone for some seconds, and why."""

    host: str
    seconds: float
    why: str


# From a worker to the parent


class Report(NamedTuple):
    """How it goes.

    Args:
        ends: Numbers of items that have ended, with their outcomes; `None` for one that ended without.
        running: What is in flight; `None` for no news.
        waiting: What is waited for; `None` for no news.
        halted_by: What lets nothing more be started.
        is_hungry: More could be started, but not of what is there.
    """

    ends: Sequence[tuple[int, Outcome | None]]
    running: Sequence[Running] | None
    waiting: Waiting | None
    halted_by: DownloadError | None
    is_hungry: bool


class Bug(NamedTuple):
    """The worker ends by an error that nobody foresaw; its traceback, secrets and all: the parent redacts."""

    traceback: str


class Stray(NamedTuple):
    """An error that the worker's loop could hand to nobody; the work goes on.

    Args:
        message: What the loop says of it.
        traceback: Of the error, secrets and all: the parent redacts; empty if there is none.
    """

    message: str
    traceback: str


class Fault(NamedTuple):
    """The destination has failed, and the run with it."""

    error: DownloadError
