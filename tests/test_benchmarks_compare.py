"""`python -m benchmarks compare OLD NEW`: what it prints, and with which status it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.command import main
from tests.measured import a_case, a_result, a_series, spoiled, write_all

FIVE = (1.0, 1.01, 1.02, 1.03, 1.04)
FAST = a_result(a_case(a_series("aioflags", *FIVE), a_series("curl", *FIVE)))
SLOW = a_result(a_case(a_series("aioflags", *(2 * each for each in FIVE)), a_series("curl", *FIVE)))


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, list[str]]:
    """Run it; gives the exit status and what it printed."""
    try:
        main(["compare", *map(str, arguments)])
        status = 0
    except SystemExit as done:
        status = int(done.code or 0)
    return status, capsys.readouterr().out.splitlines()


def test_slower_ends_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Case, contender and figure, before and after, and how many times."""
    old, new = write_all(tmp_path / "old", FAST), write_all(tmp_path / "new", SLOW)
    assert run(capsys, old, new) == (
        1,
        [
            "worse   small, 2 KiB: aioflags: wall 1.02 s -> 2.04 s, 2.00x",
            "worse   small, 2 KiB: aioflags: cpu 0.510 s -> 1.02 s, 2.00x",
            "6 figures compared: 2 worse, 0 better, 4 the same within noise",
        ],
    )


def test_faster_ends_with_nought(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Single files can be compared, too."""
    old, new = write_all(tmp_path / "old", SLOW), write_all(tmp_path / "new", FAST)
    status, lines = run(capsys, old / "small.json", new / "small.json")
    assert (status, lines[0]) == (0, "better  small, 2 KiB: aioflags: wall 2.04 s -> 1.02 s, 0.500x")


def test_the_floor_can_be_raised(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In per cent."""
    old, new = write_all(tmp_path / "old", FAST), write_all(tmp_path / "new", SLOW)
    assert run(capsys, old, new, "--floor", 99)[0] == 1
    assert run(capsys, old, new, "--floor", 101)[0] == 0


def test_a_peer_that_changed_is_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is no fault of ours."""
    slow = a_result(a_case(a_series("aioflags", *FIVE), a_series("curl", *(2 * each for each in FIVE))))
    status, lines = run(capsys, write_all(tmp_path / "old", FAST), write_all(tmp_path / "new", slow))
    assert status == 0
    assert lines[0].endswith("2.00x (a program of others: the machine, or chance)")


def test_spoiled_files_end_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Even where no figure can be compared any more."""
    bad = a_result(a_case(spoiled("aioflags")))
    status, lines = run(capsys, write_all(tmp_path / "old", FAST), write_all(tmp_path / "new", bad))
    assert status == 1
    assert "worse   small, 2 KiB: aioflags lost or spoiled files, and did not before" in lines


@pytest.mark.parametrize("other", [None, "not json", a_result(scenario="large")])
def test_nothing_to_compare_ends_with_two(other: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No such folder, no result, nothing in common: it says so, and does not call that well."""
    old, new = write_all(tmp_path / "old", FAST), tmp_path / "new"
    if isinstance(other, str):
        new.mkdir()
        (new / "small.json").write_text(other)
    elif other is not None:
        write_all(new, a_result(scenario="large"))
    status, lines = run(capsys, old, new)
    assert status == 2
    assert lines
