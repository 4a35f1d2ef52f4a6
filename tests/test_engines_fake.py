"""The engine for tests does what a test of policy needs of it."""

from __future__ import annotations

import asyncio

import pytest

from aioflags.engines.fake import FakeEngine
from aioflags.engines.seam import Attempt, AttemptResult, Engine, Meter
from aioflags.urls import parse_url


def attempt(url: str) -> Attempt:
    return Attempt(parse_url(url), "name")


async def statuses(engine: Engine, *urls: str) -> list[int | None]:
    return [(await engine.fetch(attempt(url), Meter())).http_status for url in urls]


async def test_answers_come_from_the_script_in_turn() -> None:
    """The last one repeats; what is not in it is saved."""
    engine = FakeEngine({"http://h/a": [AttemptResult(http_status=503), AttemptResult(http_status=404)]})
    assert await statuses(engine, *["http://h/a"] * 3, "http://h/b") == [503, 404, 404, 200]
    assert [one.target.url for one in engine.attempts] == ["http://h/a"] * 3 + ["http://h/b"]


async def test_function_is_asked_for_its_answer() -> None:
    """With the attempt; what it raises is raised, as a bug of an engine would be."""

    def answer(asked: Attempt) -> AttemptResult:
        if asked.name != "name":
            raise RuntimeError(asked.name)
        return AttemptResult(http_status=201)

    engine = FakeEngine({"http://h/": [answer]})
    assert await statuses(engine, "http://h/") == [201]
    with pytest.raises(RuntimeError, match="other"):
        await engine.fetch(Attempt(parse_url("http://h/"), "other"), Meter())


async def test_attempts_wait_for_the_gate() -> None:
    """So a test can look at them in flight, and cancel them there."""
    gate = asyncio.Event()
    engine = FakeEngine(gate=gate)
    tasks = [asyncio.ensure_future(engine.fetch(attempt("http://h/"), Meter())) for _ in range(3)]
    await asyncio.sleep(0)
    assert (engine.in_flight, engine.most_in_flight) == (3, 3)
    tasks[0].cancel()
    await asyncio.wait([tasks[0]])
    assert engine.in_flight == 2
    gate.set()
    assert [result.http_status for result in await asyncio.gather(*tasks[1:])] == [200, 200]
    assert (engine.in_flight, engine.most_in_flight) == (0, 3)


async def test_it_tells_its_future() -> None:
    """Like every engine."""
    futures: list[object] = []
    task = asyncio.ensure_future(FakeEngine().fetch(attempt("http://h/"), Meter(futures.append)))
    await task
    assert futures == [task]


async def test_closing_is_noted() -> None:
    """Whoever uses an engine gives it back."""
    engine = FakeEngine()
    assert not engine.is_closed
    await engine.close()
    assert engine.is_closed
