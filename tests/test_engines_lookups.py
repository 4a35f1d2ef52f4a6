"""Addresses of hosts: asked for once, given in turn, and never for what is an address already."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from aioflags.engines import lookups
from aioflags.engines.lookups import Lookups
from aioflags.engines.resolver import Address, Resolver


class Directory(Resolver):
    """Knows a few names, and counts the questions."""

    def __init__(self, names: dict[str, list[str]]) -> None:
        super().__init__()
        self.names = names
        self.questions: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_UNSPEC) -> list[Address]:
        self.questions.append(host)
        await self.gate.wait()
        if host not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [Address(address, port, socket.AF_INET, 6) for address in self.names[host]]


def hosts(rows: list[Any]) -> list[str]:
    return [row[4][0] for row in rows]


async def test_each_finding_begins_with_the_next_address() -> None:
    """So many connections to one name are spread over what stands behind it, for one question."""
    directory = Directory({"h": ["10.0.0.1", "10.0.0.2", "10.0.0.3"]})
    found = [hosts(await Lookups.find(book, "h", 80)) for book in [Lookups(directory)] for _ in range(4)]
    assert [addresses[0] for addresses in found] == ["10.0.0.2", "10.0.0.3", "10.0.0.1", "10.0.0.2"]
    assert all(sorted(addresses) == ["10.0.0.1", "10.0.0.2", "10.0.0.3"] for addresses in found)
    assert directory.questions == ["h"]
    await directory.close()


async def test_many_at_once_are_one_question() -> None:
    """For each name and port; what is found belongs to whoever asked, to do with as they like."""
    directory = Directory({"h": ["10.0.0.1"], "g": ["10.0.0.2"]})
    directory.gate.clear()
    book = Lookups(directory)
    asking = [asyncio.ensure_future(book.find(host, 80)) for host in ("h", "h", "g", "h")]
    await asyncio.sleep(0.01)
    directory.gate.set()
    found = await asyncio.gather(*asking)
    assert [hosts(rows) for rows in found] == [["10.0.0.1"], ["10.0.0.1"], ["10.0.0.2"], ["10.0.0.1"]]
    assert sorted(directory.questions) == ["g", "h"]
    found[0].clear()
    assert hosts(await book.find("h", 80)) == ["10.0.0.1"]
    await directory.close()


async def test_failure_is_everybodys_and_not_remembered() -> None:
    """A name that does not exist now may exist in a moment."""
    directory = Directory({})
    book = Lookups(directory)
    for result in await asyncio.gather(*(book.find("h", 80) for _ in range(3)), return_exceptions=True):
        assert isinstance(result, socket.gaierror)
    directory.names["h"] = ["10.0.0.1"]
    assert hosts(await book.find("h", 80)) == ["10.0.0.1"]
    await directory.close()


async def test_cancelled_asker_leaves_the_others_their_answer() -> None:
    """Somebody else asks in its place."""
    directory = Directory({"h": ["10.0.0.1"]})
    directory.gate.clear()
    book = Lookups(directory)
    first = asyncio.ensure_future(book.find("h", 80))
    await asyncio.sleep(0.01)
    second = asyncio.ensure_future(book.find("h", 80))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.sleep(0.01)
    directory.gate.set()
    assert hosts(await second) == ["10.0.0.1"]
    assert first.cancelled()
    await directory.close()


async def test_answers_grow_old_and_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """After five minutes; and no more than so many are kept."""
    monkeypatch.setattr(lookups, "_REMEMBERED", 2)
    directory = Directory({name: ["10.0.0.1"] for name in "abc"})
    book = Lookups(directory)
    for name in "abca":
        await book.find(name, 80)
    assert directory.questions == ["a", "b", "c", "a"]
    monkeypatch.setattr(lookups, "_GOOD_FOR", 0.02)
    book = Lookups(directory)
    for _ in range(2):
        await book.find("b", 80)
        await asyncio.sleep(0.03)
    assert directory.questions[4:] == ["b", "b"]
    await directory.close()


@pytest.mark.parametrize(("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)])
async def test_nobody_is_asked_for_an_address(host: str, family: int) -> None:
    """It is what it says."""
    directory = Directory({})
    ((found, kind, _, _, address),) = await Lookups(directory).find(host, 8080)
    assert (found, kind, address) == (family, socket.SOCK_STREAM, (host, 8080))
    assert directory.questions == []
    await directory.close()
