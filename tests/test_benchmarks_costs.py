"""The profile's shares add up to what the system says, samples are read as written, layers can be taken out."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aioflags.equipment
from aioflags.flagserver.server import ServerThread
from aioflags.items import Item
from benchmarks import costs
from benchmarks.corpus import numbered
from benchmarks.costs_runs import KINDS, Measured, measure_once
from benchmarks.costs_table import show_functions, show_layers, show_rows
from benchmarks.layers import BASE
from benchmarks.processes import ROOT
from benchmarks.samples import Sample, read_samples
from benchmarks.shares import (
    GROUPS,
    NOBODY,
    START,
    Usage,
    count_functions,
    group_of,
    place_of,
    rows_of,
    show_function,
    spread,
)
from benchmarks.stripped import KEEPS_FILES, VARIANTS

LOOP_RUNS = ("/lib/python3/asyncio/runners.py", "run")
MAIN = ("<frozen runpy>", "_run_module_as_main")
BOOT = ("/lib/python3/threading.py", "_bootstrap")


def on_loop(*frames: tuple[str, str], is_collecting: bool = False) -> Sample:
    return Sample("MainThread", (*frames, LOOP_RUNS, MAIN), is_collecting)


def in_thread(name: str, *frames: tuple[str, str]) -> Sample:
    return Sample(name, (*frames, BOOT))


# Reading

WRITTEN = """\
Stack (most recent call first):
  File "/x/aioflags/schedule.py", line 7 in take
  File "<frozen runpy>", line 198 in _run_module_as_main
gc start aioflags-hands_0
Stack (most recent call first):
  File "/x/aioflags/names.py", line 3 in safe_name
  File "/x/benchmarks/sampled.py", line 70 in thread:aioflags-hands_0
  File "/lib/threading.py", line 1002 in _bootstrap
Stack (most recent call first):
  File "<frozen runpy>", line 198 in _run_module_as_main
gc stop aioflags-hands_0
Stack (most recent call first):
  File "/x/aioflags/names.py", line ??? in <genexpr>
  File "/x/benchmarks/sampled.py", line 70 in thread:aioflags-hands_0
  File "/lib/threading.py", line 1002 in _bootstrap
"""


def test_samples_are_read_as_they_were_written() -> None:
    """Stacks come innermost first, with their thread, and with the collector that was at work in it."""
    samples = read_samples(WRITTEN.splitlines(keepends=True))
    assert samples.torn == 0
    assert [(each.thread, each.is_collecting, each.stack[0][1]) for each in samples.whole] == [
        ("MainThread", False, "take"),
        ("aioflags-hands_0", True, "safe_name"),
        ("MainThread", False, "_run_module_as_main"),
        ("aioflags-hands_0", False, "<genexpr>"),
    ]


@pytest.mark.parametrize(
    "torn",
    [
        "Stack (most recent call first):\n",
        'Stack (most recent call first):\n  File "/x/a.py", line 7 in f\n',
        'Stack (most recent call first):\n  File "/x  File "/y/a.py", li\n  File "/x/b.py", line 9 in <module>\n',
        '  File "/x/a.py", line 7 in <module>\n',
    ],
)
def test_what_two_threads_wrote_at_once_is_counted_and_left(torn: str) -> None:
    """A stack without an end, or with half a line, is nobody's; those around it are read."""
    samples = read_samples((torn + WRITTEN).splitlines(keepends=True))
    assert samples.torn == 1
    assert len(samples.whole) == 4


# Whose it is


@pytest.mark.parametrize(
    ("sample", "group"),
    [
        (on_loop(("/x/aioflags/schedule.py", "take")), "ours: dispatcher, schedule, retry"),
        (on_loop(("<string>", "__init__"), ("/x/aioflags/engines/body.py", "read")), "ours: engine"),
        (on_loop(("/lib/python3/dataclasses.py", "replace"), ("/x/aioflags/pursuit.py", "f")), GROUPS[1]),
        (on_loop(("/x/site-packages/aiohttp/client.py", "get"), ("/x/aioflags/engines/a.py", "f")), GROUPS[8]),
        (on_loop(("/lib/python3/asyncio/timeouts.py", "reschedule")), "asyncio: timeouts, tasks, locks"),
        (on_loop(), "event loop: uvloop or selectors, C tasks"),
        (on_loop(("/lib/python3/ssl.py", "read"), ("/lib/python3/asyncio/sslproto.py", "f")), GROUPS[11]),
        (on_loop(("/x/aioflags/pursuit.py", "f"), is_collecting=True), "garbage collector"),
        (on_loop(("<frozen importlib._bootstrap>", "_load"), ("/x/aioflags/a.py", "f")), START),
        (Sample("MainThread", (("/x/aioflags/cli/options.py", "f"), MAIN)), START),
        (in_thread("aioflags-hands_0", ("/x/aioflags/ledger_notes.py", "record")), "ours: ledger"),
        (in_thread("aioflags-list", ("/x/aioflags/cli/feed.py", "_work")), "ours: list, intake, names, register"),
        (in_thread("aioflags-disk_0", ("/lib/python3/concurrent/futures/thread.py", "_worker")), GROUPS[12]),
        (in_thread("aioflags-disk_0", ("/x/aioflags/parts.py", "write")), "ours: storage, writer, destination"),
        (in_thread("aioflags-outlet", ("/x/aioflags/aioflags/cli/outlet.py", "_run")), GROUPS[6]),
        (in_thread("aioflags-x", ("/x/aioflags/unheard_of.py", "f")), "ours: anything else"),
        (in_thread("Thread-1", ("/x/aioflags/other/thing.py", "f"), ("/x/y.py", "g")), "ours: anything else"),
        (Sample("Thread-1", (("/x/y.py", "g"),)), NOBODY),
        (on_loop(("/x/benchmarks/sampled.py", "mark")), NOBODY),
    ],
)
def test_a_sample_belongs_to_its_innermost_owner(sample: Sample, group: str) -> None:
    """The standard library counts for its caller, unless it is loop, threads or TLS; imports and collector go first."""
    assert group_of(sample) == group


def test_every_module_that_a_download_needs_has_its_group() -> None:
    """What is new is no "anything else"."""
    program = "import sys, aioflags.cli.get, aioflags.downloader, aioflags.register; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    files = [f"/x/{name.replace('.', '/')}.py" for name in loaded if name.startswith("aioflags.")]
    others = {file for file in files if group_of(on_loop((file, "f"))) == "ours: anything else"}
    small = {f"/x/aioflags/{name}.py" for name in ("boot", "errors", "records", "redact", "threads", "version")}
    packages = {f"/x/aioflags/{name}.py" for name in ("cli", "engines", "shards")}
    assert {file for file in others if not file.startswith("/x/aioflags/shards/")} <= small | packages


@pytest.mark.parametrize(
    ("thread", "place"),
    [("MainThread", "loop"), ("aioflags-hands_0", "hands"), ("aioflags-disk_3", "disk"), ("aioflags-list", "others")],
)
def test_threads_have_places(thread: str, place: str) -> None:
    """The name of a thread tells what it is for."""
    assert place_of(thread) == place


frames = st.sampled_from(
    [
        ("/x/aioflags/schedule.py", "take"),
        ("/x/aioflags/ledger.py", "add"),
        ("/x/site-packages/aiohttp/client.py", "get"),
        ("/x/y.py", "f"),
        ("<frozen importlib._bootstrap>", "_load"),
    ]
)
threads = st.sampled_from(["MainThread", "aioflags-hands_0", "aioflags-disk_1", "aioflags-list"])
samples = st.lists(
    st.builds(lambda thread, frame, gc: Sample(thread, (frame, LOOP_RUNS), gc), threads, frames, st.booleans())
)
seconds = st.floats(0.0, 1e4)


@given(samples, samples, seconds, seconds, seconds, seconds)
def test_the_shares_add_up(
    user: list[Sample], everything: list[Sample], inside: float, outside: float, start: float, end: float
) -> None:
    """Whatever was sampled, if anything: the rows add up to what the system says, and none is less than nothing."""
    ends = Usage(start, end)
    total = Usage(start + outside, end + inside)
    rows = rows_of(total, ends, user, everything)
    assert [row.group for row in rows] == list(GROUPS)
    assert sum(row.user for row in rows) == pytest.approx(total.user)
    assert sum(row.system for row in rows) == pytest.approx(total.system)
    assert sum(row.total for row in rows) == pytest.approx(total.total)
    assert all(seconds >= 0 for row in rows for seconds in (row.system, *row.places.values()))


def test_shares_are_in_proportion() -> None:
    """Three samples of four are three quarters; what only the samples of all time see is the kernel's."""
    take = on_loop(("/x/aioflags/schedule.py", "take"))
    add = in_thread("aioflags-hands_0", ("/x/aioflags/ledger.py", "add"))
    user, everything = [take, take, take, add], [take, take, take, *[add] * 5]
    rows = {row.group: row for row in rows_of(Usage(4, 4), Usage(0, 0), user, everything)}
    assert rows["ours: dispatcher, schedule, retry"].places == {"loop": pytest.approx(3)}
    assert rows["ours: ledger"].places == {"hands": pytest.approx(1)}
    assert rows["ours: ledger"].system == pytest.approx(4)


def test_functions_are_counted_once_a_sample() -> None:
    """A function that calls itself is at work once; what a dataclass made counts for who called it."""
    sample = on_loop(("<string>", "__init__"), ("/x/a.py", "f"), ("/x/a.py", "f"))
    assert count_functions([sample], inclusive=False) == {"x.a:f": 1}
    assert count_functions([sample], inclusive=True)["x.a:f"] == 1
    assert show_function(("a.py", "f")) == "a:f"


def test_the_spread_is_the_largest_difference() -> None:
    """Two sets that agree are 0 apart, two that share nothing 1; of an empty one nothing is said."""
    one, other = on_loop(("/x/aioflags/schedule.py", "take")), on_loop(("/x/aioflags/names.py", "f"))
    assert spread([one, other], [other, one]) == 0
    assert spread([one], [other]) == 1
    assert spread([one, one, one, other], [one, other]) == 0.25
    assert spread([one], []) is None


# Measuring

FILES = 30


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ServerThread() as running:
        yield running.url


def _arguments(url: str, place: Path) -> list[str]:
    options = ["--format", "text", "--progress", "none", "--per-host", "0"]
    (place / "urls").write_text("".join(f"{url}bytes/{64 + number}\n" for number in range(FILES)))
    return ["get", "-i", str(place / "urls"), "-d", str(place / "files"), *options]


def _count(directory: Path) -> int:
    return sum(1 for path in directory.iterdir() if path.is_file())


@pytest.fixture(scope="module")
def measured(server: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Measured]:
    runs = {kind: Measured() for kind in KINDS}
    for kind, into in runs.items():
        place = tmp_path_factory.mktemp(kind)
        measure_once(into, kind, _arguments(server, place), place, lambda: None)
        assert _count(place / "files") == FILES
    return runs


@pytest.mark.slow
def test_a_profile_of_a_real_run_adds_up(measured: dict[str, Measured]) -> None:
    """Samples come from real runs, none is nobody's, and the table ends with the total that the system gave."""
    result = costs.summarise(FILES, measured)
    assert result["samples"]["user"] > 0
    assert sum(row["total"] for row in result["rows"]) == pytest.approx(result["total"])
    assert result["total"] == pytest.approx(1e6 / FILES * measured["plain"].usages[0].total)
    assert sum(result["threads"].values()) == pytest.approx(result["total"])
    text = show_rows(json.loads(json.dumps(result)))
    (last,) = [line for line in text.splitlines() if line.startswith("sum ")]
    assert last.split()[-2:] == [f"{result['total']:.1f}", "100.0"]
    assert show_functions(result, 3).count("microseconds per file") == 6


@pytest.mark.slow
def test_samples_bear_the_names_of_threads(measured: dict[str, Measured]) -> None:
    """Every stack of a thread leads down to its name; the others are of the main thread."""
    seen = {sample.thread for kind in KINDS for sample in measured[kind].all_samples()}
    assert "MainThread" in seen
    assert all(name == "MainThread" or not name.startswith("thread:") for name in seen)


@pytest.mark.slow
def test_a_failed_run_is_not_measured(tmp_path: Path) -> None:
    """A run that saved nothing ends the measurement with what it said."""
    with pytest.raises(RuntimeError, match=r"(?s)ended with 2: .*nothing to download"):
        measure_once(Measured(), "plain", ["get"], tmp_path, lambda: None)


def test_a_spoiled_file_ends_the_measurement(tmp_path: Path) -> None:
    """What was measured counts only if every file is what it should be."""
    corpus = numbered("small", 3, 50)
    corpus.write(tmp_path)
    costs.demand_whole(corpus, tmp_path / "small")
    (tmp_path / "small" / "0000001").write_bytes(bytes(50))
    with pytest.raises(SystemExit, match="wrong=1"):
        costs.demand_whole(corpus, tmp_path / "small")


# Layers


@pytest.fixture
def whole_again(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(aioflags.equipment, "Writer", vars(aioflags.equipment)["Writer"])
    yield
    gc.enable()


@pytest.mark.usefixtures("whole_again")
@pytest.mark.parametrize("variant", VARIANTS)
async def test_what_is_left_without_a_layer_does_the_rest(variant: str, server: str, tmp_path: Path) -> None:
    """Every file is saved, or would have been; those that say so keep files, the others none."""
    items = (Item(f"{server}bytes/{100 + number}", name=f"{number}") for number in range(5))
    assert await VARIANTS[variant](items, str(tmp_path / "files"), 3) == 5
    kept = _count(tmp_path / "files") if (tmp_path / "files").exists() else 0
    assert kept == (5 if variant in KEEPS_FILES else 0)


@pytest.mark.slow
def test_a_stripped_run_that_failed_says_so(tmp_path: Path) -> None:
    """Its exit status tells when not every file was saved."""
    (tmp_path / "urls").write_text("ftp://nowhere/x\n")
    command = [sys.executable, "-m", "benchmarks.stripped", BASE, str(tmp_path / "urls"), str(tmp_path / "files"), "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "0 of 1 were saved" in done.stderr


def test_layers_are_shown_with_what_they_save() -> None:
    """What a variant saves is the difference to the whole."""
    text = show_layers({BASE: {"wall": [10.0, 12.0, 90.0], "cpu": [9.0]}, "other": {"wall": [4.0], "cpu": [10.0]}})
    assert text.splitlines()[-1].split() == ["other", "4.0", "8.0", "10.0", "-1.0"]
