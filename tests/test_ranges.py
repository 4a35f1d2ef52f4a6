"""Whether the rest of a file may be joined to its head: read from fields alone, strictly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from aioflags.journal import Half
from aioflags.ranges import (
    LEAST_HALF,
    fits_range,
    going_on_from,
    range_headers,
    read_field,
    source_of,
    strong_validator,
)
from aioflags.urls import parse_url

ETAG = '"a"'
NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
SOURCE = "http://example.org/big"
HALF = Half("part", 40, ETAG, SOURCE, 100)
GOOD = {"ETag": ETAG, "Content-Range": "bytes 40-99/100", "Content-Length": "60"}


def http_date(seconds: float) -> str:
    """So many seconds before noon."""
    return format_datetime(NOON - timedelta(seconds=seconds), usegmt=True)


def fits(changes: dict[str, str | None], half: Half = HALF) -> int | None:
    fields = {name: value for name, value in (GOOD | changes).items() if value is not None}
    return fits_range(CIMultiDict(fields), half)


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        ({"ETag": '"a"'}, '"a"'),
        ({"ETag": '""'}, '""'),
        ({"ETag": ' "a" '}, '"a"'),
        ({"ETag": 'W/"a"'}, None),
        ({"ETag": 'w/"a"'}, None),
        ({"ETag": "a"}, None),
        ({"ETag": '"a', "Last-Modified": http_date(60), "Date": http_date(0)}, http_date(60)),
        ({"ETag": '"a"b"'}, None),
        ({"ETag": '"a b"'}, None),
        ({"ETag": '"\xe4"'}, None),
        ({"ETag": '"\udce4"'}, None),
        ({"ETag": '"a", "b"'}, None),
        ({"ETag": f'"{"x" * 2000}"'}, None),
        ({"ETag": '"a"', "Last-Modified": http_date(999), "Date": http_date(0)}, '"a"'),
        ({"ETag": 'W/"a"', "Last-Modified": http_date(999), "Date": http_date(0)}, http_date(999)),
        ({"Last-Modified": http_date(60), "Date": http_date(0)}, http_date(60)),
        ({"Last-Modified": http_date(59), "Date": http_date(0)}, None),
        ({"Last-Modified": http_date(-60), "Date": http_date(0)}, None),
        ({"Last-Modified": http_date(999)}, None),
        ({"Last-Modified": http_date(999), "Date": "now"}, None),
        ({"Last-Modified": "long ago", "Date": http_date(0)}, None),
        ({}, None),
    ],
)
def test_validator_that_names_these_bytes_and_no_others(headers: dict[str, str], validator: str | None) -> None:
    """A strong ETag, or a date that is old enough not to hide a second change."""
    assert strong_validator(CIMultiDict(headers)) == validator


@pytest.mark.parametrize(
    ("value", "field"),
    [(' W/"a b" ', 'W/"a b"'), ("", None), ("a\x00", None), ("a\r\nB: c", None), ("\xe4", None), ("x" * 1001, None)],
)
def test_field_is_recorded_only_if_it_can_be_sent_back(value: str, field: str | None) -> None:
    """What is kept in a ledger comes back as a request header one day."""
    assert read_field(CIMultiDict({"ETag": value}), "etag") == field


@pytest.mark.parametrize(
    ("url", "source"),
    [
        (SOURCE, SOURCE),
        (f"{SOURCE}?X-Signature=secret?x", SOURCE),
        ("HTTP://user:secret@Example.org:80/big#end", SOURCE),
        ("http://example.org", "http://example.org/"),
    ],
)
def test_source_is_scheme_host_port_and_path(url: str, source: str) -> None:
    """A signature may change, and a secret has no place in it."""
    assert source_of(parse_url(url)) == source


@pytest.mark.parametrize(
    "url", ["https://example.org/big", "http://example.com/big", "http://example.org:81/big", "http://example.org/Big"]
)
def test_head_from_elsewhere_is_not_gone_on_with(url: str) -> None:
    """Two servers may give the same ETag to two files."""
    assert going_on_from(HALF, parse_url(SOURCE)) == HALF
    assert going_on_from(HALF, parse_url(url)) is None
    assert going_on_from(None, parse_url(url)) is None


@pytest.mark.parametrize(
    ("size", "total", "start"),
    [(40, 100, 40), (99, 100, 99), (100, 100, 99), (101, 100, 99), (40, None, 40), (0, 100, None), (1, 1, None)],
)
def test_last_byte_is_asked_for_again(size: int, total: int | None, start: int | None) -> None:
    """A range behind the end gets an answer that tells nothing."""
    half = going_on_from(Half("part", size, ETAG, SOURCE, total), parse_url(SOURCE))
    assert (half and half.size) == start
    assert range_headers(half).get("Range") == (None if start is None else f"bytes={start}-")


def test_no_head_no_range() -> None:
    """The request is the plain one."""
    assert range_headers(None) == {}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Content-Length": None},
        {"Content-Range": " BYTES 40-99/100 "},
        {"Content-Encoding": "identity"},
        {"Content-Type": "image/gif"},
        {"Last-Modified": "whatever"},
    ],
)
def test_rest_that_fits(changes: dict[str, str | None]) -> None:
    """From where the head ends to the end of a file of that length and that ETag."""
    assert fits(changes) == 100


WRONG_RANGES = (
    "|bytes|bytes 40-99|bytes 40-99/*|bytes */100|bytes=40-99/100|bytes 40-99/100, bytes 0-99/100|bytes 0-99/100"
    "|bytes 39-99/100|bytes 41-99/100|bytes 40-98/100|bytes 40-100/100|bytes 40-99/101|bytes 40-100/101|bytes 40-39/40"
    "|bytes -40-99/100|bytes +40-99/100|bytes 40.0-99/100|octets 40-99/100|bytes 40-99/100 ;|bytes 4\u0660-99/100"
    "|bytes 99-40/100|bytes 40-99/1000000000000000000000"
)


@pytest.mark.parametrize(
    "changes",
    [{"Content-Range": value} for value in (None, *WRONG_RANGES.split("|"))]
    + [{"Content-Length": value} for value in ("", "59", "61", "100", "060", "60, 60", "-60")]
    + [{"ETag": value} for value in (None, "", '"b"', 'W/"a"', "a", '"a", "b"')]
    + [
        {"Content-Encoding": "gzip"},
        {"Content-Type": "multipart/byteranges; boundary=x"},
        {"Content-Type": "Multipart/ByteRanges"},
    ],
)
def test_rest_that_does_not_fit(changes: dict[str, str | None]) -> None:
    """Whatever is wrong or missing, it is not joined."""
    assert fits(changes) is None


def test_date_as_validator_must_come_back() -> None:
    """An answer that does not name it may be of any file."""
    half = Half("part", 40, http_date(60), SOURCE, None)
    assert fits({"ETag": None, "Last-Modified": http_date(60)}, half) == 100
    assert fits({"ETag": None, "Last-Modified": http_date(61)}, half) is None
    assert fits({"ETag": '"b"'}, half) is None


def test_length_that_nobody_knew_is_learnt() -> None:
    """A chunked file has none until a range of it is sent."""
    assert fits({}, Half("part", 40, ETAG, SOURCE, None)) == 100


@given(st.dictionaries(st.sampled_from(["ETag", "Content-Range", "Content-Length", "Content-Encoding"]), st.text()))
def test_no_answer_makes_it_fail(fields: dict[str, str]) -> None:
    """Any text is an answer, and none but the right one fits."""
    assert fits_range(CIMultiDict(fields), HALF) is None
    validator = strong_validator(CIMultiDict(fields))
    assert validator is None or validator.isprintable()


@given(
    first=st.integers(0, 200),
    last=st.integers(0, 200),
    total=st.integers(0, 200),
    known=st.none() | st.integers(41, 200),
)
def test_only_one_range_fits(first: int, last: int, total: int, known: int | None) -> None:
    """The one that begins where the head ends and ends where the file does, for a file of the length that is known."""
    half = Half("part", 40, ETAG, SOURCE, known)
    found = fits({"Content-Range": f"bytes {first}-{last}/{total}", "Content-Length": None}, half)
    is_right = first == 40 and last == total - 1 and total > 40 and known in {None, total}
    assert found == (total if is_right else None)


def test_small_heads_are_not_worth_a_condition() -> None:
    """As FAULTS has it: from one mebibyte up."""
    assert LEAST_HALF == 1 << 20
