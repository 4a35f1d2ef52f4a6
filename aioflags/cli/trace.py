"""`--trace`: the life of each item as lines of text, in the order it happened, futures as Python shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aioflags.items import Outcome
from aioflags.redact import escape_text, redact_text, redact_url
from aioflags.trace import PHASES, Attempted, Finished, Scheduled, Tracer

__all__ = ["Label", "TextTrace", "Tracers", "label_by_name"]

Label = Callable[[str, str | None], str]
"""Gives what an item is called, from its URL and its name."""


def label_by_name(url: str, name: str | None) -> str:
    """Call an item by its name, if it has one."""
    return redact_url(url) if name is None else escape_text(name)


class TextTrace:
    """A tracer that writes lines.

    Args:
        write: Called with each line.
        label: What an item is called.
    """

    def __init__(self, write: Callable[[str], None], label: Label = label_by_name) -> None:
        self._write = write
        self._label = label

    def scheduled(self, event: Scheduled) -> None:
        """Write the future as it was when the engine had just made it."""
        self._write(f"Scheduled for {self._label_of(event)}: {_show(event.future)}")

    def attempted(self, event: Attempted) -> None:
        """Write the same future when it was done, and how long each phase took."""
        phases = ", ".join(
            f"{phase} {1000 * duration:.1f}" for phase, duration in zip(PHASES, event.durations, strict=True)
        )
        worker = escape_text(event.worker)
        self._write(f"Done for {self._label_of(event)}: {_show(event.future)}; {worker}, milliseconds: {phases}")

    def finished(self, event: Finished) -> None:
        """Write what became of the item."""
        self._write(f"Result for {self._label(event.url, event.name)}: {_tell(event.outcome)}")

    def _label_of(self, event: Scheduled | Attempted) -> str:
        label = self._label(event.url, event.name)
        return label if event.attempt == 1 else f"{label}, attempt {event.attempt}"


class Tracers:
    """Several tracers as one.

    Args:
        tracers: Told in this order.
    """

    def __init__(self, tracers: Sequence[Tracer]) -> None:
        self._tracers = tracers

    def scheduled(self, event: Scheduled) -> None:
        """Tell all."""
        for tracer in self._tracers:
            tracer.scheduled(event)

    def attempted(self, event: Attempted) -> None:
        """Tell all."""
        for tracer in self._tracers:
            tracer.attempted(event)

    def finished(self, event: Finished) -> None:
        """Tell all."""
        for tracer in self._tracers:
            tracer.finished(event)


def _show(future: object) -> str:
    return redact_text(repr(future))


def _tell(outcome: Outcome) -> str:
    if outcome.error is not None:
        return f"{outcome.status.value}, {redact_text(str(outcome.error))}"
    if outcome.path is None:
        return outcome.status.value
    return f"{outcome.status.value}, {outcome.bytes} bytes in {escape_text(outcome.path)}"
