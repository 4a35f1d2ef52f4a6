"""Who makes the attempts of a job: a dispatcher on this loop, or workers with loops of their own."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace

from aioflags.dispatcher import Dispatcher
from aioflags.engines.seam import Engine
from aioflags.equipment import Equipment
from aioflags.errors import DownloadError, UsageError
from aioflags.settings import EngineName, Settings
from aioflags.shards.division import divide
from aioflags.shards.messages import Plan
from aioflags.shards.team import Team
from aioflags.trace import Tracer

__all__ = ["check_processes", "gather_workforce"]


def check_processes(settings: Settings, engine: EngineName | Engine, tracer: Tracer | None) -> None:
    """Make sure that a job can have as many processes as it asks for.

    Raises:
        UsageError: It cannot, and why.
    """
    if settings.processes == 1:
        return
    if engine not in {"asyncio", "aiohttp"}:
        raise UsageError("--processes is for the engines on the event loop: choose --engine asyncio or aiohttp")
    if tracer is not None:
        raise UsageError("a trace shows one event loop: leave out --processes, or --trace and --trace-file")
    if os.name != "posix":
        raise UsageError("--processes needs a system with Unix sockets: leave it out")


def gather_workforce(
    settings: Settings,
    engine: EngineName | Engine,
    equipment: Equipment,
    headers: Mapping[str, str],
    *,
    on_idle: Callable[[], None],
    on_fault: Callable[[DownloadError], None],
    tracer: Tracer | None,
) -> Dispatcher | Team:
    """Make who is to do a job; nothing is begun yet.

    Args:
        settings: Limits of the whole job.
        engine: As it was chosen.
        equipment: What there is to work with.
        headers: Sent with every request.
        on_idle: Called when more could be started, but nothing that is waiting may start now.
        on_fault: Called once when the destination itself has failed.
        tracer: Told what happens, `None` for nobody.
    """
    settings = _within_capacity(settings, equipment.engine)
    if isinstance(engine, str) and len(shares := divide(settings)) > 1:
        plans = [Plan(equipment.place, share, engine, headers) for share in shares]
        reclaim = (lambda entry: equipment.claims.submit(([entry], None))) if settings.ledger else None
        return Team(plans, on_idle=on_idle, on_fault=on_fault, reclaim=reclaim)
    return Dispatcher(settings, equipment.engine, on_idle=on_idle, on_fault=on_fault, tracer=tracer)


def _within_capacity(settings: Settings, engine: Engine) -> Settings:
    if engine.capacity is None:
        return settings
    return replace(settings, concurrency=min(settings.concurrency, engine.capacity))
