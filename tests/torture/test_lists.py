"""Any list of URLs and names: each entry has one outcome, each file is what its outcome says, and none is lost."""

from __future__ import annotations

import asyncio
import csv
import json
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aioflags.downloader import download_many
from aioflags.inputs import open_list
from aioflags.items import Item, Rejected, Report, Status
from aioflags.names import fold
from aioflags.urls import parse_url
from tests.faultserver import FaultServer, answer
from tests.hostile import Client
from tests.test_names import hostile_text


class Mirror(FaultServer):
    """Answers every path with the path itself, so that a file tells whose it is."""

    def _talk(self, client: Client) -> None:
        while request := client.read_head():
            client.send(answer(request.split(b" ", 2)[1]))


@pytest.fixture(scope="module")
def mirror() -> Iterator[Mirror]:
    with Mirror() as server:
        yield server


# Names that meet in folders, and by case, besides those that are hostile by themselves.
NAMES = st.sampled_from(["a", "A", "a/b", "a/B/c", "index.html", "\u00e9", "e\u0301", "con", "x.gif"]) | hostile_text
ROWS = st.lists(
    st.tuples(hostile_text | st.sampled_from(["a", "A", "x/a", "a?1", "a?2", "%61"]), st.none() | NAMES), max_size=15
)


def _write(path: Path, rows: list[tuple[str, str | None]]) -> None:
    """Write a list in the format of its suffix, as well as the format can."""
    # What no encoding has, no list can hold.
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        if path.suffix == ".txt":
            file.writelines(f"{url}\n" for url, _ in rows)
        elif path.suffix == ".csv":
            csv.writer(file).writerows([("url", "name"), *rows])
        else:
            file.writelines(json.dumps({"url": url} | ({"name": name} if name else {})) + "\n" for url, name in rows)


def _entries(path: Path) -> Iterator[Item | Rejected]:
    with closing(open_list(str(path))) as reader:
        while batch := reader.read_batch(7):
            yield from batch


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".txt", ".csv", ".jsonl"])
@settings(max_examples=60)
@given(rows=ROWS)
def test_no_list_loses_or_mixes_files(mirror: Mirror, suffix: str, rows: list[tuple[str, str | None]]) -> None:
    """Each entry has its outcome; each file is below the destination, tells its own URL and has a name for itself."""
    with tempfile.TemporaryDirectory() as root:
        path, directory = Path(root, f"list{suffix}"), Path(root, "a", "files")
        _write(path, [(f"{mirror.url}/{rest}", name) for rest, name in rows])
        entries = list(_entries(path))
        report = asyncio.run(download_many(entries, directory, retries=0))
        assert len(report) == len(entries)
        _compare(report, directory)
        assert {each.name for each in Path(root).iterdir()} <= {path.name, "a"}
        assert [each.name for each in Path(root, "a").iterdir()] == ["files"]


def _compare(report: Report, directory: Path) -> None:
    saved = {outcome.path: outcome for outcome in report if outcome.status is Status.SAVED and outcome.path}
    found = {str(path.relative_to(directory)): path for path in directory.rglob("*") if path.is_file()}
    assert found.keys() == saved.keys()
    assert len({fold(name) for name in found}) == len(found) == sum(one.status is Status.SAVED for one in report)
    for name, path in found.items():
        assert parse_url(saved[name].url).url.endswith(path.read_text("ascii"))
    # The other one may have failed.
    others = {outcome.url for outcome in report if outcome.status is not Status.DUPLICATE}
    assert {outcome.url for outcome in report if outcome.status is Status.DUPLICATE} <= others
    assert {outcome.error.kind for outcome in report if outcome.error} <= {"url", "name"}
