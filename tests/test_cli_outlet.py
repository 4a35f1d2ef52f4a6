"""Lines on their way to a stream."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from aioflags.cli.outlet import Outlet


def ignore(_error: OSError) -> None:
    """Take a fault and do nothing."""


def hold(gate: threading.Event) -> Callable[[str], None]:
    """Make a stream whose reader takes nothing until the gate opens."""

    def write(_text: str) -> None:
        gate.wait()

    return write


def test_lines_arrive_in_order_and_whole() -> None:
    """Everything put before closing is written, line by line, in order."""
    written: list[str] = []
    outlet = Outlet(written.append, ignore)
    for number in range(1000):
        outlet.put(str(number))
    outlet.close()
    assert "".join(written) == "".join(f"{number}\n" for number in range(1000))


def test_many_lines_are_few_writes() -> None:
    """Lines that come while one is written go out together."""
    written: list[str] = []
    is_open = threading.Event()
    has_begun = threading.Event()

    def write(text: str) -> None:
        written.append(text)
        has_begun.set()
        is_open.wait()

    outlet = Outlet(write, ignore)
    outlet.put("first")
    has_begun.wait()
    for _ in range(1000):
        outlet.put("more")
    is_open.set()
    outlet.close()
    assert written == ["first\n", "more\n" * 1000]


def test_first_line_is_not_held_back() -> None:
    """A line that comes alone is written without closing and without another."""
    has_come = threading.Event()
    outlet = Outlet(lambda _: has_come.set(), ignore)
    outlet.put("now")
    assert has_come.wait(10)
    outlet.close()


def test_fault_is_reported_once_and_the_rest_dropped() -> None:
    """A reader that went away is told of once; nothing piles up for it."""
    faults: list[OSError] = []
    has_failed = threading.Event()

    def write(_text: str) -> None:
        raise BrokenPipeError

    def take(error: OSError) -> None:
        faults.append(error)
        has_failed.set()

    outlet = Outlet(write, take)
    outlet.put("a")
    has_failed.wait()
    for _ in range(100):
        outlet.put("x" * 100_000)
    assert not outlet.is_full
    outlet.close()
    assert [type(fault) for fault in faults] == [BrokenPipeError]


async def test_slow_reader_is_waited_for() -> None:
    """Whoever puts more than the reader takes waits, and goes on when there is room."""
    is_open = threading.Event()
    outlet = Outlet(hold(is_open), ignore)
    outlet.put("x" * (2 << 20))
    waiting = asyncio.create_task(outlet.wait_for_room())
    await asyncio.sleep(0)
    assert not waiting.done()
    is_open.set()
    await waiting
    assert not outlet.is_full
    outlet.close()


def test_closing_waits_no_longer_than_it_is_told() -> None:
    """A reader that never reads does not keep the program."""
    is_open = threading.Event()
    outlet = Outlet(hold(is_open), ignore)
    outlet.put("x")
    outlet.close(0.01)
    is_open.set()
    outlet.close()
