"""What is noted while files come: every end, and what can be believed of the file after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aioflags import ledger_notes
from aioflags.errors import make_error
from aioflags.items import Outcome, Status
from aioflags.journal import End, Half, Ready
from aioflags.ledger import Ledger
from aioflags.ledger_notes import LedgerNotes
from aioflags.ledger_rows import State, read_digests
from tests.ledgers import DIGESTS, URL, add, find, saved

HALF = Half("1-abcd.part", 2 << 20, '"v1"', "http://h:80/a", 1 << 30, 2 << 20, "00" * 16)
FAILED = Outcome(URL, Status.FAILED, http_status=503, attempts=5, error=make_error("http", "status 503", "h"))
MISSING = Outcome(URL, Status.MISSING, http_status=404, attempts=1, error=make_error("http", "status 404", "h"))
PRESENT = Outcome(URL, Status.PRESENT, "a", 4, DIGESTS, 304, 1)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(str(tmp_path), str(tmp_path), is_kept=True, is_left_over=lambda *_: False)
    yield ledger
    ledger.close()


def test_failures_are_kept_with_their_reason(ledger: Ledger) -> None:
    """And attempts add up over the runs; success forgets the reason."""
    row = add(ledger)
    ledger.record([End(row.id, FAILED)])
    columns = "state, http_status, attempts, kind, message, host"
    query = f"SELECT {columns} FROM items"
    assert ledger._file.connection.execute(query).fetchall() == [(State.FAILED, 503, 5, "http", "status 503", "h")]
    ledger.record([End(row.id, MISSING)])
    assert ledger._file.connection.execute(query).fetchall() == [(State.MISSING, 404, 6, "http", "status 404", "h")]
    ledger.record([End(row.id, saved())])
    assert ledger._file.connection.execute(query).fetchall() == [(State.DONE, 200, 8, None, None, None)]


def test_what_a_server_did_not_say_is_not_on_record(ledger: Ledger) -> None:
    """Nothing is nothing there, not a text without letters."""
    row = add(ledger)
    ledger.ready([Ready(row.id, 4)])
    ledger.record([End(row.id, Outcome(URL, Status.SAVED, "a", 4, http_status=200))])
    columns = "wish, asked, etag, last_modified, content_encoding"
    found = ledger._file.connection.execute(f"SELECT {columns} FROM items").fetchone()
    assert found == (None,) * 5


def test_ends_of_many_are_on_record_at_once(ledger: Ledger) -> None:
    """Each with its own status and attempts, be it noted before or not, and in order, if two are of one item."""
    rows = [add(ledger, f"{URL}{number}", f"a{number}").id for number in range(5)]
    ledger.ready([Ready(row, row, DIGESTS, content_encoding="br") for row in rows[:4]])
    outcomes = [replace(saved(row), attempts=number) for row, number in zip(rows, (1, 1, 2), strict=False)]
    ends = [*map(End, rows, [*outcomes, FAILED, saved(9)]), End(rows[0], saved(8)), End(rows[1], FAILED)]
    ledger.record(ends)
    found = ledger._file.connection.execute(
        "SELECT state, http_status, attempts, size, content_encoding, is_ours FROM items"
    )
    assert found.fetchall() == [
        (State.DONE, 200, 3, 8, "gzip", 1),
        (State.FAILED, 503, 6, 2, "br", 1),
        (State.DONE, 200, 2, 3, "br", 1),
        (State.FAILED, 503, 5, 4, "br", 0),
        (State.DONE, 200, 2, 9, "gzip", 1),
    ]


@pytest.mark.parametrize("is_there", [True, False])
def test_file_that_somebody_else_has_written_is_on_record_with_size_and_digests(ledger: Ledger, is_there: bool) -> None:
    """What was ready before, and came to nothing, is not what there is now."""
    row = add(ledger)
    if is_there:
        ledger.ready([Ready(row.id, 5, {"xxh128": "22" * 16})])
        ledger.record([End(row.id, FAILED)])
    ledger.record([End(row.id, saved())])
    found = find(ledger)
    assert (found.size, read_digests(found.digests)) == (4, DIGESTS)


def test_end_of_a_file_that_another_is_about_to_replace_is_its_own(ledger: Ledger) -> None:
    """What is on disk is what has ended, whatever is ready."""
    row = add(ledger)
    ledger.ready([Ready(row.id, 4, DIGESTS)])
    ledger.ready([Ready(row.id, 5, {"xxh128": "22" * 16})])
    ledger.record([End(row.id, saved())])
    found = find(ledger)
    assert (found.size, read_digests(found.digests)) == (4, DIGESTS)


def test_files_of_which_no_end_comes_are_not_kept_in_mind(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever cancels many times does not fill the memory; what has been forgotten is on record all the same."""
    monkeypatch.setattr(ledger_notes, "_MOST_NOTED", 10)
    row = add(ledger)
    ledger.ready([Ready(row.id, 4, DIGESTS)])
    for number in range(1000, 1100):
        ledger.ready([Ready(number, 4)])
    assert len(ledger._noted) <= 11
    ledger.record([End(row.id, saved())])
    assert find(ledger).state == State.DONE


def test_worker_keeps_nothing_in_mind(ledger: Ledger) -> None:
    """It is told of no ends, and of millions of files."""
    row = add(ledger)
    worker = LedgerNotes.join(ledger.path)
    worker.ready([Ready(row.id, 4, DIGESTS)])
    worker.close()
    assert not worker._noted


@pytest.mark.parametrize("is_ours", [True, False])
def test_distrusted_file_stays_whose_it_was(ledger: Ledger, is_ours: bool) -> None:
    """That it is not what it was makes no stranger's file ours."""
    row = add(ledger)
    if is_ours:
        ledger.record([End(row.id, saved())])
    else:
        with ledger.claiming():
            ledger.adopt(row, 4, DIGESTS)
    ledger.distrust([row.id])
    found = find(ledger)
    assert (found.state, found.is_ours, found.size) == (State.WRONG, is_ours, None)


def test_worker_takes_notes_in_the_same_ledger(ledger: Ledger) -> None:
    """Its connection is its own, its notes are everyone's, and its end is not that of the run."""
    row = add(ledger)
    worker = LedgerNotes.join(ledger.path)
    worker.ready([Ready(row.id, 4, DIGESTS)])
    worker.half(row.id, HALF)
    worker.close()
    assert find(ledger).state == State.READY
    assert ledger.half_of(row) == HALF


@pytest.mark.parametrize("outcome", [FAILED, MISSING])
def test_file_that_could_not_be_refreshed_is_stale(ledger: Ledger, outcome: Outcome) -> None:
    """It is what it was, and that asking for a newer one has failed is on record until it does not."""
    row = add(ledger)
    ledger.record([End(row.id, saved())])
    ledger.record([End(row.id, outcome, has_file=True)])
    found = find(ledger)
    assert (found.state, found.size, found.is_ours) == (State.STALE, 4, True)
    ledger.record([End(row.id, PRESENT, has_file=True)])
    assert find(ledger).state == State.DONE


@pytest.mark.parametrize("outcome", [FAILED, MISSING])
def test_file_that_was_found_wrong_stays_wrong(ledger: Ledger, outcome: Outcome) -> None:
    """As long as no other has come in its place."""
    row = add(ledger)
    ledger.record([End(row.id, saved())])
    ledger.distrust([row.id])
    ledger.record([End(row.id, outcome)])
    assert find(ledger).state == State.WRONG
    ledger.record([End(row.id, saved())])
    assert find(ledger).state == State.DONE


def test_file_that_may_have_been_replaced_is_not_what_it_was(ledger: Ledger) -> None:
    """The new one was ready when the disk failed: which of them is there has to be looked at."""
    row = add(ledger)
    ledger.record([End(row.id, saved())])
    ledger.ready([Ready(row.id, 4, {"xxh128": "22" * 16})])
    ledger.record([End(row.id, FAILED, has_file=True)])
    assert find(ledger).state == State.FAILED
    ledger.record([End(row.id, saved(), has_file=True)])
    assert find(ledger).state == State.DONE
