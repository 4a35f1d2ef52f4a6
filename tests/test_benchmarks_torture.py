"""The rule of the torture benchmark is the same for all, and its server and its runs show what they claim to show."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.torture.command import table
from benchmarks.torture.mishaps import MISHAPS, Scene
from benchmarks.torture.runs import run
from benchmarks.torture.server import MODIFIED, MishapServer
from benchmarks.torture.tools import LIBRARIES, TOOLS, Tool, absent, present
from benchmarks.torture.verdict import Ending, Verdict, judge

BODY = bytes(range(256)) * 20
OLD = BODY[::-1]
GOOD = b"good" * 500


def scene(**fields: Any) -> Scene:
    return Scene({}, **{"wanted": [BODY], **fields})


@pytest.mark.parametrize(
    ("scene", "ending", "verdict"),
    [
        (scene(), Ending(0, {"x": BODY}), Verdict(True, True, "ok")),
        (scene(), Ending(0, {"any/name": BODY}), Verdict(True, True, "ok")),
        (scene(), Ending(7, {"x": BODY}), Verdict(True, True, "ok, yet exit 7")),
        (scene(), Ending(1, {}), Verdict(True, False, "gave up")),
        (scene(), Ending(0, {}), Verdict(False, False, "0 of 1 saved, exit 0")),
        (scene(is_due=True), Ending(1, {}), Verdict(False, False, "0 of 1 saved, exit 1")),
        (scene(wanted=[BODY, GOOD]), Ending(0, {"x": GOOD}), Verdict(False, False, "1 of 2 saved, exit 0")),
        (scene(), Ending(0, {"x": BODY, "x.1": BODY}), Verdict(False, True, "1 duplicates")),
        (scene(), Ending(1, {"x": BODY[:2560]}), Verdict(False, False, "half file, exit 1")),
        (scene(), Ending(1, {"x": BODY[:2560] + bytes(2560)}), Verdict(False, False, "half file, exit 1")),
        (scene(), Ending(0, {"x": b""}), Verdict(False, False, "empty file, exit 0")),
        (scene(), Ending(0, {"x": b"?"}), Verdict(False, False, "wrong bytes, exit 0")),
        (scene(wrong={b"?": "error page"}), Ending(0, {"x": b"?"}), Verdict(False, False, "error page, exit 0")),
        (
            scene(others=[OLD]),
            Ending(0, {"x": OLD[:2560] + BODY[2560:]}),
            Verdict(False, False, "old head, new tail, exit 0"),
        ),
        (
            scene(wanted=[BODY, GOOD]),
            Ending(0, {"x": GOOD[:1000] + BODY[1000:]}),
            Verdict(False, False, "mixed bytes, exit 0"),
        ),
        (scene(), Ending(None, {}), Verdict(False, False, "still running")),
        (scene(), Ending(None, {"x": BODY[:2560]}), Verdict(False, False, "half file, still running")),
        (scene(), Ending(0, {"x": BODY}, ("evil",)), Verdict(False, True, "wrote outside")),
        (scene(wanted=[], refused=1), Ending(1, {}), Verdict(True, True, "gave up")),
        (scene(wanted=[], refused=1), Ending(0, {}), Verdict(False, True, "no file, exit 0")),
        (
            scene(wanted=[], refused=1, others=[BODY]),
            Ending(1, {"x": BODY[:2560]}),
            Verdict(False, True, "half file, exit 1"),
        ),
        (scene(refused=1), Ending(1, {"x": BODY}), Verdict(True, True, "ok")),
        (scene(is_finished=True), Ending(0, {"x": BODY}, requests=3), Verdict(True, True, "ok, 3 requests")),
        (scene(is_finished=True), Ending(0, {"x": BODY}, refetched=5120), Verdict(False, True, "fetched again")),
        (scene(is_finished=True), Ending(1, {"x": BODY}), Verdict(False, True, "all there, exit 1")),
    ],
)
def test_one_rule_for_all(scene: Scene, ending: Ending, verdict: Verdict) -> None:
    """Files and exit status decide, and what is wrong is named by its worst."""
    assert judge(scene, ending) == verdict


@pytest.fixture
def server() -> Iterator[MishapServer]:
    with MishapServer({"/x": lambda exchange: exchange.serve(BODY, until=4000)}) as server:
        yield server


def ask(server: MishapServer, method: str = "GET", **fields: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=5)
    connection.request(method, "/x", headers={name.replace("_", "-"): value for name, value in fields.items()})
    answer = connection.getresponse()
    try:
        body = answer.read()
    except http.client.IncompleteRead as error:
        body = error.partial
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


def test_server_knows_conditions_and_ranges(server: MishapServer) -> None:
    """So that no tool fails for want of what a well-kept server offers."""
    status, fields, body = ask(server)
    tag = fields["etag"]
    assert (status, fields["content-length"], body) == (200, "5120", BODY[:4000])
    assert ask(server, "HEAD")[2] == b""
    assert ask(server, If_None_Match=tag)[0] == 304
    assert ask(server, If_Modified_Since=MODIFIED)[0] == 304
    assert ask(server, Range="bytes=10-19")[0::2] == (206, BODY[10:20])
    assert ask(server, Range="bytes=3990-", If_Range=tag)[0::2] == (206, BODY[3990:4000])
    assert ask(server, Range="bytes=10-19", If_Range='"other"')[0::2] == (200, BODY[:4000])
    status, fields, _ = ask(server, Range="bytes=5120-")
    assert (status, fields["content-range"]) == (416, "bytes */5120")
    assert server.requests == {("GET", "/x"): 7, ("HEAD", "/x"): 1}
    assert server.sent == 4000 + 10 + 10 + 4000


# What it saves is the body's beginning, under the last name only, and it always says that all went well.
LIAR = """
import pathlib, sys, urllib.request
urls, directory = map(pathlib.Path, sys.argv[1:])
for url in urls.read_text().split():
    with urllib.request.urlopen(url) as answer:
        (directory / url.rpartition("/")[2]).write_bytes(answer.read(1000))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "words"),
    [("T1", "half file, exit 0"), ("T2", "half file, exit 0"), ("T3", "half file, exit 0")],
)
def test_a_careless_tool_is_caught(key: str, words: str) -> None:
    """The benchmark can fail a tool: one that saves beginnings and says 0."""
    mishap = next(each for each in MISHAPS if each.key == key)
    tool = Tool("liar", "1", lambda urls, directory: [sys.executable, "-c", LIAR, str(urls), str(directory)])
    assert run(mishap, tool, 20).verdict.words == words


@pytest.mark.slow
@pytest.mark.parametrize("key", ["T1", "T2", "T8", "T10"])
def test_aioflags_survives(key: str) -> None:
    """Through the command line, as everyone else."""
    tool = present("aioflags", sys.executable)
    assert tool is not None
    result = run(next(each for each in MISHAPS if each.key == key), tool, 60)
    assert result.verdict == Verdict(True, True, "gave up" if key == "T2" else "ok"), result.said


def test_missing_peers_are_skipped_aloud(tmp_path: Path) -> None:
    """With the command that installs them."""
    assert {name for name in LIBRARIES if present(name, str(tmp_path / "none")) is None} == set(LIBRARIES)
    assert "apt-get install aria2)" in absent("aria2c")
    for name in TOOLS:
        assert absent(name).startswith(f"{name} is not installed: skipped (")


def test_table_shows_what_was_not_survived_in_bold() -> None:
    """A row for each mishap, a column for each tool with its version, and sums."""
    tool = present("aioflags", sys.executable)
    assert tool is not None
    liar = Tool("liar", "1", lambda urls, directory: [sys.executable, "-c", LIAR, str(urls), str(directory)])
    result = run(MISHAPS[0], liar, 20)
    assert table([result], [liar]).splitlines() == [
        "| mishap | liar 1 |",
        "|---|---|",
        "| T1 three URLs, one basename | **half file, exit 0** |",
        "| survived, of 1 | 0 |",
        "| all files that could be had, of 1 | 0 |",
    ]
