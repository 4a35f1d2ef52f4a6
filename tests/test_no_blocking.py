"""The loop of a host program is never blocked: no file, no look-up, no import in its thread while a job runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import aioflags
from aioflags.flagserver.server import ServerThread

PROGRAM = """
import asyncio, json, logging, sys, threading

# With all that it needs: what is asked of the package later would be imported on the loop.
from aioflags import Downloader

BLOCKING = {
    "open", "os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir", "os.listdir", "os.scandir", "os.truncate",
    "sqlite3.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.connect", "time.sleep", "subprocess.Popen",
    "import",
}
url, directory, engine, loop, is_debug = sys.argv[1:]
events, messages, here = [], [], threading.get_ident()
is_watching = False


def audit(event, args):
    if is_watching and event in BLOCKING and threading.get_ident() == here:
        # A socket of the loop connects without waiting.
        if event != "socket.connect" or args[0].gettimeout() != 0.0:
            events.append([event, repr(args[:1])])


class Messages(logging.Handler):
    def emit(self, record):
        messages.append(record.getMessage())


def urls():
    for number in range(150):
        yield f"{url}bytes/{number * 50}?seed={number}"
    for number in range(3):
        yield f"{url}bytes/3000000?seed=big{number}"
        yield f"{url}missing/{number}"
        yield f"{url}bytes/{number + 1}?status=503&times=1"


async def main():
    global is_watching
    is_watching = True
    async with Downloader(directory, engine=engine, concurrency=16) as downloader:
        async with downloader.outcomes(urls()) as outcomes:
            statuses = [outcome.status.value async for outcome in outcomes]
        statuses.append((await downloader.download_one(f"{url}bytes/7")).status.value)
    is_watching = False
    return statuses


logging.getLogger("asyncio").addHandler(Messages())
sys.addaudithook(audit)
if __name__ == "__main__":
    if loop == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    else:
        factory = asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory, debug=is_debug == "debug") as runner:
        statuses = runner.run(main())
    counts = {status: statuses.count(status) for status in sorted(set(statuses))}
    print(json.dumps({"counts": counts, "events": events, "messages": messages}))
"""
COUNTS = {"missing": 3, "saved": 157}


@pytest.fixture(scope="module")
def server() -> Iterator[ServerThread]:
    with ServerThread() as server:
        yield server


def run(server: ServerThread, tmp_path: Path, *arguments: str) -> Any:
    """Run the program in a process of its own; an audit hook cannot be taken back."""
    tmp_path.mkdir(exist_ok=True)
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    # By name, so that somebody has to look it up.
    url = server.url.replace("127.0.0.1", "localhost")
    command = [sys.executable, str(program), url, str(tmp_path / "files"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("engine", ["asyncio", "aiohttp", "threads", "processes", "sequential"])
def test_nothing_blocks_the_loop(server: ServerThread, tmp_path: Path, engine: str, loop: str) -> None:
    """No file is opened or renamed, no name looked up, nothing imported or slept through in the loop's thread."""
    seen = run(server, tmp_path, engine, loop, "quiet")
    assert seen["counts"] == COUNTS
    assert seen["events"] == []


def test_no_callback_is_slow(server: ServerThread, tmp_path: Path) -> None:
    """The debug mode of asyncio names none that took 0.1 s; a machine that halts us does not do so three times."""
    messages = []
    for attempt in range(3):
        seen = run(server, tmp_path / str(attempt), "asyncio", "asyncio", "debug")
        assert seen["counts"] == COUNTS
        messages = [message for message in seen["messages"] if "took" in message]
        if not messages:
            break
    assert messages == []


FILE_CALLS = frozenset(
    {
        "close",
        "fdatasync",
        "fstat",
        "fsync",
        "link",
        "lstat",
        "mkdir",
        "open",
        "read",
        "rename",
        "stat",
        "unlink",
        "write",
    }
)


async def test_no_byte_is_written_or_hashed_on_the_loop(server: ServerThread, tmp_path: Path) -> None:
    """No audit event tells of these, so every built-in function that the loop's thread calls is looked at."""
    seen: set[str] = set()

    def look(frame: FrameType, event: str, called: Any) -> None:
        # In debug mode the loop itself looks up source lines.
        if event != "c_call" or frame.f_code.co_filename.endswith(("linecache.py", "tokenize.py")):
            return
        owner = getattr(called, "__self__", None)
        kind = type(owner).__module__ if getattr(called, "__module__", None) is None else called.__module__
        is_of_a_file = kind in {"_io", "io", "_sqlite3", "sqlite3"} or (
            kind == "posix" and called.__name__ in FILE_CALLS
        )
        if is_of_a_file or ("hash" in kind and called.__name__ == "update"):
            seen.add(f"{kind}.{called.__name__} from {frame.f_code.co_filename}")

    urls = [f"{server.url}bytes/{size}" for size in (0, 1, 100, 2_000_000, 5_000_000)]
    async with aioflags.Downloader(tmp_path / "files", hash=["sha256"], durability="file") as downloader:
        await downloader.download_one(f"{server.url}bytes/7")
        sys.setprofile(look)
        try:
            async with downloader.outcomes(urls) as outcomes:
                statuses = [outcome.status.value async for outcome in outcomes]
        finally:
            sys.setprofile(None)
    assert statuses == ["saved"] * 5
    assert seen == set()
