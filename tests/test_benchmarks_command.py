"""`python -m benchmarks`: what it lists, and where results go."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from benchmarks import command, servers
from benchmarks.figures import rank_figure
from benchmarks.results import ORDER, RESULTS, read_result
from tests.measured import a_case, a_result, a_series, write_all

ROOT = Path(__file__).parent.parent


def test_without_a_name_everything_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Scenarios in their order, all of them at once, and the commands, each with a line of what it is about."""
    command.main([])
    names = re.findall(r"^    ([\w-]+)(?:  |$)", capsys.readouterr().out, re.MULTILINE)
    assert names == [*ORDER, "all", *command.COMMANDS]


def test_every_scenario_has_a_module() -> None:
    """And no module is forgotten."""
    modules = {path.stem for path in (ROOT / "benchmarks" / "scenarios").glob("[!_]*.py")}
    assert modules == set(ORDER) == set(command.SCENARIOS)


@pytest.mark.slow
def test_all_runs_and_makes_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One scenario in place of nine: its result and the page stand where they were asked for, beside earlier ones."""
    monkeypatch.setattr(command, "SCENARIOS", {"rerun": command.SCENARIOS["rerun"]})
    write_all(tmp_path, a_result(a_case(a_series("curl", 1.0)), scenario="large"))
    arguments = ["all", "--quick", "--rounds", "1", "--budget", "0", "--peers", "--results", str(tmp_path)]
    command.main([*arguments, "--dir", str(tmp_path)])
    told = capsys.readouterr().out
    result = read_result(tmp_path / "rerun.json")
    ours = result.cases[0].series[0]
    assert [ours.name, len(ours.rounds), ours.is_clean, ours.is_cold] == ["aioflags", 1, True, False]
    assert ours.rounds[0].figures == {"requests": 0}
    assert str(tmp_path) not in (tmp_path / "rerun.json").read_text("utf-8")
    assert result.quick
    assert "| **aioflags " in told
    page = (tmp_path / "report.html").read_text("utf-8")
    assert 'id="rerun"' in page
    assert 'id="large"' in page


def test_results_that_nobody_wants_committed_are_ignored() -> None:
    """Those of a run that was not told where to go, and pages; not those that the README is made from."""
    if not (ROOT / ".git").exists():
        pytest.skip("no clone")
    names = {command.LOCAL / "small.json": True, RESULTS / "report.html": True, RESULTS / "small.json": False}
    for path, is_ignored in names.items():
        done = subprocess.run(["git", "check-ignore", "-q", str(path)], cwd=ROOT, check=False)
        assert (done.returncode == 0) is is_ignored, path


@pytest.mark.slow
@pytest.mark.parametrize("program", ["nginx", "ours"])
def test_scenario_runs_from_end_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], program: str
) -> None:
    """Every case has ours and the peer, each in one round after a warm-up, and every file of it is right."""
    if program == "ours":
        monkeypatch.setattr(servers, "NGINX", None)
    arguments = ["small", "--quick", "--rounds", "1", "--peers", "curl"]
    command.main([*arguments, "--dir", str(tmp_path), "--results", str(tmp_path / "results")])
    told = capsys.readouterr()
    result = read_result(tmp_path / "results" / "small.json")
    peers = [] if "curl" in result.skipped else ["curl"]
    assert {case.key for case in result.cases} >= {"2 KiB http", "10 KiB http"}
    for case in result.cases:
        assert [series.name for series in case.series] == ["aioflags", *peers]
        assert [len(series.rounds) for series in case.series] == [1] * len(case.series)
        assert all(series.is_clean for series in case.series), told.err
        assert case.title in told.out
    for words in result.skipped.items():
        assert all(word in told.err for word in words)
    assert set(os.listdir(tmp_path)) == {"results"}


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["startup", "large", "scale", "latency", "memory"])
def test_scenario_gives_cases_that_can_be_ranked(tmp_path: Path, scenario: str) -> None:
    """Each with ours alone, when nobody else is asked for: right files, and a figure in the column that ranks."""
    arguments = [scenario, "--quick", "--rounds", "1", "--budget", "1", "--peers", "--dir", str(tmp_path)]
    command.main([*arguments, "--results", str(tmp_path / "results")])
    result = read_result(tmp_path / "results" / f"{scenario}.json")
    assert result.cases
    assert len({case.key for case in result.cases}) == len(result.cases)
    for case in result.cases:
        assert case.series
        for series in case.series:
            assert series.name.startswith("aioflags")
            assert series.is_clean, series.said
            assert series.median(rank_figure(case)) > 0
    assert set(os.listdir(tmp_path)) == {"results"}
