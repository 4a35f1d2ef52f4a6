"""`BlockingDownloader`: futures of concurrent.futures for code without an event loop."""

from __future__ import annotations

import concurrent.futures
import errno
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import aioflags
from aioflags.engines.fake import FakeEngine
from aioflags.flagserver.server import ServerThread
from aioflags.settings import EngineName

CODES = ("fr", "de", "br", "jp")


@pytest.fixture
def server() -> Iterator[ServerThread]:
    with ServerThread() as server:
        yield server


def urls(server: ServerThread) -> list[str]:
    return [f"{server.url}{cc}/{cc}.svg" for cc in CODES]


@pytest.mark.parametrize("engine", ["asyncio", "threads", "sequential"])
def test_futures_work_as_those_of_any_executor(server: ServerThread, tmp_path: Path, engine: EngineName) -> None:
    """as_completed, wait, result with a timeout and callbacks take them for what they are."""
    seen: list[str | None] = []
    with aioflags.BlockingDownloader(tmp_path, engine=engine) as downloader:
        futures = [downloader.submit(url) for url in urls(server)]
        assert all(isinstance(future, concurrent.futures.Future) for future in futures)
        futures[0].add_done_callback(lambda future: seen.append(future.result().path))
        assert {future.result().path for future in concurrent.futures.as_completed(futures, timeout=30)} == {
            f"{cc}.svg" for cc in CODES
        }
        done, not_done = concurrent.futures.wait(futures, timeout=30)
        assert (len(done), len(not_done)) == (4, 0)
        assert futures[1].result(timeout=30).status is aioflags.Status.SAVED
    assert seen == ["fr.svg"]


def test_result_gives_up_after_its_timeout(server: ServerThread, tmp_path: Path) -> None:
    """Waiting has an end of its own; the download goes on, until it is cancelled."""
    with aioflags.BlockingDownloader(tmp_path) as downloader:
        future = downloader.submit(f"{server.url}bytes/5?delay=60")
        with pytest.raises(TimeoutError):
            future.result(timeout=0.05)
        assert future.cancel()
    assert list(tmp_path.iterdir()) == []


def test_leaving_waits_for_what_was_submitted(server: ServerThread, tmp_path: Path) -> None:
    """As with an executor, the end of the block is the end of the work."""
    with aioflags.BlockingDownloader(tmp_path) as downloader:
        futures = [downloader.submit(f"{url}?delay=0.05") for url in urls(server)]
    assert all(future.result(timeout=0).status is aioflags.Status.SAVED for future in futures)


def test_leaving_by_an_exception_cancels(server: ServerThread, tmp_path: Path) -> None:
    """Nobody waits a minute for a file that nobody wants any more."""
    with pytest.raises(KeyError), aioflags.BlockingDownloader(tmp_path) as downloader:
        future = downloader.submit(f"{server.url}bytes/5?delay=60")
        raise KeyError
    assert future.cancelled()
    assert list(tmp_path.iterdir()) == []


def test_many_threads_share_one(server: ServerThread, tmp_path: Path) -> None:
    """Any thread may submit, at the same time."""
    with aioflags.BlockingDownloader(tmp_path) as downloader, concurrent.futures.ThreadPoolExecutor(8) as executor:
        jobs = [f"{server.url}bytes/{size}?seed=1" for size in range(40)]
        outcomes = list(executor.map(lambda url: downloader.download_one(aioflags.Item(url, name=url[-8:])), jobs))
    assert {outcome.status for outcome in outcomes} == {aioflags.Status.SAVED}
    assert len(list(tmp_path.iterdir())) == 40


def test_download_many_reports(server: ServerThread, tmp_path: Path) -> None:
    """All outcomes in one report; a failed item is data."""
    with aioflags.BlockingDownloader(tmp_path) as downloader:
        report = downloader.download_many([*urls(server), f"{server.url}status/403"])
    assert report.summary["saved"] == 4
    assert [outcome.http_status for outcome in report.failures] == [403]


def test_no_thread_is_left(server: ServerThread, tmp_path: Path) -> None:
    """The loop, its executors and their threads end with the block."""
    before = set(threading.enumerate())
    with aioflags.BlockingDownloader(tmp_path, engine="threads") as downloader:
        downloader.download_many(urls(server))
        assert set(threading.enumerate()) > before
    assert set(threading.enumerate()) == before


def test_wrong_use_is_told_at_once(tmp_path: Path) -> None:
    """An item that is none, a downloader that is not open, a destination that is a file."""
    downloader = aioflags.BlockingDownloader(tmp_path)
    with pytest.raises(aioflags.UsageError, match="not open"):
        downloader.submit("http://127.0.0.1/x")
    with downloader, pytest.raises(aioflags.UsageError, match="must be a str"):
        downloader.submit(5)  # type: ignore[arg-type]
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(aioflags.StorageError), aioflags.BlockingDownloader(file):
        raise AssertionError


class BadToClose(FakeEngine):
    """An engine that cannot be closed."""

    async def close(self) -> None:
        """Fail."""
        raise OSError(errno.EIO, "cannot be closed")


def test_error_of_closing_is_raised(tmp_path: Path) -> None:
    """Nobody else would hear of it: what was downloaded is told before; no thread is left, and it is told once."""
    before = set(threading.enumerate())
    downloader = aioflags.BlockingDownloader(tmp_path, engine=BadToClose())  # type: ignore[arg-type]
    with pytest.raises(OSError, match="cannot be closed"), downloader:
        outcome = downloader.download_one("http://127.0.0.1/file")
    assert outcome.status is aioflags.Status.SAVED
    assert set(threading.enumerate()) == before
    downloader.__exit__(None, None, None)


def test_error_of_closing_does_not_hide_another(tmp_path: Path) -> None:
    """The exception that ends the block is the one to tell; the downloader is closed all the same."""
    before = set(threading.enumerate())
    with pytest.raises(KeyError), aioflags.BlockingDownloader(tmp_path, engine=BadToClose()):  # type: ignore[arg-type]
        raise KeyError
    assert set(threading.enumerate()) == before
