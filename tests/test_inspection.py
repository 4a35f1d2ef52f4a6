"""Files held against the ledger: what is wrong with each, and nothing that is not so."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from aioflags.audit import Audit
from aioflags.destination import Destination
from aioflags.disk_errors import translate_os_error
from aioflags.inspection import Fault, Finding, inspect
from tests.home import Home

Open = Callable[[], tuple[Destination, Audit]]
Look = Callable[[], list[Finding]]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "downloads")
    yield home
    home.ledger.close()


@pytest.fixture
def place(home: Home) -> Iterator[Open]:
    """Open the destination for reading, and its ledger, when the test has filled them."""
    with ExitStack() as opened:

        def open_it() -> tuple[Destination, Audit]:
            destination = Destination(home.path)
            destination.open_for_reading()
            opened.callback(destination.close)
            return destination, opened.enter_context(closing(Audit(str(home.path))))

        yield open_it


@pytest.fixture
def look(place: Open) -> Look:
    """Compare all files."""
    return lambda: list(inspect(*place()))


def test_whole_files_come_in_order(home: Home, look: Look) -> None:
    """However many threads read them."""
    for number in range(200):
        home.save(f"{number % 7}/{number}", b"flag" * number)
    findings = look()
    assert [finding.row.name for finding in findings] == [f"{number % 7}/{number}" for number in range(200)]
    assert {finding.fault for finding in findings} == {None}


def make_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda path: path.write_bytes(b"FLAG"), Fault.WRONG),
        (lambda path: path.write_bytes(b"fla"), Fault.WRONG),
        (lambda path: path.unlink(), Fault.GONE),
        (lambda path: (path.rename(path.parent / "b"), path.symlink_to("b")), Fault.GONE),
        (lambda path: (path.unlink(), path.mkdir()), Fault.GONE),
        (make_pipe, Fault.GONE),
    ],
    ids=["changed", "cut", "removed", "link", "folder", "pipe"],
)
def test_what_is_wrong_with_a_file(home: Home, look: Look, spoil: Callable[[Path], object], fault: Fault) -> None:
    """Another copy would be better."""
    home.save("a")
    spoil(home.path / "a")
    (finding,) = look()
    assert (finding.fault, finding.is_to_be_fetched) == (fault, True)
    assert finding.error is not None
    assert finding.error.kind == ("checksum" if fault is Fault.WRONG else "storage")


def test_folder_that_became_a_link(home: Home, look: Look) -> None:
    """The file that was fetched is not there, whatever is behind the link."""
    home.save("sub/a")
    (home.path / "sub").rename(home.path / "other")
    (home.path / "sub").symlink_to("other")
    assert [finding.fault for finding in look()] == [Fault.GONE]


@pytest.mark.parametrize(("code", "is_to_be_fetched"), [(errno.EIO, True), (errno.EMFILE, False)])
def test_file_that_cannot_be_read_is_not_called_gone(
    home: Home, look: Look, monkeypatch: pytest.MonkeyPatch, code: int, is_to_be_fetched: bool
) -> None:
    """And another copy is no help where only this moment is bad."""
    home.save("a")

    def fail(_: Destination, name: str, __: Sequence[str]) -> dict[str, str]:
        fault = OSError(code, os.strerror(code))
        raise translate_os_error(fault, f"read {name}") from fault

    monkeypatch.setattr(Destination, "digest", fail)
    (finding,) = look()
    assert (finding.fault, finding.is_to_be_fetched) == (Fault.UNREADABLE, is_to_be_fetched)


def test_file_without_digest_is_compared_by_size(home: Home, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read that can be compared with nothing."""
    home.save("a")
    home.change("UPDATE items SET digests = NULL")
    monkeypatch.delattr(Destination, "digest")
    assert [finding.fault for finding in look()] == [None]


def test_replaced_meanwhile_is_not_wrong(home: Home, place: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is at work has put a newer file there, and told the ledger; or is about to."""
    for name in ("a", "b", "c"):
        home.save(name)
    destination, audit = place()
    before = list(audit.files())
    for name in ("a", "b", "c"):
        (home.path / name).write_bytes(b"newer")
    home.change("UPDATE items SET size = 5, digests = ? WHERE name = 'a'", Home.digests_of(b"newer"))
    home.change("UPDATE items SET state = 1 WHERE name = 'b'")
    monkeypatch.setattr(audit, "files", lambda: iter(before))
    found = [(finding.row.name, finding.fault) for finding in inspect(destination, audit)]
    assert found == [("a", None), ("c", Fault.WRONG)]


def test_whoever_stops_waits_for_nobody(home: Home, place: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that takes an hour to read is left to its thread; while it is waited for somebody may say so."""
    home.save("a")
    is_over = threading.Event()

    def read_for_an_hour(*_: object) -> dict[str, str]:
        is_over.wait()
        return {}

    monkeypatch.setattr(Destination, "digest", read_for_an_hour)
    waits: list[int] = []

    def on_wait() -> None:
        waits.append(1)
        if len(waits) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        next(inspect(*place(), on_wait, 0.001))
    is_over.set()
    for thread in threading.enumerate():
        if thread.name.startswith("aioflags-verify"):
            thread.join()
