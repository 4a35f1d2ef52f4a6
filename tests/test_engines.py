"""The contract of an engine, written once and run over all, over http and https: faults and what they end as."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

import aioflags
from aioflags.settings import EngineName
from tests.hostile import BODY, Client, Fault, HostileServer, head

ENGINES: tuple[EngineName, ...] = ("asyncio", "aiohttp", "threads", "processes", "sequential")
# Seconds: as short as a busy machine allows, which stands still for more than one now and then; what is in flight at
# once shares it, a hundred threads most of all.
DEADLINES = {"asyncio": 2.5, "aiohttp": 2.5, "threads": 3.0, "processes": 1.0, "sequential": 0.6}
PACKED = gzip.compress(BODY)
BIG = b"0123456789abcdef" * 100_000  # 1.6 MB: more than is handed over whole


def _after_failures(client: Client, failures: int, answer: bytes) -> None:
    client.send(head(503, length=0) if client.count <= failures else answer)


def _chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)


CHUNKED = head(200, "Transfer-Encoding: chunked", length=None)
OPEN_END = head(200, length=None)


def _reset_after(*blocks: bytes) -> Fault:
    def fault(client: Client) -> None:
        client.send(*blocks)
        client.reset()

    return fault


def _hold_after(*blocks: bytes) -> Fault:
    def fault(client: Client) -> None:
        client.send(*blocks)
        client.hold()

    return fault


def _pause_between(*blocks: bytes, seconds: float = 0.1) -> Fault:
    """Send blocks that arrive one by one, and fall silent."""

    def fault(client: Client) -> None:
        for block in blocks:
            client.send(block)
            client.server.closing.wait(seconds)
        client.hold()

    return fault


def _say(*blocks: bytes) -> Fault:
    return lambda client: client.send(*blocks)


@dataclass(frozen=True)
class Case:
    """A fault, and what it must end as.

    Args:
        name: Its path.
        fault: What the server does.
        kind: Kind of the error, `None` if the file is saved.
        requests: How many the server must have seen, with one retry allowed.
        body: What must be on disk.
        coding: `content_encoding` of the outcome.
        hops: Redirects that were followed to another path.
    """

    name: str
    fault: Fault
    kind: str | None
    requests: int
    body: bytes | None = None
    coding: str | None = None
    hops: int = 0


def _drip_body(client: Client) -> None:
    client.send(head())
    client.drip(BODY, 0.1)


def _claim(field: str, body: bytes = BODY) -> Fault:
    """Answer with one field that says how long the body is, in its own way."""
    return _say(head(200, field, length=None) + body)


def _coded(body: bytes, coding: str) -> Fault:
    return _say(head(200, f"Content-Encoding: {coding}", length=len(body)) + body)


def _forever(client: Client) -> None:
    client.send(OPEN_END)
    while not client.server.closing.is_set():
        client.send(bytes(65536))


CASES = [
    # Framing
    Case("cut", _say(head() + BODY[:100]), "truncated", 2),
    Case("cut-big", _say(head(length=len(BIG)) + BIG[:1_200_000]), "truncated", 2),
    Case("cut-reset", _reset_after(head() + BODY[:100]), "truncated", 2),
    Case("chunked", _say(CHUNKED + _chunked(BODY) + b"0\r\n\r\n"), None, 1, BODY),
    Case("chunked-big", _say(CHUNKED + _chunked(BIG, BODY) + b"0\r\n\r\n"), None, 1, BIG + BODY),
    Case("chunked-cut-between", _say(CHUNKED + _chunked(BODY)), "truncated", 2),
    Case("chunked-cut-inside", _say(CHUNKED + b"800\r\n" + BODY[:100]), "truncated", 2),
    Case("chunked-reset-between", _reset_after(CHUNKED + _chunked(BODY)), "truncated", 2),
    Case("chunked-reset-inside", _reset_after(CHUNKED + b"800\r\n" + BODY[:100]), "truncated", 2),
    Case("chunked-reset-behind", _reset_after(CHUNKED + _chunked(BODY) + b"0\r\n\r\n"), None, 1, BODY),
    Case("chunked-bad-size", _say(CHUNKED + _chunked(BODY) + b"xyz\r\n"), "protocol", 2),
    Case("chunked-bad-size-later", _pause_between(CHUNKED + _chunked(BODY), b"xyz\r\n"), "protocol", 2),
    Case("chunked-bad-size-last", _pause_between(CHUNKED, _chunked(BODY), _chunked(BODY) + b"xyz\r\n"), "protocol", 2),
    # What Python takes for a number is not what HTTP takes for one, and what is left out is not there.
    *(
        Case(f"chunk-size-{name}", _pause_between(CHUNKED + _chunked(BODY), size + b"\r\n" + BODY + b"\r\n0\r\n\r\n"),
             "protocol", 2)
        for name, size in {
            "negative": b"-5", "plus": b"+800", "underscore": b"8_00", "prefix": b"0x800", "space": b" 800",
            "none": b"", "huge": b"f" * 17, "many-digits": b"1" * 5000,
        }.items()
    ),
    Case("chunk-longer-than-its-size", _pause_between(CHUNKED, b"7ff\r\n" + BODY + b"\r\n0\r\n\r\n"), "protocol", 2),
    Case("chunk-without-end", _pause_between(CHUNKED, b"800\r\n" + BODY + b"ab0\r\n\r\n"), "protocol", 2),
    Case("chunk-size-cut", _say(CHUNKED + _chunked(BODY) + b"80"), "truncated", 2),
    Case("last-chunk-cut", _say(CHUNKED + _chunked(BODY) + b"0"), "truncated", 2),
    Case("trailer", _say(CHUNKED + _chunked(BODY) + b"0\r\nX-Sum: 1\r\nX-Other: 2\r\n\r\n"), None, 1, BODY),
    Case("trailer-cut", _say(CHUNKED + _chunked(BODY) + b"0\r\nX-Sum: 1\r\n"), "truncated", 2),
    Case("trailer-missing", _say(CHUNKED + _chunked(BODY) + b"0\r\n"), "truncated", 2),
    Case("trailer-broken", _pause_between(CHUNKED + _chunked(BODY), b"0\r\nno field\r\n\r\n"), "protocol", 2),
    Case("chunk-extension", _say(CHUNKED + b"800;a=b\r\n" + BODY + b"\r\n0;c\r\n\r\n"), None, 1, BODY),
    Case("chunked-twice", _claim("Transfer-Encoding: chunked, chunked", _chunked(BODY)), "protocol", 2),
    Case("chunked-on-two-lines", _claim("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), "protocol", 2),
    Case("coding-unknown", _claim("Transfer-Encoding: gzip"), "protocol", 2),
    Case("coding-nearly-chunked", _claim("Transfer-Encoding: \vchunked", _chunked(BODY)), "protocol", 2),
    Case("chunked-in-capitals", _claim("transfer-encoding: CHUNKED", _chunked(BODY) + b"0\r\n\r\n"), None, 1, BODY),
    *(
        Case(f"length-{name}", _claim(f"Content-Length: {length}"), "protocol", 2)
        for name, length in {
            "plus": "+2048", "underscore": "2_048", "hex": "0x800", "none": "", "float": "2048.0", "list": "2048, 9",
            "huge": "9" * 30, "overflow": "18446744073709553664", "many-digits": "1" * 5000, "space": "20 48",
            "two-lines": "2048\r\nContent-Length: 3", "vertical": "\v2048",
        }.items()
    ),
    Case("length-spaced", _claim("Content-Length: \t 2048 \t"), None, 1, BODY),
    # So long that even a busy client has seen the end before what is behind it comes.
    Case("excess-later", _pause_between(head(), BODY, b"and more than was announced", seconds=0.5), None, 1, BODY),
    Case("reset-behind", _reset_after(head() + BODY), None, 1, BODY),
    Case("open-end", _say(OPEN_END + BODY), None, 1, BODY),
    Case("open-end-reset", _reset_after(OPEN_END + BODY), "disconnected", 2),
    Case("length-negative", _say(head(200, "Content-Length: -5", length=None) + BODY), "protocol", 2),
    Case("length-no-number", _say(head(200, "Content-Length: many", length=None) + BODY), "protocol", 2),
    Case("length-and-chunked", _say(head(200, "Transfer-Encoding: chunked") + _chunked(BODY)), "protocol", 2),
    Case(
        "chunked-and-more",
        _say(head(200, "Transfer-Encoding: chunked", "Transfer-Encoding: gzip", length=None) + _chunked(BODY)),
        "protocol",
        2,
    ),
    Case("no-content", _say(head(204, length=None)), "http", 1),
    Case("not-modified", _say(head(304, length=None)), "http", 1),
    Case("empty", _say(head(length=0)), None, 1, b""),
    Case("not-http", _say(b"<html>hello, this is no HTTP at all\r\n\r\n"), "protocol", 2),
    Case("field-broken", _say(head(200, "Oops", "Content-Length: 2048", length=None) + BODY[:100]), "protocol", 2),
    Case("partial", _say(head(206, "Content-Range: bytes 0-9/100", length=10) + BODY[:10]), "protocol", 2),
    Case("status-of-four-digits", _say(b"HTTP/1.1 2000 OK\r\n\r\n" + BODY), "protocol", 2),
    Case("status-no-number", _say(b"HTTP/1.1 2x0 OK\r\n\r\n" + BODY), "protocol", 2),
    Case("another-protocol", _say(b"ICY 200 OK\r\n\r\n" + BODY), "protocol", 2),
    Case("field-null", _claim("X-Odd: a\0b\r\nContent-Length: 2048"), "protocol", 2),
    Case("field-space", _claim("X-Odd : a\r\nContent-Length: 2048"), "protocol", 2),
    Case("field-endless", _claim("X-Odd: " + "x" * 100_000 + "\r\nContent-Length: 2048"), "protocol", 2),
    Case("fields-many", _claim("X-Odd: a\r\n" * 500 + "Content-Length: 2048"), None, 1, BODY),
    Case("fields-too-many", _claim("X-Odd: a\r\n" * 2000 + "Content-Length: 2048"), "protocol", 2),
    Case("field-folded", _claim("X-Odd: a\r\n b\r\nContent-Length:\r\n 2048"), None, 1, BODY),
    Case("bare-lf", _say(b"HTTP/1.1 200 OK\nContent-Length: 2048\nConnection: close\n\n" + BODY), None, 1, BODY),
    Case("http-1.0", _say(b"HTTP/1.0 200 OK\r\n\r\n" + BODY), None, 1, BODY),
    Case("no-reason", _say(b"HTTP/1.1 200\r\nContent-Length: 2048\r\nConnection: close\r\n\r\n" + BODY), None, 1, BODY),
    Case("early-hints", _say(b"HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n" * 3 + head() + BODY), None, 1, BODY),
    Case("switching", _say(b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n"), "protocol", 2),
    Case("accepted", _say(head(202) + BODY), "http", 1),
    Case("status-unknown", _say(head(999) + BODY), "http", 1),
    # Content coding: as sent
    Case("gzip", _say(head(200, "Content-Encoding: gzip") + BODY), None, 1, BODY, "gzip"),
    *(
        Case(f"coding-{name}", _coded(body, coding), None, 1, body, coding)
        for name, coding, body in [
            ("cut", "gzip", PACKED[:-20]), ("wrong-sum", "gzip", PACKED[:-8] + bytes(8)), ("lie", "br", b"plain"),
            ("two-members", "gzip", PACKED + PACKED), ("bomb", "deflate", zlib.compress(bytes(50_000_000))),
        ]
    ),
    # Time
    Case("silent", _hold_after(), "timeout", 2),
    Case("head-dripped", lambda client: client.drip(head() + BODY, 0.1), "timeout", 2),
    Case("head-only", _hold_after(head()), "timeout", 2),
    Case("endless-1xx", lambda client: client.drip(b"HTTP/1.1 103 Early\r\n\r\n" * 999, 0.001), "timeout", 2),
    Case("stall", _hold_after(head() + BODY[:100]), "stalled", 2),
    Case("stall-big", _hold_after(head(length=len(BIG)) + BIG[:1_200_000]), "stalled", 2),
    Case("drip", _drip_body, "stalled", 2),
    Case("endless", _forever, "too_large", 1),
    Case("too-large", _say(head(length=99_000_000) + BODY), "too_large", 1),
    Case("stall-chunk-size", _hold_after(CHUNKED + _chunked(BODY) + b"80"), "stalled", 2),
    Case("stall-trailer", _hold_after(CHUNKED + _chunked(BODY) + b"0\r\n"), "stalled", 2),
    # Status
    Case("status-stalls", _hold_after(head(503) + b"x"), "http", 2),
    Case("status-cut", _say(head(500) + b"x"), "http", 2),
    Case("status-reset", _reset_after(head(403) + b"x"), "http", 1),
    *(
        Case(f"passing-{status}", _say(head(status, length=0)), "http", 2)
        for status in (408, 425, 429, 500, 503, 504, 522, 524)
    ),
    *(Case(f"final-{status}", _say(head(status, length=0)), "http", 1) for status in (400, 401, 405, 416, 451, 501)),
    Case("retry-after-negative", _say(head(503, "Retry-After: -5", length=0)), "http", 2),
    Case("retry-after-past", _say(head(503, "Retry-After: Mon, 01 Jan 1990 00:00:00 GMT", length=0)), "http", 2),
    Case("retry-after-year-9999", _say(head(503, "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT", length=0)), "http", 1),
    Case("retry-after-digits", _say(head(503, "Retry-After: " + "9" * 5000, length=0)), "http", 1),
    Case("transient", lambda client: _after_failures(client, 1, head() + BODY), None, 2, BODY),
    Case("unavailable", _say(head(503, length=0)), "http", 2),
    Case("bad-gateway", _say(head(502, length=0)), "http", 2),
    Case("forbidden", _say(head(403, length=0)), "http", 1),
    Case("teapot", _say(head(418, length=0)), "http", 1),
    Case("retry-after-forever", _say(head(429, "Retry-After: 999999", length=0)), "http", 1),
    Case("retry-after-nonsense", _say(head(503, "Retry-After: soon", length=0)), "http", 2),
    # Redirects
    Case("loop", lambda client: client.send(head(302, "Location: /loop", length=0)), "redirect", 11),
    Case("to-file", _say(head(302, "Location: file:///etc/passwd", length=0)), "redirect", 1),
    Case("nowhere", _say(head(302, length=0)), "redirect", 1),
    Case("see-other", _say(head(303, "Location: /saved/elsewhere", length=0)), None, 1, BODY, hops=1),
    Case("moved-stalls", _hold_after(head(302, "Location: /saved/late") + b"x"), None, 1, BODY, hops=1),
    Case("moved-cut", _say(head(302, "Location: /saved/cut") + b"x"), None, 1, BODY, hops=1),
    Case("to-control", _say(head(302, "Location: /saved/a\x01b", length=0)), "redirect", 1),
    Case("to-port", _say(head(302, "Location: http://127.0.0.1:99999/", length=0)), "redirect", 1),
    Case("to-brackets", _say(head(302, "Location: http://[::1/", length=0)), "redirect", 1),
    Case("to-data", _say(head(302, "Location: data:,hello", length=0)), "redirect", 1),
    Case("to-ftp", _say(head(302, "Location: ftp://127.0.0.1/", length=0)), "redirect", 1),
    Case("to-bytes", _say(head(302, "Location: /saved/\xff\xfe a", length=0)), None, 1, BODY, hops=1),
    Case("choices", _say(head(300, "Location: /saved/a", length=0)), "http", 1),
    # Connection
    Case("closed", lambda client: None, "disconnected", 2),
    Case("reset", _reset_after(), "disconnected", 2),
    Case("head-cut", _say(b"HTTP/1.1 200 OK\r\nContent-Le"), "disconnected", 2),
    Case("head-cut-between", _say(b"HTTP/1.1 200 OK\r\nContent-Length: 2048\r\n"), "disconnected", 2),
    Case("head-cut-early", _say(b"HTT"), "disconnected", 2),
    Case("head-reset", _reset_after(b"HTTP/1.1 200 OK\r\nContent-Le"), "disconnected", 2),
    Case("long-field", _say(head(200, "X-Long: " + "x" * 20_000) + BODY), None, 1, BODY),
]  # fmt: skip
BY_NAME = {case.name: case for case in CASES}
MISSING = {"missing": head(404, length=0), "gone": head(410, length=0)}


@dataclass
class Run:
    """One job over all cases."""

    engine: str
    servers: dict[str, HostileServer]
    directory: Path
    outcomes: dict[str, aioflags.Outcome]


@contextmanager
def serving(context: ssl.SSLContext | None) -> Iterator[dict[str, HostileServer]]:
    """Serve all of them, a dozen at a server: one that fails too often is asked for less at a time."""
    faults = {case.name: case.fault for case in CASES} | {name: _say(reply) for name, reply in MISSING.items()}
    names = list(faults)
    servers: dict[str, HostileServer] = {}
    with ExitStack() as stack:
        for first in range(0, len(names), 12):
            server = stack.enter_context(HostileServer(faults, context))
            servers |= dict.fromkeys(names[first : first + 12], server)
        yield servers


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module", params=["http", "https"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=ENGINES)
def run(
    request: pytest.FixtureRequest, scheme: str, authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Run]:
    """Every case through one engine, in one job."""
    directory = tmp_path_factory.mktemp("run")
    options: dict[str, Any] = {}
    context = None
    if scheme == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        authority.cert_pem.write_to_path(str(directory / "ca.pem"))
        options["cacert"] = str(directory / "ca.pem")
    with serving(context) as servers:
        report = asyncio.run(
            aioflags.download_many(
                [f"{server.url}/{name}" for name, server in servers.items()],
                directory / "files",
                engine=request.param,
                retries=1,
                per_host=0,
                first_byte_timeout=DEADLINES[request.param],
                idle_timeout=DEADLINES[request.param],
                min_speed=500,
                max_bytes=3_000_000,
                max_wait=5,
                **options,
            )
        )
        outcomes = {outcome.url.rpartition("/")[2]: outcome for outcome in report}
        yield Run(request.param, servers, directory / "files", outcomes)


@pytest.mark.parametrize("name", BY_NAME)
def test_fault_ends_as_it_must(run: Run, name: str) -> None:
    """Every engine ends a fault in the same kind, with the same bytes on disk, after the same number of requests."""
    case, outcome = BY_NAME[name], run.outcomes[name]
    assert (outcome.error and outcome.error.kind) == case.kind, outcome
    assert outcome.status is (aioflags.Status.FAILED if case.kind else aioflags.Status.SAVED)
    assert run.servers[name].requests[f"/{name}"] == case.requests
    assert outcome.attempts == case.requests + case.hops
    file = run.directory / name
    assert (file.read_bytes() if file.exists() else None) == case.body
    assert outcome.content_encoding == case.coding
    assert outcome.bytes == len(case.body or b"")


@pytest.mark.parametrize("name", MISSING)
def test_missing_is_missing(run: Run, name: str) -> None:
    """404 and 410 mean that there is no such file, and are not asked again."""
    assert run.outcomes[name].status is aioflags.Status.MISSING
    assert run.servers[name].requests[f"/{name}"] == 1


def test_nothing_is_left_but_whole_files(run: Run) -> None:
    """No part, no private folder, no file of a failed item."""
    saved = {name for name, outcome in run.outcomes.items() if outcome.status is aioflags.Status.SAVED}
    assert {path.name for path in run.directory.iterdir()} == saved


def test_request_is_the_same_whatever_the_engine(run: Run) -> None:
    """The request asks for the bytes as they are, says who asks, and names the host as the URL does."""
    lines = run.servers["empty"].heads["/empty"].decode("latin-1").split("\r\n")
    fields = {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in lines[1:]}
    assert lines[0] == "GET /empty HTTP/1.1"
    assert fields["accept-encoding"] == "identity"
    assert fields["host"] == f"127.0.0.1:{run.servers['empty'].port}"
    assert fields["user-agent"].startswith("aioflags/")
    assert "range" not in fields
