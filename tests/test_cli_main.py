"""The command line as a whole."""

from __future__ import annotations

import argparse
import errno
import sys

import pytest

from aioflags.cli import flags, get
from aioflags.cli.main import run
from aioflags.version import __version__


def remember(monkeypatch: pytest.MonkeyPatch, module: object) -> list[argparse.Namespace]:
    """Have a command do nothing but remember what it was called with."""
    calls: list[argparse.Namespace] = []

    def note(args: argparse.Namespace) -> int:
        calls.append(args)
        return 5

    monkeypatch.setattr(module, "run", note)
    return calls


@pytest.mark.parametrize(
    ("arguments", "argv"), [([], ["flags"]), (["-d", "there"], ["flags", "-d", "there"]), (["flags"], ["flags"])]
)
def test_no_command_means_flags(monkeypatch: pytest.MonkeyPatch, arguments: list[str], argv: list[str]) -> None:
    """Without a command the flags are downloaded, options or not; the status of the command is the program's."""
    calls = remember(monkeypatch, flags)
    assert run(arguments) == 5
    assert calls[0].argv == argv


def test_urls_between_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """URLs are collected wherever they stand, in their order."""
    calls = remember(monkeypatch, get)
    run(["get", "a", "-j", "3", "b", "--json", "c"])
    assert calls[0].urls == ["a", "b", "c"]
    assert calls[0].json


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """--version says which."""
    with pytest.raises(SystemExit) as caught:
        run(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"aioflags {__version__}\n"


@pytest.mark.parametrize("command", [[], ["get"], ["flags"], ["serve"]])
def test_help(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Each command explains itself, and without one all are named."""
    with pytest.raises(SystemExit) as caught:
        run([*command, "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith("usage: aioflags")
    assert command or all(f"\n    {name} " in text for name in ("flags", "get", "serve"))


@pytest.mark.parametrize("arguments", [["fetch"], ["fetch", "http://me:s3cret@h/"], ["get", "--nope"], ["--nope"]])
def test_unknown_command_or_option(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What is not known is exit 2, and the message says where the help is."""
    with pytest.raises(SystemExit) as caught:
        run(arguments)
    assert caught.value.code == 2
    message = capsys.readouterr().err
    assert "--help'" in message
    assert "s3cret" not in message


@pytest.mark.parametrize(("error", "status"), [(BrokenPipeError(), 3), (RuntimeError("at http://u:p@h/"), 70)])
def test_ways_to_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, status: int
) -> None:
    """A reader that went away is quiet, a bug is loud, each has its status."""

    def fail(_args: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr(get, "run", fail)
    assert run(["get", "x"]) == status
    message = capsys.readouterr().err
    assert ("RuntimeError: at http://***@h/" in message) == (status == 70)
    assert bool(message) == (status == 70)


def test_full_disk_behind_standard_output(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Output that cannot be flushed at the end is a local fault, whatever the command thinks of itself."""

    class Full:
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    remember(monkeypatch, flags)
    monkeypatch.setattr(sys, "stdout", Full())
    assert run([]) == 3
    assert capsys.readouterr().err == ("aioflags: error: standard output cannot be written: No space left on device\n")
