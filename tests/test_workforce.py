"""One dispatcher or several workers, as the job asks and its engine can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aioflags.dispatcher import Dispatcher
from aioflags.engines.fake import FakeEngine
from aioflags.engines.seam import Engine
from aioflags.equipment import open_equipment
from aioflags.errors import UsageError
from aioflags.settings import EngineName, Settings
from aioflags.shards.team import Team
from aioflags.trace import Attempted, Finished, Scheduled, Tracer
from aioflags.workforce import check_processes, gather_workforce


class Deaf:
    """A tracer that listens to nothing."""

    def scheduled(self, event: Scheduled) -> None:
        """See `Tracer`."""

    def attempted(self, event: Attempted) -> None:
        """See `Tracer`."""

    def finished(self, event: Finished) -> None:
        """See `Tracer`."""


async def gather(directory: Path, engine: EngineName | Engine = "asyncio", **options: Any) -> Dispatcher | Team:
    settings = Settings(**options)
    async with open_equipment(directory, settings, engine) as equipment:
        return gather_workforce(
            settings, engine, equipment, {}, on_idle=lambda: None, on_fault=lambda _: None, tracer=None
        )


async def test_one_process_has_a_dispatcher_on_this_loop(tmp_path: Path) -> None:
    """It has as many jobs at work as are allowed."""
    made = await gather(tmp_path, concurrency=7)
    assert isinstance(made, Dispatcher)
    assert made.capacity == 7


async def test_several_processes_have_more_jobs_at_hand_than_are_in_flight(tmp_path: Path) -> None:
    """No worker waits for the next share; what is in flight is bounded by its own limits."""
    made = await gather(tmp_path, concurrency=7, processes=2)
    assert isinstance(made, Team)
    assert made.capacity > 7


@pytest.mark.parametrize("limit", [{"concurrency": 1}, {"per_host": 1}])
async def test_what_cannot_be_divided_stays_in_one_process(tmp_path: Path, limit: dict[str, Any]) -> None:
    """Two workers would be two at a time."""
    assert isinstance(await gather(tmp_path, processes=2, **limit), Dispatcher)


async def test_engine_that_can_do_less_at_a_time_gets_less(tmp_path: Path) -> None:
    """What it cannot begin waits where it can be cancelled."""
    engine = FakeEngine()
    engine.capacity = 3
    assert (await gather(tmp_path, engine, concurrency=7)).capacity == 3


@pytest.mark.parametrize(
    ("engine", "tracer", "advice"),
    [
        ("threads", None, "choose --engine asyncio"),
        (FakeEngine(), None, "choose --engine asyncio"),
        ("asyncio", Deaf(), "leave out --processes, or --trace"),
    ],
)
def test_processes_that_cannot_be_had_are_refused(
    engine: EngineName | Engine, tracer: Tracer | None, advice: str
) -> None:
    """At once, with what to do; one process is never refused."""
    check_processes(Settings(), engine, tracer)
    with pytest.raises(UsageError, match=advice):
        check_processes(Settings(processes=2), engine, tracer)
