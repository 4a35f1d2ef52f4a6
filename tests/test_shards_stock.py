"""What no worker has yet: first come, first out, but for lanes that are closed."""

from __future__ import annotations

import pytest

from aioflags.chain import JobHeaders
from aioflags.items import Item
from aioflags.jobs import Job
from aioflags.pursuit import Pursuit
from aioflags.register import Claim
from aioflags.schedule import Lane
from aioflags.settings import Settings
from aioflags.shards.stock import Stock
from aioflags.urls import parse_url

URL = "http://a.example/flag"


def job(lane: Lane) -> Job:
    pursuit = Pursuit(Claim(Item(URL), parse_url(URL), "flag"), Settings(), JobHeaders({}, {}), {})
    return Job(pursuit, lane, lambda _: None, lambda: None)


@pytest.fixture
def stock() -> Stock:
    """Empty."""
    return Stock()


def test_jobs_are_taken_in_their_order(stock: Stock) -> None:
    """As many as are wanted, and each is counted where it is."""
    lane = Lane()
    jobs = [job(lane) for _ in range(5)]
    for each in jobs:
        stock.put(each)
    assert (len(stock), lane.waiting, lane.in_flight) == (5, 5, 0)
    assert stock.take(2) == jobs[:2]
    assert (len(stock), lane.waiting, lane.in_flight) == (3, 3, 2)
    assert stock.take(9) == jobs[2:]
    assert stock.take(9) == []
    assert (len(stock), lane.waiting, lane.in_flight) == (0, 0, 5)


def test_closed_lane_keeps_its_jobs(stock: Stock) -> None:
    """While its reader is slow, the others go on."""
    closed, other = Lane(), Lane()
    first, second = job(closed), job(other)
    stock.put(first)
    stock.put(second)
    closed.is_open = False
    assert stock.take(9) == [second]
    assert (len(stock), closed.waiting) == (1, 1)
    closed.is_open = True
    assert stock.take(9) == [first]


def test_lane_is_dropped_and_the_others_stay(stock: Stock) -> None:
    """What is dropped waits no more."""
    one, other = Lane(), Lane()
    jobs = [job(one), job(other), job(one)]
    for each in jobs:
        stock.put(each)
    assert stock.drop(one) == [jobs[0], jobs[2]]
    assert stock.drop(one) == []
    assert (len(stock), one.waiting, other.waiting) == (1, 0, 1)
    assert stock.drop_all() == [jobs[1]]
    assert (len(stock), other.waiting) == (0, 0)
