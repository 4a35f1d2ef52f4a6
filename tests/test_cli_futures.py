"""`aioflags futures`: what people read, what programs read, and how the command ends."""

from __future__ import annotations

import json
import multiprocessing
import os
import pty
import re
import subprocess
import sys
import threading

import pytest

from aioflags.cli.exits import ExitStatus
from aioflags.cli.main import run
from aioflags.futures_lab import claims
from aioflags.futures_lab.claims import CLAIMS
from aioflags.futures_lab.lab import Claim, Facts

ONE = "done-does-not-block"
OTHER = "await-works-on-one"
FIELDS = ["name", "claim", "code", "observations", "verdict", "holds", "elapsed"]


def never_done_concurrent() -> Facts:
    return {"done() afterwards": False}


async def never_done_asyncio() -> Facts:
    return {"done() afterwards": True}


BROKEN = Claim(
    name="broken-on-purpose",
    sentence="What has ended is done.",
    lesson="Never mind.",
    probes=(never_done_concurrent, never_done_asyncio),
    expected={"done() afterwards": (True, True)},
)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a claim that does not hold beside one that does."""
    monkeypatch.setattr(claims, "CLAIMS", {ONE: CLAIMS[ONE], BROKEN.name: BROKEN})


def test_claim_is_shown_with_its_code_and_both_observations(capsys: pytest.CaptureFixture[str]) -> None:
    """Name, sentence, the lines that were run, a column for each kind, the verdict, and a last line that counts."""
    assert run(["futures", ONE]) == ExitStatus.CLEAN
    text = capsys.readouterr().out
    claim = CLAIMS[ONE]
    assert text.startswith(f"{ONE}\n")
    assert " ".join(claim.sentence.split()) in " ".join(text.split())
    shown = [line.removeprefix("    ") for line in text.splitlines()]
    assert [line for line in claim.code.splitlines() if line and line not in shown] == []
    assert re.search(r"^ +a Future of +concurrent\.futures +asyncio$", text, re.MULTILINE)
    assert re.search(r"^ +done\(\) afterwards +True +True$", text, re.MULTILINE)
    assert re.search(r"^ +Holds\.$", text, re.MULTILINE)
    assert text.splitlines()[-1].startswith("The claim holds; ")


def test_several_names_are_tried_in_the_order_given_each_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A name that comes twice is tried once."""
    assert run(["futures", "--json", OTHER, ONE, OTHER]) == ExitStatus.CLEAN
    assert [json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()] == [OTHER, ONE]


def test_record_has_all_that_a_program_wants(capsys: pytest.CaptureFixture[str]) -> None:
    """One object a line, with what was observed of each kind as data."""
    assert run(["futures", "--json", OTHER]) == ExitStatus.CLEAN
    (line,) = capsys.readouterr().out.splitlines()
    record = json.loads(line)
    assert list(record) == FIELDS
    assert (record["name"], record["claim"], record["code"]) == (OTHER, CLAIMS[OTHER].sentence, CLAIMS[OTHER].code)
    assert (record["verdict"], record["holds"]) == ("holds", True)
    assert record["observations"]["concurrent"]["await gives"] == "raises TypeError"
    assert record["observations"]["asyncio"]["await gives"] == 32
    assert record["elapsed"] > 0


@pytest.mark.usefixtures("broken")
def test_claim_that_does_not_hold_is_named_and_gives_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    """With what was seen and what was claimed; the last line names it again, and the others go on."""
    assert run(["futures"]) == ExitStatus.FAILURES
    text = " ".join(capsys.readouterr().out.split())
    assert "Does not hold." in text
    assert "concurrent.futures, done() afterwards: False where True is claimed" in text.replace(
        "Concurrent", "concurrent"
    )
    assert f"1 of 2 claims hold; not: {BROKEN.name};" in text


@pytest.mark.usefixtures("broken")
def test_record_of_a_claim_that_does_not_hold_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """And the status is 1 for programs, too."""
    assert run(["futures", "--json", BROKEN.name]) == ExitStatus.FAILURES
    record = json.loads(capsys.readouterr().out)
    assert (record["verdict"], record["holds"]) == ("does not hold", False)


def test_unknown_name_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, the known names, and nothing is tried."""
    with pytest.raises(SystemExit) as caught:
        run(["futures", ONE, "no-such-claim"])
    assert caught.value.code == ExitStatus.USAGE
    told = capsys.readouterr()
    assert told.out == ""
    assert "'no-such-claim'" in told.err
    assert [name for name in CLAIMS if name not in told.err] == []


def test_list_names_every_claim_on_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """For whoever reads a pipe: the name first, then the sentence."""
    assert run(["futures", "--list"]) == ExitStatus.CLEAN
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(CLAIMS)
    assert [line.split(maxsplit=1)[1] for line in lines] == [claim.sentence for claim in CLAIMS.values()]


def test_list_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """Name and sentence as data; nothing is tried."""
    assert run(["futures", "--list", "--json", ONE]) == ExitStatus.CLEAN
    assert json.loads(capsys.readouterr().out) == {"name": ONE, "claim": CLAIMS[ONE].sentence}


def test_nothing_is_left_behind(capsys: pytest.CaptureFixture[str]) -> None:
    """No thread and no process, also of those claims that use them."""
    before = set(threading.enumerate())
    run(["futures", "processes-overlap-both", "the-thread-goes-on", "thread-safe-or-not"])
    assert set(threading.enumerate()) - before == set()
    assert multiprocessing.active_children() == []
    assert "processes-overlap-both" in capsys.readouterr().out


@pytest.mark.slow
def test_whole_lab_in_a_pipe_is_plain_text_without_a_warning() -> None:
    """Run as people do: 80 columns, no control code, every claim, the status that follows from the verdicts."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-m", "aioflags", "futures"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"COLUMNS": "200"},
    )
    lines = done.stdout.splitlines()
    assert done.stderr == ""
    assert [name for name in CLAIMS if name not in lines] == []
    assert [line for line in lines if len(line) > 80 or line != line.rstrip()] == []
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.stdout)
    assert done.returncode == ("Does not hold." in done.stdout)


def read_terminal(*arguments: str, **environment: str) -> str:
    """Give what a terminal gets to see."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "aioflags", "futures", *arguments],
        stdout=theirs,
        env={key: value for key, value in os.environ.items() if key != "NO_COLOR"} | {"TERM": "xterm"} | environment,
    )
    os.close(theirs)
    seen = b""
    try:
        while piece := os.read(ours, 65536):
            seen += piece
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    assert process.wait(30) == ExitStatus.CLEAN
    return seen.decode()


@pytest.mark.slow
def test_terminal_gets_colours_unless_it_is_asked_not_to() -> None:
    """The text is the same; NO_COLOR and a dumb terminal get it bare."""
    coloured, *bare = read_terminal(ONE), read_terminal(ONE, NO_COLOR="1"), read_terminal(ONE, TERM="dumb")
    assert "\x1b[" in coloured
    assert not any("\x1b" in text for text in bare)
    texts = [re.sub(r"\x1b\[[\d;]*m", "", text).splitlines()[:-1] for text in (coloured, *bare)]
    assert texts[0] == texts[1] == texts[2]
