"""The command that carries on."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioflags.cli.carry_on import carry_on_command, program_name


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["get", "http://h/a"], "aioflags get http://h/a --existing skip"),
        (["get", "-i", "my list.txt"], "aioflags get -i 'my list.txt' --existing skip"),
        (["get", "--existing", "skip", "u"], "aioflags get --existing skip u"),
        (["get", "--existing=fail", "u"], "aioflags get --existing=skip u"),
        (["get", "--existing", "fail", "u"], "aioflags get --existing skip u"),
        (["get", "--existing", "replace", "u"], "aioflags get --existing replace u"),
        (["flags"], "aioflags flags --existing skip"),
    ],
)
def test_existing_files_are_skipped(arguments: list[str], command: str) -> None:
    """Without a ledger the command is the one that was given, and what is saved is not fetched again."""
    given_before = list(arguments)
    assert carry_on_command(arguments, "aioflags", has_ledger=False) == command
    assert arguments == given_before


def test_command_is_the_one_that_was_given() -> None:
    """The ledger knows what is done, so that nothing has to be added."""
    assert carry_on_command(["get", "--existing", "fail", "u"], "aioflags") == "aioflags get --existing fail u"


@pytest.mark.parametrize(
    "arguments",
    [
        ["get", "--header", "Authorization: Bearer s3cret"],
        ["get", "--header=X-Anything: s3cret"],
        ["get", "--header", "s3cret"],
        ["get", "--proxy", "http://me:s3cret@proxy:3128"],
        ["get", "--proxy=http://me:s3cret@proxy:3128"],
        ["get", "https://me:s3cret@h/a"],
        ["get", "https://h/a?X-Amz-Signature=s3cret"],
        ["flags", "--server", "http://me:s3cret@h/"],
    ],
)
def test_secrets_are_hidden(arguments: list[str]) -> None:
    """What must not be seen over the shoulder is not printed."""
    command = carry_on_command(arguments, "aioflags")
    assert "s3cret" not in command
    assert "***" in command


def test_harmless_headers_stay() -> None:
    """A header that is no secret need not be filled in again."""
    command = carry_on_command(["get", "--header", "Accept: image/gif", "u"], "aioflags")
    assert command == "aioflags get --header 'Accept: image/gif' u"


@given(st.lists(st.text(max_size=20), max_size=5))
def test_one_line_that_a_shell_can_read(arguments: list[str]) -> None:
    """Whatever was given, the command is one line, free of control characters, that splits into as many words."""
    command = carry_on_command(["get", "--existing", "skip", *arguments], "aioflags")
    assert command.isprintable() or not any(char in command for char in "\n\r\x1b\x9b\x00")
    assert len(shlex.split(command)) == 4 + len(arguments)


def test_program_is_called_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name where the path leads to it, else by its file, or as a module."""
    script = tmp_path / "aioflags"
    script.touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program_name(str(script), "/usr/bin/python3") == "aioflags"
    monkeypatch.setenv("PATH", "/nowhere")
    assert program_name(str(script), "/usr/bin/python3") == str(script)
    assert program_name("/x/aioflags/__main__.py", "/usr/bin/python3") == "/usr/bin/python3 -m aioflags"
