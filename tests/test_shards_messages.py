"""What crosses between the parent of a job and its workers."""

from __future__ import annotations

import pickle

import pytest

from aioflags.errors import make_error
from aioflags.items import Item, Outcome, Status
from aioflags.jobs import Waiting
from aioflags.journal import Half
from aioflags.register import Claim
from aioflags.settings import Settings
from aioflags.shards.messages import (
    Bug,
    Cancel,
    Fault,
    Leave,
    Order,
    Pause,
    Place,
    Plan,
    Renew,
    Report,
    Share,
    Stop,
    Stray,
)
from aioflags.urls import parse_url

ITEM = Item("http://u:p@h/a?b", "name", sha256="0" * 64, headers={"X-Key": "1"}, line=3)
HALF = Half("1-abcd.part", 2 << 20, '"v1"', "http://h:80/a", 1 << 30, 2 << 20, "00" * 16)
CLAIM = Claim(ITEM, parse_url(ITEM.url), "name", {"sha256": "0" * 64}, row=7, may_replace=True, half=HALF, etag='"e"')
ERROR = make_error("connect", "no", "h")


@pytest.mark.parametrize(
    "message",
    [
        Plan(Place("d", "run", None), Settings(header={"A": "1"}), "asyncio", {"A": "1"}),
        Share([Order(1, 2, CLAIM, {"Authorization": "Basic x"})]),
        Cancel(1),
        Pause("h", 2.0, "said so"),
        Report([(1, Outcome("http://h/", Status.FAILED, error=ERROR)), (2, None)], (), Waiting(), ERROR, True),
        Bug("Traceback"),
        Stray("a callback failed", ""),
        Fault(ERROR),
        Leave(),
        Renew(),
        Stop(),
    ],
    ids=lambda message: type(message).__name__,
)
def test_message_is_the_same_on_the_other_side(message: object) -> None:
    """Nothing is lost, and kinds without content are told apart."""
    crossed = pickle.loads(pickle.dumps(message))
    assert type(crossed) is type(message)
    # Errors have no equality of their own.
    assert repr(crossed) == repr(message)
