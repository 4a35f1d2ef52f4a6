"""How a finding looks to a reader: the claim, its code, what was observed in columns, the verdict; 80 columns wide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from textwrap import indent, wrap

from aioflags.futures_lab.lab import Finding, Value

__all__ = ["WIDTH", "show_finding", "show_sum"]

WIDTH = 80
_MARGIN = "  "
_GAP = "  "
_HEADINGS = {"concurrent": "concurrent.futures", "asyncio": "asyncio", "dask": "distributed"}

_BOLD, _FAINT, _GOOD, _BAD, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[31m", "\x1b[0m"


def show_finding(finding: Finding, *, styled: bool = False) -> str:
    """Write a page about a finding.

    Args:
        finding: What came of a claim.
        styled: With the control codes of a terminal.
    """
    claim = finding.claim
    verdict = finding.verdict[0].upper() + finding.verdict[1:] + "."
    blocks = [
        _style(claim.name, _BOLD, styled=styled) + "\n" + _fill(claim.sentence),
        _style_lines(indent(claim.code, _MARGIN), _FAINT, styled=styled),
        "\n".join(_table(finding)),
        _style_lines(_fill(verdict), _GOOD if finding.holds else _BAD, styled=styled),
    ]
    if not finding.holds:
        blocks[-1] += "".join("\n" + _fill(line, _MARGIN) for line in finding.contradictions)
    blocks[-1] += "\n" + _fill(claim.lesson)
    return "\n\n".join(blocks) + "\n"


def show_sum(findings: Sequence[Finding], *, styled: bool = False) -> str:
    """Write the last line: how many claims hold, and the names of those that do not."""
    fallen = [finding.claim.name for finding in findings if not finding.holds]
    elapsed = sum(finding.elapsed for finding in findings)
    held = f"{len(findings) - len(fallen)} of {len(findings)} claims hold, tried in {elapsed:.1f} s"
    if not fallen:
        return _style(held, _GOOD, styled=styled)
    return _style_lines(_fill(f"{held}; not so: {', '.join(fallen)}"), _BAD, styled=styled)


def _fill(text: str, margin: str = "") -> str:
    return "\n".join(wrap(text, WIDTH, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False))


def _table(finding: Finding) -> Iterator[str]:
    """A row for each fact, a column for each kind that was tried."""
    kinds = list(finding.observations)
    facts = list(dict.fromkeys(fact for kind in kinds for fact in finding.observations[kind]))
    label = max(map(len, facts), default=0)
    room = WIDTH - len(_MARGIN) - label - len(_GAP) * len(kinds)
    width = min(room // max(1, len(kinds)), 30)
    rows = [("", *(_HEADINGS[kind] for kind in kinds))]
    rows += [(fact, *(_cell(finding.observations[kind], fact) for kind in kinds)) for fact in facts]
    for name, *cells in rows:
        columns = [[name], *(_break(cell, width) for cell in cells)]
        for first, *rest in zip_longest(*columns, fillvalue=""):
            yield (_MARGIN + first.ljust(label) + "".join(_GAP + text.ljust(width) for text in rest)).rstrip()


def _cell(facts: object, fact: str) -> str:
    assert hasattr(facts, "get")
    return _show(facts.get(fact, "-"))


def _show(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "(nothing)" if value == "" else str(value)


def _break(text: str, width: int) -> list[str]:
    """Break a cell into lines; a dotted name after one of its dots."""
    if " " in text:
        return wrap(text, width)
    return [line.replace(". ", ".") for line in wrap(text.replace(".", ". "), width)] if len(text) > width else [text]


def _style(text: str, code: str, *, styled: bool) -> str:
    return f"{code}{text}{_PLAIN}" if styled and text else text


def _style_lines(text: str, code: str, *, styled: bool) -> str:
    """Style each line by itself: a pager shows them one by one."""
    return "\n".join(_style(line, code, styled=styled) for line in text.split("\n"))
