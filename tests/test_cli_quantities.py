"""Sizes and times as people write and read them."""

from __future__ import annotations

from argparse import ArgumentTypeError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioflags.cli.quantities import parse_number, parse_size, show_count, show_duration, show_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("512", 512),
        ("512B", 512),
        ("10k", 10_000),
        ("10K", 10_000),
        ("10kB", 10_000),
        ("1.5G", 1_500_000_000),
        (".5M", 500_000),
        ("2Ti", 2 << 40),
        ("10 MiB", 10 << 20),
        ("1ki", 1024),
    ],
)
def test_size_with_suffix(text: str, size: int) -> None:
    """Suffixes without i are powers of 1000, those with it of 1024, in either case."""
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "k", "-1", "1e3", "10X", "1.2.3", "nan", "1kk", "\u0661", "9" * 40])
def test_no_size(text: str) -> None:
    """What is no size is refused, and the message shows how one is written."""
    with pytest.raises(ArgumentTypeError, match="10M"):
        parse_size(text)


@given(st.integers(0, 10**18))
def test_plain_number_is_bytes(size: int) -> None:
    """A number without a suffix is read exactly."""
    assert parse_size(str(size)) == size


@pytest.mark.parametrize("text", ["", "x", "-1", "nan", "inf", "1s"])
def test_no_number(text: str) -> None:
    """Seconds and rates are finite and not negative."""
    with pytest.raises(ArgumentTypeError, match="no number of at least 0"):
        parse_number(text)


def test_number() -> None:
    """Fractions are fine."""
    assert parse_number("0.25") == 0.25


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_949, "999.9 kB"), (999_960, "1.0 MB"), (5e15, "5000.0 TB")],
)
def test_shown_size(size: float, text: str) -> None:
    """A size is shown in the unit that leaves at most three digits before the point."""
    assert show_size(size) == text


def test_shown_count_and_duration() -> None:
    """One is singular; hours appear when there are any."""
    assert show_count(1, "file") == "1 file"
    assert show_count(2, "file") == "2 files"
    assert show_duration(59.6) == "1:00"
    assert show_duration(3600) == "1:00:00"
