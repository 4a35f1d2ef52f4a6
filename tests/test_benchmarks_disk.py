"""The ways to the disk all write the same bytes, a file that is not right is found, and the picture tells of it."""

from __future__ import annotations

import asyncio
import itertools
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.bench import Bench
from benchmarks.corpus import Check, check
from benchmarks.disk_child import Lateness, measure_way, quantile
from benchmarks.disk_picture import draw
from benchmarks.disk_ways import WAYS
from benchmarks.disk_work import CHUNK, Work
from benchmarks.results import Case, Result
from benchmarks.scenarios import disk
from benchmarks.tables import cells, table

WORKS = [Work(70, 100), Work(3, 100, is_synced=True), Work(1, 6 * CHUNK + 5)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("work", WORKS, ids=["files", "synced", "stream"])
async def test_every_way_writes_the_same_bytes(way: str, work: Work, tmp_path: Path) -> None:
    """All files are there in the end, byte for byte, and nothing besides."""
    row = await measure_way(way, str(tmp_path / "files"), work)
    assert check(work.expected(), tmp_path / "files") == Check()
    assert row["timers"] >= 1
    assert row["late_median"] <= row["late_p99"] <= row["late_max"]


async def test_a_way_that_does_nothing_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The timer alone touches no file."""
    monkeypatch.setattr("benchmarks.disk_child._ALONE", 0.01)
    await measure_way("nothing", str(tmp_path / "files"), Work(0, 8))
    assert not (tmp_path / "files").exists()


@pytest.mark.parametrize("work", WORKS, ids=["files", "synced", "stream"])
def test_a_work_is_what_it_says(work: Work) -> None:
    """Names and bodies are as many as files, of the size that was asked for, and no two are the same."""
    bodies = [b"".join(work.chunks())] if work.is_stream else list(work.bodies())
    assert {len(body) for body in bodies} == {work.size}
    assert len(set(bodies)) == len(list(work.names())) == work.files


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-1] + b"?"), Check(wrong=1)),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), Check(wrong=1)),
        (lambda path: path.unlink(), Check(missing=1)),
        (lambda path: path.rename(path.with_suffix(".part")), Check(missing=1, extra=1)),
    ],
)
async def test_a_spoiled_file_is_found(spoil: Callable[[Path], object], found: Check, tmp_path: Path) -> None:
    """One byte is enough, and so is a file that is gone or left over."""
    work = Work(3, 100)
    await measure_way("groups", str(tmp_path), work)
    spoil(tmp_path / "0000001")
    assert check(work.expected(), tmp_path) == found


async def test_lateness_is_what_lies_between_due_and_fired() -> None:
    """A timer of a millisecond that fires after five is four late; what runs when it is stopped counts, too."""
    times = iter([0.0, 0.005, 0.005, 0.106])
    lateness = Lateness(lambda: next(times))
    while not lateness.seen:
        await asyncio.sleep(0)
    assert lateness.stop() == pytest.approx([0.004, 0.1])


@pytest.mark.parametrize(("part", "value"), [(0.0, 1.0), (0.5, 3.0), (0.99, 4.0), (1.0, 4.0)])
def test_quantiles(part: float, value: float) -> None:
    """A quantile is one of the values that were seen."""
    assert quantile([4.0, 2.0, 1.0, 3.0], part) == value


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("disk")
    bench = Bench(folder, rounds=1, quick=True, warm_up=False)
    return disk.measure(bench, "3 x 100 B, memory, uvloop", Work(3, 100), folder, "uvloop")


def _result(*cases: Case) -> Result:
    return Result("disk", "", "", True, {"python": "CPython", "cores": "2"}, cases)


@pytest.mark.slow
def test_all_ways_take_part_in_a_case(case: Case) -> None:
    """Each way is run as a process of its own, its files are checked, and each column has its figure."""
    assert [series.name for series in case.series] == list(WAYS)
    assert all(series.is_clean for series in case.series)
    for series in case.series:
        assert series.rounds[0].figures.keys() >= {column.key for column in case.columns}
    assert any("is the fastest" in note for note in case.notes)


@pytest.mark.slow
def test_the_scenario_begins_with_the_timer_alone(tmp_path: Path) -> None:
    """What the machine contributes by itself is measured first, then the ways, small files before all else."""
    bench = Bench(tmp_path, rounds=1, quick=True, warm_up=False)
    alone, first = itertools.islice(disk.run(bench), 2)
    assert [series.name for series in alone.series] == ["uvloop", "asyncio"]
    assert first.key.startswith("300 x 2 KiB, ")
    for case in (alone, first):
        assert all(series.is_clean for series in case.series)
        assert len(list(cells(case))) == len(case.series)


@pytest.mark.slow
def test_the_picture_is_drawn_from_the_result_alone(case: Case) -> None:
    """It is well-formed, holds every way, and asks nobody for anything."""
    picture = draw(_result(case))
    words = list(ElementTree.fromstring(picture).itertext())
    assert set(WAYS) < set(words)
    assert "3 x 100 B, memory (files/s)" in words
    assert "href" not in picture
    assert picture.count("http") == picture.count("http://www.w3.org/2000/svg")


@pytest.mark.slow
def test_a_way_that_spoiled_a_file_is_not_ranked(case: Case) -> None:
    """Neither the table nor the picture gives a speed for it."""
    inline = case.series[0]
    spoiled = replace(inline, rounds=[replace(inline.rounds[0], wrong=1)])
    bad = replace(case, series=[spoiled, *case.series[1:]])
    assert "not ranked: 1 wrong" in table(bad)
    assert "lost or spoiled files: not ranked" in draw(_result(bad))
    assert "not ranked" not in draw(_result(case))
