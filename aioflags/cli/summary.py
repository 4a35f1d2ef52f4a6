"""Failures of a job, grouped by kind and host in bounded memory, and how they are told at the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from aioflags.cli.advice import advise
from aioflags.cli.quantities import show_count
from aioflags.items import Outcome
from aioflags.redact import escape_text, redact_text, redact_url

__all__ = ["Failures"]

_KEPT = 100
_SHOWN = 20
_EXAMPLES = 3
_LONGEST = 300


@dataclass(slots=True)
class _Group:
    """Failures of one kind at one host; `examples` maps the first few messages to the item that had each first."""

    kind: str
    http_status: int | None
    host: str | None
    count: int = 0
    examples: dict[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The kind, and the status with it where that is what the kind says."""
        return f"{self.kind} {self.http_status}" if self.http_status else self.kind

    def add(self, outcome: Outcome, message: str, count: int) -> None:
        self.count += count
        if len(self.examples) < _EXAMPLES and (message := _cut(redact_text(message))) not in self.examples:
            line = f" (line {outcome.line})" if outcome.line is not None else ""
            self.examples[message] = f"{_cut(redact_url(outcome.url))}{line}".strip()


class Failures:
    """Counts failures as they come; keeps some examples of each group, and a hundred groups at most."""

    def __init__(self) -> None:
        self.count = 0
        self._groups: dict[tuple[str, int | None, str | None], _Group] = {}
        self._ungrouped = 0

    def add(self, outcome: Outcome, count: int = 1) -> None:
        """Count the failure of one item, or of `count` that failed like it; an outcome without an error is none."""
        error = outcome.error
        if error is None:
            return
        self.count += count
        key = error.kind, outcome.http_status if error.kind == "http" else None, error.host
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= _KEPT:
                self._ungrouped += count
                return
            group = self._groups[key] = _Group(*key)
        group.add(outcome, error.message, count)

    def lines(self) -> list[str]:
        """Tell of all failures, the most frequent first, and what to do next; empty if there is none."""
        if not self.count:
            return []
        groups = sorted(self._groups.values(), key=lambda group: -group.count)
        lines = [f"{show_count(self.count, 'file')} failed:"]
        for group in groups[:_SHOWN]:
            lines += _describe(group)
        rest = self._ungrouped + sum(group.count for group in groups[_SHOWN:])
        if rest:
            lines.append(f"  and {rest} more, of other kinds or at other hosts; --json lists them all")
        return [*lines, "What to do next:", *_next_steps(groups)]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _describe(group: _Group) -> list[str]:
    place = f" at {escape_text(group.host)}" if group.host else ""
    examples = [f"      {item + ': ' if item else ''}{message}" for message, item in group.examples.items()]
    return [f"  {group.count} x {group.label}{place}, for instance", *examples]


def _next_steps(groups: list[_Group]) -> list[str]:
    """One line for each kind, the most frequent first."""
    counts: Counter[str] = Counter()
    advice: dict[str, str] = {}
    for group in groups:
        counts[group.label] += group.count
        advice.setdefault(group.label, advise(group.kind, group.http_status))
    return [f"  {label}: {advice[label]}" for label, _ in counts.most_common()]
