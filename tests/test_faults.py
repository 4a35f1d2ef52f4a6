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
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import trustme

import aioflags
from aioflags.destination import Destination
from aioflags.engines.aiohttp_engine import AiohttpEngine
from aioflags.pace import Pace
from aioflags.settings import EngineName, Settings
from aioflags.storage import Storage
from aioflags.writer import Writer
from tests.faultserver import FaultServer, Gate, answer, say, server_context
from tests.hostile import BODY, Client, Fault, HostileServer, head
from tests.leftovers import files_in
from tests.test_engines import BY_NAME

ENGINES: tuple[EngineName, ...] = ("asyncio", "aiohttp", "threads", "processes", "sequential")
#: Those whose attempts are made in this process, so that a test can take its place between them and the system.
INSIDE: tuple[EngineName, ...] = ("asyncio", "aiohttp", "threads", "sequential")
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
    """Twice: until then every engine remembers the answer; then all items of the host fail together."""
    names = Names(monkeypatch, socket.EAI_NONAME, 9999)
    urls = [f"http://flags.test/{number}" for number in range(100)]
    outcomes = download(urls, tmp_path / "files", engine=engine, retries=4, per_host=1)
    assert set(kinds_of(outcomes).values()) == {"dns"}
    assert len(outcomes) == 100
    assert len(names.asked) == 2


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
@pytest.mark.parametrize("engine", ["asyncio", "aiohttp", "threads", "sequential"])
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


# Processes, and what is owed to whoever calls


@pytest.mark.parametrize("engine", ENGINES)
def test_second_run_on_a_directory_asks_for_nothing(tmp_path: Path, engine: EngineName) -> None:
    """It is told who is at work there, and the first one loses nothing."""
    gate = Gate()

    async def two_at_once(url: str) -> tuple[aioflags.Report, list[bytes]]:
        first = asyncio.ensure_future(aioflags.download_many([f"{url}/1"], tmp_path, ledger=True, engine=engine))
        while not gate.gauge.now:
            await asyncio.sleep(0.01)
        with pytest.raises(aioflags.StorageError, match="in use by the run with process id"):
            await aioflags.download_many([f"{url}/2"], tmp_path, ledger=True, engine=engine)
        seen = list(server.seen)
        gate.open()
        return await first, seen

    with FaultServer({"file": gate}) as server:
        report, seen = asyncio.run(two_at_once(f"{server.url}/file"))
    assert [outcome.status for outcome in report] == [aioflags.Status.SAVED]
    assert len(seen) == 1
    assert files_in(tmp_path) == ["1"]


class Forbidden(ThreadPoolExecutor):
    """An executor that belongs to somebody else."""

    def submit(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("the default executor was used")


@pytest.mark.parametrize("engine", ENGINES)
async def test_default_executor_is_left_to_the_host_application(tmp_path: Path, engine: EngineName) -> None:
    """It may be full of its own work: names, files and the ledger have threads of ours."""
    asyncio.get_running_loop().set_default_executor(Forbidden())
    with FaultServer({"big": say(answer(BIG))}) as server:
        urls = [f"http://localhost:{server.port}/big", f"{server.url}/saved"]
        report = await aioflags.download_many(urls, tmp_path, engine=engine, ledger=True, durability="batch")
    assert {outcome.status for outcome in report} == {aioflags.Status.SAVED}


async def test_no_transfer_is_too_long(tmp_path: Path) -> None:
    """Nothing counts the time of a whole transfer: neither what watches its pace, nor aiohttp with its five minutes."""
    pace = Pace(60, 1)
    for now in range(0, 7 * 86_400, 30):
        pace.wait(now)
        pace.receive(1000, now + 29)
        assert pace.complaint(now + 29) is None
    destination = Destination(tmp_path)
    engine = AiohttpEngine(Storage(Writer(destination)), Settings())
    session = engine._session(is_public_only=False, is_fresh=False)
    timeout = session.timeout
    assert {timeout.total, timeout.connect, timeout.sock_connect, timeout.sock_read} == {None}
    await engine.close()


# The table


def _cases(*names: str) -> str:
    """Name cases of the contract suite, which all engines and both schemes must pass."""
    return " ".join(f"test_engines::test_fault_ends_as_it_must[{name}]" for name in names)


_ENGINE = "test_engines_asyncio_engine"
_DRIVER = "test_engines_blocking_driver"
_RESUME = "test_resume::test_cut_file_ends_as_it_must test_resume::test_range_is_never_asked_for_without_its_condition"

#: Row of the fault table, to the tests that prove it. Nothing is proved by a test that only touches it.
PROOFS = {
    # Framing
    "F01": _cases("cut", "cut-big", "cut-reset") + " test_engines_body::test_body_ends_as_it_must",
    "F02": _cases("excess-later") + f" {_ENGINE}::test_answer_ends_as_it_must "
    "test_engines_kept_connections::test_unasked_answer_is_never_taken_for_the_next",
    "F03": _cases("chunked-cut-between", "chunked-cut-inside", "chunked-reset-between", "chunked-reset-inside",
                  "chunk-size-cut", "last-chunk-cut", "trailer-cut", "trailer-missing"),
    "F04": _cases("chunked-bad-size", "chunked-bad-size-later", "chunked-bad-size-last", "chunk-size-negative",
                  "chunk-longer-than-its-size", "chunk-without-end", "trailer-broken")
    + " test_engines_blocking_response::test_framing_that_is_none",
    "F05": _cases("open-end", "http-1.0"),
    "F06": _cases("open-end-reset") + f" {_ENGINE}::test_reset_of_a_body_without_length_is_seen",
    "F07": "test_faults::test_end_of_a_connection_without_goodbye",
    "F08": _cases("length-negative", "length-no-number", "length-and-chunked", "length-plus", "length-vertical",
                  "length-two-lines", "length-huge", "coding-nearly-chunked"),
    "F09": _cases("no-content", "not-modified") + f" {_ENGINE}::test_answer_ends_as_it_must",
    "F10": _cases("empty"),
    "F11": _cases("endless-1xx", "early-hints"),
    "F12": _cases("not-http", "another-protocol") + f" {_ENGINE}::test_plain_request_to_a_tls_port",
    "F13": _cases("bare-lf", "field-folded", "no-reason") + f" {_ENGINE}::test_answer_ends_as_it_must",
    "F14": _cases("partial"),
    # Content coding
    "F15": _cases("gzip"),
    "F16": _cases("coding-cut", "coding-wrong-sum", "coding-two-members", "coding-lie"),
    "F17": _cases("coding-bomb") + f" {_ENGINE}::test_bomb_stays_under_the_limit",
    # Resume
    "F18": _RESUME,
    "F19": _RESUME,
    "F20": _RESUME,
    "F21": _RESUME + " test_resume_later::test_file_that_has_changed_between_runs_is_fetched_anew",
    "F22": _RESUME,
    "F23": _RESUME + " test_resume_later::test_part_that_has_all_bytes_asks_for_the_last_one",
    "F24": _RESUME,
    "F25": "test_resume_later::test_part_that_somebody_else_has_changed "
    "test_rerun::test_next_run_is_given_what_was_noted",
    "F26": "test_lock::test_second_one_is_told_who_holds_it test_private::test_one_run_at_a_time_works_with_a_ledger "
    "test_faults::test_second_run_on_a_directory_asks_for_nothing",
    # Time
    "F27": f"{_ENGINE}::test_connection_that_does_not_come_times_out {_ENGINE}::test_handshake_that_stalls_times_out "
    f"{_DRIVER}::test_deadline_to_connect_holds_for_tls",
    "F28": _cases("silent", "head-only"),
    "F29": _cases("head-dripped") + f" {_ENGINE}::test_request_is_sent_once",
    "F30": _cases("stall", "stall-big", "stall-chunk-size", "stall-trailer"),
    "F31": _cases("drip") + " test_pace::test_trickle_under_the_minimum_is_noticed",
    "F32": _cases("endless", "too-large"),
    "F33": "test_faults::test_no_transfer_is_too_long",
    "F34": f"{_ENGINE}::test_own_slowness_is_not_the_servers_fault "
    f"{_DRIVER}::test_own_slowness_is_not_the_servers_fault test_storage::test_slow_disk_holds_the_network_back",
    "F35": "test_faults::test_clock_that_jumps_changes_nothing test_retry::test_retry_after_in_both_forms",
    # Status and redirects
    "F36": _cases(*(f"passing-{status}" for status in (408, 425, 429, 500, 503, 504, 522, 524)), "bad-gateway")
    + " test_dispatcher::test_host_that_asks_for_less_gets_less",
    "F37": _cases("retry-after-forever", "retry-after-nonsense", "retry-after-negative", "retry-after-past",
                  "retry-after-year-9999", "retry-after-digits")
    + " test_downloader::test_pause_that_a_server_asks_for",
    "F38": "test_engines::test_missing_is_missing " + _cases("final-400", "final-401", "forbidden", "final-451"),
    "F39": f"{_ENGINE}::test_body_of_another_digest_is_refused {_ENGINE}::test_body_of_another_size_is_refused",
    "F40": _cases("loop") + " test_downloader::test_ten_redirects_are_followed",
    "F41": _cases("to-file", "to-ftp", "to-data", "to-port", "to-control"),
    "F42": "test_chain::test_from_https_to_http_is_refused test_downloader::test_redirect_out_of_tls_is_refused",
    "F43": f"{_ENGINE}::test_url_is_sent_byte_for_byte {_DRIVER}::test_url_is_sent_byte_for_byte "
    "test_urls::test_a_location_is_taken_as_the_server_wrote_it",
    # Connection and name
    "F44": f"{_ENGINE}::test_kept_connection_that_was_closed_is_nobodys_fault "
    f"{_DRIVER}::test_stale_connection_is_told_apart test_pursuit::test_stale_connections_are_free_three_times",
    "F45": _cases("closed", "reset", "head-cut", "head-cut-between", "head-cut-early", "head-reset"),
    "F46": "test_faults::test_name_that_does_not_exist_is_looked_up_seldom_for_all_its_items "
    "test_dispatcher::test_unknown_host_fails_with_all_its_items_after_a_second_look",
    "F47": "test_faults::test_name_server_that_is_overloaded_is_asked_again "
    "test_engines_resolver::test_look_up_that_may_pass_is_not_remembered",
    "F48": f"{_ENGINE}::test_certificate_that_is_not_valid_is_final "
    f"{_DRIVER}::test_certificate_that_is_not_valid_is_final",
    "F49": f"{_ENGINE}::test_handshake_that_fails_may_pass test_retry::test_detail_knows_better_than_the_kind",
    "F50": "test_faults::test_want_of_open_files_fails_no_item "
    "test_engines_translate::test_exception_becomes_an_error_of_ours "
    f"{_ENGINE}::test_too_many_open_files_fail_no_item",
    "F51": "test_dispatcher::test_network_that_goes_away_costs_no_item_its_retries "
    "test_uplink::test_silence_everywhere_is_waited_out",
    "F52": "test_faults::test_proxy_that_is_not_there_is_one_fault_of_the_run "
    "test_downloader::test_proxy_that_refuses_us_ends_a_list_that_is_not_through",
    # Local disk
    "F53": "test_faults::test_full_disk_ends_the_run_with_whole_files "
    "test_writer::test_error_of_the_disk_counts_whenever_it_is_told",
    "F54": "test_faults::test_file_whose_bytes_were_lost_is_fetched_again "
    "test_faults::test_disk_that_keeps_losing_bytes_ends_the_run "
    "test_faults::test_bytes_that_were_lost_are_not_asked_about_again",
    "F55": "test_faults::test_file_that_is_too_large_for_its_file_system_fails_alone",
    "F56": "test_faults::test_destination_that_goes_away_in_mid_run_ends_it "
    "test_destination::test_read_only_destination_is_found_before_the_first_request "
    "test_destination::test_file_is_no_destination test_downloader::test_destination_that_cannot_be",
    "F57": "test_names::test_a_long_name_is_cut_and_keeps_its_extension "
    "test_names::test_any_wanted_name_becomes_safe_or_is_refused "
    "test_register::test_whatever_is_wished_no_two_files_can_collide "
    "test_register::test_twins_of_case_and_unicode_form_do_not_share_a_name",
    "F58": "test_destination::test_taken_name_is_refused "
    "test_destination::test_taken_name_is_replaced_on_demand_unless_it_is_a_directory "
    "test_folders::test_replacing_a_link_leaves_its_goal_alone",
    # Process and input
    "F60": "test_cli_job::test_first_signal_lets_finish_what_is_in_flight test_cli_job::test_grace_is_limited "
    "test_main::test_second_signal_stops_at_once test_cli_carry_on::test_command_is_the_one_that_was_given",
    "F61": "torture.test_kills::test_no_moment_to_be_killed_is_a_bad_one "
    "test_destination::test_dead_run_is_swept_and_living_one_is_not",
    "F62": "test_rerun::test_killed_before_it_was_said_to_be_done test_rerun::test_killed_before_the_rename",
    "F63": "test_writer::test_bytes_are_safe_before_the_name_and_the_name_before_it_is_said "
    "test_rerun::test_rotten_file_after_a_crash_of_the_system test_rerun::test_whole_file_after_a_crash_of_the_system "
    "test_ledger::test_files_of_the_last_minutes_are_distrusted",
    "F64": "test_storage::test_cancelled_stream_leaves_no_part_and_no_thread_at_work "
    f"{_ENGINE}::test_cancelled_at_any_moment_it_leaves_nothing",
    "F65": "test_main::test_stuck_resolver_holds_nothing_up test_cli_exits::test_stuck_thread_holds_nothing_up",
    "F66": "test_downloader::test_job_cancelled_at_any_moment_leaves_nothing "
    f"{_DRIVER}::test_abandoned_attempt_ends_and_leaves_nothing",
    "F67": "test_faults::test_second_run_on_a_directory_asks_for_nothing "
    "test_lock::test_lock_of_a_killed_process_is_taken_over test_lock::test_without_locks_the_note_is_believed",
    "F68": "test_inputs::test_no_bytes_abort_a_list test_inputs::test_memory_does_not_grow_with_the_list "
    "test_inputs::test_a_line_that_is_not_utf8_is_rejected test_lines::test_a_byte_order_mark_is_no_text "
    "test_register::test_same_url_in_one_list_is_a_duplicate",
    "F69": "test_urls::test_what_cannot_be_requested_is_refused test_urls::test_any_string_is_parsed_or_refused",
    "F70": "test_settings::test_header_is_refused_or_can_be_sent test_cli_get::test_wrong_call",
    # Pitfalls of the libraries
    "P01": f"{_ENGINE}::test_reset_of_a_body_without_length_is_seen " + _cases("open-end-reset"),
    "P02": f"{_ENGINE}::test_request_is_sent_once test_engines_exchange::test_signals_count_requests_and_connections",
    "P03": "test_engines_exchange::test_deadline_to_connect "
    "test_engines_resolver::test_closing_waits_for_no_name_server",
    "P04": f"{_ENGINE}::test_cancellation_is_not_mistaken_for_a_deadline "
    "test_engines_exchange::test_cancellation_at_the_deadline_wins " + _cases("head-dripped", "drip"),
    "P05": "test_engines_translate::test_exception_becomes_an_error_of_ours "
    "test_engines_translate_blocking::test_no_connection test_dispatcher::test_bug_in_an_engine_ends_the_run_loudly",
    "P06": "test_engines_resolver::test_look_ups_have_threads_of_their_own",
    "P07": "test_faults::test_default_executor_is_left_to_the_host_application",
    "P08": "test_faults::test_name_server_that_is_overloaded_is_asked_again",
    "P09": "test_engines_connector::test_pool_has_no_limit_of_its_own "
    "test_dispatcher::test_slow_host_does_not_hold_back_a_fast_one",
    "P10": "test_downloader::test_many_items_are_few_tasks test_register::test_memory_does_not_grow_with_the_list "
    "torture.test_soak::test_every_outcome_is_true_and_every_file_right",
    "P11": f"{_ENGINE}::test_url_is_sent_byte_for_byte " + _cases("loop"),
    "P12": f"{_ENGINE}::test_answer_that_is_left_early_is_not_downloaded_on",
    "P13": f"{_ENGINE}::test_kept_connection_that_was_closed_is_nobodys_fault "
    "test_engines_connector::test_fresh_requests_meet_no_kept_connection",
    "P14": "test_engines::test_request_is_the_same_whatever_the_engine",
    "P15": "test_cli_runner::test_limit_is_raised_when_it_is_needed test_faults::test_want_of_open_files_fails_no_item",
    "P16": "test_cli_runner::test_loop_is_uvloops_where_there_is_one test_no_blocking::test_nothing_blocks_the_loop",
    "P17": "test_engines_body::test_body_comes_in_batches test_engines_blocking_body::test_body_comes_in_batches",
    "P18": "test_storage::test_many_small_files_are_few_jobs test_storage::test_cancelled_while_its_group_is_in_flight",
}  # fmt: skip

#: Rows without a proof, and why; each reason stands among the known limits in README, word for word.
UNHANDLED = {
    "F59": "a file that another program holds open there is not waited for",
}


def test_no_row_is_forgotten() -> None:
    """Each has a proof, or its reason is told to the user."""
    rows = {f"F{number:02}" for number in range(1, 71)} | {f"P{number:02}" for number in range(1, 19)}
    assert PROOFS.keys() | UNHANDLED.keys() == rows
    assert PROOFS.keys() & UNHANDLED.keys() == set()
    limits = (Path(__file__).parent.parent / "README.md").read_text("utf-8").partition("\n## Known limits\n")[2]
    assert [row for row, reason in UNHANDLED.items() if reason not in " ".join(limits.split())] == []


@pytest.mark.parametrize("row", PROOFS)
def test_every_row_has_its_proof(row: str) -> None:
    """The tests are there, under these names, and so are the cases of the contract suite."""
    for proof in PROOFS[row].split():
        module, _, function = proof.partition("::")
        name, _, case = function.partition("[")
        assert callable(getattr(import_module(f"tests.{module}"), name, None)), proof
        assert name.startswith("test_"), proof
        assert not case or case.rstrip("]") in BY_NAME, proof
