"""The short form of the kills, and what its origin promises."""

from __future__ import annotations

import http.client
import random
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from tests.torture.kills import Figures, Job, kill_again_and_again
from tests.torture.origin import Origin

BODY = bytes(range(256)) * 10


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_no_moment_to_be_killed_is_a_bad_one(tmp_path: Path, seed: int) -> None:
    """No wrong byte under a final name, nothing fetched twice, and the same command completes the job."""
    figures = kill_again_and_again(3, seed, tmp_path)
    assert figures.wrong == []
    assert figures.kills == 3


# It writes under the final name as bytes come, and begins from the start each time.
CARELESS = """
import pathlib, sys, urllib.request
for url in pathlib.Path(sys.argv[1]).read_text().split():
    with urllib.request.urlopen(url) as answer, open(f"{sys.argv[2]}/{url.rpartition('/')[2]}", "wb", 0) as file:
        while block := answer.read(5000):
            file.write(block)
"""


@pytest.mark.slow
def test_careless_program_is_caught(tmp_path: Path) -> None:
    """One that keeps no ledger, starts anew, and leaves what it has when it is killed."""
    figures = Figures()
    job = Job(tmp_path, random.Random(1), figures, "asyncio")
    (tmp_path / "files" / ".aioflags").mkdir(parents=True)
    job.command = [sys.executable, "-c", CARELESS, str(tmp_path / "list.txt"), str(tmp_path / "files")]
    job.run(2)
    said = " ".join(figures.wrong)
    for fault in ("has wrong bytes", "asked for again", "not in the ledger", "requests for a finished job"):
        assert fault in said


def test_origin_continues_only_what_it_knows() -> None:
    """The rest under the same validator, else the whole."""
    tag = f'"{sha256(BODY).hexdigest()[:20]}"'
    with Origin({"x": BODY}, 0) as origin:
        connection = http.client.HTTPConnection("127.0.0.1", origin.port, timeout=5)
        answers = []
        for fields in ({}, {"Range": "bytes=9-", "If-Range": tag}, {"Range": "bytes=9-", "If-Range": '"old"'}):
            connection.request("GET", "/x", headers=fields)
            answer = connection.getresponse()
            answers.append((answer.status, answer.getheader("Content-Range"), answer.read()))
        connection.close()
    assert answers == [(200, None, BODY), (206, "bytes 9-2559/2560", BODY[9:]), (200, None, BODY)]
    assert (origin.requests["x"], origin.continued, origin.sent) == (3, 1, 3 * 2560 - 9)
