"""Says something on standard output."""

from __future__ import annotations

import errno
import sys
from typing import NoReturn

import pytest

from aioflags.cli.say import OutputError, flush, say


class Faulty:
    """A standard output that fails."""

    def __init__(self, error: OSError) -> None:
        self._error = error

    def write(self, _: str) -> NoReturn:
        raise self._error

    def flush(self) -> NoReturn:
        raise self._error


def test_line_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """With its end, where it is to go."""
    say("a")
    say("b", end="")
    say("c", file=sys.stderr)
    flush()
    assert capsys.readouterr() == ("a\nb", "c\n")


def test_output_that_fails_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """From every other fault of the system: a full disk has its reason, a reader that is gone is no fault."""
    monkeypatch.setattr(sys, "stdout", Faulty(OSError(errno.ENOSPC, "No space left on device")))
    for speak in (lambda: say("a"), flush):
        with pytest.raises(OutputError, match="standard output cannot be written: No space left on device"):
            speak()
    monkeypatch.setattr(sys, "stdout", Faulty(BrokenPipeError()))
    for speak in (lambda: say("a"), flush):
        with pytest.raises(BrokenPipeError):
            speak()


def test_without_a_standard_output_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program may be started without one."""
    monkeypatch.setattr(sys, "stdout", None)
    say("a")
    flush()
