"""How the limits of a job are divided among its workers, so that all together keep them."""

from __future__ import annotations

from dataclasses import replace

from aioflags.settings import Settings

__all__ = ["divide"]


def divide(settings: Settings) -> list[Settings]:
    """Give each worker its limits.

    There are no more workers than attempts that may be in flight, to one host or in all: each has at least one of
    both, and their sum is what the user has allowed. Rates are divided evenly.

    >>> [(each.concurrency, each.per_host) for each in divide(Settings(processes=3, concurrency=64, per_host=16))]
    [(22, 6), (21, 5), (21, 5)]
    """
    count = min(settings.processes, settings.concurrency, settings.per_host or settings.concurrency)
    rate = None if settings.rate is None else settings.rate / count
    limit_rate = None if settings.limit_rate is None else settings.limit_rate / count
    return [
        replace(
            settings,
            processes=1,
            concurrency=_part(settings.concurrency, count, index),
            per_host=_part(settings.per_host, count, index),
            rate=rate,
            limit_rate=limit_rate,
        )
        for index in range(count)
    ]


def _part(whole: int, count: int, index: int) -> int:
    return whole // count + (index < whole % count)
