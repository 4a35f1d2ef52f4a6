"""From a target to a connection: one of its addresses, trusted, and nothing left of what did not work."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
import trustme

from aioflags.engines.dialer import Dialer
from aioflags.engines.faults import PrivateAddressError
from aioflags.engines.link import Link
from aioflags.engines.readiness import Readiness
from aioflags.engines.resolver import Address, Resolver
from aioflags.engines.tls_link import TLSLink
from aioflags.urls import parse_url
from tests.faultserver import server_context


class Directory(Resolver):
    """Knows one name, with these addresses."""

    def __init__(self, *addresses: str) -> None:
        super().__init__()
        self.addresses = addresses

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_UNSPEC) -> list[Address]:
        return [Address(address, port, socket.AF_INET, 6) for address in self.addresses]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest_asyncio.fixture
async def readiness() -> AsyncIterator[Readiness]:
    readiness = Readiness()
    yield readiness
    readiness.close()


async def dial(
    readiness: Readiness,
    listener: socket.socket,
    *addresses: str,
    scheme: str = "http",
    context: ssl.SSLContext | None = None,
    is_public_only: bool = False,
) -> Link:
    resolver = Directory(*addresses)
    dialer = Dialer(readiness, resolver, context, insecure=False)
    host = "localhost" if addresses else "127.0.0.1"
    try:
        target = parse_url(f"{scheme}://{host}:{listener.getsockname()[1]}/")
        return await dialer.dial(target, is_public_only=is_public_only)
    finally:
        await resolver.close()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("addresses", [(), ("127.0.0.1",)], ids=["address", "name"])
async def test_connection_is_made(readiness: Readiness, listener: socket.socket, addresses: tuple[str, ...]) -> None:
    """Small requests do not wait to be put together (TCP_NODELAY)."""
    link = await dial(readiness, listener, *addresses)
    theirs, _ = listener.accept()
    link.send(b"GET")
    assert theirs.recv(3) == b"GET"
    assert link.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    link.close()
    theirs.close()


async def test_address_that_refuses_is_passed_over(readiness: Readiness) -> None:
    """As long as there is another."""
    with socket.create_server(("127.0.0.2", 0)) as listener:
        for _ in range(2):
            link = await dial(readiness, listener, "127.0.0.1", "127.0.0.2")
            assert link.sock.getpeername()[0] == "127.0.0.2"
            link.close()


async def test_nobody_there(readiness: Readiness, listener: socket.socket) -> None:
    """What the system says is raised, and nothing is left open."""
    listener.close()
    before = descriptors()
    with pytest.raises(OSError, match=r".") as caught, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        await dial(readiness, unused)
    assert isinstance(caught.value, ConnectionRefusedError)
    assert descriptors() == before


async def test_private_addresses_are_not_connected_to(readiness: Readiness, listener: socket.socket) -> None:
    """Where only public ones may be: not one packet."""
    with pytest.raises(PrivateAddressError):
        await dial(readiness, listener, "127.0.0.1", "10.0.0.1", is_public_only=True)
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.accept()


async def answer_handshake(listener: socket.socket, context: ssl.SSLContext) -> None:
    def shake() -> None:
        theirs, _ = listener.accept()
        try:
            with context.wrap_socket(theirs, server_side=True) as sealed:
                sealed.recv(1)
        except OSError:
            theirs.close()

    await asyncio.to_thread(shake)


async def test_trusted_server_is_talked_to_under_tls(
    readiness: Readiness, listener: socket.socket, authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    """Hands are shaken before the connection is given."""
    server = asyncio.ensure_future(answer_handshake(listener, server_context(authority)))
    link = await dial(readiness, listener, scheme="https", context=trusting)
    assert isinstance(link, TLSLink)
    link.send(b"x")
    await server
    link.close()


async def test_server_that_is_not_trusted_is_not_talked_to(
    readiness: Readiness, listener: socket.socket, authority: trustme.CA
) -> None:
    """Nothing is left of the connection."""
    before = descriptors()
    server = asyncio.ensure_future(answer_handshake(listener, server_context(authority)))
    with pytest.raises(ssl.SSLCertVerificationError):
        await dial(readiness, listener, scheme="https", context=ssl.create_default_context())
    await server
    assert descriptors() == before


async def test_whoever_gives_up_in_the_handshake_leaves_nothing(
    readiness: Readiness, listener: socket.socket, trusting: ssl.SSLContext
) -> None:
    """The server has accepted and says nothing."""
    before = descriptors()
    dialling = asyncio.ensure_future(dial(readiness, listener, scheme="https", context=trusting))
    theirs, _ = await asyncio.to_thread(listener.accept)
    await asyncio.sleep(0.02)
    dialling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dialling
    theirs.close()
    assert descriptors() == before
