"""`aioflags status`, `retry` and `verify`, called as the program calls them, after runs against a real server."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aioflags.cli.main import run
from aioflags.flagserver.server import FlagServer, ServerThread
from aioflags.folders import Folder
from aioflags.lock import RunLock

Result = tuple[int, str, str]
Call = Callable[..., Result]


@pytest.fixture(scope="module")
def server() -> Iterator[ServerThread]:
    with ServerThread(FlagServer(log=[])) as server:
        yield server


@pytest.fixture
def call(
    server: ServerThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Call a command in an empty directory; gives exit status, output and error output. `@` is the server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["/x/aioflags/__main__.py"])

    def call_it(*arguments: str) -> Result:
        status = 0
        try:
            status = run([argument.replace("@", server.url) for argument in arguments])
        except SystemExit as exit_:
            status = int(str(exit_.code))
        return status, *capsys.readouterr()

    return call_it


@pytest.fixture
def job(call: Call, server: ServerThread) -> None:
    """A run with every kind of ending; the server forgets that it was asked."""
    urls = ["@bytes/1", "@bytes/2000", "@bytes/3", "@status/404", "@status/503?token=s3cret", "nonsense"]
    assert call("get", *urls, "--retries", "0", "-q")[0] == 1
    assert server.server.log is not None
    server.server.log.clear()


def records(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def requests(server: ServerThread) -> list[str]:
    assert server.server.log is not None
    return [entry[1] for entry in server.server.log]


# status


@pytest.mark.usefixtures("job")
def test_status_tells_what_is_done_and_what_to_do(call: Call) -> None:
    """Counts, failures by kind and host without secrets, the last run, and the next command."""
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
    assert "-m aioflags retry downloads" in lines[-1]


@pytest.mark.usefixtures("job")
def test_status_as_records(call: Call) -> None:
    """An outcome for each item, then the summary with the groups of failures."""
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


def test_status_of_a_finished_job(call: Call) -> None:
    """Nothing to do is said by the exit status."""
    call("get", "@bytes/1")
    status, out, _ = call("status", "downloads")
    assert status == 0
    assert len(out.splitlines()) == 2


def test_status_of_a_run_that_was_killed(call: Call) -> None:
    """What is not fetched yet is counted, and that the run did not come to its end is said."""
    call("get", "@bytes/1", "@bytes/2")
    with sqlite3.connect("downloads/.aioflags/ledger") as connection:
        connection.execute("UPDATE items SET state = 0 WHERE name = '2'")
        connection.execute("UPDATE runs SET ended = NULL")
    connection.close()
    status, out, _ = call("status", "downloads")
    assert status == 1
    assert "not fetched yet  1" in out
    assert "did not come to its end" in out
    *outcomes, summary = records(call("status", "downloads", "--json")[1])
    assert [each["status"] for each in outcomes] == ["saved", "wanted"]
    assert (summary["items"], summary["wanted"]) == (2, 1)


def test_status_while_a_run_is_at_work(call: Call) -> None:
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


@pytest.mark.parametrize("command", ["status", "retry", "verify"])
def test_directory_without_ledger(call: Call, command: str) -> None:
    """A wrong call, with words that say why."""
    status, out, err = call(command, ".")
    assert (status, out) == (2, "")
    assert "there is no ledger in" in err


@pytest.mark.parametrize("command", ["status", "retry", "verify"])
def test_ledger_that_cannot_be_read(call: Call, command: str) -> None:
    """A local fault, with words that say what to do."""
    os.makedirs("downloads/.aioflags")
    Path("downloads/.aioflags/ledger").write_bytes(b"no ledger" * 1000)
    status, _, err = call(command, "downloads")
    assert status == 3
    assert "move it away" in err


# retry


@pytest.mark.usefixtures("job")
def test_retry_asks_only_for_what_failed(call: Call, server: ServerThread) -> None:
    """What is done is not asked for; the records are those of get."""
    status, out, _ = call("retry", "downloads", "--retries", "0", "--json")
    *outcomes, summary = records(out)
    assert status == 1
    assert sorted(requests(server)) == ["/status/404", "/status/503?token=s3cret"]
    assert len(outcomes) == summary["items"] == 3


def test_retry_gets_what_can_be_got_now(call: Call) -> None:
    """Under the name it had, with the headers and digests of the list; then there is nothing to do any more."""
    url = "@bytes/5?status=503&times=1&key=retry"
    Path("list.jsonl").write_text("")
    assert call("get", url, "-o", "sub/five", "--retries", "0")[0] == 1
    status, out, err = call("retry", "downloads")
    assert (status, err) == (0, "")
    assert out.startswith("1 file saved, 5 B")
    assert Path("downloads/sub/five").stat().st_size == 5
    assert call("retry", "downloads")[:2][0] == 0
    assert call("status", "downloads")[0] == 0


def test_retry_leaves_what_was_not_tried(call: Call, server: ServerThread) -> None:
    """That has its own command, and retry says so."""
    call("get", "@bytes/1", "@status/404", "--retries", "0")
    with sqlite3.connect("downloads/.aioflags/ledger") as connection:
        connection.execute("UPDATE items SET state = 0 WHERE name = '1'")
    connection.close()
    assert server.server.log is not None
    server.server.log.clear()
    status, _, err = call("retry", "downloads")
    assert status == 1
    assert "1 item not fetched yet" in err
    assert requests(server) == ["/status/404"]


# verify


def spoil() -> None:
    """Change one file, cut one, remove one."""
    Path("downloads/1").write_bytes(b"y")
    Path("downloads/2000").write_bytes(b"y")
    Path("downloads/3").unlink()


@pytest.mark.usefixtures("job")
def test_verify_names_what_is_wrong(call: Call) -> None:
    """Changed, cut, gone; nothing is changed by it."""
    status, out, err = call("verify", "downloads")
    assert (status, out, err) == (0, "3 files as fetched, 2.0 kB\n", "")
    spoil()
    status, out, err = call("verify", "downloads")
    assert (status, err) == (1, "")
    assert out.splitlines() == [
        "wrong  1: its xxh128 is not that of what was fetched",
        "wrong  2000: it has 1 bytes, 2000 were fetched",
        "gone   3: there is no such file any more",
        "0 files as fetched, 0 B, 3 wrong or gone (--fix fetches them again)",
    ]
    *outcomes, summary = records(call("verify", "downloads", "--json")[1])
    assert [(each["path"], each["error"]["kind"]) for each in outcomes] == [
        ("1", "checksum"),
        ("2000", "checksum"),
        (None, "storage"),
    ]
    assert summary["failed"] == 3


@pytest.mark.usefixtures("job")
def test_verify_fixes_what_is_wrong(call: Call, server: ServerThread) -> None:
    """By fetching exactly that, and what failed before is left to retry."""
    spoil()
    status, out, err = call("verify", "downloads", "--fix")
    assert (status, err) == (0, "")
    assert out.splitlines()[3:-1] == ["0 files as fetched, 0 B, 3 wrong or gone (to be fetched again)"]
    assert out.splitlines()[-1].startswith("3 files saved, 2.0 kB")
    assert sorted(requests(server)) == ["/bytes/1", "/bytes/2000", "/bytes/3"]
    assert call("verify", "downloads")[0] == 0


@pytest.mark.usefixtures("job")
def test_what_could_not_be_fixed_is_not_forgotten(call: Call) -> None:
    """It is not done any more: status says so, retry has it, and the file is left as it is."""
    spoil()
    assert call("verify", "downloads", "--fix", "--max-bytes", "2", "--retries", "0")[0] == 1
    assert Path("downloads/2000").read_bytes() == b"y"
    assert call("status", "downloads")[1].splitlines()[1].startswith("failed           4")
    assert call("retry", "downloads", "--retries", "0")[0] == 1
    assert Path("downloads/2000").stat().st_size == 2000


@pytest.mark.usefixtures("job")
def test_verify_follows_no_link(call: Call) -> None:
    """A link is not the file that was fetched, whatever it leads to."""
    Path("downloads/1").rename("elsewhere")
    Path("downloads/1").symlink_to("../elsewhere")
    status, out, _ = call("verify", "downloads")
    assert status == 1
    assert "gone   1" in out


def test_files_without_digest_are_compared_by_size(call: Call) -> None:
    """And counted: nobody has read them before."""
    os.mkdir("downloads")
    Path("downloads/1").write_bytes(b"x")
    call("get", "@bytes/1", "--existing", "skip")
    status, out, _ = call("verify", "downloads")
    assert (status, out) == (0, "1 file as fetched, 1 B, 1 compared by size only\n")


@pytest.mark.usefixtures("job")
def test_fixing_needs_the_directory_for_itself(call: Call) -> None:
    """A run at work is told of, and nothing is changed."""
    spoil()
    state = Folder.open("downloads/.aioflags")
    lock = RunLock(state)
    lock.acquire()
    status, _, err = call("verify", "downloads", "--fix")
    assert status == 3
    assert "in use by the run" in err
    lock.release()
    state.close()
