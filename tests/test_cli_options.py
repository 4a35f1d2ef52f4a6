"""The options that get and flags share."""

from __future__ import annotations

from dataclasses import fields

import pytest

from aioflags.cli.options import add_download_options, add_output_options, options_of
from aioflags.cli.parser import Parser
from aioflags.errors import UsageError
from aioflags.settings import Options, Settings


@pytest.fixture
def parser() -> Parser:
    parser = Parser(prog="aioflags get")
    parser.add_argument("urls", nargs="*")
    add_download_options(parser)
    add_output_options(parser)
    return parser


def test_every_option_of_the_library_is_there(parser: Parser) -> None:
    """Whatever the library can be told, the command line can be told under the same name."""
    assert set(Options.__annotations__) <= set(vars(parser.parse_args([])))


def test_defaults_are_those_of_the_library(parser: Parser) -> None:
    """Without options the command line asks for what the library does anyway, and for a ledger."""
    assert Settings(**options_of(parser.parse_args([]))) == Settings(ledger=True)
    assert Settings(**options_of(parser.parse_args(["--no-ledger"]))) == Settings()


def test_values_arrive(parser: Parser) -> None:
    """Each option reaches the downloader under its name, sizes and lists read."""
    line = (
        "-j 8 --processes 3 "
        "--per-host 2 --retries 1 --max-wait 9 --connect-timeout 1 --first-byte-timeout 2 --idle-timeout 3 "
        "--min-speed 1k --max-bytes 1Mi --rate 5 --limit-rate 2M --existing skip --hash sha256 --hash md5 "
        "--header A:1 --header B:2 --durability file --proxy http://h:1 --cacert x --insecure --netrc "
        "--address-policy public "
        "--allow-private-redirects --update"
    )
    assert options_of(parser.parse_args(line.split())) == {
        "concurrency": 8,
        "processes": 3,
        "per_host": 2,
        "retries": 1,
        "max_wait": 9.0,
        "connect_timeout": 1.0,
        "first_byte_timeout": 2.0,
        "idle_timeout": 3.0,
        "min_speed": 1000,
        "max_bytes": 1 << 20,
        "rate": 5.0,
        "limit_rate": 2_000_000,
        "existing": "skip",
        "ledger": True,
        "update": True,
        "hash": ["sha256", "md5"],
        "header": ["A:1", "B:2"],
        "durability": "file",
        "proxy": "http://h:1",
        "cacert": "x",
        "insecure": True,
        "netrc": True,
        "allow_private_redirects": True,
        "address_policy": "public",
    }


def test_repeated_parses_share_nothing(parser: Parser) -> None:
    """Headers given to one call do not reach the next."""
    parser.parse_args(["--header", "A: 1"])
    assert parser.parse_args([]).header == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-j", "0"], "--concurrency must be"),
        (["--per-host", "-1"], "--per-host must be"),
        (["--idle-timeout", "0"], "--idle-timeout must be"),
        (["--hash", "crc"], "unknown checksum algorithm"),
        (["--header", "A: b\r\nX: y"], "line break"),
        (["--header", "nonsense"], "no colon"),
        (["--proxy", "socks5://h"], "--proxy must be"),
    ],
)
def test_bad_value_is_a_usage_error(parser: Parser, arguments: list[str], message: str) -> None:
    """The library's check speaks, in the words of the command line."""
    with pytest.raises(UsageError, match=message):
        options_of(parser.parse_args(arguments))


@pytest.mark.parametrize(
    "arguments",
    [["-j", "x"], ["--max-bytes", "10X"], ["--existing", "maybe"], ["--conc", "8"], ["--engine", "trio"]],
)
def test_what_argparse_refuses_is_exit_2(
    parser: Parser, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """No value of the wrong type, no unknown choice, no abbreviation, no engine that is not there."""
    with pytest.raises(SystemExit) as caught:
        parser.parse_args(arguments)
    assert caught.value.code == 2
    assert "aioflags get: error:" in capsys.readouterr().err


def test_help_tells_each_default(parser: Parser) -> None:
    """The help names the default of every option that has one, from where the library has it."""
    text = " ".join(parser.format_help().split())
    for field in fields(Settings):
        if isinstance(field.default, int | float) and not isinstance(field.default, bool):
            assert f"(default: {field.default:g})" in text
