"""Jobs that no worker has yet: in the order in which they came, lane by lane. Knows no worker."""

from __future__ import annotations

from collections import deque

from aioflags.jobs import Job
from aioflags.schedule import Lane

__all__ = ["Stock"]


class Stock:
    """Counts in each lane, too, how many of its jobs wait here."""

    def __init__(self) -> None:
        self._queues: dict[Lane, deque[Job]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def put(self, job: Job) -> None:
        """Have a job wait."""
        job.lane.waiting += 1
        self._queues.setdefault(job.lane, deque()).append(job)

    def take(self, size: int) -> list[Job]:
        """Give so many jobs at most, of lanes that are open; each counts as in flight from now on."""
        jobs: list[Job] = []
        for lane, queue in list(self._queues.items()):
            while lane.is_open and queue and len(jobs) < size:
                jobs.append(queue.popleft())
            if not queue:
                del self._queues[lane]
        for job in jobs:
            job.lane.waiting -= 1
            job.lane.in_flight += 1
        return jobs

    def drop(self, lane: Lane) -> list[Job]:
        """Forget the jobs of `lane` and return them."""
        jobs = list(self._queues.pop(lane, ()))
        lane.waiting -= len(jobs)
        return jobs

    def drop_all(self) -> list[Job]:
        """Forget all jobs and return them."""
        return [job for lane in list(self._queues) for job in self.drop(lane)]
