"""The items of a job, read by a thread of their own."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from aioflags.cli.feed import Feed
from aioflags.errors import UsageError
from aioflags.items import Item, Rejected


async def read_all(feed: Feed) -> list[Item | Rejected]:
    try:
        await feed.open()
        return [entry async for batch in feed.batches() for entry in batch]
    finally:
        close(feed)


def close(feed: Feed) -> None:
    feed.close()
    for thread in threading.enumerate():
        if thread.name == "aioflags-list":
            thread.join()


async def test_urls_come_first_and_have_no_line(tmp_path: Path) -> None:
    """Those of the command line precede those of the lists, which carry their line numbers."""
    first, second = tmp_path / "a.txt", tmp_path / "b.jsonl"
    first.write_text("http://h/1\n\nhttp://h/2\n")
    second.write_text('{"url": "http://h/3", "name": "three"}\n')
    entries = await read_all(Feed([Item("http://h/0")], [str(first), str(second)]))
    assert entries == [
        Item("http://h/0"),
        Item("http://h/1", line=1),
        Item("http://h/2", line=3),
        Item("http://h/3", name="three", line=1),
    ]


async def test_bad_line_is_rejected_and_the_rest_goes_on(tmp_path: Path) -> None:
    """A line that cannot be read becomes an outcome of its own."""
    path = tmp_path / "list"
    path.write_bytes(b"\xff\xfe\nhttp://h/1\n")
    rejected, item = await read_all(Feed([], [str(path)]))
    assert isinstance(rejected, Rejected)
    assert rejected.line == 1
    assert item == Item("http://h/1", line=2)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [("a.csv", "name,size\nx,1\n", "url"), ("b.csv", "", "empty"), ("c.txt", None, "cannot be opened")],
)
async def test_list_that_is_wrong_as_a_whole(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    """An unreadable list, even the last one, is a usage error before any item is handed over."""
    good, bad = tmp_path / "good.txt", tmp_path / name
    good.write_text("http://h/1\n")
    if content is not None:
        bad.write_text(content)
    with pytest.raises(UsageError, match=message):
        await read_all(Feed([], [str(good), str(bad)]))


async def test_slow_pipe_delivers_each_line_as_it_comes(tmp_path: Path) -> None:
    """A line is handed over while the pipe stays open and nothing more comes."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    feed = Feed([], [str(path)])
    opening = asyncio.create_task(feed.open())
    # Opened for both ends: neither this open nor the one of the feed then waits for the other.
    pipe = os.open(path, os.O_RDWR)
    try:
        await opening
        batches = feed.batches()
        for number in range(3):
            os.write(pipe, b"http://h/%d\n" % number)
            assert await anext(batches) == [Item(f"http://h/{number}", line=number + 1)]
        assert feed.read == 3
        assert feed.total == (None, False)
    finally:
        close(feed)
        os.close(pipe)


async def test_abandoned_read_holds_up_nothing(tmp_path: Path) -> None:
    """A reader that is cancelled while a pipe is silent ends at once, and its thread is a daemon."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    pipe = os.open(path, os.O_RDWR)
    try:
        feed = Feed([], [str(path)])
        await feed.open()
        reading = asyncio.create_task(anext(feed.batches()))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert all(thread.daemon for thread in threading.enumerate() if thread.name == "aioflags-list")
    finally:
        os.write(pipe, b"http://h/\n")
        close(feed)
        os.close(pipe)


async def test_a_list_is_read_as_far_as_it_is_asked_for(tmp_path: Path) -> None:
    """However long the list, one batch asks for a few of its bytes."""
    path = tmp_path / "long.txt"
    path.write_text("".join(f"http://h/{number}\n" for number in range(100_000)))
    feed = Feed([], [str(path)])
    await feed.open()
    batches = feed.batches()
    count = len(await anext(batches))
    total, is_exact = feed.total
    assert feed.read == count <= 1024
    assert not is_exact
    assert total == pytest.approx(100_000, rel=0.2)
    await batches.aclose()
    close(feed)


async def test_total_is_exact_without_lists_and_at_the_end(tmp_path: Path) -> None:
    """URLs are counted at once, lists when they have been read."""
    assert Feed([Item("http://h/1")]).total == (1, True)
    path = tmp_path / "list.txt"
    path.write_text("# two\nhttp://h/1\nhttp://h/2\n")
    feed = Feed([Item("http://h/0")], [str(path)])
    await read_all(feed)
    assert feed.total == (3, True)


async def test_list_that_fails_midway_ends_the_items(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read is kept, and the fault can be asked for."""
    path = tmp_path / "list.txt"
    path.write_text("".join(f"http://h/{number}\n" for number in range(3000)))
    feed = Feed([], [str(path)])
    await feed.open()
    reader = feed._lists[0].reader
    monkeypatch.setattr(reader, "read_batch", _fail)
    count = sum([len(batch) async for batch in feed.batches()])
    assert 0 < count < 3000
    assert str(feed.fault) == "the disk is gone"
    close(feed)


def _fail(_limit: int) -> list[Item | Rejected]:
    raise UsageError("the disk is gone")
