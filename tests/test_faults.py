"""The fault table: for each row the tests that prove it, and here those that need the whole program.

Every fault is a real one where the system lets us make it: servers that lie, disks that fill, limits that are reached.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

import aioflags
from aioflags.destination import Destination
from aioflags.equipment import EngineName
from tests.faultserver import FaultServer, Gate, answer, say, server_context
from tests.hostile import BODY, Client, Fault, HostileServer, head
from tests.leftovers import files_in

ENGINES: tuple[EngineName, ...] = ("asyncio", "threads", "processes", "sequential")
#: Those whose attempts are made in this process, so that a test can take its place between them and the system.
INSIDE: tuple[EngineName, ...] = ("asyncio", "threads", "sequential")
BIG = BODY * 1024  # 2 MiB: streams


def download(urls: list[Any], path: Path, **options: Any) -> dict[str, aioflags.Outcome]:
    """Download, and give the outcomes by the last segment of their URL."""
    report = asyncio.run(aioflags.download_many(urls, path, **{"retries": 0, **options}))
    return {outcome.url.rpartition("/")[2]: outcome for outcome in report}


def kinds_of(outcomes: dict[str, aioflags.Outcome]) -> dict[str, str | None]:
    return {name: None if outcome.error is None else outcome.error.kind for name, outcome in outcomes.items()}


# The network


def _without_goodbye(*blocks: bytes) -> Fault:
    """Send blocks and end TCP, but not TLS."""

    def fault(client: Client) -> None:
        client.send(*blocks)
        with socket.socket(fileno=os.dup(client.sock.fileno())) as raw:
            raw.shutdown(socket.SHUT_WR)

    return fault


@pytest.mark.parametrize("engine", ENGINES)
def test_end_of_a_connection_without_goodbye(tmp_path: Path, engine: EngineName) -> None:
    """Many servers leave TLS like this: a body without length is whole then, any other only if all of it came."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    faults = {
        "open": _without_goodbye(head(length=None) + BODY),
        "short": _without_goodbye(head() + BODY[:-1]),
        "whole": _without_goodbye(head() + BODY),
        "chunked": _without_goodbye(head(200, "Transfer-Encoding: chunked", length=None) + b"1\r\na\r\n"),
    }
    with HostileServer(faults, server_context(authority)) as server:
        urls = [f"{server.url}/{name}" for name in faults]
        outcomes = download(urls, tmp_path / "files", engine=engine, cacert=str(tmp_path / "ca.pem"))
    assert kinds_of(outcomes) == {"open": None, "short": "truncated", "whole": None, "chunked": "truncated"}
    assert {(tmp_path / "files" / name).read_bytes() for name in files_in(tmp_path / "files")} == {BODY}


class Names:
    """Stands in for the system's resolver: names that fail with an error, so many times."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, code: int, times: int) -> None:
        self.asked: list[str] = []
        self._code = code
        self._times = times
        self._system = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self)

    def __call__(self, host: Any, *arguments: Any, **options: Any) -> Any:
        if host != "flags.test":
            return self._system(host, *arguments, **options)
        self.asked.append(host)
        if len(self.asked) <= self._times:
            raise socket.gaierror(self._code, "the name server says no")
        return self._system("127.0.0.1", *arguments, **options)


@pytest.mark.parametrize("engine", INSIDE)
def test_name_server_that_is_overloaded_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: EngineName
) -> None:
    """A look-up that fails may pass, as a retry; it is not remembered."""
    names = Names(monkeypatch, socket.EAI_AGAIN, 2)
    with FaultServer() as server:
        url = f"http://flags.test:{server.port}/saved"
        outcome = download([url], tmp_path / "files", engine=engine, retries=2)["saved"]
        assert (outcome.status, len(server.seen)) == (aioflags.Status.SAVED, 1)
    assert len(names.asked) == 3
    names = Names(monkeypatch, socket.EAI_AGAIN, 99)
    assert kinds_of(download([url], tmp_path / "others", engine=engine, retries=1)) == {"saved": "dns"}


@pytest.mark.parametrize("engine", INSIDE)
def test_name_that_does_not_exist_is_looked_up_seldom_for_all_its_items(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: EngineName
) -> None:
    """Then all items of the host fail together; only asyncio's engine has a memory of its own before that."""
    names = Names(monkeypatch, socket.EAI_NONAME, 9999)
    urls = [f"http://flags.test/{number}" for number in range(100)]
    outcomes = download(urls, tmp_path / "files", engine=engine, retries=4, per_host=1)
    assert set(kinds_of(outcomes).values()) == {"dns"}
    assert len(outcomes) == 100
    assert len(names.asked) <= (3 if engine == "asyncio" else 25)


@pytest.mark.parametrize("engine", ENGINES)
def test_proxy_that_is_not_there_is_one_fault_of_the_run(tmp_path: Path, engine: EngineName) -> None:
    """It is not reached anew for each of many items."""
    with FaultServer() as server, socket.create_server(("127.0.0.1", 0)) as closed:
        proxy = f"http://127.0.0.1:{closed.getsockname()[1]}"
        closed.close()
        outcomes = download([f"{server.url}/saved/{n}" for n in range(300)], tmp_path, engine=engine, proxy=proxy)
        assert set(kinds_of(outcomes).values()) == {"connect"}
        assert sum(outcome.attempts for outcome in outcomes.values()) < 100
        assert server.seen == []


# Time


@pytest.mark.parametrize("engine", INSIDE)
def test_clock_that_jumps_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: EngineName) -> None:
    """By a year forth and back with each look at it: no deadline, pause or retry goes by the clock on the wall."""
    jumps = iter(range(1, 1_000_000))
    system = time.time
    monkeypatch.setattr(time, "time", lambda: system() + 31_536_000 * (-1) ** next(jumps))

    def late(client: Client) -> None:
        client.server.closing.wait(0.1)
        client.send(head(503, "Retry-After: 0", length=0) if client.count == 1 else head() + BODY)

    with HostileServer({"late": late}) as server:
        urls = [f"{server.url}/late", f"{server.url}/saved"]
        outcomes = download(
            urls, tmp_path / "files", engine=engine, retries=1, rate=50, ledger=True, durability="batch"
        )
    assert kinds_of(outcomes) == {"late": None, "saved": None}
    assert [outcomes[name].attempts for name in ("late", "saved")] == [2, 1]
    assert all(0 <= outcome.elapsed < 100 for outcome in outcomes.values())


# Want of open files


WANTING = """
import resource, sys
import asyncio
from aioflags import download_many
value, limit, engine, url, path = sys.argv[1:]
resource.setrlimit(getattr(resource, limit), (int(value), int(value)))
if __name__ == "__main__":
    names = [f"{url}/saved/{n}" for n in range(60)] + [f"{url}/big"] * (limit == "RLIMIT_FSIZE")
    report = asyncio.run(download_many(names, path, engine=engine, per_host=0, concurrency=40, retries=0))
    print(report.summary["saved"], report.summary["errors"])
"""


def under_limit(script: Path, limit: str, value: int, engine: str, path: Path) -> tuple[str, str]:
    """Download 60 small files, and a big one if files are to be limited; gives what was said."""
    script.write_text(WANTING)
    with FaultServer({"big": say(answer(BIG))}) as server:
        command = [sys.executable, str(script), str(value), limit, engine, server.url, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    return done.stdout.strip(), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["asyncio", "threads", "sequential"])
def test_want_of_open_files_fails_no_item(tmp_path: Path, engine: str) -> None:
    """Fewer than are wanted at a time: the run does with what it has, without a retry."""
    assert under_limit(tmp_path / "job.py", "RLIMIT_NOFILE", 40, engine, tmp_path / "files") == ("60 {}", "")
    assert len(files_in(tmp_path / "files")) == 60


# The disk


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_file_that_is_too_large_for_its_file_system_fails_alone(tmp_path: Path, engine: str) -> None:
    """The limit is one for each file, so the run goes on."""
    said = under_limit(tmp_path / "job.py", "RLIMIT_FSIZE", 1_000_000, engine, tmp_path / "files")
    assert said == ("60 {'storage': 1}", "")
    assert len(files_in(tmp_path / "files")) == 60
    assert not (tmp_path / "files" / ".aioflags").exists()


class Disk:
    """A disk that loses what is to be forced onto it, so many times."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, losses: int, code: int = errno.EIO) -> None:
        self.synced: list[str] = []
        self.lost: list[str] = []
        self._losses = losses
        self._code = code
        self._system = os.fdatasync
        monkeypatch.setattr(os, "fdatasync", self)

    def __call__(self, descriptor: int) -> None:
        self.synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        if len(self.synced) <= self._losses:
            self.lost.append(self.synced[-1])
            raise OSError(self._code, os.strerror(self._code))
        self._system(descriptor)


@pytest.mark.parametrize("body", [BODY, BIG], ids=["small", "streamed"])
@pytest.mark.parametrize("engine", INSIDE)
def test_file_whose_bytes_were_lost_is_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: EngineName, body: bytes
) -> None:
    """From its first byte, into another file: to ask the disk once more would be answered with a lie."""
    disk = Disk(monkeypatch, 1)
    with FaultServer({"file": say(answer(body, 'ETag: "1"'))}) as server:
        outcome = download([f"{server.url}/file"], tmp_path, engine=engine, retries=4, durability="batch")["file"]
        assert (outcome.status, outcome.attempts, outcome.resumed_from) == (aioflags.Status.SAVED, 2, 0)
        assert [b"range:" in request.lower() for request in server.seen] == [False, False]
    assert disk.synced.count(disk.lost[0]) == len(disk.lost) == 1 < len(disk.synced)
    assert (tmp_path / "file").read_bytes() == body
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
@pytest.mark.parametrize("engine", INSIDE)
def test_disk_that_keeps_losing_bytes_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: EngineName, code: int
) -> None:
    """After one more try, a full one at once; nothing is left that could be taken for a file."""
    disk = Disk(monkeypatch, 9999, code)
    with FaultServer() as server:
        urls = [f"{server.url}/saved/{number}" for number in range(300)]
        with pytest.raises(aioflags.StorageError):
            download(urls, tmp_path, engine=engine, retries=4, durability="file", concurrency=2)
        assert len(server.seen) < 20
    assert len(disk.synced) == len(set(disk.synced))
    assert os.listdir(tmp_path) == []


def test_bytes_that_were_lost_are_not_asked_about_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second answer of the system would be that all is well."""
    disk = Disk(monkeypatch, 1)
    destination = Destination(tmp_path / "files")
    destination.open()
    part = destination.new_part()
    part.write(BODY)
    for _ in range(2):
        with pytest.raises(aioflags.StorageError):
            part.sync()
    assert (len(disk.synced), part.synced) == (1, 0)
    part.discard()
    destination.close()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 512 KiB."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = shutil.which("mount")
    if mount is None or subprocess.run([mount, "-t", "tmpfs", "-o", "size=512k", "none", path], check=False).returncode:
        pytest.skip("a file system can only be made by one who may mount it; run the tests as root for it")
    yield path
    subprocess.run(["umount", path], check=True)


@pytest.mark.parametrize("body", [BODY * 10, BIG], ids=["small", "streamed"])
@pytest.mark.parametrize("engine", ENGINES)
def test_full_disk_ends_the_run_with_whole_files(tiny_disk: Path, engine: EngineName, body: bytes) -> None:
    """Whatever the engine: what is there is whole, and no part is left that would keep the disk full."""
    with FaultServer({"file": say(answer(body))}) as server:
        with pytest.raises(aioflags.StorageError, match="free some space"):
            urls = [f"{server.url}/file/{n}" for n in range(200)]
            download(urls, tiny_disk, engine=engine, concurrency=4, retries=4)
        assert len(server.seen) < 60
    assert {path.read_bytes() for path in tiny_disk.iterdir()} <= {body}


def _freeze(path: Path, change: str) -> None:
    """Take or give back the right to change a directory, from or to root, too."""
    chattr = shutil.which("chattr")
    if chattr is None or subprocess.run([chattr, f"{change}i", path], capture_output=True, check=False).returncode:
        pytest.skip("this file system knows no directory that cannot be changed, or we may not make one (chattr +i)")


@pytest.mark.parametrize("how", ["removed", "frozen"])
@pytest.mark.parametrize("engine", ENGINES)
def test_destination_that_goes_away_in_mid_run_ends_it(tmp_path: Path, engine: EngineName, how: str) -> None:
    """Its fault is no fault of two hundred items: they are not asked for."""
    path = tmp_path / "files"
    path.mkdir()
    if how == "frozen":
        _freeze(path, "+")
        _freeze(path, "-")
    gate = Gate()

    def meddle() -> None:
        while not gate.gauge.now:
            time.sleep(0.01)
        if how == "removed":
            shutil.rmtree(path)
        else:
            _freeze(path, "+")
        gate.open()

    with FaultServer({"file": gate}) as server:
        meddler = threading.Thread(target=meddle)
        meddler.start()
        try:
            with pytest.raises(aioflags.StorageError):
                urls = [f"{server.url}/file/{n}" for n in range(200)]
                download(urls, path, engine=engine, concurrency=4, retries=4)
        finally:
            meddler.join()
            if how == "frozen":
                _freeze(path, "-")
        assert len(server.seen) < 40
    assert not path.exists() or files_in(path) == []
