"""What a job works with: opened together, closed together, in whatever moment it fails or is cancelled."""

from __future__ import annotations

import asyncio
import hashlib
import os
import resource
import threading
from pathlib import Path
from typing import Any

import pytest
import trustme

from aioflags.engines import readiness
from aioflags.engines.fake import FakeEngine
from aioflags.equipment import Equipment, open_equipment
from aioflags.errors import StorageError, UsageError
from aioflags.items import Item
from aioflags.register import Claim
from aioflags.roll import Roll
from aioflags.settings import EngineName, Settings

ENGINES: dict[EngineName, str] = {
    "asyncio": "AsyncioEngine", "aiohttp": "AiohttpEngine", "threads": "ThreadsEngine", "processes": "ProcessesEngine",
    "sequential": "ThreadsEngine",
}  # fmt: skip


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("aioflags-")]


def open_files(directory: Path) -> list[str]:
    """Descriptors of ours that are in `directory`."""
    found = []
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        except OSError:
            continue
    return [path for path in found if path.startswith(str(directory))]


def nothing_is_left(directory: Path) -> bool:
    return threads() == [] and open_files(directory) == [] and os.listdir(directory) == []


@pytest.mark.parametrize(("name", "made"), ENGINES.items())
async def test_engine_is_made_by_its_name(tmp_path: Path, name: EngineName, made: str) -> None:
    """And closed with the rest; without a download nothing remains."""
    async with open_equipment(tmp_path, Settings(concurrency=3), name) as equipment:
        assert type(equipment.engine).__name__ == made
        expected = {"asyncio": None, "aiohttp": None, "threads": 3, "sequential": 1, "processes": os.cpu_count()}
        assert equipment.engine.capacity == expected[name]
        assert [path.name for path in tmp_path.iterdir()] == [".aioflags"]
    assert nothing_is_left(tmp_path)


async def test_aiohttp_does_what_connections_of_our_own_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a proxy, and on a loop or a system that cannot look at many sockets through one descriptor."""
    async with open_equipment(tmp_path, Settings(proxy="http://127.0.0.1:9"), "asyncio") as equipment:
        assert type(equipment.engine).__name__ == "AiohttpEngine"
    monkeypatch.setattr(readiness, "is_supported", lambda _: False)
    async with open_equipment(tmp_path, Settings(), "asyncio") as equipment:
        assert type(equipment.engine).__name__ == "AiohttpEngine"


@pytest.mark.parametrize(("limit", "threads"), [(64, 10), (32, 1), (1 << 16, 200), (resource.RLIM_INFINITY, 200)])
async def test_threads_fit_the_limit_on_open_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, threads: int
) -> None:
    """No more are made than can have connections and a file; they would only wait for one another."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    async with open_equipment(tmp_path, Settings(concurrency=200), "threads") as equipment:
        assert equipment.engine.capacity == threads


async def test_claims_give_names(tmp_path: Path) -> None:
    """Each item the one that it keeps, and the same again for the same URL in one list is a duplicate."""
    async with open_equipment(tmp_path, Settings(), FakeEngine()) as equipment:
        items = [Item("http://example.org/a"), Item("http://example.net/a"), Item("http://example.org/a")]
        claims = [claim for claim in await equipment.claims.submit((items, Roll())) if isinstance(claim, Claim)]
    assert claims[0].name == "a"
    assert claims[1].name is not None
    assert claims[1].name.startswith("a-")
    assert [claim.is_duplicate for claim in claims] == [False, False, True]


async def claimed_with(equipment: Equipment, batches: list[list[Item]]) -> list[int]:
    """Have batches claimed all at once; tells for each how many were claimed when it was."""
    futures = [equipment.claims.submit((batch, None)) for batch in batches]
    counts: list[int] = []
    for future in futures:
        future.add_done_callback(lambda _: counts.append(sum(future.done() for future in futures)))
    await asyncio.gather(*futures)
    return counts


async def test_claims_of_many_batches_come_soon(tmp_path: Path) -> None:
    """However many wait, the first of them have theirs after two thousand entries, in few batches or in many."""
    items = [Item(f"http://example.org/{number}") for number in range(1024)]
    async with open_equipment(tmp_path, Settings(), FakeEngine()) as equipment:
        assert await claimed_with(equipment, [items[:1], items, items, items]) == [1, 3, 3, 4]
        assert await claimed_with(equipment, [[item] for item in items[:8]]) == [1, *[8] * 7]


@pytest.mark.parametrize("option", ["sha256", "checksum"])
async def test_claim_does_not_wait_for_many_files_to_be_read(tmp_path: Path, option: str) -> None:
    """Two at a time, of files that are there and whose digests are declared; nor does a cancellation."""
    digest = hashlib.sha256(b"flag").hexdigest()
    value = digest if option == "sha256" else f"sha256:{digest}"
    items = [Item(f"http://example.org/{number}", **{option: value}) for number in range(6)]  # type: ignore[arg-type]
    for number in range(6):
        (tmp_path / f"{number}").write_bytes(b"flag")
    async with open_equipment(tmp_path, Settings(), FakeEngine()) as equipment:
        assert await claimed_with(equipment, [[item] for item in items]) == [1, 3, 3, 5, 5, 6]
        (claim,) = await equipment.claims.submit((items[:1], None))
        assert isinstance(claim, Claim)
        assert claim.present == 4


async def test_engine_of_ones_own_is_closed(tmp_path: Path) -> None:
    """It is given away."""
    engine = FakeEngine()
    async with open_equipment(tmp_path, Settings(), engine) as equipment:
        assert equipment.engine is engine
        assert not engine.is_closed
    assert engine.is_closed


async def test_error_of_the_block_leaves_nothing(tmp_path: Path) -> None:
    """It goes on, and everything is closed."""
    engine = FakeEngine()
    with pytest.raises(ZeroDivisionError):
        async with open_equipment(tmp_path, Settings(), engine):
            raise ZeroDivisionError
    assert engine.is_closed
    assert nothing_is_left(tmp_path)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("option", ["cacert", "netrc", "directory"])
async def test_what_cannot_be_opened_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: EngineName, option: str
) -> None:
    """A file that an option names, or the destination: told at once, and what was open by then is closed."""
    bad = tmp_path / "bad"
    bad.write_text("this is no such file")
    monkeypatch.setenv("NETRC", str(bad))
    options: dict[str, Any] = {"cacert": {"cacert": str(bad)}, "netrc": {"netrc": True}, "directory": {}}
    directory = bad if option == "directory" else tmp_path / "files"
    with pytest.raises(StorageError if option == "directory" else UsageError, match=str(bad)):
        async with open_equipment(directory, Settings(**options[option]), name):
            pass
    assert threads() == []
    assert open_files(tmp_path) == []
    if directory != bad:
        assert list(directory.iterdir()) == []


@pytest.mark.parametrize("ledger", [False, True])
@pytest.mark.parametrize("name", ["asyncio", "aiohttp", "threads", "processes"])
async def test_cancelled_at_any_moment_it_leaves_nothing(tmp_path: Path, name: EngineName, ledger: bool) -> None:
    """While it opens, once or twice: tried at every turn of the loop until it is open."""
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    directory = tmp_path / "files"
    settings = Settings(cacert=str(tmp_path / "ca.pem"), ledger=ledger)
    opened = asyncio.Event()

    async def use() -> None:
        async with open_equipment(directory, settings, name):
            opened.set()

    turns = 0
    while not opened.is_set():
        task = asyncio.ensure_future(use())
        for _ in range(turns):
            await asyncio.sleep(0)
        if opened.is_set():
            await task
            continue
        task.cancel()
        await asyncio.sleep(0)
        if turns % 2:
            task.cancel()
        await asyncio.wait([task])
        assert task.cancelled() or opened.is_set()
        assert threads() == [], turns
        assert open_files(directory) == [], turns
        assert not directory.exists() or os.listdir(directory) == [], turns
        turns += 1 + turns // 20
    assert turns > 5
