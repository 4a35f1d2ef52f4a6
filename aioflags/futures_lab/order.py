"""Claims about many Futures at once: the order in which their results come."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from concurrent.futures import ThreadPoolExecutor

from aioflags.futures_lab.lab import Claim, Facts

__all__ = ["CLAIMS"]


def map_concurrent() -> Facts:
    may_end = {name: threading.Event() for name in "abc"}
    ended: list[str] = []

    def work(name: str) -> str:
        may_end[name].wait()
        ended.append(name)
        for other in "abc"[: "abc".index(name)][-1:]:
            may_end[other].set()  # after me, the one before me
        return name

    may_end["c"].set()
    with ThreadPoolExecutor(3) as executor:
        given = list(executor.map(work, "abc"))
    return {"ended": " ".join(ended), "given": " ".join(given)}


async def map_asyncio() -> Facts:
    may_end = {name: asyncio.Event() for name in "abc"}
    ended: list[str] = []

    async def work(name: str) -> str:
        await may_end[name].wait()
        ended.append(name)
        for other in "abc"[: "abc".index(name)][-1:]:
            may_end[other].set()  # after me, the one before me
        return name

    may_end["c"].set()
    given = await asyncio.gather(*map(work, "abc"))
    return {"ended": " ".join(ended), "given": " ".join(given)}


MAP = Claim(
    name="map-keeps-the-order",
    sentence="Executor.map() gives results in the order of the calls, whichever ends first; so does asyncio.gather().",
    lesson="Results stand beside their inputs, but the first result is given no sooner than the first call ends, "
    "however many others have ended before.",
    probes=(map_concurrent, map_asyncio),
    expected={"ended": ("c b a", "c b a"), "given": ("a b c", "a b c")},
)


def as_completed_concurrent() -> Facts:
    may_end = {name: threading.Event() for name in "abc"}

    def work(name: str) -> str:
        may_end[name].wait()
        return name

    given = []
    with ThreadPoolExecutor(3) as executor:
        futures = [executor.submit(work, name) for name in "abc"]
        waiting = ["a", "b", "c"]
        may_end[waiting.pop()].set()
        for future in concurrent.futures.as_completed(futures):
            given.append(future.result())
            if waiting:
                may_end[waiting.pop()].set()
    return {"called": "a b c", "given": " ".join(given)}


async def as_completed_asyncio() -> Facts:
    may_end = {name: asyncio.Event() for name in "abc"}

    async def work(name: str) -> str:
        await may_end[name].wait()
        return name

    given = []
    futures = [asyncio.create_task(work(name)) for name in "abc"]
    waiting = ["a", "b", "c"]
    may_end[waiting.pop()].set()
    for future in asyncio.as_completed(futures):
        given.append(await future)
        if waiting:
            may_end[waiting.pop()].set()
    return {"called": "a b c", "given": " ".join(given)}


AS_COMPLETED = Claim(
    name="as-completed-by-completion",
    sentence="as_completed() gives Futures in the order in which they complete, in both worlds.",
    lesson="Use it to handle each result as soon as it is there; keep a dict from Future to input to know whose it is.",
    probes=(as_completed_concurrent, as_completed_asyncio),
    expected={"called": ("a b c", "a b c"), "given": ("c b a", "c b a")},
)

CLAIMS = (MAP, AS_COMPLETED)
