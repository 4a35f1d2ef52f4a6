"""Items are checked where they are made; outcomes and reports give exactly the records that are promised."""

from __future__ import annotations

import hashlib
import json
import pickle
from typing import Any

import pytest

from aioflags.errors import DownloadError, UsageError, make_error
from aioflags.items import Item, Outcome, Rejected, Report, Status, Tally
from aioflags.settings import Settings

SHA256 = hashlib.sha256(b"flag").hexdigest()
SECRET_URL = "https://me:hunter2@example.org/a.gif?X-Amz-Signature=hunter2"


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": 3},
        {"url": None},
        {"url": b"http://h/"},
        {"name": 3},
        {"sha256": "abc"},
        {"sha256": SHA256[:-1] + "g"},
        {"sha256": 3},
        {"checksum": SHA256},
        {"checksum": "crc32:00000000"},
        {"checksum": "shake_128:00"},
        {"checksum": f"md5:{SHA256}"},
        {"checksum": 3},
        {"bytes": -1},
        {"bytes": "5"},
        {"bytes": 5.0},
        {"bytes": True},
        {"headers": ["A: b"]},
        {"headers": None},
        {"headers": {"A": 3}},
        {"headers": {3: "a"}},
        {"headers": {"A": "b\r\nC: d"}},
        {"headers": {"A b": "c"}},
        {"headers": {"": "c"}},
        {"headers": {"Host": "example.com"}},
        {"headers": {"range": "bytes=0-"}},
        {"headers": {"A": "\udcff"}},
    ],
    ids=repr,
)
def test_what_can_be_no_item_is_refused_where_it_is_made(wrong: dict[str, Any]) -> None:
    """A wrong digest, size or header is an error of the caller, not of an attempt an hour later."""
    with pytest.raises(UsageError):
        Item(**{"url": "http://h/a", **wrong})


def test_checksums_are_both_of_those_that_are_declared() -> None:
    """`sha256` is short for a checksum of that algorithm."""
    assert Item("http://h/", sha256=SHA256, checksum="md5:" + "0" * 32).checksums == (
        f"sha256:{SHA256}",
        "md5:" + "0" * 32,
    )
    assert Item("http://h/", sha256=SHA256.upper(), bytes=0).checksums == (f"sha256:{SHA256.upper()}",)
    assert Item("http://h/").checksums == ()


ERROR = make_error("http", "status 503", "example.org")
OUTCOMES = [
    Outcome(
        "http://h/fr.svg",
        Status.SAVED,
        path="fr.svg",
        bytes=512,
        digests={"xxh128": "00"},
        http_status=200,
        attempts=1,
        elapsed=0.01234567,
        line=7,
    ),
    Outcome("http://h/b", Status.PRESENT, path="b", bytes=9),
    Outcome("http://h/c", Status.MISSING, http_status=404, attempts=1, error=make_error("http", "status 404", "h")),
    Outcome("http://h/d", Status.FAILED, http_status=503, attempts=5, error=ERROR),
    Outcome("http://h/d", Status.DUPLICATE, line=9),
]


def test_record_has_exactly_the_promised_shape() -> None:
    """Keys, their order, and the values of a saved file are those of the contract's example."""
    record = OUTCOMES[0].as_record()
    assert json.dumps(record) == (
        '{"type": "outcome", "url": "http://h/fr.svg", "path": "fr.svg", "status": "saved", "bytes": 512, '
        '"digests": {"xxh128": "00"}, "http_status": 200, "attempts": 1, "resumed_from": 0, '
        '"content_encoding": null, "elapsed": 0.012346, "error": null, "line": 7}'
    )


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.status.value)
def test_every_record_has_the_same_keys(outcome: Outcome) -> None:
    """Who reads the lines need not ask which keys are there; only an error has keys of its own."""
    record = json.loads(json.dumps(outcome.as_record()))
    assert list(record) == list(OUTCOMES[0].as_record())
    assert record["status"] == outcome.status.value
    assert record["error"] is None or list(record["error"]) == ["kind", "message", "host"]


def test_error_of_a_record_says_kind_message_and_host() -> None:
    """An error is data, too."""
    assert OUTCOMES[3].as_record()["error"] == {"kind": "http", "message": "status 503", "host": "example.org"}


@pytest.mark.parametrize(
    "thing",
    [
        Item(SECRET_URL, headers={"Authorization": "Basic hunter2"}),
        Rejected(SECRET_URL, make_error("url", "no URL"), 3),
        Outcome(SECRET_URL, Status.FAILED, error=ERROR),
        Report((Outcome(SECRET_URL, Status.SAVED),)),
        [Outcome(SECRET_URL, Status.SAVED).as_record()],
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_nothing_shows_a_secret(thing: object) -> None:
    """User info and signatures are hidden wherever an object is printed."""
    assert "hunter2" not in repr(thing)
    assert "hunter2" not in str(thing)


def test_the_url_itself_is_kept_as_given() -> None:
    """Redaction is for eyes; the caller gets back what it gave."""
    assert Outcome(SECRET_URL, Status.SAVED).url == Item(SECRET_URL).url == SECRET_URL


@pytest.mark.parametrize("thing", [*OUTCOMES, Item("http://h/", headers={"A": "b"}, line=1), Report(tuple(OUTCOMES))])
def test_data_survives_pickling(thing: object) -> None:
    """It crosses process boundaries; the error compares by what it says, exceptions know no equality."""
    twin = pickle.loads(pickle.dumps(thing))
    assert type(twin) is type(thing)
    assert repr(twin) == repr(thing)


def test_data_is_frozen() -> None:
    """What was reported cannot be changed afterwards."""
    things: list[tuple[Any, str]] = [
        (Item("http://h/"), "url"),
        (OUTCOMES[0], "status"),
        (Report(()), "outcomes"),
        (Settings(), "netrc"),
    ]
    for thing, name in things:
        assert not hasattr(thing, "__dict__")
        with pytest.raises(AttributeError):
            setattr(thing, name, "other")


def test_tally_counts_without_keeping() -> None:
    """The summary has the contract's shape; bytes are those fetched now, and missing counts as failed."""
    assert Tally().is_clean
    tally = Tally()
    for outcome in OUTCOMES:
        tally.add(outcome)
    assert not tally.is_clean
    assert json.dumps(tally.as_record(0.3100004)) == (
        '{"type": "summary", "items": 5, "saved": 1, "present": 1, "missing": 1, "failed": 1, "duplicate": 1, '
        '"bytes": 512, "elapsed": 0.31, "errors": {"http": 2}}'
    )
    together = Tally()
    together.add_all(OUTCOMES)
    assert together.as_record(0.0) == tally.as_record(0.0)


@pytest.mark.parametrize(
    ("status", "is_clean"), [("saved", 1), ("present", 1), ("duplicate", 1), ("missing", 0), ("failed", 0)]
)
def test_run_is_clean_unless_something_is_missing_or_failed(status: str, is_clean: int) -> None:
    """The exit status hangs on it."""
    tally = Tally()
    tally.add(Outcome("http://h/", Status(status)))
    assert tally.is_clean is bool(is_clean)


def test_report_is_a_sequence_of_outcomes_with_a_summary() -> None:
    """Iterating, counting and printing agree with the outcomes."""
    report = Report(tuple(OUTCOMES), elapsed=2.0)
    assert list(report) == OUTCOMES
    assert len(report) == 5
    assert repr(report) == "Report(5 items: 1 saved, 1 present, 1 missing, 1 failed, 1 duplicate)"
    assert repr(Report(())) == "Report(0 items: none)"
    assert [outcome.url for outcome in report.failures] == ["http://h/c", "http://h/d"]
    assert report.summary["elapsed"] == 2.0
    assert report.summary["failed"] == report.summary["missing"] == 1


def test_report_raises_all_failures_at_once() -> None:
    """One group whose members are the errors; nothing for a clean report."""
    Report((OUTCOMES[0], OUTCOMES[1], OUTCOMES[4])).raise_for_failures()
    with pytest.raises(ExceptionGroup, match="2 of 5 items failed") as caught:
        Report(tuple(OUTCOMES)).raise_for_failures()
    assert caught.value.exceptions == (OUTCOMES[2].error, OUTCOMES[3].error)
    assert all(isinstance(error, DownloadError) for error in caught.value.exceptions)
