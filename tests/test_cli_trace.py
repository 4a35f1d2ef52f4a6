"""`--trace`, called as the program calls it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from aioflags.cli.main import run
from aioflags.cli.trace import TextTrace, Tracers
from aioflags.errors import make_error
from aioflags.flagserver.server import ServerThread
from aioflags.items import Outcome, Status
from aioflags.trace import Attempted, Finished, Scheduled

FUTURES = {
    "asyncio": ("<Task pending ", "<Task finished "),
    "threads": ("<Future at 0x", "<Future at 0x"),
    "processes": ("<Future at 0x", "<Future at 0x"),
    "sequential": ("<Future at 0x", "<Future at 0x"),
}


@pytest.mark.parametrize("engine", list(FUTURES))
def test_flags_show_futures_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], engine: str
) -> None:
    """Each flag is scheduled, done and has a result, in this order, with its future; standard output is as ever."""
    monkeypatch.chdir(tmp_path)
    assert run(["flags", "BR", "FR", "--trace", "--engine", engine]) == 0
    out, err = capsys.readouterr()
    assert re.fullmatch(r"2 flags downloaded in \d+\.\d\ds", out.splitlines()[-1])
    for code in ("BR", "FR"):
        lines = [line for line in err.splitlines() if f" for {code}: " in line]
        assert [line.partition(" ")[0] for line in lines] == ["Scheduled", "Done", "Result"]
        pending, finished = FUTURES[engine]
        assert lines[0].startswith(f"Scheduled for {code}: {pending}")
        assert lines[1].startswith(f"Done for {code}: {finished}")
        assert re.search(r"waiting for the first byte \d+\.\d, receiving \d+\.\d, writing to disk \d+\.\d$", lines[1])
        assert lines[2].startswith(f"Result for {code}: saved, ")


def test_get_names_files_and_keeps_records_clean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`get` has the name in place of the code, and --json nothing but records on standard output."""
    with ServerThread() as server:
        assert run(["get", f"{server.url}fr/fr.gif", "--trace", "--json", "-d", str(tmp_path / "d")]) == 0
    out, err = capsys.readouterr()
    assert [json.loads(line)["type"] for line in out.splitlines()] == ["outcome", "summary"]
    assert "Scheduled for fr.gif: <Task pending " in err


class Leaky:
    """A future whose text is dangerous."""

    def __repr__(self) -> str:
        return "<Task url=http://me:s3cret@h/x \x1b[2J>"


def attempted(future: object) -> Attempted:
    """An attempt that failed before it connected, the second of its item."""
    error = make_error("connect", "refused", "h")
    return Attempted("http://h/", "a\x1b", 2, future, "task 1", 0.0, 0.0, None, None, None, None, 0.5, 0, error)


def test_text_hides_secrets_and_escapes() -> None:
    """No secret and no control character of a future, a name or an error reaches the terminal."""
    lines: list[str] = []
    tracer = TextTrace(lines.append)
    tracer.scheduled(Scheduled("http://h/", "a\x1b", 1, Leaky()))
    tracer.attempted(attempted(Leaky()))
    error = make_error("url", "bad http://me:s3cret@h/", None)
    tracer.finished(Finished("http://me:s3cret@h/", None, Outcome("http://h/", Status.FAILED, error=error)))
    text = "\n".join(lines)
    assert "s3cret" not in text
    assert "\x1b" not in text
    assert "Done for a\\x1b, attempt 2: <Task url=" in text
    assert "connecting 500.0, waiting for the first byte 0.0" in text
    assert lines[2] == "Result for http://***@h/: failed, url: bad http://***@h/"


def test_several_tracers_are_told_the_same() -> None:
    """Each of them hears all, in the order given."""
    lines: list[str] = []
    both = Tracers(
        [TextTrace(lambda line: lines.append(f"1 {line}")), TextTrace(lambda line: lines.append(f"2 {line}"))]
    )
    both.scheduled(Scheduled("u", "n", 1, 5))
    both.attempted(attempted(5))
    both.finished(Finished("u", "n", Outcome("u", Status.DUPLICATE)))
    assert [line[:3] for line in lines] == ["1 S", "2 S", "1 D", "2 D", "1 R", "2 R"]
    assert lines[4] == "1 Result for n: duplicate"
