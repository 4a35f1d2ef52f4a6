"""Many waiters on the loop, one job in a thread; a cancelled waiter leaves nothing at work."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import pytest
import pytest_asyncio

from aioflags.groups import GroupCommit, finish_first, shut_down

PATIENCE = 30.0


class Worker:
    """Doubles numbers in groups; holds each group back until it is let go."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.may_go = threading.Event()
        self.may_go.set()
        self.at_work = 0
        self.most_at_work = 0

    def work(self, numbers: Sequence[int]) -> Sequence[int | Exception]:
        self.at_work += 1
        self.most_at_work = max(self.at_work, self.most_at_work)
        self.groups.append(list(numbers))
        assert self.may_go.wait(PATIENCE)
        self.at_work -= 1
        if -1 in numbers:
            raise OSError("the whole group")
        return [ValueError(f"odd {number}") if number % 2 else number * 2 for number in numbers]


@pytest.fixture
def worker() -> Worker:
    """Work that can be held back."""
    return Worker()


@pytest_asyncio.fixture
async def executor() -> AsyncIterator[Executor]:
    """Four threads, ended before the loop is."""
    executor = ThreadPoolExecutor(4)
    yield executor
    await shut_down(executor)


@pytest_asyncio.fixture
async def groups(worker: Worker, executor: Executor) -> GroupCommit[int, int]:
    """What is tested."""
    return GroupCommit(executor, worker.work)


async def turn() -> None:
    """Let everything happen that can happen now."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_arrives_meanwhile_goes_in_the_next_group(worker: Worker, groups: GroupCommit[int, int]) -> None:
    """A hundred jobs are two groups, in the order of the calls, and everyone gets his own result."""
    worker.may_go.clear()
    futures = [groups.submit(number) for number in range(0, 200, 2)]
    worker.may_go.set()
    assert await asyncio.gather(*futures) == [number * 2 for number in range(0, 200, 2)]
    assert worker.groups == [[0], list(range(2, 200, 2))]


async def test_one_group_is_in_flight_at_a_time(worker: Worker, groups: GroupCommit[int, int]) -> None:
    """Whatever the executor could do at once."""

    async def ask(start: int) -> None:
        for number in range(start, start + 40, 2):
            assert await groups.put(number) == number * 2

    await asyncio.gather(*(ask(start) for start in range(0, 400, 40)))
    assert worker.most_at_work == 1
    assert sorted(number for group in worker.groups for number in group) == list(range(0, 400, 2))


async def test_after_a_large_group_what_comes_soon_is_one_group(worker: Worker, executor: Executor) -> None:
    """Where there were many there will be more: they are waited for, a moment, and threads hop less."""
    groups = GroupCommit(executor, worker.work, rest=3600.0)
    worker.may_go.clear()
    futures = [groups.submit(number) for number in range(0, 40, 2)]
    worker.may_go.set()
    await asyncio.gather(*futures)
    later = [groups.submit(100)]
    await turn()
    later.append(groups.submit(102))
    await turn()
    assert [len(group) for group in worker.groups] == [1, 19]
    groups.close()
    await asyncio.wait(later)
    assert all(future.cancelled() for future in later)


@pytest.mark.slow
async def test_rest_ends(worker: Worker, executor: Executor) -> None:
    """Those who came meanwhile go together; if all have gone away, whoever comes next goes at once."""
    groups = GroupCommit(executor, worker.work, rest=0.25)
    for _ in range(2):
        await asyncio.gather(*(groups.submit(number) for number in range(0, 40, 2)))
        assert list(await asyncio.gather(groups.put(100), groups.put(102))) == [200, 204]
        assert worker.groups[-1] == [100, 102]
        await asyncio.sleep(0.3)


async def test_group_has_no_more_jobs_than_are_allowed(worker: Worker, executor: Executor) -> None:
    """The others come right after it, in their order."""
    groups = GroupCommit(executor, worker.work, most=2)
    worker.may_go.clear()
    puts = [asyncio.ensure_future(groups.put(number)) for number in (0, 2, 4, 6, 8, 10)]
    await turn()
    worker.may_go.set()
    assert await asyncio.gather(*puts) == [0, 4, 8, 12, 16, 20]
    assert worker.groups == [[0], [2, 4], [6, 8], [10]]


async def test_group_ends_with_the_job_that_makes_it_large_enough(worker: Worker, executor: Executor) -> None:
    """Small ones go together, and one that is too large by itself goes, too."""
    groups = GroupCommit(executor, worker.work, most=10, size_of=abs)
    worker.may_go.clear()
    numbers = [0, 2, 4, 6, 8, 2, 100, 2]
    futures = [groups.submit(number) for number in numbers]
    worker.may_go.set()
    assert await asyncio.gather(*futures) == [number * 2 for number in numbers]
    assert worker.groups == [[0], [2, 4, 6], [8, 2], [100], [2]]


@pytest.mark.parametrize("most", [0, 1])
async def test_group_has_at_least_one_job(worker: Worker, executor: Executor, most: int) -> None:
    """However few are allowed; groups of none would follow one another for ever."""
    groups = GroupCommit(executor, worker.work, most=most)
    assert await asyncio.wait_for(asyncio.gather(*map(groups.submit, (0, 2, 4))), PATIENCE) == [0, 4, 8]
    assert worker.groups == [[0], [2], [4]]


async def test_group_delivers_before_the_next_begins(worker: Worker) -> None:
    """Who has a result need not wait for a thread to be woken for others, nor for what goes wrong with that."""
    futures: list[asyncio.Future[int]] = []
    delivered: list[list[bool]] = []

    class Witness(ThreadPoolExecutor):
        def submit(self, *args: Any, **options: Any) -> Future[Any]:
            delivered.append([future.done() for future in futures])
            return super().submit(*args, **options)

    executor = Witness(1)
    groups = GroupCommit(executor, worker.work, most=1)
    worker.may_go.clear()
    futures += [groups.submit(number) for number in (0, 2, 4)]
    worker.may_go.set()
    await asyncio.gather(*futures)
    await shut_down(executor)
    assert delivered == [[], [True, False, False], [True, True, False]]


@pytest.mark.parametrize("results", [[0], [0, 4, 8]], ids=["few", "many"])
async def test_work_that_keeps_no_word_is_told_of(executor: Executor, results: list[int]) -> None:
    """The loop hears of it, and so does whoever has no result; the next group is done all the same."""
    told: list[object] = []
    may_go = threading.Event()

    def work(numbers: Sequence[int]) -> Sequence[int]:
        assert may_go.wait(PATIENCE)
        return results if len(numbers) == 2 else [number * 2 for number in numbers]

    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
    groups = GroupCommit(executor, work, most=2)
    futures = [groups.submit(number) for number in (0, 0, 2, 4)]
    may_go.set()
    ends = await asyncio.wait_for(asyncio.gather(*futures, return_exceptions=True), PATIENCE)
    (bug,) = told
    assert isinstance(bug, ValueError)
    assert ends == [0, 0, bug if len(results) < 2 else 4, 8]


async def test_executor_that_takes_no_job_is_told_to_those_who_wait(worker: Worker) -> None:
    """To all of them, those of later groups included; who asks for nothing but a future gets one."""
    executor = ThreadPoolExecutor(1)
    groups = GroupCommit(executor, worker.work, most=2)
    worker.may_go.clear()
    first = groups.submit(0)
    others = [groups.submit(number) for number in (2, 4, 6)]
    executor.shutdown(wait=False)
    worker.may_go.set()
    assert await first == 0
    refused = await asyncio.wait_for(asyncio.gather(*others, groups.submit(8), return_exceptions=True), PATIENCE)
    assert all(isinstance(error, RuntimeError) for error in refused)
    assert worker.groups == [[0]]


async def test_failed_job_fails_alone(groups: GroupCommit[int, int]) -> None:
    """Its neighbours in the group have their results."""
    first = groups.submit(0)
    results = await asyncio.gather(first, *(groups.submit(number) for number in (2, 3, 4)), return_exceptions=True)
    assert [str(result) for result in results] == ["0", "4", "odd 3", "8"]


async def test_failed_group_fails_all_in_it_and_no_other(worker: Worker, groups: GroupCommit[int, int]) -> None:
    """What `work` itself raises is everyone's; the next group is done."""
    worker.may_go.clear()
    first = groups.submit(0)
    second = [groups.submit(number) for number in (2, -1)]
    worker.may_go.set()
    assert await first == 0
    results = await asyncio.gather(*second, return_exceptions=True)
    assert [str(result) for result in results] == ["the whole group", "the whole group"]
    assert await groups.put(6) == 12


async def test_job_of_a_cancelled_caller_is_taken_back(worker: Worker, groups: GroupCommit[int, int]) -> None:
    """If it has not begun it never will; the others do not notice."""
    worker.may_go.clear()
    tasks = [asyncio.ensure_future(groups.put(number)) for number in (0, 2, 4)]
    await turn()
    tasks[1].cancel()
    await turn()
    assert tasks[1].cancelled()
    worker.may_go.set()
    assert [await tasks[0], await tasks[2]] == [0, 8]
    assert worker.groups == [[0], [4]]


async def test_cancelled_caller_waits_for_the_group_that_works_for_him(
    worker: Worker, groups: GroupCommit[int, int]
) -> None:
    """When his cancellation goes on, no thread is at work for him any more."""
    worker.may_go.clear()
    task = asyncio.ensure_future(groups.put(0))
    await turn()
    task.cancel()
    await turn()
    assert not task.done()
    worker.may_go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert worker.at_work == 0


async def test_failure_for_a_cancelled_caller_is_not_lost_aloud(worker: Worker, groups: GroupCommit[int, int]) -> None:
    """Nobody retrieves it, and nobody is told that nobody did."""
    worker.may_go.clear()
    tasks = [asyncio.ensure_future(groups.put(number)) for number in (-1, 3)]
    await turn()
    for task in tasks:
        task.cancel()
    worker.may_go.set()
    assert all(isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*tasks, return_exceptions=True))
    del tasks, task
    gc.collect()


async def test_closing_cancels_what_has_not_begun(worker: Worker, groups: GroupCommit[int, int]) -> None:
    """What runs is finished; what comes later is cancelled at once, so that nobody waits for ever."""
    worker.may_go.clear()
    running, waiting = groups.submit(0), groups.submit(2)
    groups.close()
    late = groups.submit(4)
    assert (running.done(), waiting.cancelled(), late.cancelled()) == (False, True, True)
    worker.may_go.set()
    assert await running == 0
    assert worker.groups == [[0]]
    with pytest.raises(asyncio.CancelledError):
        await groups.put(6)


async def test_end_of_the_executor_cancels_a_group_that_has_not_begun(worker: Worker) -> None:
    """Its waiters are told; they would wait for ever."""
    executor = ThreadPoolExecutor(1)
    worker.may_go.clear()
    busy = executor.submit(worker.work, [0])
    groups = GroupCommit(executor, worker.work)
    queued = groups.submit(2)
    groups.close()
    ending = asyncio.ensure_future(shut_down(executor))
    await turn()
    worker.may_go.set()
    await ending
    assert busy.result() == [0]
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(queued, PATIENCE)


async def test_uncancelled_caller_of_finish_first_gets_the_result(worker: Worker, executor: Executor) -> None:
    """Or the exception of the job; nothing is cleaned up."""
    loop = asyncio.get_running_loop()
    cleaned: list[object] = []

    async def clean_up(result: object) -> None:
        cleaned.append(result)

    assert await finish_first(loop.run_in_executor(executor, worker.work, [2]), clean_up) == [4]
    with pytest.raises(OSError, match="the whole group"):
        await finish_first(loop.run_in_executor(executor, worker.work, [-1]), clean_up)
    assert cleaned == []


@pytest.mark.parametrize(("numbers", "made"), [([2], [[4]]), ([-1], [])], ids=["a result", "a failure"])
async def test_cancelled_caller_of_finish_first_waits_and_cleans_up(
    worker: Worker, executor: Executor, numbers: list[int], made: list[object]
) -> None:
    """What the thread made is handed to the one who can remove it, before the cancellation goes on."""
    cleaned: list[object] = []

    async def clean_up(result: object) -> None:
        await asyncio.sleep(0)
        cleaned.append(result)

    async def ask() -> None:
        await finish_first(asyncio.get_running_loop().run_in_executor(executor, worker.work, numbers), clean_up)

    worker.may_go.clear()
    task = asyncio.ensure_future(ask())
    await turn()
    task.cancel()
    await turn()
    assert not task.done()
    worker.may_go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned == made
    assert worker.at_work == 0
    del task
    gc.collect()


async def test_shutting_down_waits_without_blocking_the_loop(worker: Worker) -> None:
    """The loop goes on while a thread still works, and afterwards there is no thread."""
    executor = ThreadPoolExecutor(2, thread_name_prefix="to-be-ended")
    worker.may_go.clear()
    job = executor.submit(worker.work, [2])
    ending = asyncio.ensure_future(shut_down(executor))
    await turn()
    assert not ending.done()
    worker.may_go.set()
    await ending
    assert job.result() == [4]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("to-be-ended")]


async def test_executor_that_cannot_end_is_not_waited_for() -> None:
    """Its error is the caller's, instead of a wait without end."""

    class Stuck(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            raise RuntimeError("cannot join thread before it is started")

    with pytest.raises(RuntimeError, match="cannot join"):
        await asyncio.wait_for(shut_down(Stuck()), PATIENCE)
