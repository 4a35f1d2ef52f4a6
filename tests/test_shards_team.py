"""A list through two processes, with real servers, files and processes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import aioflags
from aioflags.errors import UsageError
from aioflags.items import Status
from aioflags.shards.team import Team
from tests.hostile import BODY, Client, HostileServer, head
from tests.rangefaults import field_of


def _answer(client: Client) -> None:
    client.send(head(200), BODY)


async def test_each_item_has_one_outcome_and_its_bytes(tmp_path: Path) -> None:
    """Two workers bring what one would: every file whole, every URL once."""
    with HostileServer({"f": _answer}) as server:
        urls = [f"{server.url}/f/{number}.bin" for number in range(20)]
        report = await aioflags.download_many([*urls, urls[0]], tmp_path, processes=2)
    assert [each.status for each in report.outcomes].count(Status.SAVED) == 20
    assert [each.status for each in report.outcomes].count(Status.DUPLICATE) == 1
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {f"{n}.bin": BODY for n in range(20)}


async def test_items_of_a_killed_worker_are_fetched_by_another(tmp_path: Path) -> None:
    """One outcome each, none failed: what the dead one had saved before it could say so is known by the ledger."""
    with HostileServer({"f": _answer}) as server:
        urls = [f"{server.url}/f/{number}.bin" for number in range(300)]
        async with aioflags.Downloader(tmp_path, processes=2, ledger=True) as downloader:
            collected = []
            async with downloader.outcomes(urls) as outcomes:
                async for outcome in outcomes:
                    collected.append(outcome)
                    if len(collected) == 5:
                        team = downloader._dispatcher
                        assert isinstance(team, Team)
                        os.kill(next(hand.child.pid for hand in team._hands if hand.child), signal.SIGKILL)
    assert sorted(outcome.url for outcome in collected) == sorted(urls)
    assert {outcome.status for outcome in collected} <= {Status.SAVED, Status.PRESENT}
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.bin")} == {f"{n}.bin": BODY for n in range(300)}


async def test_update_goes_on_when_a_worker_is_killed(tmp_path: Path) -> None:
    """Every file is what the server has now; what came before the kill is not asked for twice as if it were old."""
    version, body = '"1"', BODY

    def versioned(client: Client) -> None:
        asked = field_of(client, "If-None-Match")
        is_changed = int(client.path.rpartition("/")[2].partition(".")[0]) % 2
        if asked == version or (asked is not None and not is_changed):
            client.send(head(304, f"ETag: {asked}", length=None))
        else:
            client.send(head(200, f"ETag: {version}", length=len(body)), body)

    with HostileServer({"f": versioned}) as server:
        urls = [f"{server.url}/f/{number}.bin" for number in range(200)]
        await aioflags.download_many(urls, tmp_path, processes=2, ledger=True)
        version, body = '"2"', BODY[::-1]
        collected = []
        async with (
            aioflags.Downloader(tmp_path, processes=2, ledger=True, update=True) as downloader,
            downloader.outcomes(urls) as outcomes,
        ):
            async for outcome in outcomes:
                collected.append(outcome)
                if len(collected) == 5:
                    os.kill(_pids(downloader)[0], signal.SIGKILL)
    assert sorted(outcome.url for outcome in collected) == sorted(urls)
    assert {outcome.status for outcome in collected} <= {Status.SAVED, Status.PRESENT}
    expected = {f"{number}.bin": BODY[::-1] if number % 2 else BODY for number in range(200)}
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.bin")} == expected


@pytest.mark.parametrize(("per_host", "concurrency"), [(3, 16), (0, 5)])
async def test_all_workers_together_keep_the_limits(tmp_path: Path, per_host: int, concurrency: int) -> None:
    """As many requests as are allowed are at the server at once, and never more."""
    limit, lock, at_once, most = per_host or concurrency, threading.Lock(), 0, 0
    is_full = threading.Event()

    def counting(client: Client) -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        if at_once >= limit:
            is_full.set()
        # Those that come first wait for as many as may come.
        is_full.wait(10)
        time.sleep(0.01)
        with lock:
            at_once -= 1
        client.send(head(200), BODY)

    with HostileServer({"f": counting}) as server:
        urls = [f"{server.url}/f/{number}.bin" for number in range(60)]
        limits = {"per_host": per_host, "concurrency": concurrency}
        report = await aioflags.download_many(urls, tmp_path, processes=2, **limits)  # type: ignore[arg-type]
    assert all(outcome.status is Status.SAVED for outcome in report)
    assert most == limit


def test_engines_without_a_loop_are_refused(tmp_path: Path) -> None:
    """The call is wrong, and the message says what to choose."""
    with pytest.raises(UsageError, match="choose --engine asyncio or aiohttp"):
        aioflags.Downloader(tmp_path, engine="threads", processes=2)


@pytest.mark.parametrize("ledger", [True, False])
async def test_a_killed_worker_costs_nobody_a_file(tmp_path: Path, ledger: bool) -> None:
    """A file that somebody else has put where an item was to go stays, also where the item is tried again."""
    both = threading.Event()

    def hang(client: Client) -> None:
        both.wait(10)
        client.send(head(200), BODY)

    with HostileServer({"f": hang}) as server:
        async with aioflags.Downloader(tmp_path, processes=2, ledger=ledger) as downloader:
            future = downloader.submit(f"{server.url}/f/mine.bin")
            while not downloader.running():
                await asyncio.sleep(0.01)
            (tmp_path / "mine.bin").write_bytes(b"precious")
            _kill_workers(downloader)
            both.set()
            outcome = await future
    assert outcome.error is not None
    assert outcome.error.kind == "exists"
    assert (tmp_path / "mine.bin").read_bytes() == b"precious"


async def test_a_bug_in_a_worker_ends_the_run(tmp_path: Path) -> None:
    """It comes out of the call as one of the only process does, with the traceback of the worker."""
    async with aioflags.Downloader(tmp_path, processes=2) as downloader:
        team = downloader._dispatcher
        assert isinstance(team, Team)
        for hand in team._hands:
            # No worker can tell what that is.
            hand.plan = hand.plan._replace(engine="asyncio", settings=None)  # type: ignore[arg-type]
        with pytest.raises(ExceptionGroup) as caught:
            await downloader.download_one("http://127.0.0.1:9/a")
    (bug,) = caught.value.exceptions[:1]
    assert "AttributeError" in str(bug)


class _Stumble:
    """What has a callback fail on the loop where it is received."""

    def __reduce__(self) -> tuple[object, ...]:
        return eval, ("__import__('asyncio').get_running_loop().call_soon(lambda: 1 / 0)",)


async def test_error_that_a_worker_could_hand_to_nobody_is_told(tmp_path: Path) -> None:
    """The caller's loop hears of it, as of one in the only process, and the work goes on."""
    told: asyncio.Queue[dict[str, object]] = asyncio.Queue()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.put_nowait(context))
    with HostileServer({"f": _answer}) as server:
        async with aioflags.Downloader(tmp_path, processes=2) as downloader:
            await downloader.download_one(f"{server.url}/f/1")
            team = downloader._dispatcher
            assert isinstance(team, Team)
            team._hands[0].send(_Stumble())
            context = await asyncio.wait_for(told.get(), 20)
            outcome = await downloader.download_one(f"{server.url}/f/2")
    assert "in a worker process" in str(context["message"])
    assert "ZeroDivisionError" in str(context["exception"])
    assert outcome.status is Status.SAVED
    assert told.empty()


async def test_job_cancelled_again_and_again_leaves_no_worker(tmp_path: Path) -> None:
    """Who does not wait for the end of a job does not get rid of its processes either: they are gone before."""

    async def job() -> None:
        async with aioflags.Downloader(tmp_path, processes=2) as downloader:
            downloaders.append(downloader)
            await downloader.download_one(f"{server.url}/f/1.bin")

    def hold(client: Client) -> None:
        client.hold()

    downloaders: list[aioflags.Downloader] = []
    with HostileServer({"f": hold}) as server:
        running = asyncio.ensure_future(job())
        while not (downloaders and downloaders[0].running()):
            await asyncio.sleep(0.01)
        pids = _pids(downloaders[0])
        while not running.done():
            running.cancel()
            await asyncio.sleep(0.001)
        assert running.cancelled()
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc for children")
def test_workers_of_a_killed_parent_end_at_once(tmp_path: Path) -> None:
    """Nothing appears any more in a destination that nobody has locked."""

    def hold(client: Client) -> None:
        client.hold()

    with HostileServer({"f": hold}) as server:
        urls = [f"{server.url}/f/{number}.bin" for number in range(8)]
        command = [sys.executable, "-m", "aioflags", "get", *urls, "-d", str(tmp_path), "--processes", "2", "-q"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as parent:
            children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
            deadline = time.monotonic() + 30
            while len(server.requests) < 8 and time.monotonic() < deadline:
                time.sleep(0.01)
            workers = [Path(f"/proc/{pid}/cmdline") for pid in children.read_text().split()]
            parent.kill()
        assert len(workers) == 2
        while any(_words_of(worker) for worker in workers) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not any(map(_words_of, workers))


def _words_of(cmdline: Path) -> str:
    try:
        return cmdline.read_text()
    except OSError:
        return ""


def _pids(downloader: aioflags.Downloader) -> list[int]:
    team = downloader._dispatcher
    assert isinstance(team, Team)
    return [hand.child.pid for hand in team._hands if hand.child is not None]


def _kill_workers(downloader: aioflags.Downloader) -> None:
    for pid in _pids(downloader):
        os.kill(pid, signal.SIGKILL)
