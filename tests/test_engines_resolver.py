"""Names become addresses on threads of our own; what does not exist is remembered, what is private may be left out.

The system's look-up is replaced: tests ask no name server.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from aioflags.engines.faults import PrivateAddressError
from aioflags.engines.resolver import Resolver, SessionResolver

PUBLIC, PRIVATE, PUBLIC_6, LINK_6 = "93.184.216.34", "10.0.0.7", "2606:4700::1111", "fe80::1"


class System:
    """What `socket.getaddrinfo` is replaced by.

    Args:
        names: Name to its addresses, or to the error that it ends in.
    """

    def __init__(self, names: dict[str, list[str] | OSError]) -> None:
        self.names = names
        self.asked: list[str] = []
        self.threads: set[str] = set()
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, host: str, port: int, family: int, *rest: int) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        self.threads.add(threading.current_thread().name)
        self.gate.wait(10)
        found = self.names[host]
        if isinstance(found, OSError):
            raise found
        return [self._row(address, port) for address in found]

    def _row(self, address: str, port: int) -> tuple[Any, ...]:
        if ":" not in address:
            return socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)
        scope = 3 if address == LINK_6 else 0
        return socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, scope)


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> System:
    fake = System(
        {
            "both": [PUBLIC, PRIVATE],
            "public": [PUBLIC, PUBLIC_6],
            "private": [PRIVATE, LINK_6],
            "nowhere": socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            "later": socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
        }
    )
    monkeypatch.setattr(socket, "getaddrinfo", fake)
    return fake


@pytest_asyncio.fixture
async def resolver() -> AsyncIterator[Resolver]:
    made = Resolver()
    yield made
    await made.close()


async def addresses(resolver: Resolver | SessionResolver, host: str) -> list[str]:
    return [row["host"] for row in await resolver.resolve(host, 80, socket.AF_UNSPEC)]


async def test_addresses_of_a_name(system: System, resolver: Resolver) -> None:
    """All of them, in the order of the system, marked as numbers so that nobody looks them up again."""
    rows = await resolver.resolve("public", 8080, socket.AF_UNSPEC)
    assert [(row["host"], row["port"], row["hostname"]) for row in rows] == [
        (PUBLIC, 8080, "public"),
        (PUBLIC_6, 8080, "public"),
    ]
    assert all(row["flags"] & socket.AI_NUMERICHOST for row in rows)


async def test_address_with_a_scope(system: System, resolver: Resolver) -> None:
    """A link-local address means nothing without its link."""
    assert await addresses(resolver, "private") == [PRIVATE, f"{LINK_6}%3"]


async def test_look_ups_have_threads_of_their_own(system: System, resolver: Resolver) -> None:
    """Many at a time, none of them on the loop or its default executor."""
    system.names.update({f"h{number}": [PUBLIC] for number in range(20)})
    system.gate.clear()
    looking = [asyncio.ensure_future(addresses(resolver, f"h{number}")) for number in range(20)]
    while len(system.asked) < 20:
        await asyncio.sleep(0.001)
    system.gate.set()
    assert await asyncio.gather(*looking) == [[PUBLIC]] * 20
    assert {name.rpartition("_")[0] for name in system.threads} == {"aioflags-dns"}


async def test_name_that_does_not_exist_is_remembered(system: System, resolver: Resolver) -> None:
    """A list with a thousand URLs of one dead host asks once."""
    for _ in range(3):
        with pytest.raises(socket.gaierror) as caught:
            await addresses(resolver, "nowhere")
        assert caught.value.errno == socket.EAI_NONAME
    assert system.asked == ["nowhere"]


async def test_look_up_that_may_pass_is_not_remembered(system: System, resolver: Resolver) -> None:
    """An overloaded name server is asked again."""
    with pytest.raises(socket.gaierror):
        await addresses(resolver, "later")
    system.names["later"] = [PUBLIC]
    assert await addresses(resolver, "later") == [PUBLIC]


async def test_private_addresses_may_be_left_out(system: System, resolver: Resolver) -> None:
    """A name with both kinds leads to the public one only; one that has no public one leads nowhere."""
    public = SessionResolver(resolver, is_public_only=True)
    assert await addresses(public, "both") == [PUBLIC]
    assert await addresses(public, "public") == [PUBLIC, PUBLIC_6]
    with pytest.raises(PrivateAddressError):
        await addresses(public, "private")
    assert await addresses(SessionResolver(resolver, is_public_only=False), "both") == [PUBLIC, PRIVATE]


async def test_private_hosts_are_known(system: System, resolver: Resolver) -> None:
    """By what was seen of them, or by what they say of themselves; a name with one public address is public."""
    for name in ("both", "public", "private"):
        await addresses(resolver, name)
    names = ("both", "public", "private", "never seen", "127.0.0.1", "::1", PUBLIC, PUBLIC_6)
    assert [resolver.is_private(name) for name in names] == [False, False, True, False, True, True, False, False]


async def test_connector_does_not_close_what_others_use(system: System, resolver: Resolver) -> None:
    """The resolver is shared by the sessions of an engine."""
    await SessionResolver(resolver, is_public_only=True).close()
    assert await addresses(resolver, "public") == [PUBLIC, PUBLIC_6]


async def test_closing_waits_for_no_name_server(system: System) -> None:
    """A look-up can take the system's patience; a run that is over does not."""
    made = Resolver()
    system.gate.clear()
    looking = asyncio.ensure_future(addresses(made, "public"))
    while not system.asked:
        await asyncio.sleep(0.001)
    await asyncio.wait_for(made.close(), 5)
    looking.cancel()
    await asyncio.wait([looking])
    system.gate.set()
