"""The resolver as aiohttp's connectors see it: what is private may be left out."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from aioflags.engines.faults import PrivateAddressError
from aioflags.engines.resolver import Resolver
from aioflags.engines.session_resolver import SessionResolver
from tests.name_system import PRIVATE, PUBLIC, PUBLIC_6, System, usual_system


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


async def addresses(resolver: SessionResolver, host: str) -> list[str]:
    return [row["host"] for row in await resolver.resolve(host, 80, socket.AF_INET)]


async def test_addresses_are_numbers(system: System, resolver: Resolver) -> None:
    """Each has the name that it belongs to, and is marked so that nobody looks it up again."""
    rows = await SessionResolver(resolver, is_public_only=False).resolve("public", 8080)
    assert [(row["host"], row["port"], row["hostname"]) for row in rows] == [
        (PUBLIC, 8080, "public"),
        (PUBLIC_6, 8080, "public"),
    ]
    assert all(row["flags"] & socket.AI_NUMERICHOST for row in rows)


async def test_private_addresses_may_be_left_out(system: System, resolver: Resolver) -> None:
    """A name with both kinds leads to the public one only; one that has no public one leads nowhere."""
    public = SessionResolver(resolver, is_public_only=True)
    assert await addresses(public, "both") == [PUBLIC]
    assert await addresses(public, "public") == [PUBLIC, PUBLIC_6]
    with pytest.raises(PrivateAddressError):
        await addresses(public, "private")
    assert await addresses(SessionResolver(resolver, is_public_only=False), "both") == [PUBLIC, PRIVATE]


async def test_connector_does_not_close_what_others_use(system: System, resolver: Resolver) -> None:
    """The resolver is shared by the sessions of an engine."""
    await SessionResolver(resolver, is_public_only=True).close()
    assert len(await resolver.resolve("public", 80, socket.AF_UNSPEC)) == 2
