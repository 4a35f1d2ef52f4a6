"""The ledger: what one run has noted, the next one knows; and it believes no more than can have survived."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from aioflags.errors import StorageError, make_error
from aioflags.items import Item, Rejected
from aioflags.journal import End, Half, Ready
from aioflags.ledger import Ledger
from aioflags.ledger_file import LedgerFile
from aioflags.ledger_rows import Row, State, read_asked, read_digests
from tests.ledgers import DIGESTS, URL, add, find, saved

Open = Callable[..., Ledger]
HALF = Half("1-abcd.part", 2 << 20, '"v1"', "http://h:80/a", 1 << 30, 2 << 20, "00" * 16)


@pytest.fixture
def boot(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    """Start the system anew: from now on it calls itself by the name that is given."""

    def start(name: str | None) -> None:
        monkeypatch.setattr("aioflags.ledger.boot_id", lambda: name)

    start("first")
    return start


@pytest.fixture
def open_ledger(tmp_path: Path, boot: object) -> Iterator[Open]:
    """Open a ledger as a run does; one that the test has not closed is closed in the end."""
    opened: list[Ledger] = []
    (tmp_path / "parts").mkdir()

    def open_it(*, is_kept: bool = True) -> Ledger:
        parts = str(tmp_path / "parts")
        opened.append(Ledger.open(str(tmp_path), parts, is_kept=is_kept, is_left_over=lambda name, _: name != "young"))
        return opened[-1]

    yield open_it
    for ledger in opened:
        with suppress(StorageError):
            ledger.close()


def killed(ledger: Ledger) -> None:
    """End as a process does that is killed: what was committed is there, and nothing is said of an end."""
    ledger._file.connection.close()
    ledger._run = None


# A life in order


def test_ledger_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    """Its first word is as much at the mercy of the disk as any other; no exception of the database's gets out."""
    file = LedgerFile(str(tmp_path / "ledger"), is_kept=True)
    file.connection.execute("DROP TABLE folders")
    with pytest.raises(StorageError, match="ledger"):
        Ledger(file, is_kept=True, is_left_over=lambda *_: False)
    file.close()


def test_next_run_knows_what_was_saved(open_ledger: Open) -> None:
    """Name, size, digests and validators, under the same number."""
    first = open_ledger()
    row = add(first)
    first.ready([Ready(row.id, 4, DIGESTS, '"v1"', "Mon, 23 Nov 2026 04:00:00 GMT", "gzip")])
    first.record([End(row.id, saved())])
    first.close()
    found = find(open_ledger())
    assert found == Row(
        row.id,
        "a",
        State.DONE,
        was_there=False,
        is_ours=True,
        size=4,
        digests=f"xxh128:{'00' * 16} sha256:{'11' * 32}",
        etag='"v1"',
        last_modified="Mon, 23 Nov 2026 04:00:00 GMT",
    )
    assert read_digests(found.digests) == DIGESTS


def test_killed_before_the_rename_was_recorded(open_ledger: Open) -> None:
    """The row is there, and says what the file would have to be."""
    first = open_ledger()
    first.ready([Ready(add(first).id, 4, DIGESTS)])
    killed(first)
    found = find(open_ledger())
    assert (found.state, found.size, read_digests(found.digests), found.is_ours) == (State.READY, 4, DIGESTS, False)


def test_items_without_a_name_are_kept(open_ledger: Open) -> None:
    """A line that is no URL is one failure, however often it comes, and whatever is in it."""
    ledger = open_ledger()
    entries: list[Item | Rejected] = [
        Rejected("nonsense", make_error("url", "no URL")),
        Item("ftp://h/a", headers={"A": "b"}, bytes=3),
    ]
    entries += [Rejected("\udcff\x00\ud800", make_error("url", "no Unicode"))]
    for _ in range(2):
        with ledger.claiming():
            for entry in entries:
                error = entry.error if isinstance(entry, Rejected) else make_error("url", "ftp")
                ledger.refuse(entry, None, error, ledger.find(entry.url, None))
    rows = ledger._file.connection.execute("SELECT url, name, state, kind, asked FROM items ORDER BY id").fetchall()
    assert [row[:4] for row in rows] == [
        ("nonsense", None, State.FAILED, "url"),
        ("ftp://h/a", None, State.FAILED, "url"),
        ("\\udcff\x00\\ud800", None, State.FAILED, "url"),
    ]
    assert read_asked(rows[1][4]) == {"bytes": 3, "headers": {"A": "b"}}


# After a crash of the system


def test_files_of_the_last_minutes_are_distrusted(
    open_ledger: Open, boot: Callable[[str | None], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the system was given last may never have reached the disk; what was synced or is old has."""
    first = open_ledger()
    now = 1_000_000.0
    for name, is_synced, ended in (("old", False, now - 301), ("synced", True, now), ("new", False, now)):
        row = add(first, f"http://h/{name}", name)
        monkeypatch.setattr("aioflags.ledger.time.time", lambda ended=ended: ended)
        first.ready([Ready(row.id, 4, DIGESTS, is_synced=is_synced)])
        first.record([End(row.id, saved())])
    first.close()
    boot("second")
    again = open_ledger()
    states = {name: find(again, f"http://h/{name}").state for name in ("old", "synced", "new")}
    assert states == {"old": State.DONE, "synced": State.DONE, "new": State.READY}


def test_files_are_believed_while_the_system_runs(open_ledger: Open) -> None:
    """Killing a process loses nothing that the system has been given."""
    first = open_ledger()
    row = add(first)
    first.ready([Ready(row.id, 4, DIGESTS)])
    first.record([End(row.id, saved())])
    killed(first)
    assert find(open_ledger()).state == State.DONE


def test_system_that_does_not_tell_is_not_believed(open_ledger: Open, boot: Callable[[str | None], None]) -> None:
    """Where there is no boot id, it may always have been started anew."""
    boot(None)
    first = open_ledger()
    row = add(first)
    first.ready([Ready(row.id, 4, DIGESTS)])
    first.record([End(row.id, saved())])
    first.close()
    assert find(open_ledger()).state == State.READY


@pytest.mark.parametrize(
    ("name", "was_there", "is_ours"), [("old", False, True), ("old", True, False), ("young", False, False)]
)
def test_name_that_was_free_is_ours_after_a_crash(
    open_ledger: Open, boot: Callable[[str | None], None], name: str, was_there: bool, is_ours: bool
) -> None:
    """Its row may have been lost, and the file under it may be anything; a stranger's stays a stranger's.

    So does what has appeared since the system was started again.
    """
    first = open_ledger()
    row = add(first, name=name)
    if was_there:
        with first.claiming():
            first.note_was_there(row)
    killed(first)
    boot("second")
    assert find(open_ledger()).is_ours == is_ours


def test_what_had_the_name_before_it_was_given_away_is_a_strangers(
    tmp_path: Path, boot: Callable[[str | None], None]
) -> None:
    """Whoever claims names without a look relies on it: only what has come since can be ours."""
    asked: dict[str, float] = {}

    def is_left_over(name: str, since: float) -> bool:
        asked[name] = since
        return False

    places = str(tmp_path), str(tmp_path)
    first = Ledger.open(*places, is_kept=True, is_left_over=is_left_over)
    before = time.time()
    add(first, name="new")
    with first.claiming():
        bad = Rejected("http://h/again", make_error("url", "bad"))
        refused = first.refuse(bad, None, bad.error, first.find(bad.url, None))
        known = first.find("http://h/again", None)
        assert known.row is not None
        assert known.row.id == refused
        assert first.add(Item("http://h/again"), None, "again", known) is not None
    after = time.time()
    killed(first)
    boot("second")
    Ledger.open(*places, is_kept=True, is_left_over=is_left_over).close()
    assert set(asked) == {"new", "again"}
    assert all(before <= since <= after for since in asked.values())


@pytest.mark.parametrize("nonsense", ["soon", b"\xff"])
def test_time_that_is_no_number_is_none(
    tmp_path: Path, boot: Callable[[str | None], None], nonsense: str | bytes
) -> None:
    """A ledger may come from a stranger: the times of others count, and without one whatever is there may be ours."""
    asked: dict[str, float] = {}

    def is_left_over(name: str, since: float) -> bool:
        asked[name] = since
        return True

    places = str(tmp_path), str(tmp_path)
    first = Ledger.open(*places, is_kept=True, is_left_over=is_left_over)
    for name in ("odd", "new", "old"):
        row = add(first, f"http://h/{name}", name)
        if name != "odd":
            first.ready([Ready(row.id, 4, DIGESTS)])
            first.record([End(row.id, saved())])
    db = first._file.connection
    db.execute("UPDATE items SET ended = ? WHERE name = 'odd'", (nonsense,))
    db.execute("UPDATE items SET ended = ended - 301 WHERE name = 'old'")
    killed(first)
    boot("second")
    again = Ledger.open(*places, is_kept=True, is_left_over=is_left_over)
    states = [find(again, f"http://h/{name}").state for name in ("odd", "new", "old")]
    again.close()
    assert states == [State.WANTED, State.READY, State.DONE]
    assert asked == {"odd": 0.0}


# Halves


def test_next_run_goes_on_with_a_half_file(open_ledger: Open) -> None:
    """As far as it was noted, whatever has happened since; and its part is not to be swept."""
    first = open_ledger()
    row = add(first)
    first.half(row.id, HALF)
    killed(first)
    again = open_ledger()
    assert again.half_of(row) == HALF
    assert HALF.part in again.files()
    again.half(row.id, None)
    assert again.half_of(row) is None
    assert HALF.part not in again.files()


def test_saved_file_has_no_half(open_ledger: Open) -> None:
    """Its part has become the file."""
    ledger = open_ledger()
    row = add(ledger)
    ledger.half(row.id, HALF)
    ledger.record([End(row.id, saved())])
    assert ledger.half_of(row) is None


@pytest.mark.parametrize("column", ["part", "size", "validator", "source", "total", "hashed", "digest"])
def test_half_that_no_run_of_ours_has_noted_is_none(open_ledger: Open, column: str) -> None:
    """What is in it goes to the disk and to servers."""
    ledger = open_ledger()
    row = add(ledger)
    ledger.half(row.id, HALF)
    with ledger.claiming():
        ledger._file.connection.execute(f"UPDATE halves SET {column} = x'00ff'")
    assert ledger.half_of(row) is None


def test_columns_that_no_run_of_ours_has_written_are_nothing(open_ledger: Open) -> None:
    """SQLite keeps whatever it is given."""
    ledger = open_ledger()
    row = add(ledger)
    ledger.ready([Ready(row.id, 4, DIGESTS, '"v1"', "Mon, 23 Nov 2026 04:00:00 GMT")])
    ledger.record([End(row.id, saved())])
    assert list(ledger.done_after(0)) == [URL]
    for column in ("name", "digests", "etag", "last_modified"):
        with ledger.claiming():
            ledger._file.connection.execute(f"UPDATE items SET {column} = x'00ff'")
    found = find(ledger)
    assert (found.name, found.digests, found.etag, found.last_modified) == (None, None, None, None)
    assert ledger.done_after(0) == {}


# Opening and closing


@pytest.mark.parametrize("is_kept", [True, False])
def test_ledger_without_items_leaves_nothing(open_ledger: Open, tmp_path: Path, is_kept: bool) -> None:
    """Of a run in which nothing was asked for there is nothing to keep."""
    open_ledger(is_kept=is_kept).close()
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == (
        [] if is_kept else ["parts/ledger"]
    )


def test_ledger_that_was_removed_is_missed(open_ledger: Open, tmp_path: Path) -> None:
    """Nobody is to believe that what was noted can be read again; where all is gone, others say so."""
    ledger = open_ledger()
    add(ledger)
    (tmp_path / "ledger").unlink()
    with pytest.raises(StorageError, match="--existing skip"):
        ledger.close()


def test_forgotten_ledger_notes_no_ends(open_ledger: Open) -> None:
    """Nobody would read them."""
    ledger = open_ledger(is_kept=False)
    row = add(ledger)
    ledger.adopt(row, 4, DIGESTS)
    assert find(ledger).state == State.WANTED


def test_damage_is_looked_for_after_a_crash(open_ledger: Open, tmp_path: Path) -> None:
    """A run that ended in order left a file in order."""
    first = open_ledger()
    for number in range(3000):
        add(first, f"http://h/{number}", str(number))
    first._file.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    killed(first)
    with open(tmp_path / "ledger", "r+b") as raw:
        raw.seek(os.path.getsize(tmp_path / "ledger") // 2)
        raw.write(b"\xff" * 8192)
    with pytest.raises(StorageError, match="cannot be used"):
        open_ledger()


def test_end_that_cannot_be_noted_is_no_error(open_ledger: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk has been told of before; the next run looks for damage instead."""
    ledger = open_ledger()
    add(ledger)

    def fail(*_: object) -> None:
        raise StorageError("storage", "disk full", None)

    with monkeypatch.context() as patch:
        patch.setattr(ledger._file, "transaction", fail)
        ledger.close()
    (last,) = open_ledger()._file.connection.execute("SELECT ended FROM runs WHERE id = 1").fetchone()
    assert last is None


KILLED = """
import os, sys
from aioflags.items import Item
from aioflags.ledger import Ledger
from aioflags.ledger_file import LedgerFile
ledger = Ledger.open(sys.argv[1], sys.argv[1], is_kept=True, is_left_over=lambda *_: False)
for number in range(10 ** 9):
    with ledger.claiming():
        for row in range(100):
            url = f"http://h/{number}/{row}"
            ledger.add(Item(url), None, f"{number}-{row}", ledger.find(url, None))
    print(number, flush=True)
"""


def test_what_was_said_to_be_written_survives_kill(tmp_path: Path, boot: object) -> None:
    """A process that is killed at any moment loses nothing that it was told of, and nothing in half."""
    with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(20):
            process.stdout.readline()
        process.kill()
        said = 20 + len(process.stdout.read().splitlines())
    ledger = Ledger.open(str(tmp_path), str(tmp_path), is_kept=True, is_left_over=lambda *_: False)
    (count,) = ledger._file.connection.execute("SELECT count(*) FROM items").fetchone()
    ledger.close()
    assert count % 100 == 0
    assert count >= 100 * said
