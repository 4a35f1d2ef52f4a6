"""A list through two processes, with real servers, files and processes."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

import aioflags
from aioflags.errors import UsageError
from aioflags.items import Status
from aioflags.shards.team import Team
from tests.hostile import BODY, Client, HostileServer, head


def _answer(client: Client) -> None:
    client.send(head(200), BODY)


async def test_each_item_has_one_outcome_and_its_bytes(tmp_path: Path) -> None:
    """Two workers bring what one would: every file whole, every URL once."""
    with HostileServer({"f": _answer}) as server:
        urls = [f"{server.url}/f/{number}.bin" for number in range(20)]
        report = await aioflags.download_many([*urls, urls[0]], tmp_path, processes=2)
    assert [each.status for each in report.outcomes].count(Status.SAVED) == 20
    assert [each.status for each in report.outcomes].count(Status.DUPLICATE) == 1
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {f"{n}.bin": BODY for n in range(20)}


async def test_items_of_a_killed_worker_are_fetched_by_another(tmp_path: Path) -> None:
    """One outcome each, all saved, although a worker was killed amid its attempts."""
    with HostileServer({"f": _answer}) as server:
        urls = [f"{server.url}/f/{number}.bin" for number in range(300)]
        async with aioflags.Downloader(tmp_path, processes=2) as downloader:
            collected = []
            async with downloader.outcomes(urls) as outcomes:
                async for outcome in outcomes:
                    collected.append(outcome)
                    if len(collected) == 5:
                        team = downloader._dispatcher
                        assert isinstance(team, Team)
                        os.kill(next(hand.child.pid for hand in team._hands if hand.child), signal.SIGKILL)
    assert sorted(outcome.url for outcome in collected) == sorted(urls)
    assert {outcome.status for outcome in collected} == {Status.SAVED}


def test_engines_without_a_loop_are_refused(tmp_path: Path) -> None:
    """The call is wrong, and the message says what to choose."""
    with pytest.raises(UsageError, match="choose --engine asyncio or aiohttp"):
        aioflags.Downloader(tmp_path, engine="threads", processes=2)
