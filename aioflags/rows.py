"""What a record of a list, taken apart by CSV or JSON, says about an item; reads no file, knows no format."""

from __future__ import annotations

from collections.abc import Mapping

from aioflags.errors import UsageError, make_error
from aioflags.items import Item
from aioflags.redact import escape_text
from aioflags.settings import check_checksum, check_header

__all__ = ["FURTHER", "read_row"]

_LARGEST_SIZE = (1 << 63) - 1
#: What a record may say besides URL and name; most do not.
FURTHER = frozenset({"sha256", "checksum", "bytes", "headers"})


def read_row(row: Mapping[str, object], line: int) -> Item:
    """Make an item of the CSV record or JSON object that stands in `line`; unknown keys are ignored.

    Numbers may be strings of digits, as CSV has them; an empty string counts as absent.

    Raises:
        DownloadError: Kind `url`: no URL, or a value of the wrong type; `checksum`: no such digest or size;
            `policy`: a header that must not be sent.

    >>> read_row({"url": " http://example.org/fr.gif ", "bytes": "512", "comment": "a tricolour"}, 7).bytes
    512
    """
    url = row.get("url")
    if not isinstance(url, str) or not url.strip():
        raise make_error("url", "there is no url; every record needs one")
    if FURTHER.isdisjoint(row):
        return Item(url.strip(), name=_string(row, "name"), line=line)
    sha256 = _string(row, "sha256")
    checksum = _string(row, "checksum")
    return Item(
        url.strip(),
        name=_string(row, "name"),
        sha256=None if sha256 is None else _digest(f"sha256:{sha256}")[1],
        bytes=_size(row.get("bytes")),
        headers=_headers(row.get("headers")),
        checksum=None if checksum is None else ":".join(_digest(checksum)),
        line=line,
    )


def _string(row: Mapping[str, object], key: str) -> str | None:
    value = row.get(key)
    if value is None or isinstance(value, str):
        return value or None
    raise make_error("url", f"{key} is not a string")


def _digest(checksum: str) -> tuple[str, str]:
    try:
        return check_checksum(checksum)
    except UsageError as error:
        raise make_error("checksum", escape_text(str(error))) from error


def _size(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_SIZE:
        return value
    raise make_error("checksum", "bytes is not a whole number of at least 0")


def _headers(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise make_error("url", 'headers is not an object; write it as {"Name": "value"}')
    return dict(_header(name, content) for name, content in value.items())


def _header(name: str, content: object) -> tuple[str, str]:
    if not isinstance(content, str) or ":" in name:
        raise make_error("url", 'headers is not of the form {"Name": "value"}')
    try:
        content.encode()  # JSON can spell a lone surrogate, which nothing can send
        return check_header(f"{name}:{content}")
    except UnicodeEncodeError:
        raise make_error("policy", "the value of a header is no valid Unicode; remove it") from None
    except UsageError as error:
        raise make_error("policy", escape_text(str(error))) from error
