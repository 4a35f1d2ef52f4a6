"""`aioflags get`, called as the program calls it, against a real server."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aioflags.cli.main import run
from aioflags.flagserver.server import FlagServer, ServerThread
from tests.leftovers import files_in

Result = tuple[int, str, str]
Get = Callable[..., Result]


@pytest.fixture(scope="module")
def server() -> Iterator[ServerThread]:
    """A flag server that remembers what it was asked."""
    with ServerThread(FlagServer(log=[])) as server:
        yield server


@pytest.fixture
def get(
    server: ServerThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Get:
    """Call `aioflags get` in an empty directory; gives exit status, output and error output. `@` is the server."""
    monkeypatch.chdir(tmp_path)
    assert server.server.log is not None
    server.server.log.clear()

    def call(*arguments: str) -> Result:
        status = 0
        try:
            status = run(["get", *(argument.replace("@", server.url) for argument in arguments)])
        except SystemExit as exit_:
            status = int(str(exit_.code))
        return status, *capsys.readouterr()

    return call


def records(out: str) -> list[dict[str, Any]]:
    """Read the records of `--json`."""
    return [json.loads(line) for line in out.splitlines()]


def test_urls_become_files(get: Get, tmp_path: Path) -> None:
    """Each URL is a file of its name in downloads, and one line on standard output tells the result."""
    status, out, err = get("@bytes/1000", "@bytes/500?seed=x")
    assert status == 0
    assert out.startswith("2 files saved, 1.5 kB in ")
    assert err == ""
    assert files_in(tmp_path / "downloads") == ["1000", "500"]
    assert all((tmp_path / "downloads" / name).stat().st_size == int(name) for name in ("1000", "500"))


def test_options_and_urls_in_any_order(get: Get, tmp_path: Path) -> None:
    """An option may stand between two URLs."""
    assert get("@bytes/1", "-d", "there", "@bytes/2", "-q", "@bytes/3")[0] == 0
    assert files_in(tmp_path / "there") == ["1", "2", "3"]


def test_json_records(get: Get, server: ServerThread, tmp_path: Path) -> None:
    """--json gives one record for each item, line numbers for those of lists, and the summary last."""
    (tmp_path / "list.txt").write_text(f"# two\n{server.url}bytes/2\nnonsense\n{server.url}bytes/2\n")
    status, out, err = get("@bytes/1", "@status/404", "-i", "list.txt", "--json")
    *outcomes, summary = records(out)
    assert status == 1
    assert {(each["line"], each["status"]) for each in outcomes} == {
        (None, "saved"),
        (None, "missing"),
        (2, "saved"),
        (3, "failed"),
        (4, "duplicate"),
    }
    assert {each["error"]["kind"] for each in outcomes if each["error"]} == {"http", "url"}
    assert summary.pop("elapsed") > 0
    assert summary == {
        "type": "summary",
        "items": 5,
        "saved": 2,
        "present": 0,
        "missing": 1,
        "failed": 1,
        "duplicate": 1,
        "bytes": 3,
        "errors": {"http": 1, "url": 1},
    }
    assert "2 files saved" in err
    assert "2 files failed" in err
    assert "http 404" in err


def test_lists_in_every_format(get: Get, server: ServerThread, tmp_path: Path) -> None:
    """CSV and JSON lines carry names and digests; -i may be repeated."""
    body = b"".join(_content(server, "bytes/9"))
    digest = hashlib.sha256(body).hexdigest()
    (tmp_path / "a.csv").write_text(f"url,name,sha256\n{server.url}bytes/9,nine,{digest}\n")
    (tmp_path / "b.jsonl").write_text(json.dumps({"url": f"{server.url}bytes/9?x", "sha256": "0" * 64}) + "\n")
    status, out, _ = get("-i", "a.csv", "-i", "b.jsonl", "--json")
    by_status = {each.get("status"): each for each in records(out)}
    assert status == 1
    assert by_status["saved"]["path"] == "nine"
    assert by_status["saved"]["digests"]["sha256"] == digest
    assert by_status["failed"]["error"]["kind"] == "checksum"
    assert (tmp_path / "downloads" / "nine").read_bytes() == body


def _content(server: ServerThread, path: str) -> Iterator[bytes]:
    import urllib.request

    with urllib.request.urlopen(server.url + path) as response:
        yield response.read()


def test_name_and_checksum_of_a_single_url(get: Get, server: ServerThread, tmp_path: Path) -> None:
    """-o names the file, --checksum decides whether it is the right one."""
    digest = hashlib.md5(b"".join(_content(server, "bytes/70"))).hexdigest()
    assert get("@bytes/70", "-o", "sub/seventy", "--checksum", f"md5:{digest}")[0] == 0
    assert (tmp_path / "downloads" / "sub" / "seventy").stat().st_size == 70
    assert get("@bytes/70", "-o", "wrong", "--checksum", "md5:" + "0" * 32, "--retries", "0")[0] == 1
    assert not (tmp_path / "downloads" / "wrong").exists()


def test_again(get: Get, server: ServerThread) -> None:
    """The same command again asks for nothing: the ledger knows what is done."""
    assert get("@bytes/5", "@bytes/6")[0] == 0
    assert server.server.log is not None
    server.server.log.clear()
    status, out, err = get("@bytes/5", "@bytes/6")
    assert (status, err) == (0, "")
    assert out.endswith(", 2 already there\n")
    assert list(server.server.log) == []


def test_again_without_ledger(get: Get) -> None:
    """Nobody knows the files: the same command says what exists; with --existing skip it is clean."""
    assert get("@bytes/5", "--no-ledger")[0] == 0
    status, out, err = get("@bytes/5", "--no-ledger")
    assert (status, out.split(" in ")[0]) == (1, "0 files saved, 0 B")
    assert out.endswith(", 1 failed\n")
    assert "--existing skip" in err
    status, out, err = get("@bytes/5", "--no-ledger", "--existing", "skip")
    assert (status, err) == (0, "")
    assert out.endswith(", 1 already there\n")


def test_verbose_and_quiet(get: Get) -> None:
    """-v has a line for every item on standard error; -q has nothing but the number of failures."""
    status, out, err = get("@bytes/5", "@status/404", "-v")
    assert "saved     http" in err
    assert "5 B in" in err
    assert "missing   http" in err
    assert "1 file saved" in out
    status, out, err = get("@bytes/6", "@status/404", "-q")
    assert (status, out, err) == (1, "", "1 file failed:\n")
    assert get("@bytes/7", "-q") == (0, "", "")


def test_secrets_do_not_appear(get: Get) -> None:
    """Neither user info nor a signature is in any output, records included."""
    url = "http://me:s3cret@127.0.0.1:9/x?X-Amz-Signature=s3cret"
    for extra in ([], ["--json"], ["-v"]):
        status, out, err = get(url, "--retries", "0", "--header", "X-Key: s3cret", *extra)
        assert status == 1
        assert "s3cret" not in out + err


def test_insecure_is_said_aloud(get: Get) -> None:
    """Whoever switches verification off is told so."""
    assert get("@bytes/8", "--insecure")[2] == "warning: certificates are not verified (--insecure)\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to download"),
        (["-i", "missing.txt", "@x"], "missing.txt"),
        (["-i", "bad.csv", "@x"], "url"),
        (["-i", ".", "@x"], "directory"),
        (["-i", "-", "-i", "-"], "once"),
        (["@x", "--format", "csv"], "-i FILE"),
        (["@x", "@y", "-o", "name"], "single URL"),
        (["@x", "-i", "good.txt", "--checksum", "md5:" + "0" * 32], "single URL"),
        (["@x", "--checksum", "md5:12"], "hexadecimal"),
        (["@x", "--header", "A: b\nc"], "line break"),
        (["@x", "--cacert", "missing.pem"], "missing.pem"),
        (["@x", "-j", "none"], "invalid int"),
        (["@x", "--tracing"], "unrecognized"),
    ],
)
def test_wrong_call(get: Get, server: ServerThread, tmp_path: Path, arguments: list[str], message: str) -> None:
    """A call that is wrong is exit 2, says what is wrong, and nothing is requested."""
    (tmp_path / "good.txt").write_text(f"{server.url}bytes/1\n")
    (tmp_path / "bad.csv").write_text("address\nhttp://h/\n")
    status, out, err = get(*arguments)
    assert status == 2
    assert out == ""
    assert message in err
    assert err.startswith("aioflags get: error: ")
    assert server.server.log == []


def test_destination_that_is_a_file(get: Get, server: ServerThread, tmp_path: Path) -> None:
    """A destination that cannot be one is exit 3, before any request; the summary is still the last record."""
    (tmp_path / "file").touch()
    status, out, err = get("@bytes/1", "-d", "file", "--json")
    assert status == 3
    assert records(out)[-1]["items"] == 0
    assert "aioflags: error: storage: " in err
    assert server.server.log == []
