"""Bodies cross to a private executor and appear whole; whoever leaves early leaves nothing, and nothing at work."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest
import pytest_asyncio

from aioflags.destination import Destination
from aioflags.disk_errors import is_destination_fault
from aioflags.errors import ChecksumError, RefusedError, StorageError
from aioflags.journal import Half
from aioflags.parts import Part, WholePart
from aioflags.storage import Saved, Storage, Stream, Wanted
from aioflags.writer import Whole, Writer

PATIENCE = 30.0
SHA256 = hashlib.sha256(b"flag").hexdigest()


class SlowWriter(Writer):
    """A writer whose groups, parts and commits wait until they may go on."""

    def __init__(self, destination: Destination) -> None:
        super().__init__(destination)
        self.destination = destination
        self.groups: list[int] = []
        self.may_go = threading.Event()
        self.may_go.set()
        self.at_work = 0

    def _wait(self) -> None:
        self.at_work += 1
        assert self.may_go.wait(PATIENCE)
        self.at_work -= 1

    def write_group(self, group: Sequence[Whole]) -> list[Saved | Exception]:
        self.groups.append(len(group))
        self._wait()
        return super().write_group(group)

    def new_part(self, wanted: Wanted) -> Part:
        self._wait()
        return super().new_part(wanted)

    def commit(self, wanted: Wanted, part: Part) -> Saved:
        self._wait()
        return super().commit(wanted, part)

    @property
    def files(self) -> dict[str, bytes]:
        """Final names that have appeared, with their bytes."""
        home = Path(self.destination.path)
        found = [path for path in home.rglob("*") if path.is_file() and ".aioflags" not in path.parts]
        return {str(path.relative_to(home)): path.read_bytes() for path in found}

    @property
    def parts(self) -> list[str]:
        """What is in the private folder."""
        return os.listdir(self.destination.run_path)


@pytest.fixture
def writer(tmp_path: Path) -> SlowWriter:
    """Over an open destination."""
    destination = Destination(tmp_path / "downloads")
    destination.open()
    return SlowWriter(destination)


@pytest_asyncio.fixture
async def storage(writer: SlowWriter) -> AsyncIterator[Storage]:
    """At the end no thread is left, and nothing but the files."""
    storage = Storage(writer)
    yield storage
    writer.may_go.set()
    await storage.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("aioflags-disk")]
    assert writer.parts == []
    writer.destination.close()
    assert ".aioflags" not in os.listdir(writer.destination.path)


@asynccontextmanager
async def stream_to(storage: Storage, wanted: Wanted) -> AsyncIterator[Stream]:
    """A stream that keeps nothing when it is left early."""
    stream = storage.stream()
    stream.accept(wanted)
    try:
        yield stream
    finally:
        await stream.settle(keeps=False)


async def turn() -> None:
    """Let everything happen that can happen on the loop now."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_many_small_files_are_few_jobs(storage: Storage, writer: SlowWriter) -> None:
    """What arrives while the first is written goes together, and each is whole."""
    writer.may_go.clear()
    saving = [asyncio.ensure_future(storage.save(Wanted(f"{n % 7}/{n}"), [b"%d" % n, b"!"])) for n in range(200)]
    await turn()
    writer.may_go.set()
    saved = await asyncio.gather(*saving)
    assert writer.groups == [1, 199]
    assert [one.bytes for one in saved] == [len(str(number)) + 1 for number in range(200)]
    assert writer.files == {f"{number % 7}/{number}": b"%d!" % number for number in range(200)}


async def test_failed_file_fails_its_own_caller(storage: Storage, writer: SlowWriter) -> None:
    """Wrong digest, taken name: nothing appears, and the neighbours do."""
    ends = await asyncio.gather(
        storage.save(Wanted("a"), [b"flag"]),
        storage.save(Wanted("b", {"sha256": "0" * 64}), [b"flag"]),
        storage.save(Wanted("a"), [b"other"]),
        storage.save(Wanted("c", {"sha256": SHA256}), [b"fl", b"ag"]),
        return_exceptions=True,
    )
    assert [type(end) for end in ends] == [Saved, ChecksumError, RefusedError, Saved]
    assert writer.files == {"a": b"flag", "c": b"flag"}


async def test_cancelled_before_its_group_begins(storage: Storage, writer: SlowWriter) -> None:
    """It never begins."""
    writer.may_go.clear()
    tasks = [asyncio.ensure_future(storage.save(Wanted(name), [b"flag"])) for name in "abc"]
    await turn()
    tasks[1].cancel()
    await turn()
    assert tasks[1].cancelled()
    writer.may_go.set()
    await asyncio.gather(tasks[0], tasks[2])
    assert sorted(writer.files) == ["a", "c"]


async def test_cancelled_while_its_group_is_in_flight(storage: Storage, writer: SlowWriter) -> None:
    """The cancellation goes on when no thread is at work any more, and no part is left."""
    writer.may_go.clear()
    task = asyncio.ensure_future(storage.save(Wanted("a"), [b"flag"]))
    await turn()
    task.cancel()
    await turn()
    assert not task.done()
    writer.may_go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (writer.at_work, writer.parts) == (0, [])
    assert writer.files == {"a": b"flag"}


async def test_closing_lets_nobody_wait_for_ever(writer: SlowWriter) -> None:
    """What is being written is finished; what has not begun is cancelled."""
    storage = Storage(writer)
    writer.may_go.clear()
    tasks = [asyncio.ensure_future(storage.save(Wanted(name), [b"flag"])) for name in "abc"]
    await turn()
    closing = asyncio.ensure_future(storage.close())
    await turn()
    assert not closing.done()
    writer.may_go.set()
    await closing
    ends = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), PATIENCE)
    assert [type(end) for end in ends] == [Saved, asyncio.CancelledError, asyncio.CancelledError]
    assert writer.files == {"a": b"flag"}
    writer.destination.close()


async def test_long_body_streams(storage: Storage, writer: SlowWriter) -> None:
    """Batch after batch, and nothing has the name before the end."""
    async with stream_to(storage, Wanted("deep/a", {"sha256": hashlib.sha256(b"abc" * 600).hexdigest()})) as stream:
        for _ in range(200):
            await stream.write([b"abc", b"ab", b"cabc"])
        assert writer.files == {}
        saved = await stream.finish()
    assert (saved.bytes, list(saved.digests)) == (1800, ["xxh128", "sha256"])
    assert writer.files == {"deep/a": b"abc" * 600}


async def test_empty_stream_is_an_empty_file(storage: Storage, writer: SlowWriter) -> None:
    """No batch is no bytes, not no file."""
    async with stream_to(storage, Wanted("a")) as stream:
        assert (await stream.finish()).bytes == 0
    assert writer.files == {"a": b""}


async def test_streams_run_side_by_side(storage: Storage, writer: SlowWriter) -> None:
    """Each into its own part."""

    async def send(number: int) -> None:
        async with stream_to(storage, Wanted(f"{number}")) as stream:
            for _ in range(20):
                await stream.write([b"%d" % number])
            await stream.finish()

    await asyncio.gather(*(send(number) for number in range(10)))
    assert writer.files == {f"{number}": b"%d" % number * 20 for number in range(10)}


@pytest.mark.parametrize("batches", [0, 1, 5])
async def test_stream_that_is_left_early_leaves_nothing(storage: Storage, writer: SlowWriter, batches: int) -> None:
    """Whatever made the caller leave."""
    with pytest.raises(RuntimeError, match="enough"):
        async with stream_to(storage, Wanted("a")) as stream:
            for _ in range(batches):
                await stream.write([b"flag"])
            raise RuntimeError("enough")
    async with stream_to(storage, Wanted("b")) as stream:
        await stream.write([b"flag"])
    assert (writer.files, writer.parts) == ({}, [])


@pytest.mark.parametrize(
    ("wanted", "error"), [(Wanted("a", {"sha256": SHA256}), ChecksumError), (Wanted("taken"), RefusedError)]
)
async def test_stream_that_may_not_appear_leaves_nothing(
    storage: Storage, writer: SlowWriter, wanted: Wanted, error: type[Exception]
) -> None:
    """Wrong digest or taken name, told at the end."""
    await storage.save(Wanted("taken"), [b"old"])
    with pytest.raises(error):
        async with stream_to(storage, wanted) as stream:
            await stream.write([b"no flag"])
            await stream.finish()
    assert (writer.files, writer.parts) == ({"taken": b"old"}, [])


class HeldPart(Part):
    """A part whose second write and all later ones wait for a sign, as on a slow disk."""

    may_go: threading.Event
    writes = 0

    def writelines(self, chunks: object, /) -> None:
        self.writes += 1
        if self.writes > 1:
            assert self.may_go.wait(PATIENCE)
        super().writelines(chunks)  # type: ignore[arg-type]


class HeldWriter(SlowWriter):
    """Makes such parts."""

    def new_part(self, wanted: Wanted) -> Part:
        part = super().new_part(wanted)
        part.__class__ = HeldPart
        assert isinstance(part, HeldPart)
        part.may_go = self.held
        return part

    def __init__(self, destination: Destination) -> None:
        super().__init__(destination)
        self.held = threading.Event()


async def test_slow_disk_holds_the_network_back(tmp_path: Path) -> None:
    """One batch is on its way while the next is filled; a third is not taken before the first is written."""
    destination = Destination(tmp_path)
    destination.open()
    writer = HeldWriter(destination)
    storage = Storage(writer)
    async with stream_to(storage, Wanted("a")) as stream:
        await stream.write([b"1"])
        await stream.write([b"2"])
        third = asyncio.ensure_future(stream.write([b"3"]))
        await turn()
        assert not third.done()
        writer.held.set()
        await third
        await stream.finish()
    await storage.close()
    assert writer.files == {"a": b"123"}
    destination.close()


@pytest.mark.parametrize("step", ["open", "write", "finish", "leave"])
async def test_cancelled_stream_leaves_no_part_and_no_thread_at_work(tmp_path: Path, step: str) -> None:
    """While it is opened, written, or about to appear: when the cancellation goes on, the disk is quiet."""
    destination = Destination(tmp_path)
    destination.open()
    writer = HeldWriter(destination)
    storage = Storage(writer)

    async def send() -> None:
        async with stream_to(storage, Wanted("a")) as stream:
            await stream.write([b"1"])
            if step in {"write", "leave"}:
                await stream.write([b"2"])
                if step == "write":
                    await stream.write([b"3"])
                return
            writer.may_go.clear()
            await stream.finish()

    if step == "open":
        writer.may_go.clear()
    task = asyncio.ensure_future(send())
    while not (writer.at_work if step in {"open", "finish"} else _is_writing(writer)):
        await asyncio.sleep(0)
    await turn()
    task.cancel()
    await turn()
    assert not task.done()
    writer.may_go.set()
    writer.held.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (writer.at_work, writer.parts) == (0, [])
    # Cancelled while it appeared, the file is there, and whole; else there is none.
    assert writer.files == ({"a": b"1"} if step == "finish" else {})
    await storage.close()
    destination.close()
    del task
    gc.collect()


def _is_writing(writer: HeldWriter) -> bool:
    found = [thing for thing in gc.get_objects() if type(thing) is HeldPart and thing.may_go is writer.held]
    return any(part.writes == 2 for part in found)


class FullDestination(Destination):
    """Its parts take no byte."""

    def new_part(self, algorithms: Iterable[str] = ()) -> Part:
        return _filled(super().new_part(algorithms))

    def new_whole_part(self) -> WholePart:
        return _filled(super().new_whole_part())


P = TypeVar("P", Part, WholePart)


def _filled(part: P) -> P:
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, part.fileno())
    os.close(full)
    return part


async def test_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    """Handed over whole or streamed: a storage error that names the file, and is one of the destination."""
    destination = FullDestination(tmp_path)
    destination.open()
    writer = SlowWriter(destination)
    storage = Storage(writer)
    with pytest.raises(StorageError) as saving:
        await storage.save(Wanted("a"), [b"flag"])
    with pytest.raises(StorageError) as streaming:
        async with stream_to(storage, Wanted("a")) as stream:
            for _ in range(3):
                await stream.write([b"flag"])
    with pytest.raises(StorageError) as finishing:
        async with stream_to(storage, Wanted("a")) as stream:
            await stream.write([b"flag"])
            await stream.finish()
    for caught in (saving, streaming, finishing):
        assert str(caught.value).startswith("storage: cannot write a: No space left on device")
        assert is_destination_fault(caught.value)
    assert (writer.files, writer.parts) == ({}, [])
    await storage.close()
    destination.close()


async def test_full_disk_that_nobody_asks_about_is_not_lost_aloud(tmp_path: Path) -> None:
    """Whoever leaves early does not care about the last batch any more."""
    destination = FullDestination(tmp_path)
    destination.open()
    writer = SlowWriter(destination)
    storage = Storage(writer)
    async with stream_to(storage, Wanted("a")) as stream:
        await stream.write([b"flag"])
    del stream
    gc.collect()
    await storage.close()
    assert (writer.files, writer.parts) == ({}, [])
    destination.close()


HEAD = b"x" * (1 << 20)
REST = Half("", 0, '"a"', "http://h/a")


async def leave_half(storage: Storage) -> Half:
    """What a cut stream has left."""
    stream = storage.stream(7)
    stream.accept(Wanted("a", row=7, rest=REST))
    await stream.write([HEAD])
    half = await stream.settle(keeps=True)
    assert half is not None
    return half


async def test_stream_goes_on_where_another_was_cut(storage: Storage, writer: SlowWriter) -> None:
    """What was handed over before it was settled is in the part, and the rest comes after it."""
    half = await leave_half(storage)
    assert (half.size, writer.parts) == (len(HEAD), [half.part])
    stream = storage.stream(7, half)
    await stream.open_head(Wanted("a"), half)
    assert stream.head == half
    stream.accept(Wanted("a", row=7, rest=REST), half.size)
    await stream.write([b"tail"])
    saved = await stream.finish()
    assert await stream.settle(keeps=True) is None
    assert saved.bytes == len(HEAD) + 4
    assert writer.files == {"a": HEAD + b"tail"}


async def test_head_that_was_asked_for_in_vain_is_kept_or_gone(storage: Storage, writer: SlowWriter) -> None:
    """As the caller says."""
    half = await leave_half(storage)
    stream = storage.stream(7, half)
    await stream.open_head(Wanted("a"), half)
    assert await stream.settle(keeps=True) == half
    assert await storage.stream(7, half).settle(keeps=False) is None
    assert writer.parts == []


async def test_stream_with_a_hole_is_not_kept(tmp_path: Path) -> None:
    """A batch that could not be written is missing, whoever was cancelled while it was waited for."""
    destination = FullDestination(tmp_path)
    destination.open()
    writer = SlowWriter(destination)
    storage = Storage(writer)
    stream = storage.stream(7)
    stream.accept(Wanted("a", row=7, rest=REST))
    await stream.write([HEAD])
    with pytest.raises(StorageError):
        await stream.write([HEAD])
    assert await stream.settle(keeps=True) is None
    assert writer.parts == []
    await storage.close()
    destination.close()


class LongHeadWriter(SlowWriter):
    """Reading its heads takes until nobody waits for them any more."""

    def open_half(self, wanted: Wanted, half: Half, check: Callable[[], None]) -> Part | None:
        self.at_work += 1
        try:
            while True:
                check()
        finally:
            self.at_work -= 1


async def test_cancelled_while_its_head_is_read_it_stops_reading(tmp_path: Path) -> None:
    """A head may be long; the part is as it was."""
    destination = Destination(tmp_path)
    destination.open()
    writer = LongHeadWriter(destination)
    storage = Storage(writer)
    half = await leave_half(storage)
    stream = storage.stream(7, half)
    opening = asyncio.ensure_future(stream.open_head(Wanted("a"), half))
    while not writer.at_work:
        await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert writer.at_work == 0
    assert await stream.settle(keeps=True) == half
    assert writer.parts == [half.part]
    await storage.close()
    destination.close()
