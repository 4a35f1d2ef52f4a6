"""Results survive being written and read; what another version has written is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.results import ORDER, SCHEMA, Round, Series, read_folder, read_result, write_result
from tests.measured import a_case, a_ceiling, a_result, a_series, spoiled, write_all

NUMBERS = st.floats(0, 1e9)
COUNTS = st.integers(0, 10**6)
ROUNDS = st.builds(
    Round,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    COUNTS,
    st.none() | st.integers(-15, 255),
    COUNTS,
    COUNTS,
    COUNTS,
    st.dictionaries(st.text(), NUMBERS, max_size=2),
)


@given(st.lists(ROUNDS, max_size=3), st.text(), st.booleans())
def test_what_was_measured_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[Round], said: str, is_cold: bool
) -> None:
    """Each figure to the last digit, and what was said in any script."""
    said = said.encode("utf-8", "replace").decode()
    series = Series("curl", "8", "why", ["curl", "-K", "CONFIG"], rounds, said, is_cold=is_cold)
    result = a_result(a_case(series, ceiling=a_ceiling(), ideal=1.5))
    path = write_result(result, tmp_path_factory.mktemp("results") / "new")
    assert path.name == "small.json"
    assert read_result(path) == result


def test_folder_is_read_in_the_order_of_the_scenarios(tmp_path: Path) -> None:
    """Whatever the names of the files say first; pages beside them are none."""
    write_all(tmp_path, *(a_result(a_case(a_series("curl", 1.0)), scenario=name) for name in sorted(ORDER)))
    (tmp_path / "report.html").write_text("<p>")
    assert [each.scenario for each in read_folder(tmp_path)] == list(ORDER)


def test_other_formats_are_refused(tmp_path: Path) -> None:
    """Rather than read wrongly."""
    path = write_result(replace(a_result(), schema=SCHEMA + 1), tmp_path)
    with pytest.raises(ValueError, match="measure again"):
        read_result(path)
    path.write_text(json.dumps({}))
    with pytest.raises(ValueError, match="measure again"):
        read_result(path)


@pytest.mark.parametrize(
    ("change", "is_clean"),
    [({}, True), ({"exit": 1}, False), ({"exit": None}, False)]
    + [({what: 1}, False) for what in ("missing", "wrong", "extra")],
)
def test_one_bad_round_is_enough(change: dict[str, int | None], is_clean: bool) -> None:
    """A contender is clean if all its rounds are; one without rounds has shown nothing."""
    good = Round(1.0, 0.5, 0.25, 1)
    bad = replace(good, **change)  # type: ignore[arg-type]
    assert bad.is_clean is is_clean
    assert replace(spoiled(), rounds=[good, bad, good]).is_clean is is_clean
    assert not replace(spoiled(), rounds=[]).is_clean
    assert good.cpu == 0.75


def test_median_is_that_of_all_rounds() -> None:
    """Not the mean: one slow round says something of the machine."""
    assert a_series("curl", 1.0, 2.0, 90.0).median(lambda each: each.wall) == 2.0
