"""Entries of one host: what has begun before what is new, lanes in turn, and when nothing is left to wait for."""

from __future__ import annotations

from collections import deque

import pytest

from aioflags.queues import HostQueue, Lane


@pytest.fixture
def host() -> HostQueue[str]:
    return HostQueue("h", 4.0)


def test_what_has_begun_comes_before_what_is_new(host: HostQueue[str]) -> None:
    """As far as its lane is open."""
    old, new = Lane(), Lane()
    host.begun[old] = deque(["again"])
    host.queues[new] = deque(["new"])
    assert host.choose() == (host.begun, old)
    old.is_open = False
    assert host.choose() == (host.queues, new)
    new.is_open = False
    assert host.choose() is None


@pytest.mark.parametrize("obstacle", ["in flight", "delayed", "begun"])
def test_held_it_begins_nothing_while_something_is_not_over(host: HostQueue[str], obstacle: str) -> None:
    """Whether it is in flight, has to wait, or waits for its turn."""
    lane = Lane()
    host.queues[lane] = deque(["new"])
    host.is_held = True
    assert host.choose() == (host.queues, lane)
    host.in_flight = int(obstacle == "in flight")
    host.delayed = int(obstacle == "delayed")
    if obstacle == "begun":
        host.begun[lane] = deque(["again"])
    assert not host.is_quiet()
    assert host.choose() == ((host.begun, lane) if obstacle == "begun" else None)


def test_it_is_ready_when_pause_and_rate_allow(host: HostQueue[str]) -> None:
    """The later of the two."""
    assert host.ready_at() == float("-inf")
    host.next_start, host.paused_until = 3.0, 2.0
    assert host.ready_at() == 3.0
    host.paused_until = 9.0
    assert host.ready_at() == 9.0


def test_it_is_idle_when_nothing_is_left(host: HostQueue[str]) -> None:
    """Its length is what waits for its turn."""
    assert (len(host), host.is_idle()) == (0, True)
    host.queues[Lane()] = deque(["a", "b"])
    host.begun[Lane()] = deque(["c"])
    assert (len(host), host.is_idle()) == (3, False)
    host.queues.clear()
    host.begun.clear()
    host.delayed = 1
    assert (len(host), host.is_idle()) == (0, False)
