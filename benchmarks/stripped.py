"""aioflags with a layer taken out: what is then missing from the bill is what the layer costs.

`python -m benchmarks.stripped VARIANT LIST DIRECTORY CONNECTIONS` downloads the URLs of a file, one a line, with a
library that is whole but for what the variant says, and fails unless every file was saved, or would have been.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import aioflags.equipment
from aioflags.downloader import Downloader
from aioflags.engines.fake import FakeEngine
from aioflags.engines.seam import Attempt, Engine, Meter
from aioflags.equipment import open_equipment
from aioflags.items import Item, Status
from aioflags.settings import EngineName, Settings
from aioflags.urls import parse_url
from aioflags.writer import Saved, Whole, Writer
from benchmarks.bare import fetch_barely, save_barely

__all__ = ["KEEPS_FILES", "VARIANTS"]

# A server's limit is not ours.
_PER_HOST = 0


class _ForgetfulWriter(Writer):
    """Is given bodies like any writer, in its threads, and keeps nothing."""

    def write_group(self, group: Sequence[Whole]) -> list[Saved | Exception]:
        return [Saved(sum(map(len, whole.chunks)), {"xxh128": "0" * 32}) for whole in group]


def _forget_files() -> None:
    aioflags.equipment.Writer = _ForgetfulWriter  # type: ignore[attr-defined]


async def _download(
    items: Iterator[Item],
    directory: str,
    connections: int,
    *,
    ledger: bool = True,
    engine: EngineName | Engine = "asyncio",
) -> int:
    saved = 0
    downloader = Downloader(directory, engine=engine, ledger=ledger, concurrency=connections, per_host=_PER_HOST)
    async with downloader, downloader.outcomes(items) as outcomes:
        async for outcome in outcomes:
            saved += outcome.status is Status.SAVED
    return saved


async def _whole(items: Iterator[Item], directory: str, connections: int) -> int:
    return await _download(items, directory, connections)


async def _without_ledger(items: Iterator[Item], directory: str, connections: int) -> int:
    return await _download(items, directory, connections, ledger=False)


async def _without_files(items: Iterator[Item], directory: str, connections: int) -> int:
    _forget_files()
    return await _download(items, directory, connections)


async def _without_network(items: Iterator[Item], directory: str, connections: int) -> int:
    return await _download(items, directory, connections, engine=FakeEngine())


async def _policy_alone(items: Iterator[Item], directory: str, connections: int) -> int:
    return await _download(items, directory, connections, engine=FakeEngine(), ledger=False)


async def _engine_alone(items: Iterator[Item], directory: str, connections: int) -> int:
    """No list, no names, no schedule, no ledger, no files: as many workers as connections, and the engine."""
    _forget_files()
    settings = Settings(concurrency=connections, per_host=_PER_HOST, ledger=False)
    saved = 0

    async def work(engine: Engine) -> None:
        nonlocal saved
        for item in items:
            assert item.name is not None
            result = await engine.fetch(Attempt(parse_url(item.url), item.name), Meter())
            saved += result.error is None

    async with open_equipment(directory, settings, "asyncio") as equipment, asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(work(equipment.engine))
    return saved


async def _without_collector(items: Iterator[Item], directory: str, connections: int) -> int:
    gc.disable()
    return await _download(items, directory, connections)


VARIANTS: dict[str, Callable[[Iterator[Item], str, int], Awaitable[int]]] = {
    "the library, whole": _whole,
    "without ledger": _without_ledger,
    "writes nothing": _without_files,
    "without collector": _without_collector,
    "without network": _without_network,
    "without network and ledger": _policy_alone,
    "engine alone, writes nothing": _engine_alone,
    "a bare protocol": save_barely,
    "a bare protocol, writes nothing": fetch_barely,
}
"""What is left of it, by what is said of it."""

KEEPS_FILES = frozenset({"the library, whole", "without ledger", "without collector", "a bare protocol"})
"""Those of `VARIANTS` after which the files are there."""


def main() -> None:
    """Do what the command line says.

    Raises:
        SystemExit: Not every file was saved.
    """
    variant, path, directory, connections = sys.argv[1:]
    urls = Path(path).read_text().split()
    items = (Item(url, name=url.rpartition("/")[2]) for url in urls)
    factory = None
    if sys.platform != "win32":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        saved = runner.run(_run(variant, items, directory, int(connections)))
    if saved != len(urls):
        sys.exit(f"{saved} of {len(urls)} were saved")


async def _run(variant: str, items: Iterator[Item], directory: str, connections: int) -> int:
    return await VARIANTS[variant](items, directory, connections)


if __name__ == "__main__":
    main()
