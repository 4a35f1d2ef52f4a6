"""The README says of the benchmarks what the committed results say, to the letter."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.contenders import APT, PIP
from benchmarks.figures import IDEAL, SMALL_FILES
from benchmarks.readme_tables import CIRCUMSTANCES, PICTURES, draw_pictures, find_markers, rewrite
from benchmarks.results import ORDER, RESULTS, Result, Round, read_folder
from tests.measured import a_case, a_ceiling, a_result, a_series, spoiled

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")

CURL = a_series("curl", 1.0, 1.1, 1.2, version="8.1")
OURS = a_series("aioflags", 2.0, 2.2, 2.4)
SLOW = a_series("pypdl", 30.0, is_cold=True)
RESULT = a_result(a_case(OURS, CURL, SLOW, spoiled(), ceiling=a_ceiling()))


def committed() -> list[Result]:
    """The results that the README is made from."""
    return read_folder(RESULTS) if RESULTS.is_dir() else []


def block(name: str, *results: Result) -> str:
    """What stands between the markers of a name."""
    return rewrite(f"<!-- benchmarks: {name} -->\n<!-- /benchmarks -->", results)


def cells(text: str, first: str) -> list[str]:
    """The row of a table that begins with such a cell."""
    row = next(line for line in text.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in row.strip("|").split("|")][1:]


def test_readme_is_made_from_the_committed_results() -> None:
    """Made anew it is the same text: nothing between the markers was typed by hand."""
    assert rewrite(README, committed()) == README


def test_pictures_are_made_from_the_committed_results() -> None:
    """Made anew they are the same, and the README shows each that there is."""
    drawn = draw_pictures(committed())
    there = {f".assets/{path.name}": path.read_text("utf-8") for path in (ROOT / ".assets").glob("benchmarks-*.svg")}
    assert there == drawn
    assert {name for name in drawn if f"]({name})" not in README} == set()


def test_committed_results_are_fit_to_be_quoted() -> None:
    """None is of a quick run, and none names a folder of the machine that it was measured on."""
    assert [result.scenario for result in committed() if result.quick] == []
    told = {path.name: path.read_text("utf-8") for path in RESULTS.glob("*.json")}
    place = re.compile(r"/(?:tmp|home|root|work|Users|opt|dev/shm)/")
    assert {name for name, text in told.items() if place.search(text)} == set()


def test_every_scenario_has_its_place() -> None:
    """The README has a block for each, and one for the circumstances, and no other."""
    assert find_markers(README) == [CIRCUMSTANCES, *ORDER]


def test_peers_are_installed_as_the_readme_says() -> None:
    """Both commands stand there as contenders name them when somebody is missing."""
    assert f"```sh\n{APT}\n{PIP}\n```" in README


def test_the_group_of_peers_has_what_their_scripts_import() -> None:
    """Each library that a script for a peer imports is in the group `bench` of pyproject."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    installed = {re.split(r"[<>=]", each)[0] for each in groups["bench"]}
    scripts = (ROOT / "benchmarks" / "peers").glob("*_*.py")
    imported = {
        name
        for script in scripts
        for name in re.findall(r"^\s*(?:import|from) (\w+)", script.read_text("utf-8"), re.MULTILINE)
    }
    peers = {"requests", "httpx", "niquests", "parfive", "pypdl", "pycurl"}
    assert peers <= imported
    assert peers | {"pooch"} <= installed


def test_ratio_median_spread_and_rounds() -> None:
    """A cell has the ratio to curl, the median, least and most, and the rounds where they were fewer."""
    text = block("small", RESULT)
    assert cells(text, "**aioflags**") == ["**2.00x** 2.20 s (2.00 to 2.40 s)"]
    assert cells(text, "curl") == ["**1.00x** 1.10 s (1.00 to 1.20 s)"]
    assert cells(text, "pypdl") == ["**27.3x** 30.0 s, n = 1, cold"]
    assert cells(text, "the server's ceiling") == ["0.100 s"]
    assert "2 KiB, n = 3" in text


def test_who_spoiled_files_is_not_ranked() -> None:
    """However fast it was: the cell says what was wrong, and nobody loses to it."""
    text = block("small", RESULT)
    assert cells(text, "wget") == ["not ranked: 3 missing, 2 wrong, exit 8, in 1 of 2 rounds"]
    assert cells(text, "place") == ["2 of 3: loses to curl"]


def test_who_took_too_long_is_not_ranked() -> None:
    """The cell says after how many seconds it was ended, and what had not come by then."""
    late = replace(SLOW, rounds=[Round(150.0, 0.0, 0.0, 0, None, missing=70)])
    text = block("small", a_result(a_case(OURS, CURL, late)))
    assert cells(text, "pypdl") == ["not ranked: 70 missing, took too long, ended after 150 s, in 1 of 1 rounds"]


def test_where_we_win_nothing_is_said_of_losing() -> None:
    """The first of all is the first."""
    text = block("small", a_result(a_case(a_series("aioflags", 0.5), CURL)))
    assert cells(text, "place") == ["1 of 2"]
    assert cells(text, "**aioflags**")[0].startswith("**0.455x**")


def test_ours_unranked_is_told() -> None:
    """A spoiled file of ours is no secret."""
    assert cells(block("small", a_result(a_case(spoiled("aioflags"), CURL))), "place") == ["not ranked"]


def test_more_cases_than_contenders_stand_in_rows() -> None:
    """The longer list goes down the page; a case without ours is left to the report."""
    cases = [a_case(OURS, CURL, key=f"case {number}") for number in range(3)]
    text = block("small", a_result(*cases, a_case(CURL, key="without")))
    for number in range(3):
        row = cells(text, f"100 files of <case {number}>; wall, n = 3")
        assert [cell.split(" (")[0] for cell in row] == [
            "**2.00x** 2.20 s",
            "**1.00x** 1.10 s",
            "2 of 2: loses to curl",
        ]
    assert "without" not in text


def test_a_peer_that_is_missing_from_a_case_leaves_its_cell_empty() -> None:
    """Nobody makes up a figure."""
    cases = [a_case(OURS, CURL, SLOW), a_case(OURS, SLOW, key="other")]
    assert cells(block("latency", a_result(*cases, scenario="latency")), "curl")[1] == "-"


def test_the_ideal_is_shown() -> None:
    """Where there is a bound by what the server was told."""
    assert cells(block("small", a_result(a_case(OURS, CURL, ideal=0.25))), "the ideal") == ["0.250 s"]


def test_the_second_question_of_a_scenario_is_answered() -> None:
    """Such as how far from the ideal; where the case has no such column, nothing is said."""
    columns = [*SMALL_FILES, IDEAL]
    cases = [a_case(OURS, CURL, ideal=0.5, columns=columns), a_case(OURS, CURL, key="no ideal")]
    text = block("latency", a_result(*cases, scenario="latency"))
    assert cells(text, "curl") == [
        "**1.00x** 1.10 s (1.00 to 1.20 s); times the ideal 2.20x",
        "**1.00x** 1.10 s (1.00 to 1.20 s)",
    ]


def test_circumstances() -> None:
    """Machine, day, versions once, and who was not there with the command that installs it; quick runs are named."""
    text = block(CIRCUMSTANCES, RESULT, replace(RESULT, scenario="large", quick=True, started="2026-02-03T00:00:00"))
    assert "* processor one, cores 2, system Linux 6, python CPython 3.11." in text
    assert "Measured 2026-01-02 to 2026-02-03. aioflags 1.0, curl 8.1, pypdl 1.0, wget 2.0, nginx 1." in text
    assert "**Quick runs, not for quoting**: large." in text
    assert "* aria2 is not installed, and was skipped: `apt-get install aria2`." in text


def test_machines_that_differ_are_told_apart() -> None:
    """Each with the scenarios that ran on it."""
    text = block(CIRCUMSTANCES, RESULT, a_result(*RESULT.cases, scenario="large", cores="8"))
    assert "* small: processor one, cores 2" in text
    assert "* large: processor one, cores 8" in text


@pytest.mark.parametrize("name", ["small", CIRCUMSTANCES])
def test_what_was_not_measured_is_said(name: str) -> None:
    """With the command that does it."""
    assert "Not measured here yet: `python -m benchmarks" in block(name)


@given(st.text(), st.text())
def test_what_stands_outside_the_markers_is_left_alone(before: str, after: str) -> None:
    """Byte for byte, and to rewrite twice is to rewrite once."""
    text = f"{before}\n<!-- benchmarks: small -->\nold\n<!-- /benchmarks -->{after}"
    once = rewrite(text, [RESULT])
    if not find_markers(before + after):
        assert once.startswith(before)
        assert once.endswith(after)
        assert "\nold\n" not in once[len(before) : len(once) - len(after)]
    assert rewrite(once, [RESULT]) == once


def test_a_picture_for_each_scenario_that_has_one() -> None:
    """By the path in the repository that the README's block names."""
    large = a_result(*RESULT.cases, scenario="large")
    drawn = draw_pictures([RESULT, large, a_result(*RESULT.cases, scenario="startup")])
    assert set(drawn) == {".assets/benchmarks-small.svg", ".assets/benchmarks-large.svg"}
    assert "](.assets/benchmarks-small.svg)" in block("small", RESULT)
    assert "](.assets/" not in block("startup", a_result(*RESULT.cases, scenario="startup"))
    assert set(PICTURES) <= set(ORDER)
