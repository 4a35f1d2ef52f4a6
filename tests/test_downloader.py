"""The door of the library: lists, single items and submissions, over a fake engine and over real connections."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import shutil
import socket
import ssl
import subprocess
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from aioflags.downloader import Downloader, collect, download_many
from aioflags.engines.fake import FakeEngine
from aioflags.engines.seam import Attempt, AttemptResult
from aioflags.errors import DownloadError, StorageError, UsageError, make_error
from aioflags.items import Item, Outcome, Status
from tests.faultserver import FaultServer, Gate, answer, say, server_context
from tests.hostile import BODY, Client, head
from tests.leftovers import forgive_uvloop, leaving_nothing, moments
from tests.test_engines import BIG

FULL = AttemptResult(make_error("storage", "cannot write: no space left"), detail="destination")


def urls(number: int, host: str = "h") -> list[str]:
    return [f"http://{host}/{index}" for index in range(number)]


def endless(read: list[str]) -> Iterator[str]:
    """A list without end that notes how far it was read."""
    while True:
        read.append(f"http://h/{len(read)}")
        yield read[-1]


async def in_order(items: list[Any]) -> AsyncIterator[Any]:
    for item in items:
        await asyncio.sleep(0)
        yield item


async def until_quiet(count: Callable[[], int], least: int = 0) -> int:
    """Wait until a number, of at least so many, has stopped growing, and give it.

    Counted in turns: while the whole machine stands still nothing is quiet.
    """
    seen, quiet = count(), 0
    async with asyncio.timeout(20):
        while quiet < 20 or seen < least:
            await asyncio.sleep(0.01)
            before, seen = seen, count()
            quiet = quiet + 1 if seen == before else 0
    return seen


def kinds(outcomes: Any) -> dict[str, str | None]:
    return {one.url.rpartition("/")[2]: one.error and one.error.kind for one in outcomes}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "files"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def cacert(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    found = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(found))
    return str(found)


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    return server_context(authority)


# Lists


@pytest.mark.parametrize("make", [list, iter, in_order], ids=["list", "iterator", "asynchronous"])
async def test_each_item_has_its_outcome(path: Path, make: Callable[[list[Any]], Any]) -> None:
    """Whatever kind of list it stands in; URLs and items may be mixed."""
    given = ["http://h/a", Item("http://h/b", name="dir/c", line=9), "no url", "http://h/a"]
    report = await download_many(make(given), path, engine=FakeEngine())
    found = sorted((one.url, one.status.value, one.path, one.line) for one in report)
    assert found == [
        ("http://h/a", "duplicate", None, None),
        ("http://h/a", "saved", "a", None),
        ("http://h/b", "saved", "dir/c", 9),
        ("no url", "failed", None, None),
    ]
    assert report.summary["errors"] == {"url": 1}


async def test_bad_item_does_not_stop_the_others(path: Path) -> None:
    """What is wrong with a URL is in its outcome; nothing is asked of it."""
    odd = [
        "",
        "file:///etc/passwd",
        "http://",
        "http://h:99999/",
        "http://127.1/",
        "http://0x7f.1/",
        "//h/x",
        "ftp://h/",
    ]
    engine = FakeEngine()
    report = await download_many([*odd, "http://h/good"], path, engine=engine)
    assert Counter(one.error and one.error.kind for one in report) == {"url": len(odd), None: 1}
    assert [attempt.target.url for attempt in engine.attempts] == ["http://h/good"]


@pytest.mark.parametrize("given", [None, 5, b"http://h/"])
async def test_what_is_no_item_is_raised_to_the_reader(path: Path, given: Any) -> None:
    """The call is wrong, so it fails; not the item."""
    with pytest.raises(UsageError):
        await download_many([given], path, engine=FakeEngine())


@pytest.mark.parametrize("given", ["http://h/", Item("http://h/"), 5, None])
async def test_single_url_is_no_list(path: Path, given: Any) -> None:
    """It would be read letter by letter."""
    with pytest.raises(UsageError):
        await download_many(given, path, engine=FakeEngine())


async def test_list_is_read_no_further_than_needed(path: Path) -> None:
    """A list without end costs no more memory than a short one."""
    read: list[str] = []
    async with Downloader(path, engine=FakeEngine(), concurrency=4) as downloader:
        async with downloader.outcomes(endless(read)) as outcomes:
            for _ in range(300):
                await anext(outcomes)
            assert len(read) <= 300 + 1000 + 64
            assert await until_quiet(lambda: len(read)) <= 300 + 1000 + 64


async def test_slow_reader_slows_the_download(path: Path) -> None:
    """While nobody reads nothing new is started; when somebody does, it goes on."""
    read: list[str] = []
    engine = FakeEngine()
    async with Downloader(path, engine=engine, concurrency=4) as downloader:
        async with downloader.outcomes(endless(read)) as outcomes:
            assert await until_quiet(lambda: len(engine.attempts)) <= 3 * 4
            for number in range(1, 50):
                await anext(outcomes)
                assert len(engine.attempts) < number + 3 * 4
            assert await until_quiet(lambda: len(engine.attempts), 50) > 49


async def test_slow_reader_of_what_needs_no_request_stops_the_reading(path: Path) -> None:
    """Duplicates and bad lines would fill memory otherwise."""
    read: list[str] = []

    def same() -> Iterator[str]:
        for url in endless(read):
            yield url[:1]

    async with Downloader(path, engine=FakeEngine(), concurrency=4) as downloader:
        async with downloader.outcomes(same()) as outcomes:
            assert await until_quiet(lambda: len(read)) <= 1000 + 64
            assert (await anext(outcomes)).status is Status.FAILED


async def test_many_items_are_few_tasks(path: Path) -> None:
    """One task for each attempt in flight, not for each item."""
    most = 0
    async with Downloader(path, engine=FakeEngine(), concurrency=8) as downloader:
        async with downloader.outcomes(urls(3000)) as outcomes:
            async for _ in outcomes:
                most = max(most, len(asyncio.all_tasks()))
    # This test, the reader of the list, the dispatcher, and the eight; one more may be ending.
    assert most <= 3 + 8 + 1


async def test_lists_at_once_do_not_wait_for_one_another(path: Path) -> None:
    """One whose reader sleeps holds back itself only."""
    read: list[str] = []
    async with Downloader(path, engine=FakeEngine(), concurrency=2) as downloader:
        async with downloader.outcomes(endless(read)) as slow, downloader.outcomes(urls(500, "other")) as fast:
            assert len([one async for one in fast]) == 500
            assert (await anext(slow)).status is Status.SAVED


async def test_item_asked_for_while_a_list_is_read(path: Path) -> None:
    """Even while the list is held back because its reader is busy with this very item."""
    async with Downloader(path, engine=FakeEngine(), concurrency=1) as downloader:
        async with asyncio.timeout(20), downloader.outcomes(urls(50)) as outcomes:
            async for outcome in outcomes:
                more = await downloader.download_one(f"{outcome.url}-more")
                assert more.status is Status.SAVED
                async with downloader.outcomes([f"{outcome.url}-list"]) as inner:
                    assert [one.status async for one in inner] == [Status.SAVED]


async def test_error_of_the_list_reaches_its_reader(path: Path) -> None:
    """After the outcomes that are there."""

    def broken() -> Iterator[str]:
        yield "http://h/a"
        raise OSError("the list is gone")

    async with Downloader(path, engine=FakeEngine()) as downloader:
        with pytest.raises(OSError, match="the list is gone"):
            async with downloader.outcomes(broken()) as outcomes:
                async for _ in outcomes:
                    pass
        assert (await downloader.download_one("http://h/b")).status is Status.SAVED


async def test_list_that_was_cancelled_reaches_its_reader(path: Path) -> None:
    """Whatever it waited for was cancelled by somebody else; the reader would wait for ever."""

    async def cancelled() -> AsyncIterator[str]:
        yield "http://h/a"
        waiting = asyncio.get_running_loop().create_future()
        waiting.cancel()
        await waiting

    async with Downloader(path, engine=FakeEngine()) as downloader:
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(20), downloader.outcomes(cancelled()) as outcomes:
                async for _ in outcomes:
                    pass


@pytest.mark.parametrize("is_read", [True, False], ids=["reading", "full"])
async def test_list_that_is_left_is_closed(path: Path, is_read: bool) -> None:
    """At once: left to the garbage collector, a task of the loop would do so after the downloader has gone."""
    closed: list[str] = []

    async def given() -> AsyncIterator[str]:
        try:
            number = 0
            while True:
                if is_read and number == 3:
                    await asyncio.sleep(30)
                yield f"http://h/{number}"
                number += 1
        finally:
            closed.append("closed")

    async with Downloader(path, engine=FakeEngine(), concurrency=2) as downloader:
        async with downloader.outcomes(given()) as outcomes:
            await anext(outcomes)
        assert closed == ["closed"]


async def test_block_that_is_left_early_leaves_nothing(path: Path) -> None:
    """Neither by `break` nor by an error."""
    gate = asyncio.Event()
    async with leaving_nothing(path):
        async with Downloader(path, engine=FakeEngine(gate=gate), concurrency=4) as downloader:
            async with downloader.outcomes(endless([])):
                await until_quiet(lambda: len(downloader.running()), 4)
            assert downloader.running() == []
        with pytest.raises(KeyError):
            async with Downloader(path, engine=FakeEngine(), concurrency=4) as downloader:
                downloader.submit("http://h/x")
                async with downloader.outcomes(endless([])) as outcomes:
                    async for _ in outcomes:
                        raise KeyError


async def test_list_with_duplicates_in_another_list(path: Path) -> None:
    """What one list has fetched is present for the next, what it fetches is not fetched beside it."""
    gate = asyncio.Event()
    engine = FakeEngine(gate=gate)
    async with Downloader(path, engine=engine) as downloader:
        first = downloader.submit("http://h/a")
        await until_quiet(lambda: len(engine.attempts), 1)
        assert (await downloader.download_one("http://h/a")).status is Status.DUPLICATE
        gate.set()
        assert (await first).status is Status.SAVED
        (path / "a").write_bytes(b"abc")
        again = await downloader.download_one("http://h/a")
        assert (again.status, again.bytes, len(engine.attempts)) == (Status.PRESENT, 3, 1)


async def test_stopped_intake_lets_end_what_is_in_flight(path: Path) -> None:
    """Then the list ends, although it has none; a submission that waits is cancelled."""
    gate = asyncio.Event()
    engine = FakeEngine(gate=gate)
    async with Downloader(path, engine=engine, concurrency=3, per_host=0) as downloader:
        async with downloader.outcomes(endless([])) as outcomes:
            await until_quiet(lambda: len(engine.attempts), 3)
            waiting = downloader.submit("http://h/late")
            await until_quiet(lambda: len(engine.attempts))
            downloader.stop_intake()
            gate.set()
            assert len([one async for one in outcomes]) == 3
            assert waiting.cancelled()


# Submissions


async def test_submission_is_a_future_of_asyncio(path: Path) -> None:
    """It is there at once, and may be awaited by anyone."""
    async with Downloader(path, engine=FakeEngine()) as downloader:
        future = downloader.submit("http://h/a")
        assert type(future).__name__ in {"Future", "_Future"}
        assert asyncio.isfuture(future)
        assert not future.done()
        outcomes = await asyncio.gather(future, downloader.submit(Item("http://h/b")))
        assert [one.status for one in outcomes] == [Status.SAVED] * 2


async def test_leaving_waits_for_submissions(path: Path) -> None:
    """Those of their callbacks included; afterwards nothing more is taken."""
    engine = FakeEngine()
    futures: list[asyncio.Future[Outcome]] = []
    async with Downloader(path, engine=engine) as downloader:
        first = downloader.submit("http://h/a")
        first.add_done_callback(lambda _: futures.append(downloader.submit("http://h/b")))
    assert [one.result().status for one in (first, *futures)] == [Status.SAVED] * 2
    assert engine.is_closed
    with pytest.raises(UsageError):
        downloader.submit("http://h/c")
    with pytest.raises(UsageError):
        await Downloader(path).download_one("http://h/c")


async def test_leaving_by_an_error_cancels_submissions(path: Path) -> None:
    """Nobody waits for what hangs."""
    engine = FakeEngine(gate=asyncio.Event())
    with pytest.raises(KeyError):
        async with Downloader(path, engine=engine) as downloader:
            future = downloader.submit("http://h/a")
            await until_quiet(lambda: len(engine.attempts), 1)
            raise KeyError
    assert future.cancelled()
    assert engine.in_flight == 0


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 4, 5, 8, 13])
async def test_cancelled_submission_is_not_downloaded(path: Path, turns: int) -> None:
    """Cancelled before its name is known it is never begun; later, its attempt is; its place is free in any case."""
    gate = asyncio.Event()
    engine = FakeEngine(gate=gate)
    async with asyncio.timeout(20), Downloader(path, engine=engine, concurrency=1) as downloader:
        future = downloader.submit("http://h/a")
        for _ in range(turns):
            await asyncio.sleep(0)
        future.cancel()
        begun = await until_quiet(lambda: len(engine.attempts))
        assert begun == 0 or engine.in_flight == 0
        gate.set()
        assert (await downloader.download_one("http://h/b")).status is Status.SAVED
        # Its name is free again, too.
        assert (await downloader.download_one("http://h/a")).status is Status.SAVED


async def test_submission_that_is_cancelled_in_flight(path: Path) -> None:
    """Its attempt is cancelled, others are not."""
    gate = asyncio.Event()
    engine = FakeEngine(gate=gate)
    async with Downloader(path, engine=engine) as downloader:
        futures = [downloader.submit(url) for url in urls(3)]
        await until_quiet(lambda: engine.in_flight, 3)
        futures[1].cancel()
        await until_quiet(lambda: engine.in_flight)
        assert engine.in_flight == 2
        gate.set()
        assert [(await one).path for one in (futures[0], futures[2])] == ["0", "2"]


async def test_cancelled_caller_waits_for_the_end_of_its_attempt(path: Path) -> None:
    """When the cancellation arrives, nothing is at work for it any more."""
    engine = FakeEngine(gate=asyncio.Event())
    async with Downloader(path, engine=engine) as downloader:
        task = asyncio.ensure_future(downloader.download_one("http://h/a"))
        await until_quiet(lambda: engine.in_flight, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert engine.in_flight == 0


# Bugs and faults


def bug(_: Attempt) -> AttemptResult:
    raise RuntimeError("bug")


async def test_bug_of_an_engine_is_raised_by_the_list(path: Path) -> None:
    """A report without the item would be a lie."""
    async with leaving_nothing(path):
        with pytest.raises(ExceptionGroup) as caught:
            await asyncio.wait_for(download_many(urls(5), path, engine=FakeEngine({"http://h/3": [bug]})), 20)
        assert [str(error) for error in caught.value.exceptions] == ["bug"]


async def test_bug_of_an_engine_is_raised_to_all_who_wait(path: Path) -> None:
    """Also to those whose items were well, since the run is over; not as if somebody had cancelled."""

    class Half(FakeEngine):
        async def fetch(self, attempt: Attempt, meter: Any) -> AttemptResult:
            if "slow" in attempt.name:
                await asyncio.sleep(30)
            return await super().fetch(attempt, meter)

    async with asyncio.timeout(20):
        async with Downloader(path, engine=Half({"http://h/bug": [bug]})) as downloader:
            slow = downloader.submit("http://h/slow")
            async with downloader.outcomes(["http://h/dir/slow"]) as outcomes:
                await until_quiet(lambda: len(downloader.running()), 2)
                with pytest.raises(ExceptionGroup):
                    await downloader.download_one("http://h/bug")
                with pytest.raises(ExceptionGroup):
                    await slow
                with pytest.raises(ExceptionGroup):
                    async for _ in outcomes:
                        pass
            with pytest.raises(ExceptionGroup):
                await downloader.download_one("http://h/later")


async def test_fault_of_the_destination_is_raised_after_the_outcomes(path: Path) -> None:
    """What was in flight is told first; nothing new is begun, and later calls say why."""
    gate = asyncio.Event()
    engine = FakeEngine({"http://h/0": [FULL]}, gate=gate)
    async with Downloader(path, engine=engine, concurrency=4, per_host=0) as downloader:
        waiting = downloader.submit("http://h/other")
        seen = []
        with pytest.raises(StorageError):
            async with downloader.outcomes(endless([])) as outcomes:
                await until_quiet(lambda: len(engine.attempts), 4)
                gate.set()
                async for outcome in outcomes:
                    seen.append(outcome)
        # Those in flight end one by one, so a few more may have begun before the fault was seen.
        assert len(seen) + 1 == len(engine.attempts) < 8
        assert kinds(seen)["0"] == "storage"
        assert (await waiting).status is Status.SAVED
        with pytest.raises(StorageError):
            await downloader.download_one("http://h/b")


async def test_destination_that_is_removed_meanwhile(path: Path) -> None:
    """The run ends with the truth; what was asked for in vain is little."""
    gate = Gate()
    with FaultServer({"file": gate}) as server:
        given = [f"{server.url}/file/{number}" for number in range(200)]
        async with Downloader(path, concurrency=4, per_host=0) as downloader:
            seen = []
            with pytest.raises(StorageError):
                async with downloader.outcomes(given) as outcomes:
                    while gate.gauge.now < 4:
                        await asyncio.sleep(0.01)
                    shutil.rmtree(path)
                    gate.open()
                    async for outcome in outcomes:
                        seen.append(outcome)
            assert {one.error.kind for one in seen if one.error} == {"storage"}
            assert len(seen) == len(server.seen) <= 8
    assert not path.exists()


@pytest.fixture
def tiny_disk(path: Path) -> Iterator[Path]:
    """A file system of 512 KiB."""
    path.mkdir()
    mount = shutil.which("mount")
    if mount is None or subprocess.run([mount, "-t", "tmpfs", "-o", "size=512k", "none", path], check=False).returncode:
        pytest.skip("a full disk can only be made by one who may mount a file system; run the tests as root for it")
    yield path
    subprocess.run(["umount", path], check=True)


@pytest.mark.parametrize("body", [BODY * 10, BIG[: 1 << 21]], ids=["small", "streamed"])
async def test_disk_that_fills_up(tiny_disk: Path, body: bytes) -> None:
    """Whole files and the truth: no half file, no part, each outcome right, and the error says what to do."""
    with FaultServer({"file": say(answer(body))}) as server:
        given = [f"{server.url}/file/{number}" for number in range(200)]
        seen = []
        async with Downloader(tiny_disk, concurrency=4) as downloader:
            with pytest.raises(StorageError, match="free some space"):
                async with downloader.outcomes(given) as outcomes:
                    async for outcome in outcomes:
                        seen.append(outcome)
        assert len(server.seen) <= len(seen) + 4
    files = {file.name: file.read_bytes() for file in tiny_disk.iterdir()}
    assert set(files.values()) <= {body}
    assert set(files) == {one.path for one in seen if one.status is Status.SAVED}
    assert {one.error.kind for one in seen if one.error} == {"storage"}


@pytest.mark.parametrize("make", ["file", "below a file"])
async def test_destination_that_cannot_be(path: Path, make: str) -> None:
    """Found before the first request."""
    path.write_bytes(b"")
    engine = FakeEngine()
    with pytest.raises(StorageError, match="--dir"):
        await download_many(urls(1), path if make == "file" else path / "below", engine=engine)
    assert engine.attempts == []


@pytest.mark.parametrize(
    "options",
    [
        {"concurrency": 0}, {"no_such_option": 1}, {"header": ["X: a\r\nb"]}, {"header": ["X: \0"]},
        {"header": ["X: \x1b[1m"]}, {"header": {"Host": "x"}}, {"retries": -1}, {"proxy": "https://h"},
        {"hash": ["md6"]}, {"cacert": "/no/such/file"},
    ],
)  # fmt: skip
async def test_wrong_option_is_a_wrong_call(path: Path, options: dict[str, Any]) -> None:
    """Said before anything is asked of anyone; nothing is left of the try."""
    with FaultServer() as server:
        async with leaving_nothing(path):
            with pytest.raises(UsageError):
                await download_many([f"{server.url}/saved"], path, **options)
        assert server.connections == 0


# Over real connections


async def test_options_of_an_item(path: Path) -> None:
    """Its name, size, digests and headers are its own."""
    digest = hashlib.sha256(BODY).hexdigest()
    with FaultServer() as server:
        report = await download_many(
            [
                Item(f"{server.url}/saved/1", name="dir/one", sha256=digest, bytes=len(BODY), headers={"X-One": "1"}),
                Item(f"{server.url}/saved/2", sha256="0" * 64),
                Item(f"{server.url}/saved/3", checksum=f"md5:{hashlib.md5(BODY).hexdigest()}"),
                Item(f"{server.url}/saved/4", bytes=5),
            ],
            path,
            header={"X-All": "2"},
            hash=["sha1"],
        )
        fields = [server.fields(f"/saved/{number}") for number in (1, 2)]
    assert kinds(report) == {"1": None, "2": "checksum", "3": None, "4": "checksum"}
    assert {str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()} == {"dir/one", "3"}
    first = next(one for one in report if one.path == "dir/one")
    assert first.digests.keys() == {"xxh128", "sha1", "sha256"}
    assert first.digests["sha1"] == hashlib.sha1(BODY).hexdigest()
    assert [(one.get("x-one"), one["x-all"]) for one in fields] == [("1", "2"), (None, "2")]


@pytest.mark.parametrize("hops", [10, 11])
async def test_ten_redirects_are_followed(path: Path, hops: int) -> None:
    """Not eleven."""

    def onward(client: Client) -> None:
        number = int(client.path.rpartition("/")[2])
        say(answer(b"", f"Location: {number + 1}", status=302) if number < hops else answer())(client)

    with FaultServer({"hop": onward}) as server:
        (outcome,) = await download_many([f"{server.url}/hop/0"], path)
        assert (outcome.error and outcome.error.kind) == (None if hops == 10 else "redirect")
        assert outcome.attempts == len(server.seen) == 11
        assert outcome.path == ("0" if hops == 10 else None)


SECRETS = {"Authorization": "Bearer s3cret", "Cookie": "s3cret", "X-Api-Key": "s3cret", "Referer": "http://s3cret/"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_nothing_of_the_user_goes_to_another_origin(path: Path, status: int) -> None:
    """Not even back again: an origin once left stays left. Within the origin everything goes along."""
    with FaultServer() as other, FaultServer() as server:
        home = f"http://127.0.0.1:{server.port}"
        moves = {
            "inside": f"Location: {home}/saved/inside",
            "outside": f"Location: http://127.0.0.1:{other.port}/saved/outside",
            "name": f"Location: http://localhost:{server.port}/saved/name",
            "and-back": f"Location: http://127.0.0.1:{other.port}/back",
        }
        server._faults.update({key: say(answer(b"", move, status=status)) for key, move in moves.items()})
        other._faults["back"] = say(answer(b"", f"Location: {home}/saved/and-back", status=status))
        items = [Item(f"{home}/{key}".replace("//", "//me:s3cret@"), headers=SECRETS) for key in moves]
        report = await download_many(items, path, header=["X-More: s3cret"])
        assert kinds(report) == dict.fromkeys(moves)
        assert "s3cret" in " ".join(server.fields("/saved/inside").values())
        for fields in (server.fields("/saved/name"), server.fields("/saved/and-back"), other.fields("/saved/outside")):
            assert fields.keys() == {"host", "user-agent", "accept", "accept-encoding"}


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        ("file:///etc/passwd", "redirect"),
        ("ftp://127.0.0.1/x", "redirect"),
        ("data:text/plain,x", "redirect"),
        ("javascript:alert(1)", "redirect"),
        ("http://127.1/", "redirect"),
        ("http://[::1", "redirect"),
        ("//", "redirect"),
        ("\x1b]0;owned\x07", "redirect"),
    ],
)
async def test_redirect_that_cannot_be_followed(path: Path, location: str, kind: str) -> None:
    """At once, after one request, in words that are safe to print."""
    with FaultServer({"moved": say(answer(b"", f"Location: {location}", status=302))}) as server:
        (outcome,) = await download_many([f"{server.url}/moved"], path)
        assert (outcome.error and outcome.error.kind, outcome.attempts, len(server.seen)) == (kind, 1, 1)
        assert "\x1b" not in str(outcome.error)


async def test_redirect_out_of_tls_is_refused(path: Path, tls: ssl.SSLContext, cacert: str) -> None:
    """What was asked for in secret is not fetched in the open; the other way round is well."""
    with FaultServer() as plain, FaultServer(context=tls) as server:
        server._faults["down"] = say(answer(b"", f"Location: {plain.url}/saved/down", status=302))
        plain._faults["up"] = say(answer(b"", f"Location: {server.url}/saved/up", status=302))
        report = await download_many([f"{server.url}/down", f"{plain.url}/up"], path, cacert=cacert)
        assert kinds(report) == {"down": "policy", "up": None}
        assert plain.paths == ["/up"]


async def test_redirect_from_a_public_server_into_this_network_is_refused(path: Path) -> None:
    """At the engine's door, since only it knows the address; with leave it is followed."""
    moved = AttemptResult(location="http://127.0.0.1/admin", http_status=302, is_private=False)
    for is_allowed in (False, True):
        engine = FakeEngine({"http://public.example/a": [moved]})
        await download_many(["http://public.example/a"], path, engine=engine, allow_private_redirects=is_allowed)
        assert [attempt.is_public_only for attempt in engine.attempts] == [False, not is_allowed]
        (path / "a").unlink(missing_ok=True)


async def test_credentials_of_netrc_go_to_their_host_only(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And only when asked for; user info in the URL goes before."""
    netrc = path.with_name("netrc")
    netrc.write_text("machine 127.0.0.1 login me password s3cret\ndefault login any password s3cret2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with FaultServer() as server:
        named = f"http://localhost:{server.port}"
        own = server.url.replace("//", "//you:own@")
        await download_many([f"{server.url}/saved/1", f"{named}/saved/2", f"{own}/saved/3"], path, netrc=True)
        await download_many([f"{server.url}/saved/4"], path)
        seen = [server.fields(f"/saved/{number}").get("authorization") for number in (1, 2, 3, 4)]
    assert seen == ["Basic bWU6czNjcmV0", None, "Basic eW91Om93bg==", None]


async def test_nothing_secret_is_said(path: Path, caplog: pytest.LogCaptureFixture, cacert: str) -> None:
    """Whatever fails: not in outcomes, records, errors with their causes, reports, or any log at any level."""
    caplog.set_level(logging.DEBUG)
    faults: dict[str, Any] = {
        "closed": lambda client: None,
        "reset": Client.reset,
        "broken": say(b"s3cret nonsense\r\n\r\n"),
        "chunk": say(head(200, "Transfer-Encoding: chunked", length=None) + b"zz\r\n"),
        "cut": lambda client: client.send(head() + b"x"),
        "missing": say(answer(b"", status=404)),
        "forbidden": say(answer(b"", status=403)),
        "moved": say(answer(b"", "Location: ftp://me:s3cret@h/?sig=s3cret", status=302)),
        "away": say(answer(b"", "Location: http://me:s3cret@127.0.0.1:1/?sig=s3cret", status=302)),
        "silent": Client.hold,
    }
    with FaultServer(faults) as server:
        base = server.url.replace("//", "//me:s3cret@")
        given = [Item(f"{base}/{name}?sig=s3cret&token=s3cret", headers=SECRETS) for name in faults]
        given += [Item(url, headers=SECRETS) for url in ("ftp://me:s3cret@h/", "http://me:s3cret@127.1/?sig=s3cret")]
        given.append(Item(f"https://me:s3cret@127.0.0.1:{server.port}/?sig=s3cret"))
        options: dict[str, Any] = {"retries": 0, "cacert": cacert, "header": SECRETS}
        report = await download_many(given, path, connect_timeout=0.5, first_byte_timeout=0.3, **options)
        saved = await download_many([f"{base}/saved?sig=s3cret&token=s3cret"], path, **options)
        assert [one.status for one in saved] == [Status.SAVED]
        assert [one.status for one in report if one.error is None] == []
        assert len(report) == len(given)
    said = [repr(report), repr(saved), caplog.text, repr(given)]
    for one in (*report, *saved):
        said += [repr(one), str(one.as_record()), str(one.error), repr(one.error)]
        said += traceback.format_exception(one.error) if one.error else []
    with pytest.raises(ExceptionGroup) as caught:
        report.raise_for_failures()
    said += traceback.format_exception(caught.value)
    assert [text for text in said if "s3cret" in text] == []


async def test_hosts_get_their_share(path: Path) -> None:
    """No more than so many at a time, as the server sees it."""
    gate = Gate()
    with FaultServer({"file": gate}) as server:
        given = [f"{server.url}/file/{number}" for number in range(30)]
        async with Downloader(path, per_host=3) as downloader, downloader.outcomes(given) as outcomes:
            while gate.gauge.now < 3:
                await asyncio.sleep(0.01)
            gate.open()
            assert len([one async for one in outcomes]) == 30
        assert gate.gauge.most == 3


async def test_host_that_is_slow_does_not_hold_back_the_others(path: Path) -> None:
    """A list that begins with a thousand items of it is gone through all the same."""
    gate = Gate()
    with FaultServer({"file": gate}) as slow, FaultServer() as fast:
        given = [f"{slow.url}/file/{number}" for number in range(900)]
        given += [f"{fast.url}/saved/fast-{number}" for number in range(50)]
        async with Downloader(path, concurrency=8, per_host=4) as downloader:
            async with downloader.outcomes(given) as outcomes:
                first = [await anext(outcomes) for _ in range(50)]
                assert all("fast-" in one.url for one in first)
                while gate.gauge.now < 4:
                    await asyncio.sleep(0.01)
                assert gate.gauge.most == 4
                gate.open()


async def test_pause_that_a_server_asks_for(path: Path) -> None:
    """Its host is left alone for so long, while others go on; a longer one than allowed fails and names it."""
    angry = answer(b"", "Retry-After: 1", status=429)
    with FaultServer() as calm, FaultServer() as server:
        server._faults["angry"] = lambda client: say(angry if client.count == 1 else answer())(client)
        server._faults["furious"] = say(answer(b"", "Retry-After: 86400", status=503))
        given = [f"{server.url}/angry", *(f"{calm.url}/saved/{number}" for number in range(20))]
        began = time.monotonic()
        async with Downloader(path, retries=1, max_wait=60) as downloader:
            async with downloader.outcomes(given) as outcomes:
                order = [one.url async for one in outcomes]
            assert order[-1] == given[0]
            assert time.monotonic() - began >= 1
            outcome = await downloader.download_one(f"{server.url}/furious")
        assert (outcome.status, outcome.attempts, outcome.http_status) == (Status.FAILED, 1, 503)
        assert "86400 s" in str(outcome.error)


async def test_requests_to_a_host_are_spaced(path: Path) -> None:
    """So many a second and no burst, on each host by itself."""
    times: list[float] = []

    def note(client: Client) -> None:
        times.append(time.monotonic())
        say(answer())(client)

    with FaultServer({"file": note}) as server:
        began = time.monotonic()
        await download_many([f"{server.url}/file/{number}" for number in range(6)], path, rate=20)
    # Not from the first that is heard of: a server on a busy machine may hear of it late.
    assert max(times) - began > 5 * 0.05 - 0.01


async def test_bytes_of_the_whole_job_are_limited(path: Path) -> None:
    """Whoever sends them."""
    with FaultServer({"file": say(answer(BODY * 10))}) as server:
        began = time.monotonic()
        report = await download_many([f"{server.url}/file/{n}" for n in range(5)], path, limit_rate=200_000)
        assert time.monotonic() - began > 5 * len(BODY) * 10 / 200_000 - 0.2
    assert report.summary["saved"] == 5


# Cancelling


async def interrupted_job(given: list[str], path: Path, options: dict[str, Any]) -> None:
    async with Downloader(path, concurrency=4, **options) as downloader:
        downloader.submit(given[0])
        async with downloader.outcomes(given[1:]) as outcomes:
            async for _ in outcomes:
                pass


@pytest.mark.parametrize("is_twice", [False, True], ids=["once", "twice"])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_job_cancelled_at_any_moment_leaves_nothing(
    path: Path, authority: trustme.CA, cacert: str, scheme: str, is_twice: bool
) -> None:
    """From opening to closing: no task, thread, open file or part, and every file there is whole."""
    forgive_uvloop()

    def stall(client: Client) -> None:
        client.send(head(length=len(BIG)), BIG[:1_200_000])
        client.hold()

    faults = {"big": say(answer(BIG)), "stall": stall, "moved": say(answer(b"", "Location: /saved/moved", status=302))}
    context = server_context(authority) if scheme == "https" else None
    names = ["big", "moved", "stall", "saved"]
    bodies = {"big": BIG, "moved": BODY, "saved": BODY}
    with FaultServer(faults, context) as server:
        given = [f"{server.url}/{name}" for name in names]
        # On a busy machine no request is made within the turns: some moments are told by the server.
        for turns, requests in [*((turns, 0) for turns in moments()), *((0, requests) for requests in range(1, 5))]:
            async with leaving_nothing(path):
                before = len(server.seen)
                job = asyncio.ensure_future(interrupted_job(given, path, {"cacert": cacert, "retries": 0}))
                for _ in range(turns):
                    await asyncio.sleep(0)
                async with asyncio.timeout(60):
                    while len(server.seen) - before < requests:
                        await asyncio.sleep(0)
                job.cancel()
                await asyncio.sleep(0)
                if is_twice:
                    job.cancel()
                await asyncio.wait([job], timeout=20)
                assert job.done(), (turns, requests)
                assert job.cancelled(), (turns, requests)
            for file in path.iterdir() if path.exists() else ():
                assert file.read_bytes() == bodies[file.name], (file.name, turns, requests)
            shutil.rmtree(path, ignore_errors=True)


async def test_item_cancelled_at_any_moment_leaves_the_others_alone(path: Path) -> None:
    """Nothing is in flight for it any more, its place is free, and the downloader goes on."""
    with FaultServer({"big": say(answer(BIG))}) as server:
        async with leaving_nothing(path), Downloader(path, concurrency=1) as downloader:
            for turns in moments():
                task = asyncio.ensure_future(downloader.download_one(Item(f"{server.url}/big", name=f"big{turns}")))
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait([task])
                assert downloader.running() == []
                (run,) = (path / ".aioflags").iterdir()
                assert [file.name for file in run.iterdir() if file.name.endswith(".part")] == [], turns
            async with asyncio.timeout(20):
                assert (await downloader.download_one(f"{server.url}/saved")).status is Status.SAVED


async def test_error_of_an_outcome_can_be_raised(path: Path) -> None:
    """As what it is."""
    (outcome,) = await download_many(["http://h/a"], path, engine=FakeEngine({"http://h/a": [FULL_FILE]}))
    assert isinstance(outcome.error, DownloadError)
    with pytest.raises(StorageError):
        raise outcome.error


FULL_FILE = AttemptResult(make_error("storage", "file too large"))


# A proxy that is gone, a host that is dead


@pytest.fixture
def no_port() -> Iterator[int]:
    """A port of this machine that nobody listens at; taken, so that nobody begins to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


@pytest.mark.parametrize("processes", [1, 2])
async def test_proxy_that_refuses_us_ends_a_list_that_is_not_through(path: Path, processes: int) -> None:
    """What was let in has its outcome, the rest is not read, and the reader is told at the end."""
    read: list[str] = []
    refusal = head(407, length=0)
    with FaultServer({name: say(refusal) for name in ["late", *map(str, range(5000))]}) as proxy:
        way = f"http://127.0.0.1:{proxy.port}"
        async with Downloader(path, proxy=way, concurrency=4, processes=processes) as downloader:
            outcomes: list[Outcome] = []
            with pytest.raises(DownloadError, match="407; the run was stopped"):
                async with asyncio.timeout(20), downloader.outcomes(endless(read)) as stream:
                    async for outcome in stream:
                        outcomes.append(outcome)
            late = await downloader.download_one("http://h/late")
    assert len(outcomes) == len(read) - 1
    assert {outcome.error and outcome.error.kind for outcome in [*outcomes, late]} == {"http"}
    assert len(proxy.seen) <= 9 * processes


async def test_proxy_that_halted_a_list_is_tried_again_by_the_next(path: Path) -> None:
    """A downloader lives on, and so may the proxy: by a list, or by one item."""
    with FaultServer({"0": say(head(407, length=0)), "1": say(answer()), "2": say(answer())}) as proxy:
        async with Downloader(path, proxy=f"http://127.0.0.1:{proxy.port}") as downloader:
            halted = await collect(downloader, ["http://h/0"])
            after = await collect(downloader, ["http://h/1"])
            again = await downloader.download_one("http://h/0")
            last = await downloader.download_one("http://h/2")
    statuses = [halted.outcomes[0].status, after.outcomes[0].status, again.status, last.status]
    assert statuses == [Status.FAILED, Status.SAVED, Status.FAILED, Status.SAVED]
    assert len(proxy.seen) == 4


async def test_proxy_that_is_gone_is_the_failure_of_each_item_of_a_short_list(path: Path, no_port: int) -> None:
    """A list that is through has all its outcomes; that is a report, and no exception."""
    report = await download_many(urls(5), path, proxy=f"http://127.0.0.1:{no_port}", retries=1)
    assert {(outcome.error and outcome.error.kind) for outcome in report} == {"connect"}
    assert sum(outcome.attempts for outcome in report) >= 2


@pytest.mark.slow
async def test_dead_port_fails_all_its_items_and_asks_for_few(path: Path, no_port: int) -> None:
    """Each that was tried had all its attempts; the others are told why they were not."""
    report = await download_many(urls(300, f"127.0.0.1:{no_port}"), path, retries=1)
    attempts = Counter(outcome.attempts for outcome in report)
    assert set(attempts) == {0, 2}
    assert 20 <= attempts[2] <= 36
    assert {outcome.error and outcome.error.kind for outcome in report} == {"connect"}
    untried = next(outcome for outcome in report if not outcome.attempts)
    assert untried.error is not None
    assert "Connection refused; 127.0.0.1:" in untried.error.message
    assert "was given up for a while after" in untried.error.message


async def test_what_is_waited_for_can_be_asked(path: Path) -> None:
    """Hosts that are paused, by the clock of the loop."""
    busy = head(503, "Retry-After: 100", length=0)
    with FaultServer({"busy": say(busy)}) as server:
        async with Downloader(path) as downloader:
            assert downloader.waiting().paused == ()
            future = downloader.submit(f"http://127.0.0.1:{server.port}/busy")
            async with asyncio.timeout(20):
                while not downloader.waiting().paused:
                    await asyncio.sleep(0.01)
            (pause,) = downloader.waiting().paused
            assert (pause.host, pause.waiting) == (f"127.0.0.1:{server.port}", 1)
            assert 0 < pause.until - asyncio.get_running_loop().time() <= 100 + 1e-6
            future.cancel()
