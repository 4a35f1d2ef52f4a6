"""Contenders take turns, and who loses, spoils or dawdles is marked: with real processes and real files."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from benchmarks.corpus import Corpus, check, numbered
from benchmarks.figures import order
from benchmarks.results import Series
from benchmarks.rounds import Entrant, run_rounds
from benchmarks.tables import table
from tests.measured import a_case

# Writes the files below SOURCE, the first N of them, with the last byte of the first one changed if WRONG.
COPY = """
import pathlib, shutil, sys
source, count, wrong, place = sys.argv[1:]
files = sorted(pathlib.Path(source).iterdir())
for path in files[: int(count)]:
    shutil.copy(path, place)
if int(wrong):
    first = pathlib.Path(place, files[0].name)
    first.write_bytes(first.read_bytes()[:-1] + b"?")
"""


def saying(name: str, log: Path) -> Entrant:
    """Somebody who notes his name and how many files he found."""
    code = "import os, sys; print(sys.argv[1], len(os.listdir(sys.argv[3])), file=open(sys.argv[2], 'a'))"
    code += "; open(os.path.join(sys.argv[3], 'left'), 'w')"
    return Entrant(name, "1", "", lambda folder: [sys.executable, "-c", code, name, str(log), str(folder)])


def copying(name: str, corpus: Corpus, source: Path, count: int, *, is_wrong: bool = False) -> Entrant:
    """Somebody who brings so many of the files."""
    words = [sys.executable, "-c", COPY, str(source), str(count), str(int(is_wrong))]
    return Entrant(name, "1", "", lambda folder: [*words, str(folder)], partial(check, corpus.files))


def run(entrants: Sequence[Entrant], directory: Path, rounds: int = 1, limit: float = 60.0) -> list[Series]:
    return run_rounds(entrants, rounds, directory, lambda _: None, warm_up=False, limit=limit)


def test_contenders_alternate_after_a_warm_up(tmp_path: Path) -> None:
    """A B A B, each time into an empty folder; the warm-up comes first and is no round."""
    log, told = tmp_path / "log", list[str]()
    files = tmp_path / "files"
    files.mkdir()
    series = run_rounds([saying("A", log), saying("B", log)], 2, files, told.append)
    assert log.read_text().split("\n") == ["A 0", "B 0"] * 3 + [""]
    assert [(each.name, len(each.rounds)) for each in series] == [("A", 2), ("B", 2)]
    assert [line.split()[0] for line in told] == ["warm-up"] * 2 + ["round"] * 4
    assert os.listdir(files) == []


def test_who_loses_or_spoils_is_marked_and_not_ranked(tmp_path: Path) -> None:
    """One byte in one of many files is enough, and a good exit status no excuse."""
    corpus = numbered("small", 5, 100)
    corpus.write(tmp_path)
    enter = partial(copying, corpus=corpus, source=tmp_path / "small")
    loser, spoiler, whole = run(
        [enter("loser", count=4), enter("spoiler", count=5, is_wrong=True), enter("whole", count=5)], tmp_path
    )
    assert [(each.rounds[0].exit, each.is_clean) for each in (loser, spoiler, whole)] == [
        (0, False),
        (0, False),
        (0, True),
    ]
    assert (loser.rounds[0].missing, spoiler.rounds[0].wrong) == (1, 1)
    case = a_case(loser, spoiler, whole)
    assert order(case)[0].name == "whole"
    assert table(case).count("not ranked: 1 missing, exit 0") == 1
    assert table(case).count("not ranked: 1 wrong, exit 0") == 1


def test_who_fails_is_marked_and_what_he_said_is_kept(tmp_path: Path) -> None:
    """Without the paths of this machine."""
    code = "import sys; sys.exit('cannot write to ' + sys.argv[1])"
    entrant = Entrant("x", "1", "", lambda folder: ["python", "-c", code, str(folder)], shown={"python": "PYTHON"})
    (series,) = run([entrant], tmp_path)
    assert (series.rounds[0].exit, series.is_clean) == (1, False)
    assert series.said.strip() == "cannot write to DIR"
    assert series.command == ["PYTHON", "-c", code, "DIR"]


def test_who_takes_too_long_is_ended_with_his_children(tmp_path: Path) -> None:
    """And marked; nobody of his is at work any more."""
    note = tmp_path / "pids"
    code = (
        "import os, subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', 'import time; "
        "time.sleep(600)']); open(sys.argv[1] + '.new', 'w').write(f'{os.getpid()} {child.pid}'); "
        "os.rename(sys.argv[1] + '.new', sys.argv[1]); time.sleep(600)"
    )
    entrant = Entrant("slow", "1", "", lambda _: [sys.executable, "-c", code, str(note)])
    (series,) = run([entrant], tmp_path, limit=3.0)
    assert (series.rounds[0].exit, series.is_clean) == (None, False)
    assert "took too long" in table(a_case(series))
    for pid in map(int, note.read_text().split()):
        assert is_gone(pid)


def is_gone(pid: int) -> bool:
    """Nothing runs under this number; what has ended may lie there until the system has buried it."""
    for _ in range(500):
        with suppress(OSError):
            if "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:1]:
                return True
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    return False


def test_preparation_and_figures_belong_to_the_round(tmp_path: Path) -> None:
    """The folder is as it was prepared when the contender comes, and is looked at before it goes."""

    def prepare(folder: Path) -> None:
        for name in "ab":
            (folder / name).touch()

    entrant = Entrant(
        "x",
        "1",
        "",
        lambda folder: [sys.executable, "-c", "import sys, os; os.remove(sys.argv[1] + '/a')", str(folder)],
        prepare=prepare,
        figures=lambda folder, cost: {"left": len(os.listdir(folder)), "exit": cost.exit or 0},
    )
    (series,) = run([entrant], tmp_path)
    assert series.rounds[0].figures == {"left": 1, "exit": 0}
