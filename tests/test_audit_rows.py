"""What people are told of a row, whoever wrote it: an item, an outcome, a file; or nothing."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from aioflags.audit_rows import AuditRow, FileRow
from aioflags.items import Item, Rejected, Status
from aioflags.ledger_rows import State
from aioflags.names import is_safe_name

#: Whatever SQLite gives.
VALUES = st.none() | st.integers(-(1 << 63), (1 << 63) - 1) | st.floats() | st.text() | st.binary()
DIGEST = "00" * 16


def row(**columns: object) -> AuditRow:
    """Make a row that is done, but for what is given."""
    values: dict[str, object] = {
        "id": 7,
        "url": "http://h/a",
        "wish": None,
        "asked": None,
        "state": State.DONE,
        "name": "a",
        "size": 4,
        "digests": f"xxh128:{DIGEST}",
        "http_status": 200,
        "attempts": 2,
        "content_encoding": "br",
        "kind": None,
        "message": None,
        "host": None,
    }
    return AuditRow.read(tuple((values | columns).values()))


def test_what_is_done() -> None:
    """All that is on record of a file, under its name."""
    outcome = row().as_outcome()
    assert (outcome.status, outcome.path, outcome.bytes, outcome.attempts) == (Status.SAVED, "a", 4, 2)
    assert (outcome.digests, outcome.http_status, outcome.content_encoding) == ({"xxh128": DIGEST}, 200, "br")
    assert row().as_file() == FileRow(7, "http://h/a", "a", 4, {"xxh128": DIGEST})


def test_what_is_not_done_has_no_file() -> None:
    """Nor an error before it was tried."""
    failed = row(state=State.FAILED, kind="http", message="status 503", host="h").as_outcome()
    assert (failed.status, failed.path, failed.bytes, failed.digests) == (Status.FAILED, None, 0, {})
    assert failed.error is not None
    assert (failed.error.kind, failed.error.message, failed.error.host) == ("http", "status 503", "h")
    ready = row(state=State.READY, kind="http", message="status 503")
    assert (ready.was_tried, ready.as_outcome().error) == (False, None)
    assert row(state=State.MISSING).as_outcome().status is Status.MISSING
    assert row(state=State.WRONG).as_file().is_distrusted


def test_item_as_it_was_asked_for() -> None:
    """With the name that was wished for, and what the list declared."""
    entry = row(wish="b", asked='{"bytes": 4, "headers": {"X-Key": "1"}}').as_entry()
    assert entry == Item("http://h/a", "b", bytes=4, headers={"X-Key": "1"})


def test_line_that_could_be_no_item_keeps_its_reason() -> None:
    """It never had a name; what it declared is not on record, so it must not be fetched without."""
    entry = row(name=None, state=State.FAILED, kind="checksum", message="'zz' is no digest").as_entry()
    assert isinstance(entry, Rejected)
    assert (entry.error.kind, entry.error.message) == ("checksum", "'zz' is no digest")
    assert isinstance(row(name=None, wish="../x", state=State.FAILED, kind="name").as_entry(), Item)


@given(st.tuples(*[VALUES] * 4, st.sampled_from(State), *[VALUES] * 9))
def test_whatever_is_in_it_people_can_be_told(values: tuple[object, ...]) -> None:
    """No value of no kind stops them, and no name leads elsewhere."""
    found = AuditRow.read((1, *values[1:]))
    assert isinstance(found.as_entry(), Item | Rejected)
    json.dumps(found.as_outcome().as_record())
    assert found.as_outcome().bytes >= 0
    file = found.as_file()
    assert file.name == "" or is_safe_name(file.name)
