"""What a job shows while it runs."""

from __future__ import annotations

import io
import sys

import pytest

from aioflags.cli.progress import Bar, Pace, Snapshot, Transfer, choose_transfers, show_line, show_transfer, wants_bar


class Terminal(io.StringIO):
    """Looks like a terminal to whoever asks."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("mode", "is_terminal", "term", "expected"),
    [
        ("auto", True, "xterm", True),
        ("auto", True, "dumb", False),
        ("auto", True, "", False),
        ("auto", False, "xterm", False),
        ("bar", False, "dumb", True),
        ("plain", True, "xterm", False),
        ("none", True, "xterm", False),
    ],
)
def test_when_there_is_a_bar(mode: str, is_terminal: bool, term: str, expected: bool) -> None:
    """auto means a bar on a terminal that can move its cursor."""
    assert wants_bar(mode, is_terminal=is_terminal, term=term) is expected


@pytest.mark.parametrize(
    ("snapshot", "line"),
    [
        (Snapshot(), "0 files, 0 B, 0 B/s"),
        (Snapshot(done=1, bytes=2000, speed=1000.0), "1 file, 2.0 kB, 1.0 kB/s"),
        (Snapshot(done=1, total=9), "1/9 files, 0 B, 0 B/s"),
        (Snapshot(done=1, total=9, is_exact=False, remaining=61.0), "1/~9 files, 0 B, 0 B/s, 1:01 to go"),
        (Snapshot(done=3, total=3, failed=2), "3/3 files, 0 B, 0 B/s, 2 failed"),
    ],
)
def test_line(snapshot: Snapshot, line: str) -> None:
    """What is not known is left out, what is estimated is marked."""
    assert show_line(snapshot) == line


def test_transfer_line_is_escaped() -> None:
    """A name from outside cannot move the cursor."""
    assert show_transfer(Transfer("a\x1b[2J", "h", 3.0, 50, 200)) == " 25% of 200 B, 0:03  a\\x1b[2J  (h)"
    assert show_transfer(Transfer("a", "h", 61.0, 50, None)) == "50 B, 1:01  a  (h)"


def test_longest_transfers_are_chosen() -> None:
    """The four that have been running longest, none that has just begun."""
    transfers = [Transfer(str(age), "h", float(age), 0, None) for age in (1, 5, 3, 9, 2, 7)]
    assert [each.name for each in choose_transfers(transfers)] == ["9", "7", "5", "3"]


def test_pace_is_the_mean_at_first_and_follows_later() -> None:
    """Speed begins as the mean, and some seconds after a change it is near the new one."""
    pace = Pace()
    pace.update(1.0, 10, 1000)
    assert pace.speed == pytest.approx(1000)
    pace.update(2.0, 20, 3000)
    assert pace.speed == pytest.approx(1500)
    for second in range(3, 40):
        pace.update(float(second), 10 * second, 3000)
    assert pace.speed < 10
    assert pace.remaining(1390, []) == pytest.approx(100, rel=0.05)


def test_time_to_go_by_bytes_when_all_the_rest_is_in_flight() -> None:
    """A single large file is estimated by its bytes, not by files of which none has ended."""
    pace = Pace()
    pace.update(2.0, 0, 200)
    assert pace.remaining(1, [Transfer("a", "h", 2.0, 200, 1200)]) == pytest.approx(10)


@pytest.mark.parametrize("total", [None, 0])
def test_time_to_go_unknown(total: int | None) -> None:
    """Without a total, or with nothing to do, there is no estimate."""
    assert Pace().remaining(total, []) is None


def test_time_to_go_before_anything_ended() -> None:
    """A job of many files, none of which has ended, has no estimate."""
    pace = Pace()
    pace.update(1.0, 0, 0)
    assert pace.remaining(10, []) is None
    pace.update(1.0, 5, 5)
    assert pace.remaining(10, []) is None


def test_bar_is_drawn_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar shows the job and its longest transfers; lines go above it; afterwards it is erased."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    bar = Bar()
    assert not bar.print("too early\n")
    transfer = Transfer("big\x1b[2J.iso", "h", 5.0, 50, 100)
    bar.show(Snapshot(done=5, total=10, failed=1, transfers=[transfer]))
    bar.show(Snapshot(done=6, total=10, failed=1, transfers=[transfer]))
    assert bar.print("a line [bold]as it is[/bold]\n")
    bar.stop()
    assert not bar.print("too late\n")
    text = terminal.getvalue()
    assert "6/10 files" in text
    assert "big\\x1b[2J.iso" in text
    assert "a line [bold]as it is[/bold]\n" in text
    assert "too" not in text
    # Up two lines and erase, for the job and for its one transfer.
    assert text.endswith("\x1b[1A\x1b[2K" * 2)


def test_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR is respected: no colour is chosen, whatever else is sent."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    bar = Bar()
    bar.show(Snapshot(done=5, total=10, failed=1))
    bar.stop()
    assert "5/10 files" in terminal.getvalue()
    assert "\x1b[31m" not in terminal.getvalue()
    assert "\x1b[38" not in terminal.getvalue()


def test_line_says_what_is_waited_for() -> None:
    """At its end, if anything is."""
    assert show_line(Snapshot(done=1, waiting="waiting for h, 12 s")).endswith("0 B/s, waiting for h, 12 s")
