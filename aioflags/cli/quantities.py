"""Sizes and times as people write and read them: `10M` to a number of bytes, a number of bytes to `20.5 MB`."""

from __future__ import annotations

import math
import re
from argparse import ArgumentTypeError
from decimal import Decimal

__all__ = ["parse_number", "parse_size", "show_count", "show_duration", "show_size"]

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*(?:([kmgt])(i?))?b?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def parse_size(text: str) -> int:
    """Read a number of bytes; k, M, G, T are powers of 1000, Ki, Mi, Gi, Ti of 1024.

    Raises:
        ArgumentTypeError: It is none.

    >>> parse_size("1.5G"), parse_size("10MiB"), parse_size("512")
    (1500000000, 10485760, 512)
    """
    found = _SIZE.fullmatch(text.strip())
    if not found or len(text) > 30:
        raise ArgumentTypeError(f"{text[:40]!r} is no size; write bytes as a number such as 500k, 10M or 1.5Gi")
    number, letter, binary = found.groups()
    return int(Decimal(number) * (1024 if binary else 1000) ** _POWERS[(letter or "").lower()])


def parse_number(text: str) -> float:
    """Read a finite number of at least 0, for instance of seconds.

    Raises:
        ArgumentTypeError: It is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < math.inf:
        raise ArgumentTypeError(f"{text[:40]!r} is no number of at least 0")
    return number


def show_size(size: float) -> str:
    """Write a number of bytes for people.

    >>> show_size(999), show_size(20_480_000), show_size(1.5e12)
    ('999 B', '20.5 MB', '1.5 TB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if size < (1000 if unit == "B" else 999.95):
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def show_count(count: int, noun: str) -> str:
    """Write how many there are.

    >>> show_count(1, "file"), show_count(0, "file")
    ('1 file', '0 files')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def show_duration(seconds: float) -> str:
    """Write how long something still takes.

    >>> show_duration(75), show_duration(7384)
    ('1:15', '2:03:04')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
