"""`aioflags status`: what the ledger knows, as a table and as records, also of a run that is at work or was killed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aioflags.flagserver.server import FlagServer, ServerThread
from aioflags.folders import Folder
from aioflags.lock import RunLock
from tests.caller import Caller, change_ledger, records


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Caller]:
    with ServerThread(FlagServer(log=[])) as server:
        yield Caller(server, tmp_path, monkeypatch, capsys)


def test_what_is_done_and_what_to_do(call: Caller) -> None:
    """Counts, failures by kind and host without secrets, the last run, and the next command."""
    call.do_job()
    status, out, err = call("status", "downloads")
    assert (status, err) == (1, "")
    lines = out.splitlines()
    assert lines[:3] == [
        "done             3  2.0 kB",
        "failed           2",
        "missing          1  the server has no such file",
    ]
    assert lines[3].startswith("last run: 20")
    assert "1 x http 404 at 127.0.0.1" in out
    assert "1 x url" in out
    assert "s3cret" not in out
    assert lines[-1].startswith("To fetch again what failed or is wrong: ")
    assert lines[-1].endswith("-m aioflags retry downloads")


def test_records(call: Caller) -> None:
    """An outcome for each item, then the summary with the groups of failures."""
    call.do_job()
    status, out, _ = call("status", "downloads", "--json")
    *outcomes, summary = records(out)
    assert status == 1
    assert sorted(each["status"] for each in outcomes) == ["failed", "failed", "missing", "saved", "saved", "saved"]
    assert {each["type"] for each in outcomes} == {"outcome"}
    assert summary["items"] == 6
    assert (summary["saved"], summary["missing"], summary["failed"], summary["wanted"]) == (3, 1, 2, 0)
    assert {(each["kind"], each["http_status"], each["count"]) for each in summary["failures"]} == {
        ("http", 404, 1),
        ("http", 503, 1),
        ("url", None, 1),
    }
    assert "s3cret" not in out


def test_finished_job(call: Caller) -> None:
    """Nothing to do is said by the exit status."""
    call("get", "@bytes/1")
    status, out, _ = call("status", "downloads")
    assert status == 0
    assert len(out.splitlines()) == 2


def test_run_that_was_killed(call: Caller) -> None:
    """What is not fetched yet is counted, and that the run did not come to its end is said."""
    call("get", "@bytes/1", "@bytes/2")
    change_ledger("UPDATE items SET state = 0 WHERE name = '2'")
    change_ledger("UPDATE runs SET ended = NULL")
    change_ledger("INSERT INTO halves VALUES (2, 'x.part', 0, '', '', NULL, 0, '')")
    os.mkdir("downloads/.aioflags/parts")
    Path("downloads/.aioflags/parts/x.part").write_bytes(bytes(1500))
    status, out, _ = call("status", "downloads")
    assert status == 1
    assert "not fetched yet  1" in out
    assert "half files       1  1.5 kB, to be gone on with" in out
    assert "did not come to its end" in out
    assert "the command again that asked for it" in out
    *outcomes, summary = records(call("status", "downloads", "--json")[1])
    assert [each["status"] for each in outcomes] == ["saved", "wanted"]
    assert (summary["items"], summary["wanted"]) == (2, 1)


def test_what_is_wrong_is_no_failure_of_a_server(call: Caller) -> None:
    """It has a line of its own, and the way to fetch it again."""
    call("get", "@bytes/1")
    change_ledger("UPDATE items SET state = 5, kind = 'checksum'")
    status, out, _ = call("status", "downloads")
    assert status == 1
    assert "wrong            1  changed or gone since" in out
    assert "correct the digest" not in out
    assert "retry downloads" in out
    (outcome, summary) = records(call("status", "downloads", "--json")[1])
    assert (outcome["status"], outcome["error"]["kind"]) == ("failed", "checksum")
    assert summary["failures"] == [{"kind": "checksum", "http_status": None, "host": None, "count": 1}]


def test_what_could_not_be_refreshed(call: Caller) -> None:
    """It is there, and has failed: it is told why, and retry asks for it."""
    assert call("get", "@bytes/5?status=503&times=9&key=stale", "--retries", "0")[0] == 1
    change_ledger("UPDATE items SET state = 6, name = '5', size = 5")
    Path("downloads/5").write_bytes(b"12345")
    status, out, _ = call("status", "downloads")
    assert status == 1
    assert "not refreshed    1  there as it was" in out
    assert "1 x http 503 at 127.0.0.1" in out
    assert "retry downloads" in out


def test_while_a_run_is_at_work(call: Caller) -> None:
    """It says so, and disturbs nothing."""
    call("get", "@bytes/1")
    state = Folder.open("downloads/.aioflags")
    lock = RunLock(state)
    lock.acquire()
    note = json.loads(Path("downloads/.aioflags/lock").read_text())
    # Ours is the one process that is not at work there.
    Path("downloads/.aioflags/lock").write_text(json.dumps(note | {"pid": os.getppid()}))
    assert f"at work now: the run with process id {os.getppid()} on" in call("status", "downloads")[1]
    lock.release()
    state.close()


@pytest.mark.parametrize("started", ["then", 1e300, -5, b"x", float("inf")])
def test_strange_times_are_none(call: Caller, started: object) -> None:
    """Whoever wrote them; the rest is told."""
    call("get", "@bytes/1")
    change_ledger("UPDATE runs SET started = ?", started)
    status, out, err = call("status", "downloads")
    assert (status, err) == (0, "")
    assert "last run: never" in out


@pytest.mark.parametrize("column", ["url", "name", "size", "digests", "kind", "message", "host", "http_status"])
@pytest.mark.parametrize("value", [b"\xff\x00", "\u202e\x1b[31m", -1, 1.5, sys.maxsize, None])
def test_strange_values_do_not_stop_it(call: Caller, column: str, value: object) -> None:
    """What a stranger wrote into a ledger is escaped, or taken for nothing; there is always a table and a record."""
    call("get", "@bytes/1", "@status/503", "--retries", "0", "-q")
    if (column, value) == ("url", None):
        value = 0  # the one column that may not be empty
    change_ledger(f"UPDATE items SET {column} = ?", value)
    for arguments in (["status", "downloads"], ["status", "downloads", "--json"]):
        status, out, _ = call(*arguments)
        assert status == 1
        assert "\u202e" not in out
        assert "\x1b" not in out
    assert records(out)[-1]["items"] == 2


@pytest.mark.parametrize("command", ["status", "retry", "verify"])
def test_directory_without_ledger(call: Caller, command: str) -> None:
    """A wrong call, with words that say why."""
    status, out, err = call(command, ".")
    assert (status, out) == (2, "")
    assert "there is no ledger in" in err


@pytest.mark.parametrize("command", ["status", "retry", "verify"])
def test_ledger_that_cannot_be_read(call: Caller, command: str) -> None:
    """A local fault, with words that say what to do."""
    os.makedirs("downloads/.aioflags")
    Path("downloads/.aioflags/ledger").write_bytes(b"no ledger" * 1000)
    status, _, err = call(command, "downloads")
    assert status == 3
    assert "move it away" in err
