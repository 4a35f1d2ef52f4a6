"""Where the output of a job goes."""

from __future__ import annotations

import io
import json
import sys
import threading
import time

import pytest

from aioflags.cli import screen as screen_module
from aioflags.cli.progress import Snapshot
from aioflags.cli.screen import Screen


class Terminal(io.StringIO):
    """Looks like a terminal to whoever asks."""

    def isatty(self) -> bool:
        return True


def fail_on_fault() -> None:
    """Make a fault that no test provoked visible."""
    pytest.fail("standard output failed")


def use(screen: Screen) -> None:
    """Say one thing of each sort, and close."""
    screen.record({"type": "outcome"})
    screen.result("result")
    screen.close_out()
    screen.note("note")
    screen.close()


def test_results_and_notes(capsys: pytest.CaptureFixture[str]) -> None:
    """Results go to standard output, notes to standard error, records nowhere."""
    use(Screen(is_json=False, progress="none", on_fault=fail_on_fault))
    assert capsys.readouterr() == ("result\n", "note\n")


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json standard output holds records only, one a line, and people read standard error."""
    use(Screen(is_json=True, progress="none", on_fault=fail_on_fault))
    out, err = capsys.readouterr()
    assert [json.loads(line) for line in out.splitlines()] == [{"type": "outcome"}]
    assert err == "result\nnote\n"


def test_records_are_printable(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever stands in a record, its line can be shown on a terminal."""
    screen = Screen(is_json=True, progress="none", on_fault=fail_on_fault)
    screen.record({"path": "a\x1b\u202e\udc80\n"})
    screen.close()
    line = capsys.readouterr().out
    assert line.rstrip("\n").isprintable()
    assert json.loads(line) == {"path": "a\x1b\u202e\udc80\n"}


def test_plain_progress_comes_now_and_then(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is no terminal, a line comes every five seconds, however often the loop shows something."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    screen = Screen(is_json=False, progress="auto", on_fault=fail_on_fault)
    for tick in range(60):
        now[0] = 100.0 + tick / 5
        screen.show(Snapshot(done=tick))
    screen.close()
    assert capsys.readouterr().err == "25 files, 0 B, 0 B/s\n50 files, 0 B, 0 B/s\n"


def test_no_progress(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """--progress none shows nothing."""
    monkeypatch.setattr(screen_module, "_PLAIN_INTERVAL", 0.0)
    screen = Screen(is_json=False, progress="none", on_fault=fail_on_fault)
    screen.show(Snapshot(done=1))
    screen.close()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("stdout", [Terminal, io.StringIO])
def test_results_beside_a_bar(monkeypatch: pytest.MonkeyPatch, stdout: type[io.StringIO]) -> None:
    """On one terminal results go above the bar; in a file they stand alone, without control codes."""
    out, err = stdout(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setenv("TERM", "xterm")
    screen = Screen(is_json=False, progress="auto", on_fault=fail_on_fault)
    screen.show(Snapshot(done=1))
    screen.result("BR  Brazil")
    screen._out.close()
    screen.note("note")
    screen.close()
    where = err if out.isatty() else out
    assert "BR  Brazil\n" in where.getvalue()
    assert "note\n" in err.getvalue()
    assert "\x1b" in err.getvalue()
    assert "\x1b" not in out.getvalue()


@pytest.mark.parametrize("missing", ["stdout", "stderr"])
def test_closed_stream(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], missing: str) -> None:
    """A program whose standard output or error was closed goes on without."""
    monkeypatch.setattr(sys, missing, None)
    use(Screen(is_json=False, progress="auto", on_fault=fail_on_fault))
    assert "".join(capsys.readouterr()) == ("note\n" if missing == "stdout" else "result\n")


def test_fault_of_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that went away is remembered and told of; closing does not fail."""

    class Broken(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Broken())
    has_failed = threading.Event()
    screen = Screen(is_json=False, progress="none", on_fault=has_failed.set)
    assert screen.fault is None
    screen.result("x")
    assert has_failed.wait(10)
    screen.close()
    assert isinstance(screen.fault, BrokenPipeError)


async def test_slow_readers_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """When records pile up, whoever makes them waits."""
    gate = threading.Event()

    class Slow(io.StringIO):
        def flush(self) -> None:
            gate.wait()

    monkeypatch.setattr(sys, "stdout", Slow())
    screen = Screen(is_json=True, progress="none", on_fault=fail_on_fault)
    screen.record({"x": "y" * (2 << 20)})
    assert screen.is_full
    gate.set()
    await screen.wait_for_room()
    screen.close()
