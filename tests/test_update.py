"""`update`: what changed is fetched again, and only that; asked with what the file came with, in every engine."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

import pytest

import aioflags
from aioflags.audit import Audit
from aioflags.items import Status
from aioflags.ledger_rows import State
from aioflags.settings import EngineName
from tests.hostile import BODY, Client, HostileServer, head
from tests.rangefaults import NEW, OLD, Ranges, cut, field_of, rest, whole

ENGINES: tuple[EngineName, ...] = ("asyncio", "aiohttp", "threads", "processes", "sequential")
DATE = "Wed, 01 Jan 2020 00:00:00 GMT"
CHANGED = BODY[::-1]


class Origin:
    """A file with a version; notes the conditions that it is asked with."""

    def __init__(self, *fields: str) -> None:
        self.fields = fields
        self.body = BODY
        self.is_unchanged = False
        self.is_out_of_order = False
        self.conditions: list[tuple[str | None, str | None]] = []

    def __call__(self, client: Client) -> None:
        self.conditions.append((field_of(client, "If-None-Match"), field_of(client, "If-Modified-Since")))
        if self.is_out_of_order:
            client.send(head(503, length=0))
        elif self.is_unchanged:
            client.send(head(304, *self.fields, length=None))
        else:
            client.send(head(200, *self.fields, length=len(self.body)), self.body)


def run(server: HostileServer, directory: Path, engine: EngineName, **options: object) -> aioflags.Report:
    """One run for one file."""
    settings = {"ledger": True, "update": True, "retries": 1, **options}
    return asyncio.run(
        aioflags.download_many([f"{server.url}/file"], directory, engine=engine, **settings)  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("fields", "condition"),
    [
        (('ETag: "a"',), ('"a"', None)),
        (('ETag: W/"a"', f"Last-Modified: {DATE}"), ('W/"a"', None)),
        ((f"Last-Modified: {DATE}",), (None, DATE)),
    ],
)
@pytest.mark.parametrize("engine", ENGINES)
def test_file_is_asked_for_if_it_has_changed(
    tmp_path: Path, engine: EngineName, fields: tuple[str, ...], condition: tuple[str | None, str | None]
) -> None:
    """Not changed it is present, with its size and digests; changed it takes the place of the old one."""
    origin = Origin(*fields)
    with HostileServer({"file": origin}) as server:
        (first,) = run(server, tmp_path, engine)
        origin.is_unchanged = True
        (second,) = run(server, tmp_path, engine)
        assert (second.status, second.http_status, second.attempts) == (Status.PRESENT, 304, 1)
        assert (second.bytes, second.digests, second.path) == (first.bytes, first.digests, first.path)
        assert (tmp_path / "file").read_bytes() == BODY
        origin.is_unchanged, origin.body = False, CHANGED
        (third,) = run(server, tmp_path, engine)
    assert (third.status, third.http_status) == (Status.SAVED, 200)
    assert (tmp_path / "file").read_bytes() == CHANGED
    assert origin.conditions == [(None, None), condition, condition]


@pytest.mark.parametrize("engine", ENGINES)
def test_without_a_validator_the_file_is_fetched_again(tmp_path: Path, engine: EngineName) -> None:
    """There is nothing to ask with."""
    origin = Origin()
    with HostileServer({"file": origin}) as server:
        run(server, tmp_path, engine)
        origin.body = CHANGED
        (second,) = run(server, tmp_path, engine)
        assert second.status is Status.SAVED
        assert (tmp_path / "file").read_bytes() == CHANGED
        origin.is_unchanged = True
        (third,) = run(server, tmp_path, engine)
    # Nobody asked whether it has changed, so the answer is no answer.
    assert (third.status, third.error and third.error.kind) == (Status.FAILED, "http")
    assert (tmp_path / "file").read_bytes() == CHANGED
    assert origin.conditions == [(None, None)] * 3


@pytest.mark.parametrize("engine", ENGINES)
def test_without_update_nothing_is_asked(tmp_path: Path, engine: EngineName) -> None:
    """What is done is done."""
    origin = Origin('ETag: "a"')
    with HostileServer({"file": origin}) as server:
        run(server, tmp_path, engine)
        (second,) = run(server, tmp_path, engine, update=False)
    assert (second.status, second.http_status, second.attempts) == (Status.PRESENT, None, 0)
    assert len(origin.conditions) == 1


@pytest.mark.parametrize(("fields", "condition"), [(('ETag: "a"',), ('"a"', None)), ((), (None, None))])
@pytest.mark.parametrize("engine", ENGINES)
def test_what_could_not_be_refreshed_is_asked_for_again(
    tmp_path: Path, engine: EngineName, fields: tuple[str, ...], condition: tuple[str | None, str | None]
) -> None:
    """It stays as it was, and that it could not is on record: the next run tries again, whatever it is told."""
    origin = Origin(*fields)
    with HostileServer({"file": origin}) as server:
        run(server, tmp_path, engine)
        origin.is_out_of_order = True
        for update in (True, False):
            (failed,) = run(server, tmp_path, engine, update=update, retries=0)
            assert (failed.status, failed.http_status) == (Status.FAILED, 503)
            assert (tmp_path / "file").read_bytes() == BODY
            with closing(Audit(str(tmp_path))) as audit:
                assert audit.standing().counts == {State.STALE: 1}
        origin.is_out_of_order, origin.is_unchanged = False, bool(fields)
        (outcome,) = run(server, tmp_path, engine, update=False)
        assert outcome.status is (Status.PRESENT if fields else Status.SAVED)
        (outcome,) = run(server, tmp_path, engine, update=False)
        assert (outcome.status, outcome.attempts) == (Status.PRESENT, 0)
    assert origin.conditions == [(None, None), *[condition] * 3]


@pytest.mark.parametrize("engine", ENGINES)
def test_changed_file_that_is_cut_goes_on_and_the_old_one_stays_until_then(tmp_path: Path, engine: EngineName) -> None:
    """The new head and the new tail replace the old file together."""
    ranges = Ranges()
    renewed = 'ETag: "new"'
    with HostileServer({"file": ranges.steps(whole(), cut(renewed, body=NEW), rest(NEW, renewed))}) as server:
        run(server, tmp_path, engine)
        (failed,) = run(server, tmp_path, engine, retries=0)
        assert failed.status is Status.FAILED
        assert (tmp_path / "file").read_bytes() == OLD
        (outcome,) = run(server, tmp_path, engine, retries=0)
    assert outcome.status is Status.SAVED
    assert (tmp_path / "file").read_bytes() == NEW
