"""Errors that nobody expected."""

from __future__ import annotations

import asyncio
import io
import logging
import sys
import threading

import pytest

from aioflags.cli.diagnostics import _Redacting, format_bug, handle_loop_error, set_up_diagnostics


def raised(message: str) -> Exception:
    """Give an error with a traceback and a cause."""
    try:
        try:
            raise KeyError(message)
        except KeyError as cause:
            raise RuntimeError(f"caused by {message}") from cause
    except RuntimeError as error:
        return error


def test_traceback_is_whole_and_without_secrets() -> None:
    """The lines of the traceback stay lines; passwords and escapes in messages, causes included, do not."""
    text = format_bug(raised("http://me:s3cret@h/ \x1b[2J"))
    assert "s3cret" not in text
    assert "\x1b" not in text
    assert text.startswith("Traceback (most recent call last):\n")
    assert "KeyError" in text
    assert "RuntimeError: caused by http://***@h/" in text
    assert text.splitlines()[-1].startswith("aioflags: error: this is a bug in aioflags")


def test_errors_of_a_group_are_shown() -> None:
    """An ExceptionGroup tells all of its members."""
    text = format_bug(ExceptionGroup("two", [raised("one"), ValueError("other")]))
    assert "KeyError: 'one'" in text
    assert "ValueError: other" in text


def test_loop_errors_are_printed_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    """What a loop can hand to nobody is not lost."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(handle_loop_error)
    loop.call_exception_handler({"message": "a task died", "exception": raised("http://me:s3cret@h/")})
    loop.call_exception_handler({"message": "something"})
    loop.close()
    printed = capsys.readouterr().err
    assert "aioflags: a task died" in printed
    assert "aioflags: something" in printed
    assert "RuntimeError" in printed
    assert "s3cret" not in printed


def test_thread_errors_are_printed_without_secrets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error that ends a thread is shown like any other."""
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", narrow)
    set_up_diagnostics()
    print("é")
    thread = threading.Thread(target=lambda: int("http://me:s3cret@h/"))
    thread.start()
    thread.join()
    printed = capsys.readouterr().err
    assert "ValueError" in printed
    assert "s3cret" not in printed
    assert narrow.errors == "backslashreplace"


def test_log_records_are_redacted() -> None:
    """Libraries that log what they saw do not log secrets; the lines of a traceback stay lines."""
    error = raised("http://me:s3cret@h/")
    record = logging.LogRecord("aiohttp", logging.WARNING, "x", 1, "Cookie: %s", ("a=s3cret",), None)
    record.exc_info = (type(error), error, error.__traceback__)
    text = _Redacting("%(name)s: %(message)s").format(record)
    assert text.startswith("aiohttp: Cookie: ***\nTraceback")
    assert "s3cret" not in text
