"""A long job in which one item in five meets a fault, all faults mixed over several hosts; every outcome is checked."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from aioflags.downloader import Downloader
from aioflags.items import Item, Outcome, Status
from aioflags.ledger_file import LEDGER_FILE
from aioflags.private import STATE_FOLDER
from aioflags.settings import EngineName
from tests.faultserver import FaultServer, answer, keep_open
from tests.hostile import Client, Fault, head
from tests.test_engines import CASES, CHUNKED, MISSING

__all__ = ["Ending", "Figures", "Plan", "body_of", "check", "compare", "soak"]

# Seconds: as short as a busy machine allows.
_DEADLINE = 1.5
_WELL = "well"
# Each keeps a window and a streak of failures of its own.
_HOSTS = 16
_FAULTY = 0.2


@dataclass
class Figures:
    """What a soak did, and what was not as it must be."""

    outcomes: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    files: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        faults = f"{self.faults.total()} faults of {len(self.faults)} sorts injected"
        return f"{self.outcomes} items, {faults}, {self.files} files, wrong: {len(self.wrong)}"


@dataclass(frozen=True, slots=True)
class Ending:
    """What an item must end as; `body` is what must be on disk."""

    status: Status
    kind: str | None
    body: bytes | None


Plan = Mapping[str, tuple[Item, Ending]]


def body_of(number: int) -> bytes:
    """Give the body of a well answered item: its own, mostly small, one in a hundred more than is handed over whole."""
    block = hashlib.sha256(b"%d" % number).digest()
    size = 1_200_000 + number if number % 100 == 99 else number * 7919 % 9000
    return (block * (size // len(block) + 1))[:size]


def _well(client: Client) -> None:
    """Answer well, in one of the ways there are to say where a body ends."""
    number = int(client.path.rpartition("/")[2])
    body = body_of(number)
    way = number % 4
    if way == 0:
        client.send(head(200, length=None) + body)
    elif way == 1:
        client.send(CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else CHUNKED + b"0\r\n\r\n")
    else:
        client.send(answer(body))
        keep_open(client)


def _once(reply: bytes) -> Fault:
    return lambda client: client.send(reply)


async def soak(items: int, seed: int, directory: Path, *, engine: EngineName = "asyncio") -> Figures:
    """Download `items` items into `directory`, then those that were saved once more, and check everything.

    Args:
        items: How many.
        seed: Chooses the faults.
        directory: An empty or absent folder.
        engine: How attempts are made.
    """
    faults: dict[str, Fault] = {case.name: case.fault for case in CASES}
    faults |= {name: _once(reply) for name, reply in MISSING.items()}
    with ExitStack() as stack:
        servers = [stack.enter_context(FaultServer(faults | {_WELL: _well})) for _ in range(_HOSTS)]
        plan = {item.url: (item, ending) for item, ending in _plan(items, seed, [server.url for server in servers])}
        figures = Figures()
        figures.faults.update(fault for url in plan if (fault := _fault_of(url)) != _WELL)
        await _download((item for item, _ in plan.values()), directory, engine, partial(check, plan, figures))
        if figures.outcomes != items:
            figures.wrong.append(f"{figures.outcomes} outcomes of {items} items")
        compare(plan, directory, figures)
        requests = sum(server.requests.total() for server in servers)
        saved = (item for item, ending in plan.values() if ending.status is Status.SAVED)
        await _download(saved, directory, engine, partial(check_present, figures))
        compare(plan, directory, figures)
        if again := sum(server.requests.total() for server in servers) - requests:
            figures.wrong.append(f"{again} requests for what is there")
    return figures


def _plan(items: int, seed: int, hosts: list[str]) -> Iterator[tuple[Item, Ending]]:
    """Choose what each item meets and say what it must end as."""
    chance = random.Random(seed)
    faults = {
        case.name: Ending(Status.FAILED if case.kind else Status.SAVED, case.kind, case.body) for case in CASES
    } | dict.fromkeys(MISSING, Ending(Status.MISSING, "http", None))
    names = list(faults)
    for number in range(items):
        is_faulty = chance.random() < _FAULTY
        name = chance.choice(names) if is_faulty else _WELL
        ending = faults[name] if is_faulty else Ending(Status.SAVED, None, body_of(number))
        yield Item(f"{chance.choice(hosts)}/{name}/{number}", name=f"{number % 100:02d}/{number}"), ending


def _fault_of(url: str) -> str:
    return url.split("/")[3]


async def _download(
    items: Iterable[Item], directory: Path, engine: EngineName, look: Callable[[Outcome], None]
) -> None:
    """Download with a ledger and the deadlines that the faults are made for, and have each outcome looked at."""
    async with Downloader(
        directory,
        engine=engine,
        ledger=True,
        retries=1,
        per_host=0,
        first_byte_timeout=_DEADLINE,
        idle_timeout=_DEADLINE,
        min_speed=500,
        max_bytes=3_000_000,
        max_wait=5,
    ) as downloader:
        async with downloader.outcomes(items) as outcomes:
            async for outcome in outcomes:
                look(outcome)


def check(plan: Plan, figures: Figures, outcome: Outcome) -> None:
    """Compare an outcome with what its fault must end as."""
    item, ending = plan[outcome.url]
    expected = (ending.status, ending.kind, item.name if ending.body is not None else None, len(ending.body or b""))
    kind = outcome.error.kind if outcome.error else None
    if (found := (outcome.status, kind, outcome.path, outcome.bytes)) != expected:
        figures.wrong.append(f"{_fault_of(outcome.url)}: {found} instead of {expected}: {outcome.error}")
    figures.outcomes += 1


def check_present(figures: Figures, outcome: Outcome) -> None:
    if outcome.status is not Status.PRESENT:
        figures.wrong.append(f"{_fault_of(outcome.url)}: {outcome.status} on the rerun: {outcome.error}")


def compare(plan: Plan, directory: Path, figures: Figures) -> None:
    """Compare what is on disk with what must be, byte for byte, and find what must not be there."""
    expected: dict[str | None, bytes | None] = {
        item.name: ending.body for item, ending in plan.values() if ending.body is not None
    }
    expected[f"{STATE_FOLDER}/{LEDGER_FILE}"] = None
    found = {str(path.relative_to(directory)): path for path in directory.rglob("*") if path.is_file()}
    figures.wrong += [f"{name} is not there" for name in expected.keys() - found.keys()]
    figures.wrong += [f"{name} should not be there" for name in found.keys() - expected.keys()]
    for name in found.keys() & expected.keys():
        body = expected[name]
        if body is not None and found[name].read_bytes() != body:
            figures.wrong.append(f"{name} has wrong bytes")
    figures.files = len(found) - 1
