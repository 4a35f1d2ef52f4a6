"""Failures of a job, grouped by kind and host in bounded memory, and how they are told at the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from aioflags.cli.advice import advise
from aioflags.cli.quantities import show_count
from aioflags.items import Outcome
from aioflags.redact import escape_text, redact_text, redact_url

__all__ = ["Failures"]

_KEPT = 100
_SHOWN = 20
_LONGEST = 300


@dataclass(slots=True)
class _Group:
    """Failures of one kind at one host; the first of them stands for all."""

    kind: str
    http_status: int | None
    host: str | None
    message: str
    url: str
    line: int | None
    count: int = 0

    @property
    def label(self) -> str:
        """The kind, and the status with it where that is what the kind says."""
        return f"{self.kind} {self.http_status}" if self.kind == "http" and self.http_status else self.kind


class Failures:
    """Counts failures as they come; keeps one example of each group, and of a hundred groups at most."""

    def __init__(self) -> None:
        self.count = 0
        self._groups: dict[tuple[str, int | None, str | None], _Group] = {}
        self._ungrouped = 0

    def add(self, outcome: Outcome) -> None:
        """Count the failure of one item; an outcome without an error is none."""
        error = outcome.error
        if error is None:
            return
        self.count += 1
        status = outcome.http_status if error.kind == "http" else None
        key = error.kind, status, error.host
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= _KEPT:
                self._ungrouped += 1
                return
            group = _Group(
                kind=error.kind,
                http_status=status,
                host=error.host,
                message=_cut(redact_text(error.message)),
                url=_cut(redact_url(outcome.url)),
                line=outcome.line,
            )
            self._groups[key] = group
        group.count += 1

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
    line = f" (line {group.line})" if group.line is not None else ""
    example = f"      for instance {group.url}{line}" if group.url else f"      for instance{line}"
    return [f"  {group.count} x {group.label}{place}: {group.message}", *([example] if group.url or line else [])]


def _next_steps(groups: list[_Group]) -> list[str]:
    """One line for each kind, the most frequent first."""
    counts: Counter[str] = Counter()
    advice: dict[str, str] = {}
    for group in groups:
        counts[group.label] += group.count
        advice.setdefault(group.label, advise(group.kind, group.http_status))
    return [f"  {label}: {advice[label]}" for label, _ in counts.most_common()]
