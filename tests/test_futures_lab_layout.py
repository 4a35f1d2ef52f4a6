"""How a finding is set on a page."""

from __future__ import annotations

import pytest

from aioflags.futures_lab.lab import Claim, Facts, Finding
from aioflags.futures_lab.layout import lay_out, list_claims, sum_up


def see() -> Facts:
    return {}


CLAIM = Claim(
    name="of-a-test",
    sentence="A sentence that is long enough to need a second line on a narrow page.",
    lesson="Look.",
    probes=(see, see),
    expected={"first fact": (1, True)},
)
GOOD = Finding(CLAIM, {"concurrent": {"first fact": 1, "text": ""}, "asyncio": {"first fact": True}}, {}, 0.5)
BAD = Finding(CLAIM, {"concurrent": {"first fact": 2}, "asyncio": {"first fact": True}}, {"dask": "it is away"}, 0.5)


def test_blocks_come_in_the_order_of_reading() -> None:
    """Each with its role, and the verdict before the lesson."""
    assert [role for role, _ in lay_out(GOOD, 80)] == ["name", "sentence", "code", "table", "holds", "lesson"]
    assert [role for role, _ in lay_out(BAD, 80)] == ["name", "sentence", "code", "table", "fails", "fails", "lesson"]


def test_table_has_a_column_for_each_kind_that_was_tried() -> None:
    """What only one observed leaves a dash with the other; an empty text is shown in a word."""
    table = dict(lay_out(GOOD, 80))["table"].splitlines()
    assert table[0].split() == ["a", "Future", "of", "concurrent.futures", "asyncio"]
    assert [line.split()[-2:] for line in table[1:]] == [["1", "True"], ["nothing", "-"]]


def test_verdict_names_what_contradicts_and_what_was_not_tried() -> None:
    """In sentences."""
    fails = [text.split("\n") for role, text in lay_out(BAD, 80) if role == "fails"]
    assert [" ".join(" ".join(lines).split()) for lines in fails] == [
        "Does not hold; distributed was not tried: it is away.",
        "Concurrent.futures, first fact: 2 where 1 is claimed.",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_page_is_as_wide_as_is_asked(width: int) -> None:
    """Code apart, which is never broken; and no line ends in blanks."""
    for finding in (GOOD, BAD):
        lines = [line for role, text in lay_out(finding, width) if role != "code" for line in text.splitlines()]
        assert [line for line in lines if len(line) > width or line != line.rstrip()] == []
    assert max(len(line) for line in sum_up([GOOD, BAD], 1.0, "a machine of some kind", width).splitlines()) <= width


def test_list_hangs_sentences_beside_their_names() -> None:
    """Folded under their first word."""
    (line,) = list_claims([CLAIM], 40)
    first, *rest = line.splitlines()
    assert first.startswith("of-a-test  A sentence")
    assert rest
    assert all(text.startswith(" " * 11) and text[11] != " " for text in rest)


@pytest.mark.parametrize(
    ("findings", "text"),
    [
        ([GOOD], "The claim holds; 1.2 s on it."),
        ([GOOD, GOOD], "All 2 claims hold; 1.2 s on it."),
        ([GOOD, BAD], "1 of 2 claims hold; not: of-a-test; 1.2 s on it."),
    ],
)
def test_last_line_counts(findings: list[Finding], text: str) -> None:
    """And names what does not hold."""
    assert sum_up(findings, 1.23, "it", 80) == text
