"""The more bodies come at once, the less of each goes to the disk at a time."""

from __future__ import annotations

import pytest

from aioflags.engines.bodies import BLOCK
from aioflags.engines.portions import Portions


@pytest.mark.parametrize(("bodies", "blocks"), [(0, 4), (1, 4), (4, 4), (5, 3), (8, 2), (9, 1), (16, 1), (1000, 1)])
def test_portion_is_a_share_of_what_all_may_have(bodies: int, blocks: int) -> None:
    """A block at least, and four at most."""
    portions = Portions()
    for _ in range(bodies):
        portions.enter()
    assert portions.size == blocks * BLOCK


def test_who_leaves_leaves_more_for_the_others() -> None:
    """At once."""
    portions = Portions()
    for _ in range(9):
        portions.enter()
    portions.leave()
    assert portions.size == 2 * BLOCK
