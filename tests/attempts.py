"""One attempt at a time by an engine on the loop, over a directory of its own; what the tests of such engines share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

from aioflags.destination import Destination
from aioflags.engines.aiohttp_engine import AiohttpEngine
from aioflags.engines.asyncio_engine import AsyncioEngine
from aioflags.engines.seam import Attempt, AttemptResult, Meter
from aioflags.engines.tls import load_ssl_context
from aioflags.settings import Settings
from aioflags.storage import Storage
from aioflags.urls import parse_url
from aioflags.writer import Writer

__all__ = ["Bench", "LoopEngine", "kind_of", "open_bench"]

LoopEngine = Literal["asyncio", "aiohttp"]
_CLASSES: dict[LoopEngine, type[AsyncioEngine | AiohttpEngine]] = {"asyncio": AsyncioEngine, "aiohttp": AiohttpEngine}


class Bench:
    """An engine over a directory of its own."""

    def __init__(self, engine: AsyncioEngine | AiohttpEngine, directory: Path) -> None:
        self.engine = engine
        self.directory = directory
        self.meter = Meter()

    async def fetch(self, url: str, **details: Any) -> AttemptResult:
        """Make one attempt at `url`, its file named `file` unless `details` say otherwise."""
        self.meter = Meter()
        return await self.engine.fetch(Attempt(parse_url(url), **{"name": "file", **details}), self.meter)

    @property
    def files(self) -> dict[str, bytes]:
        """What lies in the directory, parts included."""
        found = (path for path in self.directory.rglob("*") if path.is_file())
        return {str(path.relative_to(self.directory)): path.read_bytes() for path in found}


@asynccontextmanager
async def open_bench(directory: Path, engine: LoopEngine, **options: Any) -> AsyncIterator[Bench]:
    """Open an engine with options, its files in a directory below this one."""
    deadlines = {"connect_timeout": 5, "first_byte_timeout": 5, "idle_timeout": 5}
    settings = Settings(**{**deadlines, **options})
    destination = Destination(directory / "files")
    destination.open()
    storage = Storage(Writer(destination, algorithms=settings.hashes))
    context = None if settings.cacert is None else load_ssl_context(settings.cacert)
    made = _CLASSES[engine](storage, settings, context)
    try:
        yield Bench(made, directory / "files")
    finally:
        await made.close()
        await storage.close()
        destination.close()


def kind_of(result: AttemptResult) -> str | None:
    """Kind of its error, `None` without."""
    return None if result.error is None else result.error.kind
