"""`--trace-file`: valid, complete, and whole whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from aioflags.cli.main import run
from aioflags.cli.trace_file import TraceFile
from aioflags.errors import UsageError
from aioflags.flagserver.server import ServerThread
from aioflags.trace import PHASES, Attempted

Events = list[dict[str, Any]]


def load(path: Path) -> Events:
    """Read a trace file and hold it against the format."""
    trace = json.loads(path.read_text(encoding="utf-8"))
    assert trace["displayTimeUnit"] in {"ms", "ns"}
    events: Events = trace["traceEvents"]
    for event in events:
        assert event["ph"] in {"M", "X", "b", "e"}
        assert isinstance(event["name"], str)
        assert all(type(event[key]) is int for key in ("pid", "tid", "ts"))
        assert event["ph"] != "X" or (type(event["dur"]) is int and event["dur"] >= 0)
        assert event["ph"] not in {"b", "e"} or {"cat", "id"} <= event.keys()
        assert event["ph"] != "M" or event["args"]
    return events


def of_kind(events: Events, kind: str, **wanted: str) -> Events:
    """Those of one kind with certain values."""
    return [e for e in events if e["ph"] == kind and all(e.get(key) == value for key, value in wanted.items())]


def check_nesting(events: Events) -> None:
    """In each lane attempts follow one another, and phases follow one another within them."""
    for lane in {event["tid"] for event in of_kind(events, "X")}:
        attempts = sorted((e for e in of_kind(events, "X", cat="attempt") if e["tid"] == lane), key=lambda e: e["ts"])
        phases = sorted((e for e in of_kind(events, "X", cat="phase") if e["tid"] == lane), key=lambda e: e["ts"])
        for slices in (attempts, phases):
            ends = [e["ts"] + e["dur"] for e in slices]
            assert all(end <= after["ts"] for end, after in zip(ends, slices[1:], strict=False))
        for phase in phases:
            assert any(a["ts"] <= phase["ts"] and phase["ts"] + phase["dur"] <= a["ts"] + a["dur"] for a in attempts)


@pytest.mark.parametrize(
    ("engine", "lane"),
    [
        ("asyncio", "task "),
        ("aiohttp", "task "),
        ("threads", "aioflags-worker_"),
        ("processes", "process "),
        ("sequential", "aioflags-worker_0"),
    ],
)
def test_every_engine_has_named_lanes_and_nested_slices(tmp_path: Path, engine: str, lane: str) -> None:
    """Each file is a slice in the lane of a worker, with its phases in it; process and lanes have names."""
    path = tmp_path / "trace.json"
    codes = ["BR", "FR", "DE", "JP"]
    assert run(["flags", *codes, "-q", "--engine", engine, "-d", str(tmp_path / "d"), "--trace-file", str(path)]) == 0
    events = load(path)
    assert [e["args"]["name"] for e in of_kind(events, "M", name="process_name")] == [f"aioflags, {engine}"]
    lanes = {e["tid"]: e["args"]["name"] for e in of_kind(events, "M", name="thread_name")}
    attempts = of_kind(events, "X", cat="attempt")
    assert sorted(e["name"] for e in attempts) == sorted(codes)
    assert {lanes[e["tid"]].startswith(lane) for e in attempts} == {True}
    assert {e["name"] for e in of_kind(events, "X", cat="phase")} <= set(PHASES[1:])
    assert len(of_kind(events, "X", name=PHASES[2])) == 4
    check_nesting(events)
    begins, ends = of_kind(events, "b"), of_kind(events, "e")
    assert [e["id"] for e in begins] == [e["id"] for e in ends]
    assert all(b["ts"] < e["ts"] for b, e in zip(begins, ends, strict=True))


def test_failures_and_retries_are_told_without_secrets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each try has its slice and its error; a token in a URL is hidden."""
    path = tmp_path / "trace.json"
    with ServerThread() as server:
        url = f"{server.url}fr/fr.svg?status=503&times=1&retry_after=0&token=s3cret"
        assert run(["get", url, "-q", "-d", str(tmp_path / "d"), "--trace-file", str(path)]) == 0
    capsys.readouterr()
    attempts = of_kind(load(path), "X", cat="attempt")
    assert [e["args"]["attempt"] for e in attempts] == [1, 2]
    assert ["error" in e["args"] for e in attempts] == [True, False]
    assert "s3cret" not in path.read_text()


def an_attempt(number: int) -> Attempted:
    """One that takes a second."""
    begin = time.monotonic() + number
    return Attempted(
        "http://h/", f"{number}", 1, None, f"task {number % 3}", begin, begin, begin, begin, begin, begin + 1,
        begin + 1, 9, None,
    )  # fmt: skip


def test_file_is_whole_at_every_moment(tmp_path: Path) -> None:
    """Whoever reads it while it is being written, or after a kill, has valid JSON."""
    path = tmp_path / "trace.json"
    trace = TraceFile(str(path), "test")
    seen = 0
    try:
        for number in range(2_000):
            trace.attempted(an_attempt(number))
            if number % 500 == 499:
                while not path.stat().st_size or len(load(path)) <= seen:
                    time.sleep(0.01)
                seen = len(load(path))
    finally:
        trace.close()
    assert len(of_kind(load(path), "X", cat="attempt")) == 2_000
    assert len(of_kind(load(path), "M", name="thread_name")) == 3


def test_pipe_gets_its_end_too(tmp_path: Path) -> None:
    """What cannot be rewound is closed at the end."""
    reader, writer = os.pipe()
    trace = TraceFile(f"/dev/fd/{writer}", "test")
    os.close(writer)
    trace.attempted(an_attempt(0))
    trace.close()
    with open(reader, "rb") as pipe:
        (tmp_path / "copy.json").write_bytes(pipe.read())
    assert len(of_kind(load(tmp_path / "copy.json"), "X", cat="attempt")) == 1


def test_place_that_cannot_be_written_is_a_wrong_call(tmp_path: Path) -> None:
    """It is found out before anything is requested."""
    with pytest.raises(UsageError, match="--trace-file"):
        TraceFile(str(tmp_path / "missing" / "trace.json"), "test")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no full device to try it on")
def test_full_disk_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The files arrive, the trace does not, and the status says so."""
    assert run(["flags", "FR", "-d", str(tmp_path / "d"), "--trace-file", "/dev/full"]) == 3
    out, err = capsys.readouterr()
    assert out.startswith("FR  France\n1 flags downloaded")
    assert "--trace-file cannot be written: No space left on device" in err


@pytest.mark.slow
def test_interrupt_leaves_a_whole_file(tmp_path: Path) -> None:
    """After Ctrl-C the trace holds what had happened, as valid JSON."""
    path = tmp_path / "trace.json"
    with ServerThread() as server:
        urls = [f"{server.url}fr/fr.svg", f"{server.url}bytes/9?delay=60"]
        command = [sys.executable, "-m", "aioflags", "get", *urls, "-d", str(tmp_path / "d"), "--trace-file", str(path)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            while not (tmp_path / "d" / "fr.svg").exists():
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            assert "interrupted" in process.stderr.readline()
            process.send_signal(signal.SIGINT)
            process.communicate()
    assert process.returncode == 130
    assert {e["name"] for e in of_kind(load(path), "X", cat="attempt")} == {"fr.svg", "9"}
