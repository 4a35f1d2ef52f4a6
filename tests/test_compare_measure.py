"""Runs in processes of their own, and their files held against each other."""

from __future__ import annotations

import tempfile
import urllib.request
from pathlib import Path

import pytest

from aioflags.compare.account import look_up
from aioflags.compare.measure import Comparison, compare, serve
from aioflags.compare.runs import Run, summarise
from aioflags.compare.scenarios import SCENARIOS
from aioflags.errors import StorageError
from aioflags.flagserver.countries import MOST_POPULOUS
from aioflags.flagserver.resources import find_resource
from aioflags.flagserver.server import ServerThread
from aioflags.items import Item

OPTIONS = {"concurrency": 4, "per_host": 0, "retries": 0}


def a_run(engine: str, wall: float) -> Run:
    """A run without attempts."""
    return Run(engine, wall, 0.1, 1, 1, 1, None, 0, 0, 0)


@pytest.mark.slow
def test_server_is_a_process_of_its_own_and_ends_with_the_block() -> None:
    """It answers while the block lasts, and not afterwards."""
    with serve() as url, urllib.request.urlopen(f"{url}fr/fr.svg") as answer:
        assert answer.status == 200
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url)


@pytest.mark.slow
def test_engines_are_run_in_turn_and_counted_apart() -> None:
    """A B A B, each with its own options; the server's own count says that nothing was asked twice."""
    told: list[tuple[int, str, int]] = []
    with ServerThread() as server:
        items = [Item(f"{server.url}bytes/1000?seed={n}", name=f"{n}") for n in range(3)]
        comparison = compare(
            items,
            {"threads": {**OPTIONS, "concurrency": 2}, "asyncio": OPTIONS},
            repeat=2,
            tell=lambda number, run: told.append((number, run.engine, run.saved)),
        )
        assert server.server.requests == 12
    assert told == [(1, "threads", 3), (1, "asyncio", 3), (2, "threads", 3), (2, "asyncio", 3)]
    assert (comparison.items, comparison.bytes, comparison.differing, comparison.is_clean) == (3, 3000, (), True)
    threads, asyncio = comparison.engines
    assert threads.at_once <= 2
    assert len(asyncio.typical.spans) == 3
    assert comparison.baseline is max(comparison.engines, key=lambda summary: summary.wall)


def test_sequential_is_the_baseline_if_it_took_part() -> None:
    """However fast it was."""
    engines = tuple(summarise([a_run(name, wall)]) for name, wall in (("asyncio", 9.0), ("sequential", 1.0)))
    assert Comparison(engines, 1, 1, ()).baseline.engine == "sequential"


def test_fault_of_the_disk_is_no_failed_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A destination that is none ends the comparison with the reason."""
    (tmp_path / "file").write_bytes(b"")

    class Place:
        def __init__(self, **_: str) -> None:
            pass

        def __enter__(self) -> str:
            return str(tmp_path / "file")

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(tempfile, "TemporaryDirectory", Place)
    with pytest.raises(StorageError):
        compare([Item("http://127.0.0.1:9/x")], {"asyncio": OPTIONS}, repeat=1, tell=lambda *_: None)


def test_run_that_dies_is_a_bug() -> None:
    """What it said on standard error is passed on."""
    with pytest.raises(RuntimeError, match="unknown option nonsense"):
        compare([Item("http://h/")], {"asyncio": {**OPTIONS, "nonsense": 1}}, repeat=1, tell=lambda *_: None)


def test_account_of_this_process() -> None:
    """It has used processor and memory, has a thread, and is a process."""
    account = look_up()
    assert account.cpu > 0
    assert account.memory is not None
    assert account.memory > 1_000_000
    assert account.threads >= 1
    assert account.processes >= 1


@pytest.mark.parametrize("name", SCENARIOS)
def test_items_of_a_scenario_are_there(name: str) -> None:
    """Our server has each of them, each has a name of its own, and they are the same at every call."""
    make_items = SCENARIOS[name].make_items
    items = make_items("http://h/", MOST_POPULOUS, 0.05)
    assert items == make_items("http://h/", MOST_POPULOUS, 0.05)
    paths = [item.url.removeprefix("http://h").partition("?")[0] for item in items]
    assert all(find_resource(path) for path in paths)
    assert len({item.name or path for item, path in zip(items, paths, strict=True)}) == len(items)


def test_flags_are_late_by_one_to_two_delays() -> None:
    """Each by another time, evenly spread."""
    items = SCENARIOS["waiting"].make_items("http://h/", MOST_POPULOUS, 0.05)
    delays = sorted(float(item.url.partition("delay=")[2].partition("&")[0]) for item in items)
    assert (delays[0], delays[-1], len(set(delays))) == (0.05, 0.1, 20)
