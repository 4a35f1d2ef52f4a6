"""How much of a long body goes to the disk at a time: the more, the fewer bodies there are that come at once.

Each portion is a hop to a thread and back: one file of 1 GiB took 1.4 times as long in portions of 256 KiB as in those
of 1 MiB. Sixty-four at a time would take sixty-four times as much memory.
"""

from __future__ import annotations

from aioflags.engines.bodies import BLOCK

__all__ = ["Portions"]

#: Blocks in a portion at most, and in the portions of all bodies together, if one for each is not more.
_MOST = 4
_TOGETHER = 16


class Portions:
    """Counts the long bodies of an engine."""

    def __init__(self) -> None:
        self._bodies = 0

    def enter(self) -> None:
        """Another body comes."""
        self._bodies += 1

    def leave(self) -> None:
        """One has ended."""
        self._bodies -= 1

    @property
    def size(self) -> int:
        """Bytes of a portion for now."""
        return BLOCK * max(1, min(_MOST, _TOGETHER // max(1, self._bodies)))
