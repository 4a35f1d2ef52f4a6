"""Across runs: where a ledger is kept a later run goes on with a big file that an earlier one left half, in every
engine, unless somebody else has had his hands on it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import xxhash

import aioflags
from aioflags.destination import Destination
from aioflags.engines.aiohttp_engine import AiohttpEngine
from aioflags.engines.asyncio_engine import AsyncioEngine
from aioflags.engines.seam import Attempt, Engine, Meter
from aioflags.engines.threads_engine import ThreadsEngine
from aioflags.engines.tls import load_ssl_context
from aioflags.journal import Half
from aioflags.settings import EngineName, Settings
from aioflags.storage import Storage
from aioflags.urls import parse_url
from aioflags.writer import Writer
from tests.hostile import Client, HostileServer
from tests.rangefaults import CUT_AT, NEW, OLD, Answer, Ranges, cut, refuse, rest, whole

ENGINES: tuple[EngineName, ...] = ("asyncio", "aiohttp", "threads", "processes", "sequential")
MEGABYTE = 1 << 20
SHA256 = hashlib.sha256(OLD).hexdigest()
#: Seconds after which a test gives up.
PATIENCE = 60.0


def download(
    server: HostileServer, directory: Path, engine: EngineName = "asyncio", **options: object
) -> aioflags.Outcome:
    """One run for one file."""
    settings = {"ledger": True, "retries": 0, "durability": "none", **options}
    item = aioflags.Item(f"{server.url}/file", sha256=settings.pop("sha256", None))  # type: ignore[arg-type]
    (outcome,) = asyncio.run(aioflags.download_many([item], directory, engine=engine, **settings))  # type: ignore[arg-type]
    return outcome


def parts(directory: Path) -> list[Path]:
    """The parts that are kept."""
    return sorted((directory / ".aioflags").rglob("*.part"))


def size_of_part(directory: Path) -> int:
    """Bytes of the part that is kept, all of them right; what was on its way when the connection ended may be lost."""
    (part,) = parts(directory)
    kept = part.read_bytes()
    assert MEGABYTE <= len(kept) <= CUT_AT
    assert kept == OLD[: len(kept)]
    return len(kept)


def starts(ranges: Ranges, path: str = "/file") -> list[int | None]:
    """First byte of each range that was asked for."""
    return [asked.start for asked in ranges.asked[path]]


@pytest.mark.parametrize("durability", ["none", "batch", "file"])
@pytest.mark.parametrize("engine", ENGINES)
def test_next_run_goes_on_with_a_file_that_was_cut(tmp_path: Path, engine: EngineName, durability: str) -> None:
    """The first fails and keeps the part, the second asks for the rest, and nothing but the file is left."""
    ranges = Ranges()
    with HostileServer({"file": ranges.steps(cut(), rest())}) as server:
        first = download(server, tmp_path, engine, durability=durability)
        assert (first.status, first.resumed_from) == (aioflags.Status.FAILED, 0)
        kept = size_of_part(tmp_path)
        second = download(server, tmp_path, engine, durability=durability)
    assert (second.status, second.resumed_from, second.bytes) == (aioflags.Status.SAVED, kept, len(OLD))
    assert (tmp_path / "file").read_bytes() == OLD
    assert starts(ranges) == [None, kept]
    assert parts(tmp_path) == []


def symlinked(part: Path, elsewhere: Path) -> None:
    part.rename(elsewhere)
    part.symlink_to(elsewhere)


def swapped(part: Path, _: Path) -> None:
    part.unlink()
    part.mkdir()


#: What happens to a part, and what is asked for after that; what was noted of it is there still in what is longer.
DAMAGES: dict[str, tuple[Callable[[Path, Path], object], list[int | None]]] = {
    "removed": (lambda part, _: part.unlink(), [None]),
    "shorter": (lambda part, _: os.truncate(part, MEGABYTE - 1), [None]),
    "longer": (lambda part, _: part.write_bytes(OLD[:CUT_AT] + bytes(1000)), [CUT_AT]),
    "much longer": (lambda part, _: part.write_bytes(OLD[:CUT_AT] + bytes(len(OLD))), [CUT_AT]),
    "other bytes": (lambda part, _: part.write_bytes(NEW[:CUT_AT]), [None]),
    "one other bit": (lambda part, _: part.write_bytes(b"\x01" + OLD[1:CUT_AT]), [None]),
    "hard link": (lambda part, elsewhere: os.link(part, elsewhere), [None]),
    "symbolic link": (symlinked, [None]),
    "folder": (swapped, [None]),
}


@pytest.mark.parametrize("sha256", [None, SHA256], ids=["", "declared"])
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", DAMAGES)
def test_part_that_somebody_else_has_changed(tmp_path: Path, engine: EngineName, name: str, sha256: str | None) -> None:
    """Only what was noted is gone on with; no file beside it is touched, and what is saved is right."""
    change, asked = DAMAGES[name]
    home, elsewhere = tmp_path / "files", tmp_path / "elsewhere"
    ranges = Ranges()
    with HostileServer({"file": ranges.steps(cut(), rest())}) as server:
        download(server, home, engine)
        (part,) = parts(home)
        kept = size_of_part(home)
        change(part, elsewhere)
        second = download(server, home, engine, sha256=sha256)
    assert second.status is aioflags.Status.SAVED
    assert (home / "file").read_bytes() == OLD
    assert starts(ranges) == [None, *asked]
    if elsewhere.exists():
        assert elsewhere.read_bytes() == OLD[:kept]


@pytest.mark.parametrize("what", ["link", "dangling link", "link to a directory", "directory"])
@pytest.mark.parametrize("engine", ["asyncio", "threads"])
def test_what_took_the_place_of_a_part_is_swept(tmp_path: Path, engine: EngineName, what: str) -> None:
    """The file is fetched whole, nothing of it stays, and what a link leads to is as it was."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "big").write_bytes(NEW)
    goal = {"link": outside / "big", "dangling link": outside / "nothing"}.get(what, outside)
    home = tmp_path / "home"
    ranges = Ranges()
    with HostileServer({"file": ranges.steps(cut(), whole())}) as server:
        assert download(server, home, engine).error is not None
        (part,) = parts(home)
        part.unlink()
        if what == "directory":
            part.mkdir()
        else:
            part.symlink_to(goal)
        second = download(server, home, engine)
    assert (second.error, second.resumed_from) == (None, 0)
    assert (home / "file").read_bytes() == OLD
    assert starts(ranges) == [None, None]
    assert not part.is_symlink()
    assert not part.exists()
    assert os.listdir(outside) == ["big"]
    assert (outside / "big").read_bytes() == NEW


@pytest.mark.parametrize("engine", ENGINES)
def test_part_that_has_all_bytes_asks_for_the_last_one(tmp_path: Path, engine: EngineName) -> None:
    """The run died before the file appeared; a range behind the end would be refused."""
    ranges = Ranges()
    with HostileServer({"file": ranges.steps(cut(), rest())}) as server:
        download(server, tmp_path, engine)
        (part,) = parts(tmp_path)
        part.write_bytes(OLD)
        digest = xxhash.xxh128_hexdigest(OLD)
        with closing(sqlite3.connect(tmp_path / ".aioflags" / "ledger", isolation_level=None)) as ledger:
            ledger.execute("UPDATE halves SET size = ?, hashed = ?, digest = ?", (len(OLD), len(OLD), digest))
        second = download(server, tmp_path, engine)
    assert (second.status, second.resumed_from) == (aioflags.Status.SAVED, len(OLD) - 1)
    assert (tmp_path / "file").read_bytes() == OLD
    assert starts(ranges) == [None, len(OLD) - 1]


@pytest.mark.parametrize("engine", ENGINES)
def test_file_that_has_changed_between_runs_is_fetched_anew(tmp_path: Path, engine: EngineName) -> None:
    """And of the old one nothing is left."""
    ranges = Ranges()
    with HostileServer({"file": ranges.steps(cut(), whole(NEW, 'ETag: "new"'))}) as server:
        download(server, tmp_path, engine)
        kept = size_of_part(tmp_path)
        second = download(server, tmp_path, engine)
    assert (second.status, second.resumed_from) == (aioflags.Status.SAVED, 0)
    assert (tmp_path / "file").read_bytes() == NEW
    assert (starts(ranges), parts(tmp_path)) == ([None, kept], [])


@pytest.mark.parametrize(
    ("second", "is_kept"),
    [(refuse(503), True), (refuse(403), True), (refuse(404), True), (cut(at=100_000), False), (refuse(416), False)],
)
@pytest.mark.parametrize("engine", ["asyncio", "aiohttp", "threads"])
def test_part_outlives_a_run_that_does_not_get_on(
    tmp_path: Path, engine: EngineName, second: Answer, is_kept: bool
) -> None:
    """A server that refuses leaves it as it is; one that has something else now, or no ranges, makes it worthless."""
    ranges = Ranges()
    with HostileServer({"file": ranges.steps(cut(), second, refuse(503))}) as server:
        download(server, tmp_path, engine)
        kept = size_of_part(tmp_path)
        download(server, tmp_path, engine)
        assert len(parts(tmp_path)) == is_kept
        download(server, tmp_path, engine)
    assert starts(ranges)[-1] == (kept if is_kept else None)


@pytest.mark.parametrize("engine", ENGINES)
def test_redirect_is_followed_before_the_rest_is_asked_for(tmp_path: Path, engine: EngineName) -> None:
    """A range is asked of the place that the head came from, and of no other."""
    ranges = Ranges()
    faults = {
        "file": ranges.steps(
            refuse(302, "Location: /here?signature=1"),
            refuse(302, "Location: /here?signature=2"),
            refuse(302, "Location: /there"),
        ),
        "here": ranges.steps(cut()),
        "there": ranges.steps(whole(NEW)),
    }
    with HostileServer(faults) as server:
        download(server, tmp_path, engine)
        kept = size_of_part(tmp_path)
        download(server, tmp_path, engine)
        outcome = download(server, tmp_path, engine)
    assert (outcome.status, outcome.resumed_from) == (aioflags.Status.SAVED, 0)
    assert (tmp_path / "file").read_bytes() == NEW
    assert starts(ranges, "/file") == [None, None, None]
    assert starts(ranges, "/here?signature=1") + starts(ranges, "/here?signature=2") == [None, kept]
    assert starts(ranges, "/there") == [None]
    assert parts(tmp_path) == []


@pytest.mark.parametrize("is_kept", [True, False])
@pytest.mark.parametrize("engine", ENGINES)
async def test_cancelled_run_leaves_what_another_can_go_on_with(
    tmp_path: Path, engine: EngineName, is_kept: bool
) -> None:
    """With a ledger the part, without one nothing; and the part has what had come."""
    ranges = Ranges()
    with HostileServer({"file": ranges.steps(cut(end=Client.hold), rest())}) as server:
        async with aioflags.Downloader(tmp_path, engine=engine, ledger=is_kept) as downloader:
            future = downloader.submit(f"{server.url}/file")
            async with asyncio.timeout(PATIENCE):
                while not is_big(tmp_path):
                    await asyncio.sleep(0.01)
                future.cancel()
                while downloader.running():
                    await asyncio.sleep(0.01)
            assert len(parts(tmp_path)) == is_kept
        async with aioflags.Downloader(tmp_path, engine=engine, ledger=is_kept) as downloader:
            outcome = await downloader.download_one(f"{server.url}/file")
    assert (tmp_path / "file").read_bytes() == OLD
    assert (outcome.resumed_from >= MEGABYTE) is is_kept
    assert parts(tmp_path) == []


@pytest.mark.parametrize("engine", ENGINES)
def test_killed_run_leaves_what_another_can_go_on_with(tmp_path: Path, engine: EngineName) -> None:
    """It had no time to say anything at its end: what it noted at the beginning is enough."""
    ranges = Ranges()
    with HostileServer({"file": ranges.steps(cut(end=Client.hold), rest())}) as server:
        command = [sys.executable, "-m", "aioflags", "get", "-q", f"{server.url}/file", "-d", str(tmp_path)]
        with subprocess.Popen([*command, "--engine", engine]) as process:
            until = time.monotonic() + PATIENCE
            while not is_noted(tmp_path):
                assert time.monotonic() < until
                assert process.poll() is None
                time.sleep(0.01)
            process.kill()
        outcome = download(server, tmp_path, engine)
    assert (tmp_path / "file").read_bytes() == OLD
    assert outcome.resumed_from >= MEGABYTE
    assert starts(ranges) == [None, outcome.resumed_from]
    assert parts(tmp_path) == []


def is_big(directory: Path) -> bool:
    """Enough has come to be gone on with."""
    return any(part.stat().st_size >= MEGABYTE for part in parts(directory))


def is_noted(directory: Path) -> bool:
    """The ledger knows of a part."""
    path = directory / ".aioflags" / "ledger"
    if not is_big(directory):
        return False
    with closing(sqlite3.connect(path)) as ledger:
        return ledger.execute("SELECT 1 FROM halves").fetchone() is not None


@dataclass
class Bench:
    """One engine over one destination, without a downloader; parts and files as they lie there."""

    engine: Engine
    directory: Path

    def leave_half(self, name: str) -> Half:
        """What an earlier attempt has left."""
        (next((self.directory / ".aioflags").glob("run-*")) / name).write_bytes(OLD[:CUT_AT])
        return Half(name, CUT_AT, '"old"', "", len(OLD), CUT_AT, xxhash.xxh128_hexdigest(OLD[:CUT_AT]))


@asynccontextmanager
async def bench(directory: Path, engine: str) -> AsyncIterator[Bench]:
    destination = Destination(directory)
    destination.open()
    settings = Settings()
    async with AsyncExitStack() as stack:
        stack.callback(destination.close)
        writer = Writer(destination)
        made: Engine
        if engine in {"asyncio", "aiohttp"}:
            storage = Storage(writer)
            stack.push_async_callback(storage.close)
            made = (AsyncioEngine if engine == "asyncio" else AiohttpEngine)(storage, settings)
        else:
            made = ThreadsEngine(writer, settings, load_ssl_context(None), workers=1)
        stack.push_async_callback(made.close)
        yield Bench(made, directory)


@pytest.mark.parametrize("row", [0, 7])
@pytest.mark.parametrize("engine", ["asyncio", "aiohttp", "threads"])
async def test_cancelled_at_any_moment_a_file_that_goes_on_is_whole_kept_or_gone(
    tmp_path: Path, engine: str, row: int
) -> None:
    """With a ledger the part is there, and all of it right, unless the file is; without one nothing is left."""
    ranges = Ranges()
    with HostileServer({"file": ranges.steps(rest())}) as server:
        target = parse_url(f"{server.url}/file")
        async with bench(tmp_path, engine) as tool:
            has_begun = 0
            for turns in (0, 1, 2, 3, 5, 8, 12, 18, 27, 40, 60, 90, 130, 200, 300, 500, 900):
                half = replace(tool.leave_half(f"{turns}.part"), source=f"{server.url}/file")
                attempt = Attempt(target, f"{turns}", row=row, half=half, may_keep=True)
                task = asyncio.ensure_future(tool.engine.fetch(attempt, Meter()))
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait([task])
                file = tmp_path / f"{turns}"
                kept = [part.read_bytes() for part in parts(tmp_path)]
                if file.exists():
                    assert (file.read_bytes(), kept) == (OLD, []), turns
                else:
                    # Before it has begun nothing is at work, and what there was is as it was.
                    assert len(kept) == bool(row) or kept == [OLD[:CUT_AT]], turns
                    has_begun += not kept
                    assert all(OLD.startswith(part) and len(part) >= CUT_AT for part in kept), turns
                for part in parts(tmp_path):
                    part.unlink()
                assert asyncio.all_tasks() == {asyncio.current_task()}
            assert row or has_begun
