"""Limits are divided so that all workers together keep them."""

from __future__ import annotations

import pytest

from aioflags.settings import Settings
from aioflags.shards.division import divide


@pytest.mark.parametrize(("processes", "concurrency", "per_host"), [(1, 1, 1), (3, 64, 16), (8, 5, 0), (4, 64, 2)])
def test_all_together_keep_the_limits(processes: int, concurrency: int, per_host: int) -> None:
    """Nobody goes without, and the sum is what was allowed, also where there is less than one for each."""
    settings = Settings(processes=processes, concurrency=concurrency, per_host=per_host, rate=6.0, limit_rate=600.0)
    shares = divide(settings)
    assert sum(share.concurrency for share in shares) == concurrency
    assert sum(share.per_host for share in shares) == per_host
    assert min(share.concurrency for share in shares) >= 1
    assert per_host == 0 or min(share.per_host for share in shares) >= 1
    assert sum(share.rate or 0 for share in shares) == pytest.approx(6.0)
    assert sum(share.limit_rate or 0 for share in shares) == pytest.approx(600.0)
