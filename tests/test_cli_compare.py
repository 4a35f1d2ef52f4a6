"""`aioflags compare`, called as the program calls it: real runs in processes of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aioflags.cli.main import run
from aioflags.flagserver.server import FlagServer, ServerThread

Result = tuple[int, str, str]
Compare = Callable[..., Result]


@pytest.fixture(scope="module")
def server() -> Iterator[ServerThread]:
    """A flag server that remembers what it was asked."""
    with ServerThread(FlagServer(log=[])) as server:
        yield server


@pytest.fixture
def compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Compare:
    """Call `aioflags compare` in an empty directory; gives exit status, output and error output."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Result:
        status = 0
        try:
            status = run(["compare", *arguments])
        except SystemExit as exit_:
            status = int(str(exit_.code))
        return status, *capsys.readouterr()

    return call


@pytest.mark.slow
def test_all_engines_in_turn(compare: Compare, tmp_path: Path) -> None:
    """Every engine is run, in turn, and has its row; the page has its picture; nothing else is left behind."""
    status, out, err = compare("--delay", "0.002", "--repeat", "2", "--html", "page.html")
    assert status == 0
    engines = ["sequential", "threads", "processes", "aiohttp", "asyncio"]
    assert [line.split()[4] for line in err.splitlines()] == engines * 2
    lines = out.splitlines()
    assert lines[0].startswith("20 files, ")
    assert "the same in" in out
    header = next(index for index, line in enumerate(lines) if line.startswith("engine "))
    rows = [line.split() for line in lines[header + 1 : header + 6]]
    assert [row[0] for row in rows] == engines
    assert rows[0][2] == "1.0x"
    assert all(row[-1] == "0" for row in rows)
    assert "Speed-up over sequential" in out
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert [page.count(f"<h2>{engine}</h2>") for engine in engines] == [1] * 5
    assert page.count("<title>fr.svg, from ") + page.count("fr.svg first") >= 5
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.slow
def test_json_has_what_was_measured(compare: Compare) -> None:
    """One object, with sums and counts that fit the items; the picture's figures are those of the engines."""
    status, out, err = compare("--json", "-q", "--repeat", "1", "--delay", "0.005", "--engines", "asyncio,sequential")
    assert (status, err) == (0, "")
    record = json.loads(out)
    assert (record["type"], record["scenario"], record["items"], record["is_equal"]) == (
        "comparison", "waiting", 20, True,
    )  # fmt: skip
    first, second = record["engines"]
    assert (first["engine"], second["engine"], record["baseline"]) == ("asyncio", "sequential", "sequential")
    assert (second["at_once"], second["workers"], second["speed_up"]) == (1, 1, 1.0)
    assert first["at_once"] > 1
    # Twenty answers, each at least so late, one after the other.
    assert second["wall"] >= second["busy"] >= 20 * 0.005
    for row in record["engines"]:
        assert row["longest"] <= row["busy"]
        assert 0 < row["cpu"] < 10 * row["wall"]
        assert row["memory"] > 1_000_000
        assert row["threads"] >= 1
        assert 0 < row["first_file"] <= row["wall"]


@pytest.mark.slow
def test_limit_of_a_scenario_is_seen(compare: Compare) -> None:
    """No more than two are asked of the slow host at once, and the verdict says that this decides."""
    _, out, _ = compare("--scenario", "one-slow-host", "--engines", "asyncio", "--json", "-q", "--repeat", "1",
                        "--delay", "0.001")  # fmt: skip
    assert [row["at_once"] for row in json.loads(out)["engines"]] == [2]


@pytest.mark.slow
def test_list_of_ones_own(compare: Compare, server: ServerThread, tmp_path: Path) -> None:
    """A list is read once, asked for by each engine with the user's headers, and a missing file is a failure."""
    (tmp_path / "list.txt").write_text(f"{server.url}bytes/9\n{server.url}nothing\n")
    assert server.server.log is not None
    server.server.log.clear()
    status, out, err = compare(
        "-i", "list.txt", "--engines", "threads,asyncio", "--repeat", "1", "--header", "X-Mine: 5"
    )
    assert status == 1
    assert [line.rpartition(", ")[2] for line in err.splitlines()] == ["1 failed"] * 2
    assert "Speed-up over" in out
    asked = [(target, headers["x-mine"]) for _, target, headers in server.server.log]
    assert sorted(asked) == sorted([("/bytes/9", "5"), ("/nothing", "5")] * 2)


@pytest.mark.slow
def test_flags_of_another_server(compare: Compare, server: ServerThread) -> None:
    """--server and --pattern mean what they mean to `flags`."""
    assert server.server.log is not None
    server.server.log.clear()
    status, _, _ = compare("--server", server.url, "--pattern", "{cc}/metadata.json", "--engines", "asyncio", "-q",
                           "--repeat", "1")  # fmt: skip
    assert status == 0
    assert len(server.server.log) == 20
    assert "/fr/metadata.json" in {target for _, target, _ in server.server.log}


def test_files_that_change_are_found_out(compare: Compare, server: ServerThread, tmp_path: Path) -> None:
    """What is not the same in all runs is named, and the status says so."""
    (tmp_path / "list.csv").write_text(f"url,name\n{server.url}bytes/9?status=404&times=1&seed=once,one\n")
    status, out, _ = compare("-i", "list.csv", "--engines", "asyncio", "--repeat", "2", "-q")
    assert status == 1
    assert "Files that are not the same in all runs: one." in out


def test_scenarios_are_named(compare: Compare) -> None:
    """Each with what it is about, one a line."""
    status, out, _ = compare("--list-scenarios")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == ["waiting", "one-big-file", "checksums", "one-slow-host"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--engines", "trio"], "'trio' is none of sequential, threads"),
        (["--repeat", "0"], "--repeat must be at least 1"),
        (["--threads", "0"], "--threads must be at least 1"),
        (["-j", "0", "-i", "good.txt"], "--concurrency"),
        (["--scenario", "waiting", "-i", "good.txt"], "give one of them"),
        (["--delay", "1", "--server", "http://h/"], "--delay is for our own server"),
        (["--pattern", "{cc}"], "--pattern goes with --server"),
        (["--server", "http://h/", "--pattern", "x"], "{cc}"),
        (["--format", "csv"], "-i FILE"),
        (["-i", "missing.txt"], "missing.txt"),
        (["-i", "empty.txt"], "the list is empty"),
        (["-i", "bad.jsonl"], "line 1 of the list cannot be used"),
        (["--html", "missing/page.html"], "missing/page.html"),
        (["--scenario", "none"], "invalid choice"),
    ],
)
def test_wrong_call(compare: Compare, tmp_path: Path, arguments: list[str], message: str) -> None:
    """A call that is wrong is exit 2 and says what is wrong, before anything is run."""
    (tmp_path / "good.txt").write_text("http://127.0.0.1:9/\n")
    (tmp_path / "empty.txt").write_text("# nothing\n")
    (tmp_path / "bad.jsonl").write_text("[]\n")
    status, out, err = compare(*arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert "run 1" not in err
