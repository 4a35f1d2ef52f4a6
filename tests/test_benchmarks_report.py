"""`python -m benchmarks report`: a page of a folder of results, and the README made anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.command import main
from benchmarks.report import write_readme
from benchmarks.results import ORDER, read_folder
from tests.measured import a_case, a_result, a_series, write_all

RESULT = a_result(a_case(a_series("aioflags", 2.0, 2.2), a_series("curl", 1.0, 1.1)))


def test_a_folder_becomes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It stands where it was asked for, and says where."""
    page = tmp_path / "page.html"
    main(["report", str(write_all(tmp_path / "results", RESULT)), "--output", str(page)])
    assert capsys.readouterr().out == f"{page}\n"
    assert RESULT.cases[0].series[0].name in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "said"), [(None, "No such file"), ("", "no results"), ("{}", "schema None is not 1: measure again")]
)
def test_what_is_no_folder_of_results_is_said(content: str | None, said: str, tmp_path: Path) -> None:
    """And no page is written."""
    folder = tmp_path / "results"
    if content is not None:
        folder.mkdir()
        (folder / ("small.json" if content else "note.txt")).write_text(content)
    with pytest.raises(SystemExit, match=said):
        main(["report", str(folder), "--output", str(tmp_path / "page.html")])
    assert not (tmp_path / "page.html").exists()


def test_results_come_in_the_order_of_the_scenarios(tmp_path: Path) -> None:
    """Whatever the file system's order is; what is deeper in the folder is not read."""
    results = [a_result(scenario=name) for name in reversed(ORDER)]
    write_all(write_all(tmp_path, *results) / "local", a_result(scenario="small", quick=True))
    assert [each.scenario for each in read_folder(tmp_path)] == list(ORDER)
    assert not any(each.quick for each in read_folder(tmp_path))


def test_newest_wins(tmp_path: Path) -> None:
    """A scenario has one file: a later run takes the place of an earlier one."""
    write_all(tmp_path, a_result(quick=True), RESULT)
    assert read_folder(tmp_path) == [RESULT]


def test_the_readme_is_made_anew(tmp_path: Path) -> None:
    """Its blocks, and the pictures that it shows; what else stands there stays."""
    (tmp_path / "README.md").write_text("# Title\n<!-- benchmarks: small -->\n<!-- /benchmarks -->\nEnd\n")
    written = write_readme([RESULT], tmp_path)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert written == [tmp_path / "README.md", tmp_path / ".assets" / "benchmarks-small.svg"]
    assert text.startswith("# Title\n<!-- benchmarks: small -->\n")
    assert text.endswith("<!-- /benchmarks -->\nEnd\n")
    assert "loses to curl" in text
    assert "<svg " in written[1].read_text(encoding="utf-8")
