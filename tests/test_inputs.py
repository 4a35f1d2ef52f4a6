"""Lists are read lazily, line by line counted, and a bad line costs no more than itself."""

from __future__ import annotations

import hashlib
import io
import os
import sys
import threading
import tracemalloc
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioflags import inputs
from aioflags.errors import UsageError
from aioflags.inputs import Format, ListReader, guess_format, open_list
from aioflags.items import Item, Rejected

SHA256 = hashlib.sha256(b"").hexdigest()


def read(data: bytes, form: Format, limit: int = 3) -> list[Item | Rejected]:
    reader = ListReader(io.BytesIO(data), format=form, label="urls.lst")
    found = []
    while batch := reader.read_batch(limit):
        assert len(batch) <= limit
        found += batch
    assert reader.read_batch(limit) == []
    assert reader.bytes_read == len(data)
    return found


def brief(data: bytes, form: Format) -> list[tuple[int | None, str]]:
    """Line and URL of each item, line and kind of each rejected line."""
    return [(one.line, one.url if isinstance(one, Item) else one.error.kind.upper()) for one in read(data, form, 2)]


@pytest.mark.parametrize(
    ("path", "form"),
    [("a.csv", "csv"), ("A.CSV", "csv"), ("a.jsonl", "jsonl"), ("a.ndjson", "jsonl"), ("a.txt", "text"),
     ("a", "text"), ("-", "text"), ("csv", "text"), ("a.csv/b", "text"), ("a.csv.txt", "text")],
)  # fmt: skip
def test_the_suffix_tells_the_format(path: str, form: str) -> None:
    """Case aside, the last suffix decides, and text is what remains."""
    assert guess_format(path) == form


def test_text_has_one_url_a_line() -> None:
    """Blank lines and comments are skipped but counted, whitespace and line ends are stripped."""
    data = b"\xef\xbb\xbf# flags\r\n\r\n http://h/a \r\n\t#http://h/b\nhttp://h/c#d\n\n\nhttp://h/e"
    assert brief(data, "text") == [(3, "http://h/a"), (5, "http://h/c#d"), (8, "http://h/e")]


@pytest.mark.parametrize("form", ["text", "jsonl"])
def test_an_empty_list_has_no_items(form: Format) -> None:
    """Nothing, blank lines and a lone byte order mark are lists of nothing."""
    for data in (b"", b"\n\r\n \n", b"\xef\xbb\xbf"):
        assert read(data, form) == []


def test_a_line_that_is_not_utf8_is_rejected() -> None:
    """Its outcome has its number and its bytes made visible; a comment may be in any encoding."""
    found = read(b"http://h/a\nhttp://h/\xe9\n# caf\xe9\nhttp://h/b\n", "text")
    assert [one.line for one in found] == [1, 2, 4]
    bad = found[1]
    assert isinstance(bad, Rejected)
    assert bad.url == "http://h/\\xe9"
    assert str(bad.error) == "url: urls.lst, line 2: the line is not UTF-8; save the list in that encoding"


@pytest.mark.parametrize(
    ("form", "header", "line"),
    [
        ("text", b"", b"http://h/a\n"),
        ("csv", b"url,name\n", b"http://h/a,\n"),
        ("jsonl", b"", b'{"url":"http://h/a"}\n'),
    ],
)
def test_an_overlong_line_is_rejected(form: Format, header: bytes, line: bytes) -> None:
    """A line beyond any URL is one failure, and the next line is read as always."""
    start = 2 if header else 1
    data = header + line + b"x" * 3_000_000 + b"\n" + line
    assert brief(data, form) == [(start, "http://h/a"), (start + 1, "URL"), (start + 2, "http://h/a")]


def test_csv_takes_its_columns_by_name() -> None:
    """Case, order and other columns do not matter, empty cells are absent."""
    data = f' Name ,note, URL ,bytes,SHA256,checksum\r\nx.gif,hi,http://h/a,5,{SHA256},\r\n,,"http://h/b,c",,,md5:'
    data += hashlib.md5(b"").hexdigest()
    first, second = read(data.encode(), "csv")
    assert first == Item("http://h/a", "x.gif", SHA256, 5, {}, None, 2)
    assert second == Item("http://h/b,c", None, None, None, {}, f"md5:{hashlib.md5(b'').hexdigest()}", 3)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_header_shows_the_delimiter(delimiter: str) -> None:
    """Spreadsheets of many countries separate by something else than a comma."""
    data = f"name{delimiter}url\nx{delimiter}http://h/a\n".encode()
    assert read(data, "csv") == [Item("http://h/a", "x", line=2)]


def test_csv_records_span_lines() -> None:
    """A quoted line break belongs to its record, which counts from its first line."""
    data = b'\xef\xbb\xbf"url",note\nhttp://h/a,"one\r\ntwo ""2""\nthree"\n\nhttp://h/b,\n "http://h/c", x"y \n'
    assert brief(data, "csv") == [(2, "http://h/a"), (6, "http://h/b"), (7, "http://h/c")]


def test_bad_csv_records_cost_no_more_than_themselves() -> None:
    """Each wrong record is rejected under the number of its first line, and the rest goes on."""
    lines = [
        b"url,sha256,bytes", b"http://h/a,,", b"http://h/b", b"http://h/c,,,", b",,", b" ,,7", b"http://h/d,00,",
        b"http://h/e,,x", b"\xff,,", b'http://h/f,"', b'\xff",', b"http://h/\x00,,", b"http://h/g,,1",
    ]  # fmt: skip
    assert brief(b"\n".join(lines), "csv") == [
        (2, "http://h/a"), (3, "URL"), (4, "URL"), (5, "URL"), (6, "URL"), (7, "CHECKSUM"), (8, "CHECKSUM"), (9, "URL"),
        (10, "URL"), (12, "http://h/\x00"), (13, "http://h/g"),
    ]  # fmt: skip


def test_a_message_names_the_list_and_the_line() -> None:
    """One can go there and correct it."""
    (bad,) = read(b"url,name\nhttp://h/a,b,c,d\n", "csv")
    assert isinstance(bad, Rejected)
    assert bad.url == "http://h/a"
    assert bad.error.message.startswith("urls.lst, line 2: 4 fields where the header has 2")


@pytest.mark.parametrize("filler", [b"http://h/x,\n", b"y" * 500 + b",\n"])
@pytest.mark.parametrize("count", [0, 5, 5000])
def test_a_quote_that_is_not_closed_swallows_nothing(filler: bytes, count: int) -> None:
    """Only its own line is rejected, at the end of the list or far before it."""
    found = brief(b'url,note\nhttp://h/a,\n"http://h/b,\n' + filler * count, "csv")
    assert found[:2] == [(2, "http://h/a"), (3, "URL")]
    assert [line for line, _ in found[2:]] == list(range(4, 4 + count))
    assert "URL" not in {url for _, url in found[2:]}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"urls.lst, line 1: the list is empty"),
        (b"\n \n", r"urls.lst, line 1: the list is empty"),
        (b"link,name\nhttp://h/a,b\n", r"urls.lst, line 1: no column .* url; it is: link,name"),
        (b"\n\nhttp://u:hush@h/?sig=hush,hush\n", r"line 3: .*it is: http://\*\*\*@h/\?sig=\*\*\*$"),
        (b"\xff\xfeu\x00r\x00l\x00", r"urls.lst, line 1: no column"),
        (b"x" * 2_000_000, r"urls.lst, line 1: "),
        (b"url,name\rhttp://h/a,b\rhttp://h/c,d\r", r"urls.lst, line 1: no column"),
        (b"url," + b"x" * 200_000 + b"\n", r"urls.lst, line 1: "),
    ],
)
def test_csv_without_a_url_column_is_a_wrong_call(data: bytes, message: str) -> None:
    """It is found before any request, and the message tells what the header has, without its secrets."""
    reader = ListReader(io.BytesIO(data), format="csv", label="urls.lst")
    with pytest.raises(UsageError, match=message):
        reader.read_batch(1)


def test_json_has_one_object_a_line() -> None:
    """All keys of an item are there, and what is no such object is rejected."""
    lines = [
        b'{"url": "http://h/a", "name": "x", "bytes": 5, "sha256": null, "headers": {"A": "b"}, "more": [1]}',
        b"", b"[]", b'"http://h/a"', b"{", b"null", b"http://h/a", b"[" * 100_000, b'{"url": 1}', b"\xff",
        b'{"url": "u", "bytes": ' + b"9" * 5000 + b"}", b'{"url": "u", "sha256": "0"}', b'{"url": "http://h/\\u00e9"}',
    ]  # fmt: skip
    assert read(lines[0], "jsonl") == [Item("http://h/a", "x", None, 5, {"A": "b"}, None, 1)]
    assert brief(b"\r\n".join(lines), "jsonl") == [
        (1, "http://h/a"), *((line, "URL") for line in range(3, 12)), (12, "CHECKSUM"), (13, "http://h/é"),
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["text", "csv", "jsonl"])
@given(data=st.binary() | st.lists(st.sampled_from([b'"', b",", b"\n", b"\r", b"{}", b"a", b"\xff"])).map(b"".join))
def test_no_bytes_abort_a_list(form: Format, data: bytes) -> None:
    """Whatever the bytes, each yields items or rejected lines, in the order of their lines."""
    found = read(b"url,name\n" + data, form)
    numbers = [one.line or 0 for one in found]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == len(numbers)
    assert len(numbers) <= 1 + (b"url,name\n" + data).count(b"\n")


@pytest.mark.parametrize(
    ("form", "header", "line"),
    [
        ("text", b"", b"http://h/%d\n"),
        ("csv", b"url,name\n", b"http://h/%d,\n"),
        ("jsonl", b"", b'{"url": "http://h/%d"}\n'),
    ],
)
def test_a_slow_pipe_is_served_at_once(form: Format, header: bytes, line: bytes) -> None:
    """A batch holds what has arrived, and waits for no line that has not."""
    read_end, write_end = os.pipe()
    with open(read_end, "rb") as stream, open(write_end, "wb", buffering=0) as writer:
        reader = ListReader(stream, format=form)
        writer.write(header + line % 1 + line % 2 + line[:9])
        assert [one.url for one in reader.read_batch(100)] == ["http://h/1", "http://h/2"]
        writer.write(line[9:] % 3)
        assert len(reader.read_batch(100)) == 1


def test_a_record_that_is_not_whole_delays_no_other() -> None:
    """The part of a CSV record that has arrived waits for the rest; what stands before it does not."""
    read_end, write_end = os.pipe()
    with open(read_end, "rb") as stream, open(write_end, "wb", buffering=0) as writer:
        reader = ListReader(stream, format="csv")
        writer.write(b'url,note\nhttp://h/a,\nhttp://h/b,"one\n')
        assert [(one.url, one.line) for one in reader.read_batch(100)] == [("http://h/a", 2)]
        later = threading.Thread(target=writer.write, args=(b'two"\nhttp://h/c,\n',))
        later.start()
        found = reader.read_batch(1)
        later.join()
        assert [(one.url, one.line) for one in found + reader.read_batch(1)] == [("http://h/b", 3), ("http://h/c", 5)]


def test_reading_stays_close_to_the_limit() -> None:
    """A list without end is read no further than asked for, and `bytes_read` tells how far the items go."""

    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += 1
            return b"http://h/a\n" * 1000

    stream = Endless()
    reader = ListReader(stream, format="text")  # type: ignore[arg-type]
    for batches in range(1, 101):
        assert len(reader.read_batch(10)) == 10
        assert reader.bytes_read == batches * 110
    assert stream.given == 1


@pytest.mark.slow
def test_memory_does_not_grow_with_the_list(tmp_path: Path) -> None:
    """A long list takes as much memory as a short one."""

    def peak(count: int) -> int:
        path = tmp_path / "urls.txt"
        path.write_bytes(b"http://h/a\n" * count)
        reader = open_list(str(path))
        tracemalloc.start()
        while reader.read_batch(100):
            pass
        reader.close()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(200_000) < peak(20_000) * 1.2


def test_a_list_is_opened_by_its_path(tmp_path: Path) -> None:
    """The suffix gives the format unless the caller does, and messages name the file."""
    path = tmp_path / "urls.csv"
    path.write_bytes(b"url\nhttp://h/a\n")
    reader = open_list(str(path))
    assert reader.read_batch(9) == [Item("http://h/a", line=2)]
    reader.close()
    reader = open_list(str(path), "text")
    assert [one.url for one in reader.read_batch(9)] == ["url", "http://h/a"]
    reader.close()
    path.write_bytes(b"link\n")
    reader = open_list(str(path))
    with pytest.raises(UsageError, match=r"urls\.csv, line 1"):
        reader.read_batch(9)
    reader.close()


@pytest.mark.parametrize("name", ["missing.txt", "", "a\x00b", "x" * 5000])
def test_a_list_that_cannot_be_opened_is_named(tmp_path: Path, name: str) -> None:
    """Missing, a directory, or no file name at all: a wrong call, and the message is safe to print."""
    with pytest.raises(UsageError, match="cannot be opened") as caught:
        open_list(f"{tmp_path}/{name}")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("has_raw", [True, False])
def test_standard_input_is_read_and_left_open(monkeypatch: Any, has_raw: bool) -> None:
    """`-` is what the shell pipes in; closing the list does not close it."""
    data = io.BytesIO(b"http://h/a\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(data) if has_raw else data))
    reader = open_list("-")
    assert reader.read_batch(9) == [Item("http://h/a", line=1)]
    reader.close()
    assert not data.closed
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UsageError, match="no standard input"):
        open_list("-")


def test_csv_row_of_empty_fields_has_an_outcome() -> None:
    """Only a blank line is skipped; a row without a URL is a row all the same."""
    found = read(b"url,name\n,\n\nhttp://h/a,a\n", "csv")
    assert [(type(each).__name__, each.line) for each in found] == [("Rejected", 2), ("Item", 4)]


@given(
    st.lists(st.text(st.sampled_from('ab/:, ;\t"\r\x00\u20ac'), max_size=12), max_size=6),
    st.sampled_from([b"url,name\n", b"name;url;note\n", b"url\tsha256\n", b"url,url,name\n", b"URL , Name\n"]),
)
def test_plain_records_are_what_the_module_makes_of_them(lines: list[str], header: bytes) -> None:
    """Lines without quotes are taken apart by hand; nobody may see the difference."""
    data = header + "\n".join(lines).encode() + b"\n"

    def found() -> list[Item | Rejected | str]:
        try:
            return list(read(data, "csv"))
        except UsageError as error:
            return [str(error)]

    by_hand = found()
    with mock.patch.object(inputs._CsvParser, "_split_plain", return_value=None):
        assert repr(found()) == repr(by_hand)
    with mock.patch.object(inputs, "FURTHER", frozenset({"url"})):
        assert repr(found()) == repr(by_hand)
