"""`aioflags verify`: what is not as it was fetched is named, and with `--fix` fetched again."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from aioflags.cli import verify
from aioflags.destination import Destination
from aioflags.disk_errors import translate_os_error
from aioflags.flagserver.server import FlagServer, ServerThread
from aioflags.folders import Folder
from aioflags.inspection import Finding, inspect
from aioflags.lock import RunLock
from tests.caller import Caller, change_ledger, records


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Caller]:
    with ServerThread(FlagServer(log=[])) as server:
        yield Caller(server, tmp_path, monkeypatch, capsys)


def spoil() -> None:
    """Change one file, cut one, remove one."""
    Path("downloads/1").write_bytes(b"y")
    Path("downloads/2000").write_bytes(b"y")
    Path("downloads/3").unlink()


def test_what_is_wrong_is_named(call: Caller) -> None:
    """Changed, cut, gone; nothing is changed by it."""
    call.do_job()
    assert call("verify", "downloads") == (0, "3 files as fetched, 2.0 kB\n", "")
    spoil()
    before = os.listdir("downloads/.aioflags")
    status, out, err = call("verify", "downloads")
    assert (status, err) == (1, "")
    assert out.splitlines() == [
        "wrong  1: its xxh128 is not that of what was fetched",
        "wrong  2000: it has 1 bytes, 2000 were fetched",
        "gone   3: there is no such file any more",
        "0 files as fetched, 0 B, 3 wrong or gone (--fix fetches them again)",
    ]
    assert call("verify", "downloads", "-q")[1].splitlines() == out.splitlines()[:-1]
    assert os.listdir("downloads/.aioflags") == before
    assert call.requests() == []


def test_records(call: Caller) -> None:
    """An outcome for each file, present or failed, then the summary."""
    call.do_job()
    spoil()
    Path("downloads/2000").unlink()
    status, out, _ = call("verify", "downloads", "--json")
    *outcomes, summary = records(out)
    assert [(each["path"], each["status"], each["error"]["kind"]) for each in outcomes] == [
        ("1", "failed", "checksum"),
        (None, "failed", "storage"),
        (None, "failed", "storage"),
    ]
    assert (status, summary["failed"], summary["errors"]) == (1, 3, {"checksum": 1, "storage": 2})


def test_what_is_wrong_is_fixed(call: Caller) -> None:
    """By fetching exactly that, and what failed before is left to retry."""
    call.do_job()
    spoil()
    status, out, err = call("verify", "downloads", "--fix")
    assert (status, err) == (0, "")
    assert out.splitlines()[3:-1] == ["0 files as fetched, 0 B, 3 wrong or gone (to be fetched again)"]
    assert out.splitlines()[-1].startswith("3 files saved, 2.0 kB")
    assert call.requests() == ["/bytes/1", "/bytes/2000", "/bytes/3"]
    assert call("verify", "downloads")[0] == 0


def test_fixing_as_records(call: Caller) -> None:
    """Those of the files that are fetched again, and nothing else on standard output."""
    call.do_job()
    assert [each["items"] for each in records(call("verify", "downloads", "--fix", "--json")[1])] == [0]
    spoil()
    *outcomes, summary = records(call("verify", "downloads", "--fix", "--json")[1])
    assert {each["status"] for each in outcomes} == {"saved"}
    assert summary["saved"] == 3


def test_nothing_to_fix(call: Caller) -> None:
    """Is said, and asked for from nobody."""
    call.do_job()
    assert call("verify", "downloads", "--fix") == (0, "3 files as fetched, 2.0 kB\n", "")
    assert call.requests() == []


def test_what_could_not_be_fixed_is_not_forgotten(call: Caller) -> None:
    """The file is left as it is, and still wrong: verify and status say so, and why; retry has it."""
    call.do_job()
    spoil()
    assert call("verify", "downloads", "--fix", "--max-bytes", "2", "--retries", "0")[0] == 1
    assert Path("downloads/2000").read_bytes() == b"y"
    status, out, _ = call("verify", "downloads")
    assert status == 1
    assert {line.split(":")[0] for line in out.splitlines()[:-1]} == {"wrong  2000", "wrong  3"}
    lines = call("status", "downloads")[1].splitlines()
    assert [line.split()[:2] for line in lines if line.startswith(("failed ", "wrong "))] == [
        ["failed", "2"],
        ["wrong", "2"],
    ]
    assert any("2 x too_large" in line for line in lines)
    assert call("retry", "downloads", "--retries", "0")[0] == 1
    assert Path("downloads/2000").stat().st_size == 2000


def test_what_a_later_run_found_cut_and_could_not_fetch_is_wrong(call: Caller) -> None:
    """Nobody says that all is well while it lies there."""
    call.do_job()
    spoil()
    assert call("get", "@bytes/2000", "--max-bytes", "2", "--retries", "0", "-q")[0] == 1
    assert call("verify", "downloads")[1].splitlines()[1].startswith("wrong  2000: it was found wrong")


def test_file_that_is_not_what_a_list_declares_now_is_still_as_fetched(call: Caller) -> None:
    """It cannot be fetched as declared; what is there is what came."""
    call.do_job()
    Path("list.jsonl").write_text(json.dumps({"url": f"{call.url}bytes/2000", "sha256": "0" * 64}))
    assert call("get", "-i", "list.jsonl", "--retries", "0", "-q")[0] == 1
    assert call("verify", "downloads", "-q") == (0, "", "")


def test_what_was_marked_and_not_fetched_is_still_wrong(call: Caller) -> None:
    """A run that was interrupted between the two has told the ledger; nobody says that all is well."""
    call.do_job()
    change_ledger("UPDATE items SET state = 5, size = NULL, digests = NULL WHERE name = '1'")
    status, out, _ = call("verify", "downloads")
    assert status == 1
    assert "wrong  1: it was found wrong or gone before" in out
    assert call("verify", "downloads", "--fix")[0] == 0
    assert call.requests() == ["/bytes/1"]
    assert call("verify", "downloads")[0] == 0


def test_what_cannot_be_read_now_is_not_fetched(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many open files are no fault of the file; what is wrong is fixed, and not all is well."""
    call.do_job()
    Path("downloads/3").unlink()
    read = Destination.digest

    def refuse_one(destination: Destination, name: str, algorithms: Sequence[str]) -> dict[str, str]:
        if name != "1":
            return read(destination, name, algorithms)
        fault = OSError(errno.EMFILE, "too many open files")
        raise translate_os_error(fault, "read 1") from fault

    monkeypatch.setattr(Destination, "digest", refuse_one)
    status, out, _ = call("verify", "downloads", "--fix")
    assert status == 1
    assert "unreadable  1: cannot read 1: too many open files" in out
    assert call.requests() == ["/bytes/3"]


def test_link_is_not_followed(call: Caller) -> None:
    """A link is not the file that was fetched, whatever it leads to; and it is not replaced."""
    call.do_job()
    Path("downloads/1").rename("elsewhere")
    Path("downloads/1").symlink_to("../elsewhere")
    status, out, _ = call("verify", "downloads")
    assert status == 1
    assert "gone   1: there is something of its name that is no file" in out
    assert call("verify", "downloads", "--fix")[0] == 1
    assert Path("downloads/1").is_symlink()


def test_files_without_digest_are_compared_by_size(call: Caller) -> None:
    """And counted: nobody has read them before."""
    os.mkdir("downloads")
    Path("downloads/1").write_bytes(b"x")
    call("get", "@bytes/1", "--existing", "skip")
    status, out, _ = call("verify", "downloads")
    assert (status, out) == (0, "1 file as fetched, 1 B, 1 compared by size only\n")


def test_fixing_needs_the_directory_for_itself(call: Caller) -> None:
    """A run at work is told of, and nothing is changed."""
    call.do_job()
    spoil()
    state = Folder.open("downloads/.aioflags")
    lock = RunLock(state)
    lock.acquire()
    status, _, err = call("verify", "downloads", "--fix")
    assert status == 3
    assert "in use by the run" in err
    lock.release()
    state.close()


@pytest.mark.parametrize("fix", [[], ["--fix"]])
def test_interrupted(call: Caller, monkeypatch: pytest.MonkeyPatch, fix: list[str]) -> None:
    """Whoever called hears of it, and the directory is free again."""
    call.do_job()

    def interrupt(*arguments: Any) -> Iterator[Finding]:
        for finding in inspect(*arguments):
            yield finding
            raise KeyboardInterrupt

    monkeypatch.setattr(verify, "inspect", interrupt)
    with pytest.raises(KeyboardInterrupt):
        call("verify", "downloads", *fix)
    assert "lock" not in os.listdir("downloads/.aioflags")


def test_progress(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line now and then on standard error, unless nobody wants one."""
    call.do_job()
    monkeypatch.setattr(verify, "_INTERVAL", 0.0)
    err = call("verify", "downloads")[2]
    assert err.splitlines()[-1] == "3 of 3 files compared, 2.0 kB"
    assert call("verify", "downloads", "-q")[2] == call("verify", "downloads", "--progress", "none")[2] == ""


def test_name_that_no_file_may_have(call: Caller) -> None:
    """Nothing outside the directory is opened because a ledger says so."""
    call.do_job()
    change_ledger("UPDATE items SET name = '../' || name WHERE name = '1'")
    Path("1").write_bytes(Path("downloads/1").read_bytes())
    status, out, _ = call("verify", "downloads")
    assert status == 1
    assert "the ledger gives it a name that no file may have" in out


@pytest.mark.parametrize("server_is_up", [True, False])
def test_file_that_was_never_fetched_is_not_replaced(call: Caller, server_is_up: bool) -> None:
    """One that was skipped is its owner's, changed or not: neither --fix nor a later get touches it unasked."""
    url = "@bytes/5" if server_is_up else "@status/500?x=/5"
    os.mkdir("downloads")
    Path("downloads/five").write_bytes(b"mine")
    assert call("get", url, "-o", "five", "--existing", "skip")[0] == 0
    Path("downloads/five").write_bytes(b"mine, edited")
    assert call("verify", "downloads", "--fix", "--retries", "0")[0] == 1
    assert call("get", url, "-o", "five", "--retries", "0")[0] == 1
    assert Path("downloads/five").read_bytes() == b"mine, edited"
    assert call.requests() == []
    assert call("get", url, "-o", "five", "--existing", "replace", "--retries", "0")[0] == (0 if server_is_up else 1)
    assert Path("downloads/five").stat().st_size == (5 if server_is_up else 12)


def test_gone_file_is_named_after_another_item_has_failed(call: Caller) -> None:
    """Also where that one failed since a stranger's file has its name, and by a run that came later."""
    assert call("get", "@bytes/5", "@bytes/6", "-q")[0] == 0
    Path("downloads/5").unlink()
    Path("downloads/7").write_text("a stranger's")
    status, out, _ = call("get", "@bytes/7", "--json")
    assert (status, records(out)[0]["error"]["kind"]) == (1, "exists")
    status, out, _ = call("verify", "downloads")
    assert (status, out.splitlines()[0]) == (1, "gone   5: there is no such file any more")
    assert Path("downloads/7").read_text() == "a stranger's"
