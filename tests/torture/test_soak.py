"""The short form of the soak, and proof that it can fail."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from aioflags.items import Item, Outcome, Status
from tests.torture.soak import Ending, Figures, body_of, check, compare, soak


@pytest.mark.slow
async def test_every_outcome_is_true_and_every_file_right(tmp_path: Path) -> None:
    """One item in five meets a fault, and nothing but what the outcomes say is on disk; the rerun asks for nothing."""
    seed = 1 + ("uvloop" in type(asyncio.get_running_loop()).__module__)
    figures = await soak(800, seed, tmp_path / "files")
    assert figures.wrong == []
    assert (figures.outcomes, figures.faults.total() > 100, len(figures.faults) > 30) == (800, True, True)


@pytest.mark.slow
async def test_threads_tell_the_same_truth(tmp_path: Path) -> None:
    """The blocking driver through the same faults."""
    figures = await soak(200, 3, tmp_path / "files", engine="threads")
    assert figures.wrong == []


URL = "http://h/cut/7"
PLAN = {URL: (Item(URL, name="07/7"), Ending(Status.SAVED, None, b"right"))}


@pytest.mark.parametrize(
    ("outcome", "is_true"),
    [
        (Outcome(URL, Status.SAVED, "07/7", 5), True),
        (Outcome(URL, Status.SAVED, "07/7", 4), False),
        (Outcome(URL, Status.SAVED, "7", 5), False),
        (Outcome(URL, Status.PRESENT, "07/7", 5), False),
        (Outcome(URL, Status.FAILED), False),
    ],
)
def test_false_outcome_is_noticed(outcome: Outcome, is_true: bool) -> None:
    """Whatever of it is false."""
    figures = Figures()
    check(PLAN, figures, outcome)
    assert (figures.wrong == []) is is_true


@pytest.mark.parametrize(
    ("files", "wrong"),
    [
        ({"07/7": b"right"}, []),
        ({"07/7": b"wrong"}, ["07/7 has wrong bytes"]),
        ({}, ["07/7 is not there"]),
        ({"07/7": b"right", "07/8": b""}, ["07/8 should not be there"]),
        ({"07/7": b"right", ".aioflags/parts/x": b""}, [".aioflags/parts/x should not be there"]),
    ],
)
def test_false_file_is_noticed(tmp_path: Path, files: dict[str, bytes], wrong: list[str]) -> None:
    """One that is wrong, missing or too many, in the private folder, too."""
    for name, body in {**files, ".aioflags/ledger": b""}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(body)
    figures = Figures()
    compare(PLAN, tmp_path, figures)
    assert figures.wrong == wrong


def test_bodies_differ() -> None:
    """A file in another's place is noticed; large ones are among them."""
    bodies = [body_of(number) for number in range(200) if number]
    assert len(set(bodies)) == len(bodies)
    assert sum(len(body) > 1 << 20 for body in bodies) == 2
