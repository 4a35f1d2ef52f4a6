"""Many sockets behind one descriptor: who waits is told, once removed never again."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from aioflags.engines.readiness import READ, WRITE, Readiness, is_supported


class Ear:
    """Notes what it is told, and may do something about it."""

    def __init__(self, act: object = None) -> None:
        self.told: list[int] = []
        self.act = act

    def on_ready(self, events: int) -> None:
        self.told.append(events)
        if callable(self.act):
            self.act()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    yield ours, theirs
    ours.close()
    theirs.close()


async def until_told(ear: Ear, times: int = 1) -> None:
    async with asyncio.timeout(10):
        while len(ear.told) < times:
            await asyncio.sleep(0.001)


async def quiet() -> None:
    for _ in range(20):
        await asyncio.sleep(0.001)


async def test_waiter_is_told_for_what_it_waits(pair: tuple[socket.socket, socket.socket]) -> None:
    """Reading, writing, or both; nothing when it waits no more."""
    ours, theirs = pair
    readiness, ear = Readiness(), Ear()
    readiness.add(ours, READ, ear)
    await quiet()
    assert ear.told == []
    theirs.send(b"x")
    await until_told(ear)
    assert set(ear.told) == {READ}
    readiness.change(ours, READ | WRITE, ear)
    ear.told.clear()
    await until_told(ear)
    assert set(ear.told) == {READ | WRITE}
    readiness.remove(ours)
    ear.told.clear()
    await quiet()
    assert ear.told == []
    readiness.close()


async def test_socket_closed_by_another_in_the_same_turn_is_not_told() -> None:
    """Both were ready; what the first does to the second holds."""
    pairs = [socket.socketpair() for _ in range(2)]
    readiness = Readiness()
    ears: list[Ear] = []

    def close_others(mine: int) -> None:
        other = pairs[1 - mine][0]
        if other.fileno() >= 0 and pairs[mine][0].fileno() >= 0:
            readiness.remove(other)
            other.close()

    for index, (ours, theirs) in enumerate(pairs):
        ears.append(Ear(lambda index=index: close_others(index)))
        theirs.send(b"x")
        readiness.add(ours, READ, ears[index])
    await quiet()
    assert sorted(bool(ear.told) for ear in ears) == [False, True]
    readiness.close()
    for sockets in pairs:
        for each in sockets:
            each.close()


async def test_reset_is_told_after_what_came_before_it() -> None:
    """Both are still to be read: uvloop by itself forgets one of them."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    ours.setblocking(False)
    readiness, read = Readiness(), []

    def receive() -> None:
        try:
            read.append(ours.recv(3))
        except ConnectionResetError:
            read.append(b"reset")
            readiness.remove(ours)

    ear = Ear(receive)
    theirs.sendall(b"abcdef")
    await asyncio.sleep(0.05)
    # A small reading leaves the rest in the system while the reset arrives.
    readiness.add(ours, READ, ear)
    await until_told(ear, 2)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    theirs.close()
    await until_told(ear, 3)
    assert read == [b"abc", b"def", b"reset"]
    ours.close()
    readiness.close()


async def test_loops_that_cannot_look_at_descriptors_are_told_apart() -> None:
    """On those another engine does the job."""
    assert is_supported(asyncio.get_running_loop())

    blind = type("Blind", (asyncio.AbstractEventLoop,), {})
    assert not is_supported(blind())
