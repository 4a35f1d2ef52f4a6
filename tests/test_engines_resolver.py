"""Names become addresses on threads of our own; what does not exist is remembered."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from aioflags.engines.resolver import Resolver
from tests.name_system import LINK_6, PRIVATE, PUBLIC, PUBLIC_6, System, usual_system


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> System:
    fake = usual_system()
    monkeypatch.setattr(socket, "getaddrinfo", fake)
    return fake


@pytest_asyncio.fixture
async def resolver() -> AsyncIterator[Resolver]:
    made = Resolver()
    yield made
    await made.close()


async def addresses(resolver: Resolver, host: str) -> list[str]:
    return [row.host for row in await resolver.resolve(host, 80, socket.AF_UNSPEC)]


async def test_addresses_of_a_name(system: System, resolver: Resolver) -> None:
    """All of them, in the order of the system."""
    assert await resolver.resolve("public", 8080, socket.AF_UNSPEC) == [
        (PUBLIC, 8080, socket.AF_INET, 6),
        (PUBLIC_6, 8080, socket.AF_INET6, 6),
    ]


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


async def test_private_hosts_are_known(system: System, resolver: Resolver) -> None:
    """By what was seen of them, or by what they say of themselves; a name with one public address is public."""
    for name in ("both", "public", "private"):
        await addresses(resolver, name)
    names = ("both", "public", "private", "never seen", "127.0.0.1", "::1", PUBLIC, PUBLIC_6)
    assert [resolver.is_private(name) for name in names] == [False, False, True, False, True, True, False, False]


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
