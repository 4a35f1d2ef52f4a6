"""Attempts start as the schedule says, and each ends in the books: saved, once more, or given up."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from aioflags import breaker, uplink
from aioflags.chain import JobHeaders
from aioflags.dispatcher import Dispatcher
from aioflags.engines.fake import FakeEngine
from aioflags.engines.seam import Attempt, AttemptResult, Meter
from aioflags.errors import DownloadError, make_error
from aioflags.items import Item, Outcome, Status
from aioflags.jobs import Job
from aioflags.pursuit import Pursuit
from aioflags.register import Claim
from aioflags.schedule import Lane
from aioflags.settings import Settings
from aioflags.urls import parse_url

FULL = AttemptResult(make_error("storage", "cannot write: no space left"), detail="destination")


def unavailable(**details: Any) -> AttemptResult:
    return AttemptResult(make_error("http", "status 503", "h"), http_status=503, **details)


async def turn(times: int = 10) -> None:
    """Let everything happen that can happen now."""
    for _ in range(times):
        await asyncio.sleep(0)


class Bench:
    """A dispatcher at work, and what it said."""

    def __init__(self, engine: FakeEngine, settings: Settings) -> None:
        self.engine = engine
        self.settings = settings
        self.lane = Lane()
        self.outcomes: list[Outcome] = []
        self.abandoned: list[str] = []
        self.faults: list[DownloadError] = []
        self.idle = 0
        self.dispatcher = Dispatcher(settings, engine, on_idle=self._on_idle, on_fault=self.faults.append)
        self.running = asyncio.ensure_future(self.dispatcher.run())

    def _on_idle(self) -> None:
        self.idle += 1

    def add(self, *urls: str, lane: Lane | None = None) -> None:
        """Have `urls` fetched."""
        for url in urls:
            claim = Claim(Item(url), parse_url(url), url.rpartition("/")[2].partition("?")[0])
            pursuit = Pursuit(claim, self.settings, JobHeaders({}, {}), {})
            self.dispatcher.add(Job(pursuit, lane or self.lane, self.outcomes.append, self._abandon(url)))

    def _abandon(self, url: str) -> Callable[[], None]:
        return lambda: self.abandoned.append(url)

    async def until(self, number: int) -> list[Outcome]:
        """Wait for so many outcomes."""
        async with asyncio.timeout(20):
            while len(self.outcomes) < number:
                await asyncio.sleep(0.001)
        return self.outcomes

    @property
    def asked(self) -> list[str]:
        """URLs of the attempts, in order."""
        return [attempt.target.url for attempt in self.engine.attempts]


@asynccontextmanager
async def bench(
    script: dict[str, list[Any]] | None = None,
    gate: asyncio.Event | None = None,
    make: type[FakeEngine] = FakeEngine,
    **options: Any,
) -> AsyncIterator[Bench]:
    made = Bench(make(script, gate=gate), Settings(**{"per_host": 0, "retries": 0, **options}))
    try:
        yield made
    finally:
        made.running.cancel()
        with suppress(asyncio.CancelledError, ExceptionGroup):
            await made.running


def urls(number: int, host: str = "h") -> list[str]:
    return [f"http://{host}/{index}" for index in range(number)]


# How many at a time


async def test_concurrency_bounds_attempts_and_tasks() -> None:
    """The semaphore is taken before the task exists: a hundred items waiting are no hundred tasks."""
    gate = asyncio.Event()
    async with bench(gate=gate, concurrency=4) as tool:
        tool.add(*urls(100))
        await turn()
        assert tool.engine.in_flight == 4
        # The four, the dispatcher, and this test.
        assert len(asyncio.all_tasks()) == 6
        gate.set()
        assert len(await tool.until(100)) == 100
        assert tool.engine.most_in_flight == 4


class WritingEngine(FakeEngine):
    """Has all of an answer at once; then its disk waits for the gate."""

    async def fetch(self, attempt: Attempt, meter: Meter) -> AttemptResult:
        meter.received_whole()
        return await super().fetch(attempt, meter)


async def test_slot_of_what_only_the_disk_waits_for_is_anothers() -> None:
    """But no more are with the disk than there are slots: their bytes are in memory."""
    gate = asyncio.Event()
    async with bench(gate=gate, make=WritingEngine, concurrency=4, per_host=2) as tool:
        tool.add(*urls(100))
        await turn()
        assert tool.engine.in_flight == 4 + 2
        assert len(tool.dispatcher.running()) == 6
        gate.set()
        assert len(await tool.until(100)) == 100
        assert tool.lane.in_flight == tool.lane.waiting == 0
        assert tool.engine.most_in_flight == 4 + 2


async def test_host_in_doubt_is_asked_for_one_at_a_time_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried there is over when it has ended."""
    monkeypatch.setattr(breaker.Breaker, "is_doubtful", lambda *_: True)
    gate = asyncio.Event()
    async with bench(gate=gate, make=WritingEngine, concurrency=4) as tool:
        tool.add(*urls(8))
        await turn()
        assert tool.engine.in_flight == 1
        gate.set()
        await tool.until(8)
        assert tool.engine.most_in_flight == 1


async def test_one_host_gets_its_share_only() -> None:
    """Others go past it."""
    gate = asyncio.Event()
    async with bench(gate=gate, concurrency=8, per_host=2) as tool:
        tool.add(*urls(20, "one"), *urls(3, "two"))
        await turn()
        assert sorted(attempt.target.host for attempt in tool.engine.attempts) == ["one", "one", "two", "two"]
        gate.set()
        await tool.until(23)


async def test_slow_host_does_not_hold_back_a_fast_one() -> None:
    """Its items wait in the queue, not in a worker."""
    gate = asyncio.Event()

    class Slow(FakeEngine):
        async def fetch(self, attempt: Attempt, meter: Meter) -> AttemptResult:
            if attempt.target.host == "slow":
                await gate.wait()
            return await super().fetch(attempt, meter)

    async with bench(make=Slow, concurrency=4, per_host=2) as tool:
        tool.add(*urls(50, "slow"), *urls(50, "fast"))
        outcomes = await tool.until(50)
        assert {outcome.url.split("/")[2] for outcome in outcomes} == {"fast"}
        gate.set()
        await tool.until(100)


# What comes after an attempt


async def test_outcome_is_delivered_once() -> None:
    """With the time since the first attempt."""
    async with bench() as tool:
        tool.add("http://h/a")
        (outcome,) = await tool.until(1)
        await turn()
        assert len(tool.outcomes) == 1
        assert (outcome.status, outcome.attempts, tool.abandoned) == (Status.SAVED, 1, [])
        assert outcome.elapsed >= 0


async def test_item_is_tried_again_until_it_is_well() -> None:
    """Free tries at once, others after the backoff; the time counts from the first."""
    stale = AttemptResult(make_error("disconnected", "gone", "h"), is_stale=True)
    async with bench({"http://h/a": [stale, unavailable(), AttemptResult(http_status=200)]}, retries=1) as tool:
        tool.add("http://h/a")
        (outcome,) = await tool.until(1)
        assert (outcome.status, outcome.attempts) == (Status.SAVED, 3)
        assert tool.asked == ["http://h/a"] * 3


async def test_redirect_waits_in_the_queue_of_its_new_host() -> None:
    """A hop is an attempt like any other: it has its turn there, before what is new."""
    moved = AttemptResult(location="http://two/x", http_status=302)
    gate = asyncio.Event()
    async with bench({"http://one/a": [moved]}, concurrency=4, per_host=1) as tool:
        tool.engine._gate = gate
        tool.add("http://one/a", *urls(3, "two"))
        await turn()
        gate.set()
        await tool.until(4)
        assert sorted(tool.asked[:2]) == ["http://one/a", "http://two/0"]
        assert tool.asked[2] == "http://two/x"


async def test_pause_of_a_host_lets_others_pass() -> None:
    """Retry-After stops all items of the host, and costs no attempt in flight."""
    async with bench({"http://angry/0": [unavailable(retry_after=200.0)]}, concurrency=1, retries=1) as tool:
        tool.add(*urls(2, "angry"))
        await turn()
        tool.add(*urls(5, "calm"))
        outcomes = await tool.until(5)
        assert {outcome.url.split("/")[2] for outcome in outcomes} == {"calm"}
        await turn()
        assert tool.asked == ["http://angry/0", *urls(5, "calm")]


async def test_host_that_asks_for_less_gets_less() -> None:
    """429 halves its window; those that were in flight together count once."""
    later = asyncio.Event()

    class Watched(FakeEngine):
        async def fetch(self, attempt: Attempt, meter: Meter) -> AttemptResult:
            if int(attempt.name) >= 8:
                await later.wait()
            return await super().fetch(attempt, meter)

    gate = asyncio.Event()
    too_many = AttemptResult(make_error("http", "status 429", "h"), http_status=429)
    async with bench({url: [too_many] for url in urls(8)}, gate, Watched, concurrency=8) as tool:
        tool.add(*urls(40))
        await turn()
        assert len(tool.dispatcher.in_flight) == 8
        gate.set()
        await tool.until(8)
        await turn()
        assert len(tool.dispatcher.in_flight) == 4
        later.set()
        await tool.until(40)


# Lanes


async def test_lane_that_is_held_starts_nothing_while_others_go_on() -> None:
    """And goes on where it was."""
    async with bench(concurrency=2) as tool:
        tool.dispatcher.hold(tool.lane)
        tool.add(*urls(3))
        other = Lane()
        tool.add("http://h/other", lane=other)
        await tool.until(1)
        await turn()
        assert tool.asked == ["http://h/other"]
        tool.dispatcher.release(tool.lane)
        await tool.until(4)


async def test_it_says_when_it_could_start_more() -> None:
    """So that a list may be read further."""
    async with bench() as tool:
        await turn()
        idle = tool.idle
        assert idle > 0
        tool.add("http://h/a")
        await tool.until(1)
        await turn()
        assert tool.idle > idle


# Cancelling


async def test_cancelled_lane_ends_what_waits_and_what_is_in_flight() -> None:
    """All are abandoned, none delivered; other lanes do not notice."""
    gate = asyncio.Event()
    async with bench(gate=gate, concurrency=4) as tool:
        tool.add(*urls(3), *urls(10, "other"))
        await turn()
        mine = tool.lane
        tool.lane = Lane()
        tool.add("http://h/mine")
        ending = tool.dispatcher.cancel(mine)
        assert len(ending) == 4
        await asyncio.wait(ending)
        assert len(tool.abandoned) == 13
        gate.set()
        (outcome,) = await tool.until(1)
        assert outcome.url == "http://h/mine"
        assert tool.dispatcher.running() == []


@pytest.mark.parametrize("turns", range(6))
async def test_slot_comes_back_whenever_it_is_cancelled(turns: int) -> None:
    """Even from a task that never came to its first step: else the run would stand still."""
    async with bench(concurrency=1) as tool:
        await turn()
        tool.add("http://h/a")
        for _ in range(turns):
            await asyncio.sleep(0)
        ending = tool.dispatcher.cancel(tool.lane)
        if ending:
            await asyncio.wait(ending)
        assert len(tool.outcomes) + len(tool.abandoned) == 1
        tool.add("http://h/b")
        assert [outcome.url for outcome in await tool.until(len(tool.outcomes) + 1)][-1] == "http://h/b"


async def test_cancelled_item_is_not_tried_again() -> None:
    """Although its attempt ended by itself at that very moment, in a failure that may pass."""

    def answer(_: Attempt) -> AttemptResult:
        asyncio.get_running_loop().call_soon(lambda: tool.dispatcher.cancel(tool.lane))
        return AttemptResult(make_error("disconnected", "gone", "h"), is_stale=True)

    async with bench({"http://h/a": [answer]}) as tool:
        tool.add("http://h/a")
        await turn(30)
        assert (tool.asked, tool.abandoned, tool.outcomes) == (["http://h/a"], ["http://h/a"], [])


async def test_stopped_it_starts_nothing_new() -> None:
    """What is in flight ends well, what waits and what is added is abandoned; a retry is not begun."""
    gate = asyncio.Event()
    async with bench({"http://h/1": [unavailable()]}, gate, concurrency=2, retries=4) as tool:
        tool.add(*urls(5))
        await turn()
        tool.dispatcher.stop()
        tool.add("http://h/late")
        assert sorted(tool.abandoned) == ["http://h/2", "http://h/3", "http://h/4", "http://h/late"]
        gate.set()
        await tool.until(1)
        await turn()
        assert [outcome.url for outcome in tool.outcomes] == ["http://h/0"]
        assert tool.abandoned[-1] == "http://h/1"
        assert len(tool.asked) == 2


# Faults


async def test_fault_of_the_destination_is_told_once_and_stops_all() -> None:
    """What is in flight is let end, each with its own outcome."""
    gate = asyncio.Event()
    script: dict[str, list[Any]] = {"http://h/0": [FULL], "http://h/1": [FULL]}
    async with bench(script, gate, concurrency=3) as tool:
        tool.add(*urls(6))
        await turn()
        gate.set()
        outcomes = await tool.until(3)
        await turn()
        assert [outcome.error and outcome.error.kind for outcome in outcomes] == ["storage", "storage", None]
        assert [error.kind for error in tool.faults] == ["storage"]
        assert sorted(tool.abandoned) == ["http://h/3", "http://h/4", "http://h/5"]
        assert len(tool.asked) == 3


@pytest.mark.parametrize(("losses", "is_fault"), [(1, False), (2, True)])
async def test_disk_that_loses_bytes_has_another_try(losses: int, is_fault: bool) -> None:
    """One lost file is fetched again; after the second the disk is no better for the others."""
    lost = AttemptResult(make_error("storage", "cannot sync", "h"), detail="lost bytes")
    async with bench({"http://h/0": [*[lost] * losses, AttemptResult()]}, retries=1) as tool:
        tool.add("http://h/0")
        (outcome,) = await tool.until(1)
        assert (outcome.error is not None, bool(tool.faults)) == (is_fault, is_fault)
        assert len(tool.asked) == 2


async def test_bug_in_an_engine_ends_the_run_loudly() -> None:
    """Nobody is told that his item is through, not even those whose tasks the bug took along."""

    def bug(_: Attempt) -> AttemptResult:
        raise RuntimeError("bug")

    class Late(FakeEngine):
        async def fetch(self, attempt: Attempt, meter: Meter) -> AttemptResult:
            result = await super().fetch(attempt, meter)
            await asyncio.sleep(30)
            return result

    async with bench({"http://h/1": [bug]}, make=Late, concurrency=3) as tool:
        tool.add(*urls(5))
        with pytest.raises(ExceptionGroup) as caught:
            await tool.running
        assert [str(error) for error in caught.value.exceptions] == ["bug"]
        await turn()
        assert (tool.abandoned, tool.outcomes) == ([], [])


async def test_running_tells_what_is_in_flight_without_secrets() -> None:
    """For a display."""
    gate = asyncio.Event()
    async with bench(gate=gate) as tool:
        tool.add("http://me:s3cret@h:81/dir/fr.svg?sig=s3cret")
        await turn()
        (job,) = tool.dispatcher.in_flight
        job.meter.received, job.meter.total = 5, 10
        (running,) = tool.dispatcher.running()
        assert (running.path, running.host, running.received, running.total) == ("fr.svg", "h:81", 5, 10)
        assert "s3cret" not in running.url
        gate.set()
        await tool.until(1)
        assert tool.dispatcher.running() == []


# Hosts with which nothing goes well


def refused_connection(**details: Any) -> AttemptResult:
    error = make_error("connect", "cannot connect to port 80: Connection refused", "h")
    return AttemptResult(error, **{"detail": "refused", **details})


def everywhere(answer: Callable[[Attempt], AttemptResult]) -> type[FakeEngine]:
    """Make an engine that gives this answer to all attempts."""

    class Always(FakeEngine):
        def _answer(self, attempt: Attempt) -> AttemptResult:
            return answer(attempt)

    return Always


async def test_dead_host_is_asked_by_few_items_and_given_up() -> None:
    """Those that were tried have all their attempts; the others fail with its last error, without a request."""
    async with bench(make=everywhere(lambda _: refused_connection()), per_host=4, retries=0) as tool:
        tool.add(*urls(500))
        outcomes = await tool.until(500)
        tried = [outcome for outcome in outcomes if outcome.attempts]
        assert 20 <= len(tried) <= 24
        assert len(tool.asked) == len(tried)
        assert {outcome.error and outcome.error.kind for outcome in outcomes} == {"connect"}
        last = outcomes[-1].error
        assert last is not None
        assert "Connection refused; h was given up for a while after 2" in last.message
        tool.add("http://h/late")
        assert tool.outcomes[-1].attempts == 0
        (given_up,) = tool.dispatcher.waiting().given_up
        assert given_up.host == "h"


UNAVAILABLE = AttemptResult(make_error("http", "status 503", "h"), http_status=503)


async def test_host_that_refuses_is_spared_for_the_sake_of_tries() -> None:
    """Items that wait would lose theirs one after the other."""
    async with bench(make=everywhere(lambda _: UNAVAILABLE), per_host=1, retries=4) as tool:
        tool.add(*urls(100))
        async with asyncio.timeout(30):
            while not tool.dispatcher.waiting().paused:
                await asyncio.sleep(0.001)
        assert tool.outcomes == []


async def test_nobody_waits_for_a_host_that_refuses_if_there_is_no_second_try() -> None:
    """Waiting would gain nothing."""
    async with bench(make=everywhere(lambda _: UNAVAILABLE), per_host=1, retries=0) as tool:
        tool.add(*urls(40))
        outcomes = await tool.until(40)
        assert {outcome.attempts for outcome in outcomes} == {1}
        assert tool.dispatcher.waiting().paused == ()


async def test_few_items_of_a_dead_host_have_all_their_attempts() -> None:
    """A list of twenty is nothing to give up a host for."""
    async with bench(make=everywhere(lambda _: refused_connection()), per_host=16, retries=1) as tool:
        tool.add(*urls(20))
        outcomes = await tool.until(20)
        assert {outcome.attempts for outcome in outcomes} == {2}
        assert all(outcome.error and "given up" not in outcome.error.message for outcome in outcomes)


async def test_other_hosts_go_on_beside_a_dead_one() -> None:
    """And a host with some bad URLs is not a dead one."""

    def answer(attempt: Attempt) -> AttemptResult:
        if attempt.target.host == "dead":
            return refused_connection()
        is_bad = int(attempt.name) % 3
        return AttemptResult(make_error("http", "status 500", "h"), http_status=500) if is_bad else AttemptResult()

    async with bench(make=everywhere(answer), per_host=4) as tool:
        tool.add(*urls(300, "dead"), *urls(300, "mixed"))
        outcomes = await tool.until(600)
        mixed = [outcome for outcome in outcomes if "mixed" in outcome.url]
        assert {outcome.attempts for outcome in mixed} == {1}
        assert sum(outcome.status is Status.SAVED for outcome in mixed) == 100


async def test_host_that_is_back_has_its_items_tried_after_one_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the probe is out the others wait; then all go on."""
    monkeypatch.setattr(breaker, "_FIRST_REST", 0.02)
    is_dead = True
    gate = asyncio.Event()
    gate.set()

    def answer(_: Attempt) -> AttemptResult:
        return refused_connection() if is_dead else AttemptResult(http_status=200)

    async with bench(make=everywhere(answer), per_host=8) as tool:
        tool.engine._gate = gate
        tool.add(*urls(100))
        await tool.until(100)
        (given_up,) = tool.dispatcher.waiting().given_up
        while asyncio.get_running_loop().time() < given_up.until:
            await asyncio.sleep(0.005)
        is_dead = False
        gate.clear()
        tool.add(*urls(10))
        await turn()
        assert tool.engine.in_flight == 1
        gate.set()
        outcomes = await tool.until(110)
        assert {outcome.status for outcome in outcomes[100:]} == {Status.SAVED}
        assert tool.dispatcher.waiting().given_up == ()


async def test_unknown_host_fails_with_all_its_items_after_a_second_look() -> None:
    """A thousand URLs of a host that does not exist are no thousand look-ups."""
    unknown = AttemptResult(make_error("dns", "there is no such host", "h"), detail="unknown host")
    async with bench(make=everywhere(lambda _: unknown), per_host=2) as tool:
        tool.add(*urls(1000))
        outcomes = await tool.until(1000)
        assert len(tool.asked) <= 4
        assert {outcome.error and outcome.error.kind for outcome in outcomes} == {"dns"}


# The network and the proxy


async def test_network_that_goes_away_costs_no_item_its_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run waits and probes, one item at a time; all are saved when it is back."""
    monkeypatch.setattr(uplink, "_FIRST_REST", 0.002)
    answers = 0
    ways: list[str] = []

    def answer(_: Attempt) -> AttemptResult:
        nonlocal answers
        answers += 1
        ways.append(tool.dispatcher.waiting().way)
        if 4 < answers <= 12:
            error = make_error("connect", "cannot connect: Network is unreachable", "h")
            return AttemptResult(error, detail="no route")
        return AttemptResult(http_status=200)

    async with bench(make=everywhere(answer), concurrency=1, retries=1) as tool:
        tool.add(*urls(12))
        outcomes = await tool.until(12)
        assert {outcome.status for outcome in outcomes} == {Status.SAVED}
        assert sum(outcome.attempts for outcome in outcomes) == answers == 20
        # Three failures are enough to know; five probes find nothing, and the sixth does.
        assert ways[:14] == [""] * 7 + ["the network"] * 6 + [""]
        assert tool.dispatcher.waiting().way == ""


async def test_loopback_is_no_network() -> None:
    """Dead ports of this machine are nothing to wait for."""
    silent = AttemptResult(make_error("connect", "cannot connect", "h"))

    def answer(attempt: Attempt) -> AttemptResult:
        return AttemptResult() if attempt.target.port == 80 else silent

    async with bench(make=everywhere(answer)) as tool:
        tool.add(*urls(5, "127.0.0.1"), *(f"http://127.0.0.1:{port}/{port}" for port in range(1000, 1030)))
        await tool.until(35)
        assert not tool.dispatcher.waiting().way


async def test_proxy_that_refuses_us_stops_the_run() -> None:
    """What is in flight ends by itself, what waits fails with the reason, nothing new is asked for."""
    gate = asyncio.Event()
    refusal = AttemptResult(make_error("http", "the proxy answered with status 407", "h"), http_status=407)
    async with bench({"http://h/1": [refusal]}, gate, concurrency=2, proxy="http://127.0.0.1:9", retries=4) as tool:
        tool.add(*urls(5))
        await turn()
        gate.set()
        outcomes = list(await tool.until(5))
        tool.add("http://h/late")
        assert tool.outcomes[-1].attempts == 0
        assert tool.asked == ["http://h/0", "http://h/1"]
        assert [outcome.status for outcome in outcomes].count(Status.SAVED) == 1
        assert tool.dispatcher.halted_by is not None
        assert sorted(outcome.attempts for outcome in outcomes if outcome.error) == [0, 0, 0, 1]
        stopped = tool.outcomes[-1].error
        assert stopped is not None
        assert (stopped.kind, stopped.message.endswith("the run was stopped")) == ("http", True)
        assert tool.abandoned == []


async def test_proxy_that_is_gone_stops_the_run_after_some_attempts() -> None:
    """As many as an item has; meanwhile nothing else is tried."""
    gone = AttemptResult(make_error("connect", "cannot connect to the proxy", "h"), detail="proxy")
    made = everywhere(lambda _: gone)
    async with bench(make=made, concurrency=2, proxy="http://127.0.0.1:9", retries=1) as tool:
        tool.add(*urls(50))
        outcomes = await tool.until(50)
        assert 2 <= len(tool.asked) <= 3
        assert {outcome.error and outcome.error.kind for outcome in outcomes} == {"connect"}


async def test_what_is_waited_for_is_told() -> None:
    """A paused host with its reason, and the next attempt of an item."""
    script: dict[str, list[Any]] = {"http://angry/0": [unavailable(retry_after=200.0)], "http://h/0": [unavailable()]}
    async with bench(script, retries=1) as tool:
        tool.add(*urls(3, "angry"))
        await turn()
        waiting = tool.dispatcher.waiting()
        (pause,) = waiting.paused
        assert (pause.host, pause.why, pause.waiting) == ("angry", "status 503 with Retry-After", 1)
        assert 190 < pause.until - asyncio.get_running_loop().time() <= 200 + 1e-6
        assert waiting.retry is None
        tool.add("http://h/0")
        await turn()
        retry = tool.dispatcher.waiting().retry
        assert retry is not None
        assert (retry.host, retry.waiting) == ("h", 1)


async def test_end_leaves_no_timer() -> None:
    """A pause of minutes does not live on in the loop of a host program."""
    async with bench({"http://h/0": [unavailable(retry_after=200.0)]}, retries=1) as tool:
        tool.add("http://h/0")
        await turn(20)
        assert tool.asked == ["http://h/0"]
        woken_by_it = weakref.ref(tool.dispatcher._changed)
    del tool
    await turn()
    gc.collect()
    assert woken_by_it() is None
