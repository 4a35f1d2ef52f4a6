"""A file that was cut goes on where it was cut, if the rest is provably of the same file; else it begins anew.

Every case through every engine, over http and https: fault, then how it ends, what was asked for, what is on disk.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

import aioflags
from aioflags.settings import EngineName
from tests.hostile import Client, HostileServer, head
from tests.rangefaults import CUT_AT, NEW, OLD, SIZE, Answer, Ranges, cut, refuse, rest, say, whole

ENGINES: tuple[EngineName, ...] = ("asyncio", "aiohttp", "threads", "processes", "sequential")
OLD_DATE = "Last-Modified: Wed, 01 Jan 2020 00:00:00 GMT"
YOUNG_DATE = "Last-Modified: Wed, 01 Jan 2025 11:59:01 GMT"
DATE = "Date: Wed, 01 Jan 2025 12:00:00 GMT"
WEAK = 'ETag: W/"old"'
RENEWED = 'ETag: "new"'
SHA256 = hashlib.sha256(OLD).hexdigest()
CHUNKED = head(200, "Transfer-Encoding: chunked", 'ETag: "old"', length=None) + b"%x\r\n" % SIZE + OLD[:CUT_AT]

REST = "rest"
WHOLE = "whole"
ONCE_MORE = (WHOLE, REST)
FROM_ZERO = (WHOLE, REST, WHOLE)
NO_RANGE = (WHOLE, WHOLE)


@dataclass(frozen=True)
class Case:
    """A file whose transfer is cut.

    Args:
        name: Its path.
        answers: What the server says, in turn; the last one repeats.
        asked: What each request asks for, the whole or the rest.
        body: What must be on disk.
        is_resumed: The file is made of more than one answer.
        kind: Kind of the error, `None` if the file is saved.
        sha256: What the list declares.
    """

    name: str
    answers: tuple[Answer, ...]
    asked: tuple[str, ...]
    body: bytes | None = OLD
    is_resumed: bool = False
    kind: str | None = None
    sha256: str | None = None


def after_cut(name: str, *answers: Answer, asked: tuple[str, ...] = FROM_ZERO, body: bytes = OLD) -> Case:
    """A file that is cut once and then does not go on."""
    return Case(name, (cut(), *answers), asked, body)


def resumed(name: str, *answers: Answer) -> Case:
    """A file that is cut once and then goes on."""
    return Case(name, answers, ONCE_MORE, is_resumed=True)


CASES = [
    # It fits.
    resumed("fits", cut(), rest()),
    resumed("chunked", say(CHUNKED), rest()),
    resumed("rest-without-length", cut(), rest(length=None)),
    resumed("old-date", cut(OLD_DATE, DATE), rest(OLD, OLD_DATE, DATE)),
    resumed("weak-etag-and-old-date", cut(WEAK, OLD_DATE, DATE), rest(OLD, WEAK, OLD_DATE, DATE)),
    resumed("with-signature?X-Amz-Signature=1", cut(), rest()),
    Case("cut-again", (cut(), rest(until=200_000), rest()), (WHOLE, REST, REST), is_resumed=True),
    Case("cut-at-once-again", (cut(), rest(until=0), rest()), (WHOLE, REST, REST), is_resumed=True),
    Case("unavailable-between", (cut(), refuse(503), rest()), (WHOLE, REST, REST), is_resumed=True),
    Case("closed-between", (cut(), say(), rest()), (WHOLE, REST, REST), is_resumed=True),
    Case("digest", (cut(), rest()), ONCE_MORE, is_resumed=True, sha256=SHA256),
    # The server sends the whole.
    after_cut("ignores-range", whole(), asked=ONCE_MORE),
    after_cut("changed", whole(NEW, RENEWED), asked=ONCE_MORE, body=NEW),
    after_cut("changed-and-short", whole(NEW[:1000], RENEWED), asked=ONCE_MORE, body=NEW[:1000]),
    Case(
        "changed-and-cut",
        (cut(), cut(RENEWED, body=NEW), rest(NEW, RENEWED)),
        (WHOLE, REST, REST),
        NEW,
        is_resumed=True,
    ),
    # It sends a part of something else, or does not say of what.
    after_cut("part-of-changed", rest(NEW, RENEWED), body=NEW),
    after_cut("part-of-changed-unnamed", rest(NEW, "X: y"), body=NEW),
    after_cut("part-with-weak-etag", rest(NEW, WEAK), body=NEW),
    after_cut("part-of-other-length", rest(OLD[:-1]), body=OLD[:-1]),
    after_cut("part-of-longer", rest(OLD + b"more"), body=OLD + b"more"),
    Case("part-of-changed-date", (cut(OLD_DATE, DATE), rest(NEW, YOUNG_DATE, DATE)), FROM_ZERO, NEW),
    # It sends another part, or does not say which.
    after_cut("starts-late", rest(shift=1)),
    after_cut("starts-early", rest(shift=-1)),
    after_cut("whole-as-part", rest(shift=-CUT_AT)),
    after_cut("says-the-right-start", rest(range_field=f"Content-Range: bytes 0-{SIZE - 1}/{{size}}")),
    after_cut("no-content-range", rest(range_field=None)),
    after_cut("no-numbers", rest(range_field="Content-Range: bytes some-{last}/{size}")),
    after_cut("other-unit", rest(range_field="Content-Range: pages {first}-{last}/{size}")),
    after_cut("negative", rest(range_field="Content-Range: bytes -{first}-{last}/{size}")),
    after_cut("unknown-total", rest(range_field="Content-Range: bytes {first}-{last}/*")),
    after_cut("other-total", rest(range_field="Content-Range: bytes {first}-{last}/{other}")),
    after_cut("end-behind-the-end", rest(range_field="Content-Range: bytes {first}-{size}/{size}")),
    after_cut("end-before-the-end", rest(range_field=f"Content-Range: bytes {{first}}-{SIZE - 2}/{{size}}")),
    after_cut(
        "two-fields",
        rest(range_field="Content-Range: bytes {first}-{last}/{size}\nContent-Range: bytes 0-{last}/{size}"),
    ),
    after_cut("other-length", rest(length=10)),
    after_cut("encoded", rest(OLD, 'ETag: "old"', "Content-Encoding: gzip"), whole()),
    after_cut("multipart", rest(OLD, 'ETag: "old"', "Content-Type: multipart/byteranges; boundary=x"), whole()),
    Case("too-long-rest", (cut(), rest(length=None, more=b"more"), whole()), FROM_ZERO),
    # It refuses the range.
    after_cut("416-equal", refuse(416, "Content-Range: bytes */{start}"), whole(OLD[:CUT_AT]), body=OLD[:CUT_AT]),
    after_cut("416-unequal", refuse(416, f"Content-Range: bytes */{SIZE}"), whole()),
    after_cut("416-shorter", refuse(416, "Content-Range: bytes */1000"), whole(NEW[:1000]), body=NEW[:1000]),
    after_cut("416-bare", refuse(416), whole()),
    # It gives no way to ask for the rest.
    Case("weak-etag", (cut(WEAK), whole()), NO_RANGE),
    Case("unquoted-etag", (cut("ETag: old"), whole()), NO_RANGE),
    Case("young-date", (cut(YOUNG_DATE, DATE), whole()), NO_RANGE),
    Case("date-alone", (cut(OLD_DATE), whole()), NO_RANGE),
    Case("no-validator", (cut("X: y"), whole()), NO_RANGE),
    Case("was-encoded", (cut('ETag: "old"', "Content-Encoding: gzip"), whole()), NO_RANGE),
    Case("little", (cut(at=500_000), whole()), NO_RANGE),
    # The head was wrong, or the tail; nobody can say which.
    Case("wrong-once", (cut(body=NEW), rest(OLD), whole()), FROM_ZERO, sha256=SHA256),
    Case("wrong-for-ever", (cut(body=NEW), rest(NEW), whole(NEW)), FROM_ZERO, None, False, "checksum", SHA256),
    # A part although the whole was asked for.
    Case(
        "part-for-ever",
        (cut(), say(head(206, f"Content-Range: bytes 0-9/{SIZE}", length=10), OLD[:10])),
        FROM_ZERO,
        None,
        False,
        "protocol",
    ),
    # The same range is not asked for twice after it did not fit, nor is what came then kept for another.
    Case("cut-without-end", (cut(), refuse(416), cut(), whole()), (WHOLE, REST, WHOLE, WHOLE)),
    Case("gone-between", (cut(), refuse(404)), ONCE_MORE, None, False, "http"),
]
#: How much of it is there when it is cut is left to the moment; a reset makes the system forget what was not yet read.
ABRUPT = {"reset": (cut(end=Client.reset), rest()), "stalled": (cut(end=Client.hold), rest())}
BY_NAME = {case.name: case for case in CASES}


@dataclass
class Run:
    """One job over all cases."""

    ranges: Ranges
    directory: Path
    outcomes: dict[str, aioflags.Outcome]


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
    """Every case through one engine, in one job that keeps no ledger."""
    directory = tmp_path_factory.mktemp("run")
    context = None
    cacert = None
    if scheme == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        cacert = str(directory / "ca.pem")
        authority.cert_pem.write_to_path(cacert)
    ranges = Ranges()
    cases = {case.name: (case.answers, case.sha256) for case in CASES} | {
        name: (answers, None) for name, answers in ABRUPT.items()
    }
    faults = {name.partition("?")[0]: ranges.steps(*answers) for name, (answers, _) in cases.items()}
    with HostileServer(faults, context) as server:
        items = [aioflags.Item(f"{server.url}/{name}", sha256=sha256) for name, (_, sha256) in cases.items()]
        report = asyncio.run(
            aioflags.download_many(
                items,
                directory / "files",
                engine=request.param,
                retries=2,
                per_host=0,
                first_byte_timeout=10,
                idle_timeout=1,
                cacert=cacert,
            )
        )
        outcomes = {outcome.url.rpartition("/")[2]: outcome for outcome in report}
        yield Run(ranges, directory / "files", outcomes)


@pytest.mark.parametrize("name", BY_NAME)
def test_cut_file_ends_as_it_must(run: Run, name: str) -> None:
    """Every byte is of one file, the outcome says from where it went on, and nothing was asked for twice."""
    case, outcome = BY_NAME[name], run.outcomes[name]
    assert (outcome.error and outcome.error.kind) == case.kind, outcome
    starts = [asked.start for asked in run.ranges.asked[f"/{name}"]]
    assert tuple(WHOLE if start is None else REST for start in starts) == case.asked
    rests = [start for start in starts if start is not None]
    # What was on its way when the connection ended may be lost under TLS.
    assert all(1 << 20 <= start <= SIZE for start in rests)
    assert outcome.resumed_from == (rests[-1] if case.is_resumed else 0)
    file = run.directory / name.partition("?")[0]
    found = file.read_bytes() if file.exists() else None
    assert found == case.body
    assert outcome.bytes == len(case.body or b"")
    assert outcome.attempts == len(case.asked)
    if case.sha256 is not None and case.body is not None:
        assert outcome.digests["sha256"] == case.sha256


@pytest.mark.parametrize("name", ABRUPT)
def test_what_came_before_an_abrupt_end_is_kept(run: Run, name: str) -> None:
    """All of it, but for what was under way between socket and disk."""
    outcome = run.outcomes[name]
    _, second = run.ranges.asked[f"/{name}"]
    assert outcome.resumed_from == (second.start or 0)
    assert outcome.resumed_from >= 1 << 20 or name == "reset"
    assert (run.directory / name).read_bytes() == OLD


def test_range_is_never_asked_for_without_its_condition(run: Run) -> None:
    """What comes after the head of one file is of no use to another."""
    asked = [each for requests in run.ranges.asked.values() for each in requests]
    assert len(asked) > len(CASES)
    assert all((each.start is None) == (each.if_range is None) for each in asked)
    dates = {each.if_range for each in asked if each.if_range and not each.if_range.startswith('"')}
    assert dates == {OLD_DATE.partition(": ")[2]}


def test_nothing_is_left_but_whole_files(run: Run) -> None:
    """No part, no private folder."""
    saved = {case.name.partition("?")[0] for case in CASES if case.body is not None} | ABRUPT.keys()
    assert {path.name for path in run.directory.iterdir()} == saved
