"""`aioflags flags`, called as the program calls it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aioflags.cli.main import run
from aioflags.flagserver.countries import COUNTRIES, MOST_POPULOUS
from aioflags.flagserver.server import FlagServer, ServerThread
from tests.leftovers import files_in

Result = tuple[int, str, str]
Flags = Callable[..., Result]


@pytest.fixture(scope="module")
def server() -> Iterator[ServerThread]:
    """A flag server that remembers what it was asked."""
    with ServerThread(FlagServer(log=[])) as server:
        yield server


@pytest.fixture
def flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Flags:
    """Call `aioflags flags` in an empty directory; gives exit status, output and error output."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Result:
        status = 0
        try:
            status = run(["flags", *arguments])
        except SystemExit as exit_:
            status = int(str(exit_.code))
        return status, *capsys.readouterr()

    return call


def test_twenty_flags_without_a_network(flags: Flags, tmp_path: Path) -> None:
    """The default needs no server; each code is printed as it lands, then how many in what time."""
    status, out, err = flags()
    *lines, last = out.splitlines()
    assert (status, err) == (0, "")
    assert sorted(lines) == sorted(f"{code}  {COUNTRIES[code]}" for code in MOST_POPULOUS)
    assert re.fullmatch(r"20 flags downloaded in \d+\.\d\ds", last)
    names = {path.name for path in (tmp_path / "downloads").iterdir()}
    assert names == {f"{code.lower()}.svg" for code in MOST_POPULOUS}


def test_second_run_finds_them_there(flags: Flags) -> None:
    """Flags of an earlier run are recognised by their digest, though the server is another."""
    flags("fr", "DE")
    status, out, err = flags("FR", "de", "BR", "fr")
    assert (status, err) == (0, "")
    assert sorted(out.splitlines()[:3]) == ["BR  Brazil", "DE  Germany (already there)", "FR  France (already there)"]
    assert re.fullmatch(r"1 flags downloaded in \d+\.\d\ds \(2 already there\)", out.splitlines()[3])


def test_another_server_has_the_classic_layout(flags: Flags, server: ServerThread, tmp_path: Path) -> None:
    """With --server the path is cc/cc.gif below it, slash or not."""
    assert flags("FR", "--server", server.url.rstrip("/"))[0] == 0
    assert server.server.log is not None
    assert server.server.log[-1][1] == "/fr/fr.gif"
    assert (tmp_path / "downloads" / "fr.gif").read_bytes().startswith(b"GIF8")


@pytest.mark.parametrize(
    ("pattern", "target", "name"),
    [
        ("{cc}/{cc}.svg", "/fr/fr.svg", "fr.svg"),
        ("/{cc}/metadata.json", "/fr/metadata.json", "fr.json"),
        ("bytes/9?seed={CC}", "/bytes/9?seed=FR", "9"),
    ],
)
def test_pattern(flags: Flags, server: ServerThread, tmp_path: Path, pattern: str, target: str, name: str) -> None:
    """--pattern chooses the path; a file that would not be called after its country is."""
    assert flags("fr", "--server", server.url, "--pattern", pattern)[0] == 0
    assert server.server.log is not None
    assert server.server.log[-1][1] == target
    assert files_in(tmp_path / "downloads") == [name]


def test_flag_that_is_not_there(flags: Flags) -> None:
    """A country without a flag is a failure, the others arrive."""
    status, out, err = flags("FR", "ZZ")
    assert status == 1
    assert out.startswith("FR  France\n1 flags downloaded in ")
    assert "http 404" in err


def test_json_and_quiet(flags: Flags) -> None:
    """With --json standard output holds records only; -q leaves the last line."""
    _, out, err = flags("FR", "--json")
    assert all(line.startswith("{") for line in out.splitlines())
    assert err.startswith("FR  France\n1 flags downloaded in ")
    _, out, _ = flags("FR", "-q")
    assert out.startswith("0 flags downloaded in ")


def test_server_that_misbehaves(flags: Flags) -> None:
    """Our own server can be told to be late and to fail."""
    status, _, err = flags("FR", "--error-rate", "1", "--delay", "0.001", "--retries", "0")
    assert status == 1
    assert "1 x http 503" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["FRA"], "country code"),
        (["F1"], "country code"),
        (["--pattern", "flag.svg"], "{cc}"),
        (["--server", "ftp://h/"], "--server: "),
        (["--server", "http://h/", "--delay", "1"], "--delay"),
        (["--delay", "-1"], "--delay"),
        (["--error-rate", "2"], "--error-rate"),
        (["-j", "0"], "--concurrency"),
    ],
)
def test_wrong_call(flags: Flags, tmp_path: Path, arguments: list[str], message: str) -> None:
    """A call that is wrong is exit 2 and leaves nothing behind."""
    status, out, err = flags(*arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert list(tmp_path.iterdir()) == []
