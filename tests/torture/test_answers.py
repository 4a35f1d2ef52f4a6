"""Any bytes as an answer, made of the pieces that answers are made of, against every rule about the truth of a file."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import xxhash
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from aioflags.downloader import download_many
from aioflags.errors import KINDS
from aioflags.items import Item, Outcome, Status
from aioflags.settings import EngineName
from aioflags.transfer import Accept, Refuse, judge_response
from tests.hostile import BODY, Client, HostileServer

NUMBERS = [
    "0",
    "1",
    "9",
    "10",
    "2048",
    "-1",
    "+10",
    "10, 10",
    "10,11",
    "0x10",
    "1e1",
    "9" * 25,
    "",
    " ",
    "ten",
    "\u0661",
]
VALUES = st.sampled_from(
    [*NUMBERS, "chunked", "gzip", "gzip, chunked", "identity", "bytes 0-9/10", "bytes */10", "\x7f"]
)
NAMES = st.sampled_from(
    ["Content-Length", "Transfer-Encoding", "Content-Encoding", "Content-Range", "Connection", "Retry-After", "ETag"]
)
FIELDS = st.lists(st.tuples(NAMES, VALUES | st.text(max_size=8)), max_size=5)


@given(status=st.integers(100, 599), fields=FIELDS, max_bytes=st.none() | st.integers(0, 20))
def test_any_head_has_a_verdict(status: int, fields: list[tuple[str, str]], max_bytes: int | None) -> None:
    """No field breaks it: a length that is accepted is the one that was said, and within the limit."""
    headers = CIMultiDict(fields)
    verdict = judge_response(status, headers, host="h", max_bytes=max_bytes)
    if isinstance(verdict, Refuse):
        assert verdict.error.kind in KINDS
        assert verdict.error.message.isprintable()
    elif isinstance(verdict, Accept) and verdict.length is not None:
        assert str(verdict.length) == (headers["Content-Length"].strip().lstrip("0") or "0")
        assert max_bytes is None or verdict.length <= max_bytes
        assert not verdict.is_chunked


STATUS_LINES = [
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 200\r\n", b"HTTP/1.1 206 Part\r\n",
    b"HTTP/1.1 404 No\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 204 None\r\n", b"HTTP/1.1 302 There\r\n",
    b"HTTP/2 200\r\n", b"ICY 200 OK\r\n", b"HTTP/1.1 2OO OK\r\n", b"HTTP/1.1 999 Odd\r\n", b"HTTP/1.1 200 OK\n",
    b"\r\nHTTP/1.1 200 OK\r\n", b"",
]  # fmt: skip
HEADER_LINES = [
    b"Content-Length: 10\r\n", b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Content-Length: 10, 10\r\n",
    b"Content-Length : 10\r\n", b"Content-Length: -1\r\n", b"content-length:10\r\n", b"Content-Length: 1_0\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding:\tchunked\r\n", b"Transfer-Encoding: chunked, chunked\r\n",
    b"Transfer-Encoding: gzip\r\n", b"Content-Encoding: gzip\r\n", b"Content-Range: bytes 0-9/10\r\n",
    b"Content-Range: bytes 5-9/10\r\n", b"Content-Range: bytes */10\r\n", b"ETag: W/\"x\"\r\n",
    b"Connection: close\r\n", b"Location: /again\r\n", b"X: a\r\n b\r\n", b"X\r\n", b": x\r\n", b"X: \x00\r\n",
    b"X: \xff\r\n", b"X: y\n",
]  # fmt: skip
BODIES = [
    b"0123456789", b"01234", b"", b"a\r\n0123456789\r\n0\r\n\r\n", b"a\r\n0123456789\r\n", b"5\r\n01234\r\n0\r\n\r\n",
    b"A;x=y\r\n0123456789\r\n0\r\nX: y\r\n\r\n", b"5\r\n012345\r\n0\r\n\r\n", b"-5\r\n01234\r\n",
    b"0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", b"0123456789" * 300,
]  # fmt: skip


@st.composite
def raw_answers(draw: st.DrawFn) -> bytes:
    """Something that begins, mostly, as an answer does, perhaps cut somewhere."""
    start = draw(st.sampled_from(STATUS_LINES)) if draw(st.booleans()) else STATUS_LINES[0]
    lines = b"".join(draw(st.lists(st.sampled_from(HEADER_LINES), max_size=4)))
    whole = start + lines + b"\r\n" + draw(st.sampled_from(BODIES))
    return whole[: draw(st.integers(0, len(whole)))] if draw(st.integers(0, 3)) == 0 else whole


class Echo:
    """A fault that sends what it was told for the number in the path; a redirect finds a good file."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []

    def __call__(self, client: Client) -> None:
        client.send(self.answers[int(client.path.rpartition("/")[2])])


@pytest.fixture(scope="module")
def echo() -> Iterator[tuple[Echo, HostileServer]]:
    echo = Echo()
    again = b"HTTP/1.1 200 OK\r\nContent-Length: 2048\r\nConnection: close\r\n\r\n" + BODY
    with HostileServer({"raw": echo, "again": lambda client: client.send(again)}) as server:
        yield echo, server


@pytest.mark.slow
# Each example is two whole jobs: what was found is shown as it was found.
@settings(max_examples=40, phases=[Phase.generate])
@given(answers=st.lists(raw_answers(), min_size=10, max_size=30))
def test_no_answer_makes_a_false_file(echo: tuple[Echo, HostileServer], answers: list[bytes]) -> None:
    """What is saved is what was sent, as its digest says; what is not saved is not there; both drivers agree."""
    speaker, server = echo
    speaker.answers = answers
    saved = [_download(server, len(answers), answers, engine) for engine in ("asyncio", "threads")]
    for number in saved[0].keys() & saved[1].keys():
        assert saved[0][number] == saved[1][number], answers[int(number)][:300]


def _download(server: HostileServer, count: int, answers: list[bytes], engine: EngineName) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as directory:
        items = [Item(f"{server.url}/raw/{number}", name=str(number)) for number in range(count)]
        report = asyncio.run(download_many(items, directory, engine=engine, retries=0, per_host=0, idle_timeout=5))
        files = {path.name: path.read_bytes() for path in Path(directory).iterdir()}
    assert len(report) == count
    saved = {outcome.path: outcome for outcome in report if outcome.status is Status.SAVED}
    assert files.keys() == saved.keys()
    for name, body in files.items():
        _assert_true(saved[name], body, answers[int(name)])
    return files


def _assert_true(outcome: Outcome, body: bytes, answer: bytes) -> None:
    """Hold a saved file against what was sent, by rules so coarse that they need no reader of HTTP."""
    assert outcome.bytes == len(body)
    assert outcome.digests["xxh128"] == xxhash.xxh128_hexdigest(body)
    assert outcome.http_status in {200, 203}
    if body == BODY:  # the redirect was followed
        return
    # In one piece, unless it came in chunks, of which no body here has two.
    assert body in answer, answer[:300]
    head = answer[: answer.rindex(body)] if body else answer
    if lengths := {int(digits) for digits in re.findall(rb"(?i)\ncontent-length:[ \t]*(\d+)\r?\n", head)}:
        assert lengths == {len(body)}, answer[:300]
    if b"chunked" in head:
        rest = answer[len(head) + len(body) :] if body else answer
        assert b"0\r\n\r\n" in rest or b"0\r\nX: y\r\n" in answer, answer[:300]
