"""Whether the rest of a file may be joined to the head that is there already: validators, Content-Range, the verdict.

Old head and new tail must never meet in one file, so whatever an answer leaves open is read against it; all that
this costs is fetching the head once more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from aioflags.journal import Half
from aioflags.retry import read_date
from aioflags.urls import Target

__all__ = ["LEAST_HALF", "fits_range", "going_on_from", "range_headers", "read_field", "source_of", "strong_validator"]

#: Bytes from which on a part is worth keeping. Source: FAULTS, section 5.
LEAST_HALF = 1 << 20

# RFC 9110, section 8.8.3, without the bytes above ASCII, which every library reads differently.
_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e]*"')
_PRINTABLE = re.compile(r"[\x20-\x7e]{1,1000}")
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})", re.IGNORECASE)
# RFC 9110, section 8.8.2.2, speaks of one second and of clocks that differ; RFC 2616 had a minute.
_OLD_ENOUGH = timedelta(seconds=60)


def source_of(target: Target) -> str:
    """Say where a file comes from: scheme, host, port and path; a query may be a signature that changes."""
    return target.url.partition("?")[0]


def read_field(headers: Mapping[str, str], name: str) -> str | None:
    """Give a field, its name in lower case, as it may be recorded and sent back; `None` if it is missing or may not."""
    value = headers.get(name)
    if value is None:
        return None
    value = value.strip()
    return value if _PRINTABLE.fullmatch(value) else None


def strong_validator(headers: Mapping[str, str]) -> str | None:
    """Give what names these very bytes and no others, as `If-Range` takes it; `None` if there is no such thing.

    It is a strong ETag, or a Last-Modified so much older than the answer that the file cannot have changed twice
    within the second that it names.

    Source: RFC 9110, sections 8.8.1, 8.8.2.2 and 13.1.5.

    >>> strong_validator({"etag": '"a"'}), strong_validator({"etag": 'W/"a"'})
    ('"a"', None)
    """
    etag = read_field(headers, "etag")
    if etag is not None and _STRONG_ETAG.fullmatch(etag):
        return etag
    modified = read_field(headers, "last-modified")
    if modified is None:
        return None
    try:
        age = read_date(headers.get("date", "")) - read_date(modified)
    except ValueError:
        return None
    return modified if age >= _OLD_ENOUGH else None


def going_on_from(half: Half | None, target: Target) -> Half | None:
    """Give the head that a request to `target` may go on from; `None` if it came from elsewhere or makes no sense.

    Of one that has all bytes the last is asked for again: the answer to a range behind the end tells nothing.
    """
    if half is None or half.source != source_of(target):
        return None
    if half.total is None or half.size < half.total:
        return half if half.size > 0 else None
    return replace(half, size=half.total - 1) if half.total > 1 else None


def range_headers(half: Half | None) -> dict[str, str]:
    """Ask for what comes after `half`, if the file is still the one that it is the head of.

    Source: RFC 9110, sections 13.1.5 and 14.2.

    >>> range_headers(Half("part", 5, '"a"', "http://example.org/"))
    {'Range': 'bytes=5-', 'If-Range': '"a"'}
    """
    return {} if half is None else {"Range": f"bytes={half.size}-", "If-Range": half.validator}


def fits_range(headers: Mapping[str, str], half: Half) -> int | None:
    """Tell whether the body of a 206 is what comes after `half`, byte for byte, up to the end of the same file.

    Returns:
        Bytes of the whole file; `None` if it does not fit, or does not say.

    Source: RFC 9110, sections 14.4 and 15.3.7: such an answer has the ETag that a 200 would have had. One that
    leaves the validator out does not say which file it is of.
    """
    # More than one field comes joined by commas, and fits no more than a broken one.
    found = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
    if found is None or headers.get("content-encoding", "").strip().lower() not in {"", "identity"}:
        return None
    if headers.get("content-type", "").strip().lower().startswith("multipart/byteranges"):
        return None
    first, last, total = map(int, found.groups())
    if first != half.size or last != total - 1 or half.total not in {None, total}:
        return None
    announced = headers.get("content-length")
    if announced is not None and announced.strip() != str(total - first):
        return None
    name = "etag" if half.validator.startswith('"') else "last-modified"
    return total if first < total and read_field(headers, name) == half.validator else None
