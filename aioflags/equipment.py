"""What a job needs, opened together and closed together: destination, register, credentials, engine."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TypeVar

from aioflags.credentials import Credentials, read_netrc
from aioflags.destination import Destination
from aioflags.engines.seam import Engine
from aioflags.groups import GroupCommit, finish_first, shut_down
from aioflags.items import Item, Outcome
from aioflags.ledger import Ledger
from aioflags.ledger_notes import LedgerNotes
from aioflags.records import dataclass
from aioflags.register import Claim, Register
from aioflags.roll import Roll
from aioflags.settings import EngineName, Settings
from aioflags.shards.messages import Place
from aioflags.storage import Storage
from aioflags.streams import Entry
from aioflags.writer import Writer

__all__ = ["Equipment", "open_equipment"]

T = TypeVar("T")

# The ledger, the destination's folders, the loop, standard files.
_SPARE_FILES = 32
_FILES_PER_THREAD = 3
# Entries that are claimed at a time, if they come in many batches: those of a thousand connections took half a second
# together, and the connections waited for it.
_CLAIMS = 2048
# What an entry counts that declares digests: a file that is there has to be read for it, and two may wait for that.
_TO_BE_READ = _CLAIMS // 2


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a job works with.

    Args:
        hands: The thread that names are decided and records written in.
        ledger: Open; lives in that thread.
        claims: Gives the entries of a list, with its roll, their names.
        credentials: From netrc, empty unless asked for.
        engine: Makes attempts.
        place: Where other processes find all this.
    """

    hands: Executor
    ledger: Ledger
    claims: GroupCommit[tuple[Sequence[Entry], Roll | None], Sequence[Claim | Outcome]]
    credentials: Credentials
    engine: Engine
    place: Place


@asynccontextmanager
async def open_equipment(
    directory: str | os.PathLike[str], settings: Settings, engine: EngineName | Engine
) -> AsyncIterator[Equipment]:
    """Open all that a job needs; closed in the opposite order, whatever happens.

    Raises:
        StorageError: The destination is a file, may not be written, or is full.
        UsageError: A file that an option names cannot be used.
    """
    async with AsyncExitStack() as stack:
        hands = ThreadPoolExecutor(1, thread_name_prefix="aioflags-hands")
        stack.push_async_callback(shut_down, hands)
        destination = Destination(directory, is_kept=settings.ledger)
        # A destination that opened half is closed, too.
        stack.push_async_callback(_in, hands, destination.close)
        await _in(hands, destination.open)
        credentials = await _in(hands, read_netrc) if settings.netrc else Credentials()
        opening = asyncio.get_running_loop().run_in_executor(hands, _open_ledger, destination, settings)
        ledger = await finish_first(opening, lambda ledger: _in(hands, ledger.close))
        stack.push_async_callback(_in, hands, ledger.close)
        register = Register(destination, ledger, settings.existing, settings.hashes, update=settings.update)
        made = (
            await _make_engine(engine, settings, destination, ledger if settings.ledger else None, hands, stack)
            if isinstance(engine, str)
            else engine
        )
        stack.push_async_callback(made.close)
        claims = GroupCommit(hands, register.claim_lists, most=_CLAIMS, size_of=_count)
        stack.callback(claims.close)
        place = Place(destination.path, destination.run_name, ledger.path if settings.ledger else None)
        yield Equipment(hands, ledger, claims, credentials, made, place)


@asynccontextmanager
async def open_branch(place: Place, settings: Settings, engine: EngineName) -> AsyncIterator[Engine]:
    """Open the engine of a process that works for another, which has opened the place and will close it.

    Raises:
        StorageError: It is not there, or cannot be written.
    """
    async with AsyncExitStack() as stack:
        hands = ThreadPoolExecutor(1, thread_name_prefix="aioflags-hands")
        stack.push_async_callback(shut_down, hands)
        destination = Destination(place.directory)
        stack.push_async_callback(_in, hands, destination.close)
        await _in(hands, partial(destination.join, place.run_name))
        ledger = None
        if place.ledger is not None:
            ledger = await _in(hands, partial(LedgerNotes.join, place.ledger))
            stack.push_async_callback(_in, hands, ledger.close)
        made = await _make_engine(engine, settings, destination, ledger, hands, stack)
        stack.push_async_callback(made.close)
        yield made


async def _in(executor: Executor, work: Callable[[], T]) -> T:
    return await finish_first(asyncio.get_running_loop().run_in_executor(executor, work))


def _count(batch: tuple[Sequence[Entry], Roll | None]) -> int:
    # Of every line of a list: no property that makes a tuple of two.
    return sum(
        [_TO_BE_READ if isinstance(entry, Item) and (entry.sha256 or entry.checksum) else 1 for entry in batch[0]]
    )


def _open_ledger(destination: Destination, settings: Settings) -> Ledger:
    places = destination.state_path, destination.run_path
    ledger = Ledger.open(*places, is_kept=settings.ledger, is_left_over=destination.is_left_over)
    if settings.ledger:
        destination.sweep_parts(ledger.files())
    return ledger


async def _make_engine(
    name: EngineName,
    settings: Settings,
    destination: Destination,
    journal: LedgerNotes | None,
    hands: Executor,
    stack: AsyncExitStack,
) -> Engine:
    """Make an engine by its name. Importing drivers and reading certificates would be felt on the loop."""
    writer = Writer(destination, durability=settings.durability, algorithms=settings.hashes, journal=journal)
    if name in {"asyncio", "aiohttp"}:
        storage = Storage(writer)
        stack.push_async_callback(storage.close)
        is_lean = name == "asyncio" and await _in(hands, partial(_is_lean_enough, settings, asyncio.get_running_loop()))
        prepare = _prepare_asyncio_engine if is_lean else _prepare_aiohttp_engine
        make_engine = await _in(hands, partial(prepare, settings))
        return make_engine(storage)
    if name == "processes":
        return await _in(hands, partial(_make_processes_engine, settings, destination, journal))
    threads = 1 if name == "sequential" else settings.concurrency
    return await _in(hands, partial(_make_threads_engine, settings, writer, threads))


def _within_file_limit(threads: int) -> int:
    """Give as many threads as can have a connection, one in reserve and a file each.

    More would only wait for one another: a thread that finds no descriptor free closes what it keeps, and asks again.
    """
    try:
        import resource
    except ImportError:  # Windows
        return threads
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return threads
    return max(1, min(threads, (soft - _SPARE_FILES) // _FILES_PER_THREAD))


def _is_lean_enough(settings: Settings, loop: asyncio.AbstractEventLoop) -> bool:
    """Tell whether the engine with connections of our own can do this job; aiohttp does all that it cannot."""
    from aioflags.engines.readiness import is_supported

    return settings.proxy is None and is_supported(loop)


def _prepare_asyncio_engine(settings: Settings) -> Callable[[Storage], Engine]:
    """Do what blocks before the engine can be made on the loop."""
    # Storage asks for it with the first large body, in the thread of the loop.
    import aiofiles.threadpool  # noqa: F401

    from aioflags.engines.asyncio_engine import AsyncioEngine

    context = _own_context(settings)
    return lambda storage: AsyncioEngine(storage, settings, context)


def _prepare_aiohttp_engine(settings: Settings) -> Callable[[Storage], Engine]:
    """The same for the other one."""
    import aiofiles.threadpool  # noqa: F401

    from aioflags.engines.aiohttp_engine import AiohttpEngine

    context = _own_context(settings)
    return lambda storage: AiohttpEngine(storage, settings, context)


def _own_context(settings: Settings) -> ssl.SSLContext | None:
    from aioflags.engines.tls import load_ssl_context

    return None if settings.cacert is None else load_ssl_context(settings.cacert, insecure=settings.insecure)


def _make_threads_engine(settings: Settings, writer: Writer, threads: int) -> Engine:
    from aioflags.engines.threads_engine import ThreadsEngine
    from aioflags.engines.tls import load_ssl_context

    context = load_ssl_context(settings.cacert, insecure=settings.insecure)
    return ThreadsEngine(writer, settings, context, workers=_within_file_limit(threads))


def _make_processes_engine(settings: Settings, destination: Destination, journal: LedgerNotes | None) -> Engine:
    from aioflags.engines.processes_engine import ProcessesEngine
    from aioflags.engines.tls import load_ssl_context

    # The workers read it again; here it is to fail before the first of them is started.
    load_ssl_context(settings.cacert, insecure=settings.insecure)
    path = None if journal is None else journal.path
    return ProcessesEngine(destination.path, destination.run_name, settings, ledger=path)
