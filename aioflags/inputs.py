"""URL lists as a lazy stream of items: text, CSV and JSON lines, in memory independent of their length.

Knows how a list is written down and in which line an item stood; opens the list, nothing else. A bad line
becomes a `Rejected` and the rest goes on. Lines end with LF or CRLF. Whether a URL can be requested is for
`urls` to say, whether a name can be used for `names`.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import BinaryIO, Literal

from aioflags.errors import DownloadError, UsageError, make_error
from aioflags.items import Item, Rejected
from aioflags.lines import LONGEST_LINE, Lines
from aioflags.redact import escape_text, redact_url
from aioflags.rows import FURTHER, read_row

__all__ = ["Format", "ListReader", "guess_format", "open_list"]

# Bytes; the module refuses longer fields.
_LONGEST_PLAIN = 1 << 16

Format = Literal["text", "csv", "jsonl"]
Found = Item | Rejected


class ListReader:
    """Reads a list batch by batch, in one thread at a time.

    Args:
        stream: The list, in bytes.
        format: How it is written down.
        label: What messages call it.
    """

    def __init__(self, stream: BinaryIO, *, format: Format, label: str = "the list") -> None:  # noqa: A002 - the option
        self._stream = stream
        self._lines = Lines(stream, escape_text(label))
        self._parse: Callable[[list[Found], int], None]
        if format == "csv":
            self._parse = _CsvParser(self._lines)
        else:
            self._parse = partial(_parse_lines, self._lines, _read_text if format == "text" else _read_json)

    @property
    def bytes_read(self) -> int:
        """Bytes of the list up to and with the last item that was handed over."""
        return self._lines.consumed

    def read_batch(self, limit: int) -> list[Found]:
        """Wait for the next items and hand over those that are there, at most `limit`; none only at the end.

        Raises:
            UsageError: The list cannot be read any further, or is CSV without a `url` column.
        """
        batch: list[Found] = []
        is_more = True
        while is_more and not batch:
            is_more = bool(self._lines.pending) or self._lines.fill()
            self._parse(batch, limit)
        return batch

    def close(self) -> None:
        """Close the list; standard input stays open."""
        if self._stream is not _standard_input():
            self._stream.close()


def guess_format(path: str) -> Format:
    """Tell the format of a list from its suffix; text if that says nothing.

    >>> guess_format("Flags.CSV"), guess_format("flags.ndjson"), guess_format("-")
    ('csv', 'jsonl', 'text')
    """
    suffix = os.path.splitext(path)[1].lower()
    if suffix == ".csv":
        return "csv"
    return "jsonl" if suffix in {".jsonl", ".ndjson"} else "text"


def open_list(path: str, format: Format | None = None) -> ListReader:  # noqa: A002 - the name of the option
    """Open the list at `path`, `-` for standard input.

    Raises:
        UsageError: It cannot be opened; the message names it.
    """
    chosen = format or guess_format(path)
    if path == "-":
        standard_input = _standard_input()
        if standard_input is None:
            raise UsageError("there is no standard input to read the list from; give a file")
        return ListReader(standard_input, format=chosen, label="standard input")
    try:
        # Unbuffered: the reader has a buffer of its own.
        stream = open(path, "rb", buffering=0)  # noqa: SIM115 - closed by the reader
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "that is no file name"
        raise UsageError(f"the list {escape_text(path)} cannot be opened: {reason}") from error
    return ListReader(stream, format=chosen, label=path)


def _standard_input() -> BinaryIO | None:
    buffer = getattr(sys.stdin, "buffer", None)
    # The raw stream tells "nothing yet" from "the end" where somebody has made it non-blocking.
    return getattr(buffer, "raw", buffer)


_Convert = Callable[[str, str, int], Found | None]


def _parse_lines(lines: Lines, convert: _Convert, batch: list[Found], limit: int) -> None:
    label = lines.label
    while lines.pending and len(batch) < limit:
        for number, line in lines.take_some(limit - len(batch)):
            try:
                found = _overlong(label, number) if line is None else convert(label, line.decode().strip(), number)
            except UnicodeDecodeError:
                assert line is not None
                # A comment may be in any encoding.
                found = convert(label, line.decode(errors="replace").strip(), number) and _not_utf8(label, line, number)
            if found is not None:
                batch.append(found)


def _read_text(_: str, text: str, number: int) -> Found | None:
    return Item(text, line=number) if text and text[0] != "#" else None


def _read_json(label: str, text: str, number: int) -> Found | None:
    if not text:
        return None
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        return _rejected(label, "url", 'not valid JSON; write one object a line: {"url": "http://…"}', number)
    if not isinstance(row, dict):
        return _rejected(label, "url", 'not a JSON object; write it as {"url": "http://…"}', number)
    return _read_row(label, row, number)


def _read_row(label: str, row: Mapping[str, object], number: int) -> Found:
    try:
        return read_row(row, number)
    except DownloadError as error:
        return _rejected(label, error.kind, error.message, number, str(row.get("url") or ""))


def _rejected(label: str, kind: str, message: str, number: int, url: str = "") -> Rejected:
    return Rejected(url, make_error(kind, f"{label}, line {number}: {message}"), number)


def _overlong(label: str, number: int) -> Rejected:
    return _rejected(label, "url", f"the line is longer than {LONGEST_LINE} bytes; is this a list?", number)


def _not_utf8(label: str, raw: bytes, number: int) -> Rejected:
    url = escape_text(raw.decode(errors="backslashreplace").strip())
    return _rejected(label, "url", "the line is not UTF-8; save the list in that encoding", number, url)


class _CsvParser:
    """Parses CSV with the standard module, which asks this iterator for one physical line after the other.

    The lines of the record at hand are kept. When a quote is never closed only its own line is rejected, and
    the lines that the quote swallowed are read again.
    """

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._columns: list[str] = []
        self._rows = csv.reader(self)
        self._delimiter = ","
        # Nothing is said but where and under which name; and in which columns.
        self._is_plain = False
        self._url = 0
        self._name: int | None = None
        self._record: list[bytes | None] = []
        self._size = 0
        self._fault: Rejected | None = None
        self._may_wait = True

    def __call__(self, batch: list[Found], limit: int) -> None:
        lines = self._lines
        if not self._columns:
            self._read_header()
        while lines.pending and len(batch) < limit:
            self._record, self._size = [], 0
            self._fault, self._may_wait = None, not batch
            number = lines.number + 1
            try:
                cells = self._split_plain(lines.pending[0])
                if cells is None:
                    cells = next(self._rows)
                else:
                    lines.take()
                found = self._read_record(cells, number)
            except _NotYetError:
                lines.put_back(self._record)
                return
            except (_UnclosedError, csv.Error):
                lines.put_back(self._record[1:])
                found = _rejected(lines.label, "url", "not valid CSV; look for a quote that is not closed", number)
            if found is not None:
                batch.append(found)

    def _split_plain(self, line: bytes | None) -> list[str] | None:
        """Take a line without quotes apart, which most are; `None` for any that wants the module."""
        if line is None or b'"' in line or len(line) > _LONGEST_PLAIN or line.find(b"\r", 0, -1) >= 0:
            return None
        try:
            text = line.decode()
        except UnicodeDecodeError:
            return None
        return text.split(self._delimiter) if text.strip() else None

    def __iter__(self) -> _CsvParser:
        return self

    def __next__(self) -> str:
        lines = self._lines
        while not lines.pending:
            if not self._may_wait:
                raise _NotYetError
            if not lines.fill():
                raise _UnclosedError
        line = lines.take()
        self._record.append(line)
        if line is None:
            self._fault = _overlong(lines.label, lines.number)
            return "\n"
        self._size += len(line)
        if self._size > LONGEST_LINE:
            raise _UnclosedError
        try:
            return line.decode() + "\n"
        except UnicodeDecodeError:
            self._fault = _not_utf8(lines.label, line, lines.number)
            return line.decode(errors="replace") + "\n"

    def _read_header(self) -> None:
        lines = self._lines
        while lines.pending or lines.fill():
            text = (lines.take() or b"").decode(errors="replace").strip() if lines.pending else ""
            if text:
                break
        else:
            raise UsageError(f"{lines.label}, line 1: the list is empty; CSV begins with a header line")
        for delimiter in (",", ";", "\t"):
            cells = _split(text, delimiter)
            self._columns = [cell.lower() for cell in cells]
            if "url" in self._columns:
                self._rows = csv.reader(self, delimiter=delimiter, skipinitialspace=True)
                self._delimiter = delimiter
                self._is_plain = FURTHER.isdisjoint(self._columns) and len(set(self._columns)) == len(self._columns)
                self._url = self._columns.index("url")
                self._name = self._columns.index("name") if "name" in self._columns else None
                return
        found = redact_url(text)[:400]
        raise UsageError(f"{lines.label}, line {lines.number}: no column of the header is named url; it is: {found}")

    def _read_record(self, cells: list[str], number: int) -> Found | None:
        if self._fault is not None:
            return replace(self._fault, line=number)
        if len(cells) < 2 and not any(cells):
            # A blank line. A row of empty fields is none: every row has an outcome.
            return None
        if len(cells) != len(self._columns):
            row = dict(zip(self._columns, cells, strict=False))
            message = (
                f"{len(cells)} fields where the header has {len(self._columns)}; "
                "a field with the delimiter in it needs quotes"
            )
            return _rejected(self._lines.label, "url", message, number, row.get("url", "").strip())
        if self._is_plain and (url := cells[self._url].strip()):
            # What `read_row` would make of it, in half the time: lists have millions of these.
            return Item(url, None if self._name is None else cells[self._name].strip() or None, line=number)
        # What is empty is absent.
        row = {column: text for column, cell in zip(self._columns, cells, strict=True) if (text := cell.strip())}
        return _read_row(self._lines.label, row, number)


def _split(header: str, delimiter: str) -> list[str]:
    """Take a header line apart; what the module cannot read has no columns."""
    try:
        return [cell.strip() for cell in next(csv.reader([header], delimiter=delimiter, skipinitialspace=True))]
    except csv.Error:
        return []


class _NotYetError(Exception):
    """The record goes on in a line that has not arrived."""


class _UnclosedError(Exception):
    """The list, or the room for a record, ends within quotes."""
