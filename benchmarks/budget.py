"""How many rounds a contender gets: all that were asked for, or as many as fit into its share of time. Pure."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Share"]


@dataclass(slots=True)
class Share:
    """The time of one contender in one case.

    Args:
        rounds: To be measured at most.
        limit: Seconds for all its runs, the warm-up among them; `None` for as long as it takes.
        spent: Seconds so far.
        runs: So far, the warm-up among them.
        measured: Runs so far that count.
    """

    rounds: int
    limit: float | None = None
    spent: float = 0.0
    runs: int = 0
    measured: int = 0

    def add(self, seconds: float, *, is_warm_up: bool) -> bool:
        """Note how long a run took; tells whether it is measured: a warm-up is if nothing else fits into the share."""
        self.spent += seconds
        self.runs += 1
        counts = not is_warm_up or not self._fits
        self.measured += counts
        return counts

    @property
    def allows_another(self) -> bool:
        """There are rounds to be measured still, and time for one; for the first there is always."""
        return self.measured < self.rounds and self._fits

    @property
    def _fits(self) -> bool:
        """There is room for another run, going by those so far."""
        return self.limit is None or self.spent * (self.runs + 1) <= self.limit * self.runs
