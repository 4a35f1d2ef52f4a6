"""An engine without network and disk, for tests of whatever stands above the seam, ours or yours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aioflags.engines.seam import Attempt, AttemptResult, Meter

__all__ = ["FakeEngine"]

Answer = AttemptResult | Callable[[Attempt], AttemptResult]


class FakeEngine:
    """Answers attempts from a script.

    Args:
        script: URL as it goes to the wire, to the answers for it in turn; the last one repeats. A function is asked
            for its answer. A URL that is not in the script is saved with 0 bytes.
        gate: Attempts wait for it, so that a test can look at them in flight.
    """

    def __init__(self, script: dict[str, list[Answer]] | None = None, *, gate: asyncio.Event | None = None) -> None:
        self._script = script or {}
        self._gate = gate
        self.attempts: list[Attempt] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.is_closed = False
        self.capacity: int | None = None

    async def fetch(self, attempt: Attempt, meter: Meter) -> AttemptResult:
        """Give the next answer, see `aioflags.engines.seam.Engine`."""
        self.attempts.append(attempt)
        meter.scheduled(asyncio.current_task())
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self._gate is not None:
                await self._gate.wait()
            else:
                await asyncio.sleep(0)
        finally:
            self.in_flight -= 1
        return self._answer(attempt)

    def _answer(self, attempt: Attempt) -> AttemptResult:
        answers = self._script.get(attempt.target.url)
        if not answers:
            return AttemptResult(http_status=200, digests={"xxh128": "0" * 32})
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return answer(attempt) if callable(answer) else answer

    async def close(self) -> None:
        """Note that the downloader gave the engine back."""
        self.is_closed = True
