"""Around a request: the rule for addresses before it, what becomes of the bytes after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from aioflags.destination import Destination
from aioflags.engines.fetching import fetch_with
from aioflags.engines.seam import Attempt, AttemptResult, Meter
from aioflags.journal import Half
from aioflags.storage import Storage, Stream
from aioflags.urls import parse_url
from aioflags.writer import Wanted, Writer

SAVED = AttemptResult(http_status=200)


@pytest_asyncio.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    destination = Destination(tmp_path / "files")
    destination.open()
    storage = Storage(Writer(destination))
    yield storage
    await storage.close()
    destination.close()


def parts(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "files").rglob("*.part"))


def attempt(url: str = "http://a.example/file", **details: Any) -> Attempt:
    return Attempt(parse_url(url), "file", **details)


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://[::1]/", "http://localhost/"])
async def test_private_host_is_not_asked_where_only_public_ones_may_be(storage: Storage, url: str) -> None:
    """Its URL says enough."""
    asked = []

    async def request(*given: Any) -> AttemptResult:
        asked.append(given)
        return SAVED

    result = await fetch_with(storage, attempt(url, is_public_only=True), Meter(), request)
    assert result.error is not None
    assert (result.error.kind, result.requests, asked) == ("policy", 0, [])
    assert await fetch_with(storage, attempt(url), Meter(), request) is SAVED


@pytest.mark.parametrize("end", ["error", "bug", "cancelled"])
async def test_bytes_that_nobody_goes_on_with_are_gone(storage: Storage, tmp_path: Path, end: str) -> None:
    """However the request ends."""
    seen: list[int] = []

    async def request(_: Attempt, stream: Stream, __: Meter) -> AttemptResult:
        stream.accept(Wanted("file"))
        await stream.write([b"some bytes"])
        await stream.write([b"more of them"])
        seen.append(len(parts(tmp_path)))
        if end == "bug":
            raise ZeroDivisionError
        if end == "cancelled":
            raise asyncio.CancelledError
        return SAVED

    try:
        await fetch_with(storage, attempt(), Meter(), request)
    except (ZeroDivisionError, asyncio.CancelledError):
        assert end != "error"
    assert seen == [1]
    assert parts(tmp_path) == []


async def test_head_of_another_source_is_not_gone_on_from(storage: Storage) -> None:
    """The server that was redirected to may have another file of that name."""
    half = Half("none.part", 2_000_000, '"e"', "http://b.example/file", 3_000_000, 2_000_000, "0" * 32)
    heads: list[Half | None] = []

    async def request(_: Attempt, stream: Stream, __: Meter) -> AttemptResult:
        heads.append(stream.head)
        return SAVED

    await fetch_with(storage, attempt(half=half), Meter(), request)
    assert heads == [None]
