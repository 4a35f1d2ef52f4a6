"""The argument parser of every command."""

from __future__ import annotations

import pytest

from aioflags.cli.parser import Parser


@pytest.fixture
def parser() -> Parser:
    parser = Parser(prog="aioflags get")
    parser.add_argument("urls", nargs="*")
    parser.add_argument("--retries")
    return parser


def test_wrong_call_is_exit_2_and_names_the_help(parser: Parser, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says what is wrong, one where help is; an abbreviation is as unknown as any other option."""
    with pytest.raises(SystemExit) as caught:
        parser.parse_args(["--ret", "8"])
    assert caught.value.code == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("aioflags get: error: unrecognized arguments: --ret")
    assert second == "Try 'aioflags get --help'."


def test_no_secret_and_no_control_character_in_a_message(parser: Parser, capsys: pytest.CaptureFixture[str]) -> None:
    """A URL in the wrong place is quoted without its password, and cannot move the cursor."""
    with pytest.raises(SystemExit):
        parser.parse_args(["--bogus=http://me:secret@h/\x1b[2J"])
    message = capsys.readouterr().err
    assert "secret" not in message
    assert "\x1b" not in message
    assert "***@h" in message
