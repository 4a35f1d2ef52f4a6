"""How a finding is set on a page: pure text in blocks, each with its role, so that a terminal may colour them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypeAlias

from aioflags.futures_lab.lab import KINDS, Claim, Finding, Value

__all__ = ["Block", "lay_out", "list_claims", "sum_up"]

Role: TypeAlias = Literal["name", "sentence", "code", "table", "holds", "fails", "lesson"]
Block: TypeAlias = tuple[Role, str]

_MARGIN = "  "
_GAP = "  "


def lay_out(finding: Finding, width: int) -> Iterator[Block]:
    """Set a finding: the claim, its code, what was observed in columns, the verdict and the lesson.

    Args:
        finding: What to show.
        width: Columns of the page. Code is not broken, whatever its width.
    """
    claim = finding.claim
    yield "name", claim.name
    yield "sentence", _paragraph(claim.sentence, width)
    yield "code", textwrap.indent(claim.code, _MARGIN * 2)
    yield "table", textwrap.indent("\n".join(_table(list(_rows(finding)), width - 4)), _MARGIN * 2)
    yield "holds" if finding.holds else "fails", _paragraph(_as_sentence(finding.verdict), width)
    for contradiction in finding.contradictions:
        yield "fails", _paragraph(_as_sentence(contradiction), width)
    yield "lesson", _paragraph(claim.lesson, width)


def list_claims(claims: Iterable[Claim], width: int) -> Iterator[str]:
    """Give a line for each claim, its name and sentence, folded to `width` columns."""
    claims = list(claims)
    indent = max(len(claim.name) for claim in claims) + len(_GAP)
    for claim in claims:
        text = f"{claim.name:{indent}}{claim.sentence}"
        yield textwrap.fill(text, width, subsequent_indent=" " * indent, break_on_hyphens=False)


def sum_up(findings: Sequence[Finding], elapsed: float, machine: str, width: int) -> str:
    """Count the verdicts, folded to `width` columns; `elapsed` in seconds."""
    failed = [finding.claim.name for finding in findings if not finding.holds]
    held = len(findings) - len(failed)
    if failed:
        verdict = f"{held} of {len(findings)} claims hold; not: {', '.join(failed)}"
    else:
        verdict = f"all {held} claims hold" if held > 1 else "the claim holds"
    text = f"{_as_sentence(verdict)[:-1]}; {elapsed:.1f} s on {machine}."
    return textwrap.fill(text, width, break_on_hyphens=False)


def _paragraph(text: str, width: int) -> str:
    return textwrap.fill(text, width, initial_indent=_MARGIN, subsequent_indent=_MARGIN, break_on_hyphens=False)


def _as_sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _rows(finding: Finding) -> Iterator[list[str]]:
    """Head and body of the table: facts down, kinds of Future across."""
    observations = finding.observations
    yield ["a Future of", *(KINDS[kind] for kind in observations)]
    for fact in dict.fromkeys(fact for facts in observations.values() for fact in facts):
        yield [fact, *(_show(facts[fact]) if fact in facts else "-" for facts in observations.values())]


def _show(value: Value) -> str:
    return "nothing" if value == "" else str(value)


def _table(rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    columns = [max(map(len, column)) for column in zip(*rows, strict=True)]
    while sum(columns) + len(_GAP) * (len(columns) - 1) > width:
        columns[columns.index(max(columns))] -= 1
    for row in rows:
        cells = [textwrap.wrap(cell, column) for cell, column in zip(row, columns, strict=True)]
        for number in range(max(map(len, cells))):
            line = (cell[number] if number < len(cell) else "" for cell in cells)
            yield _GAP.join(text.ljust(column) for text, column in zip(line, columns, strict=True)).rstrip()
