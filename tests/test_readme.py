"""The README is true: its commands, its library example, its options and kinds."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aioflags.cli import get
from aioflags.errors import KINDS
from aioflags.flagserver.server import ServerThread

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_commands_that_set_up_are_those_that_are_run() -> None:
    """The command that passes the tests is, to the letter, the one that the project runs on every change."""
    commands = re.findall(r"^\$ (python3 -m venv .*)$", README, re.MULTILINE)
    assert len(commands) == 2
    assert commands[1] in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_first_command_prints_what_the_readme_shows(tmp_path: Path) -> None:
    """Twenty flags arrive from the embedded server, and the last line is as shown but for the time."""
    done = subprocess.run(
        [sys.executable, "-m", "aioflags"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert re.fullmatch(r"20 flags downloaded in \d+\.\d\ds", done.stdout.splitlines()[-1])
    assert re.search(r"^20 flags downloaded in \d+\.\d\ds$", README, re.MULTILINE)
    assert len(list((tmp_path / "downloads").iterdir())) == 20


def run_example(number: int, directory: Path) -> str:
    """Run one of the Python examples in a process of its own, with our own server in place of example.org."""
    example = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)[number]
    with ServerThread() as server:
        command = [sys.executable, "-W", "error", "-c", example.replace("https://example.org/", server.url)]
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_library_example_runs(tmp_path: Path) -> None:
    """The example of the library does what it says."""
    assert "saved in.svg None" in run_example(0, tmp_path)
    assert sorted(path.name for path in (tmp_path / "more" / "flags").iterdir()) == ["0.svg", "1.svg", "2.svg"]


def test_blocking_example_runs(tmp_path: Path) -> None:
    """The example for code without an event loop does what it says."""
    assert run_example(1, tmp_path).count("saved") == 3


@pytest.mark.parametrize("module", [get], ids=["get"])
def test_every_option_is_described(module: object) -> None:
    """What `get --help` offers stands in the README, long and short."""
    subparsers = argparse.ArgumentParser().add_subparsers()
    module.add_parser(subparsers)  # type: ignore[attr-defined]
    (parser,) = set(subparsers.choices.values())
    options = {option for action in parser._actions for option in action.option_strings} - {"-h", "--help"}
    assert {option for option in options if not re.search(rf"(?<![\w-]){option}(?![\w-])", README)} == set()


def test_every_kind_of_error_is_listed() -> None:
    """The fixed list of kinds in the README is the one of the code."""
    listed = re.search(r"Kinds: (.*?)\.\n", README, re.DOTALL)
    assert listed is not None
    assert re.findall(r"`(\w+)`", listed[1]) == list(KINDS)
