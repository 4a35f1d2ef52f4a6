"""The verdict turns with the figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aioflags.compare.measure import Comparison
from aioflags.compare.runs import Run, Summary, summarise
from aioflags.compare.verdict import explain, judge
from tests.test_compare_runs import span

CAPACITIES = {"sequential": 1, "threads": 6, "processes": 2, "asyncio": 64}


def an_engine(name: str, wall: float, *, workers: int = 1, files: int = 4, cpu: float = 0.01) -> Summary:
    """An engine whose workers share `files` files evenly and wait all the time."""
    rounds = files // workers
    length = wall / rounds
    spans = tuple(span(f"w {n % workers}", n // workers * length, (n // workers + 1) * length) for n in range(files))
    return summarise([Run(name, wall, cpu * wall, 1, 1, 1, length, files, 0, 9, spans)])


def compared(*engines: Summary, items: int = 4) -> Comparison:
    """A comparison of these."""
    return Comparison(engines, items, 9, ())


def verdict(*engines: Summary, items: int = 4) -> str:
    """All sentences as one text."""
    return " ".join(judge(compared(*engines, items=items), CAPACITIES))


def test_waiting_is_shared_by_whoever_waits_for_most() -> None:
    """Where the first engine waited nearly all the time, that is the reason."""
    text = verdict(an_engine("sequential", 4.0), an_engine("asyncio", 1.0, workers=4))
    assert text.startswith("Fastest: asyncio, 1.00 s; sequential took 4.0 times as long.")
    assert "sequential waited for the server for 100% of the 4.00 s" in text
    assert "1 with sequential and 4 with asyncio" in text
    assert "does not win" not in text


def test_verdict_turns_when_the_figures_do() -> None:
    """No engine is the winner beforehand."""
    text = verdict(an_engine("sequential", 1.0), an_engine("asyncio", 4.0, workers=4))
    assert text.startswith("Fastest: sequential, 1.00 s; asyncio took 4.0 times as long.")
    assert "asyncio does not win here." in text


def test_a_tie_is_called_one() -> None:
    """A tenth more is no difference, nor is what lies within the spread of the fastest."""
    text = verdict(an_engine("threads", 1.0, workers=2), an_engine("asyncio", 1.05, workers=2))
    assert text.startswith("No difference that counts between threads and asyncio, 1.00 s.")
    assert "as good as others" in text


def test_work_is_not_waiting() -> None:
    """Where the processor was busy most of the time, that is the reason."""
    text = verdict(an_engine("sequential", 4.0, cpu=0.9), an_engine("processes", 2.0, workers=2, cpu=1.8))
    assert "sequential kept a processor at work for 90% of its time" in text
    assert "0.9 with sequential and 1.8 with processes" in text
    alone = verdict(an_engine("sequential", 4.0, cpu=0.9), an_engine("threads", 4.0, cpu=1.0))
    assert "No engine had more than one at work here." in alone


def test_a_limit_decides() -> None:
    """Engines that could have had more in flight, and did not, were held back."""
    text = verdict(
        an_engine("sequential", 4.0, files=8),
        an_engine("threads", 2.0, workers=2, files=8),
        an_engine("asyncio", 2.0, workers=2, files=8),
        items=8,
    )
    assert "threads and asyncio could have had more files in flight, but never had more than 2 at once" in text


def test_one_file_has_no_company() -> None:
    """With a single item there is nothing to share."""
    assert "one file only" in verdict(an_engine("threads", 1.0, files=1), an_engine("asyncio", 1.0, files=1), items=1)


def test_files_that_differ_are_named() -> None:
    """Nobody has to look for them."""
    comparison = replace(compared(an_engine("asyncio", 1.0)), differing=("a.svg",))
    assert judge(comparison, CAPACITIES)[-1] == "Files that are not the same in all runs: a.svg."
    assert not comparison.is_clean


@pytest.mark.parametrize(
    ("engine", "sentence"),
    [
        (an_engine("sequential", 4.0), "One after the other, so it takes the sum: 4 files, 4.00 s together. "),
        (an_engine("threads", 2.0, workers=2), "2 at once, so it takes the sum over the workers: 4 files, 4.00 s"),
        (an_engine("asyncio", 1.0, workers=4), "All 4 at once, so it takes as long as the longest, 1.00 s; "),
        (an_engine("asyncio", 1.0, files=1), "One file, which took 1.00 s. "),
        (summarise([Run("asyncio", 1.0, 0.1, 1, 1, 1, None, 0, 1, 0, ())]), "Nothing was attempted."),
    ],
)
def test_each_picture_has_its_sentence(engine: Summary, sentence: str) -> None:
    """It says what is seen: the sum, the sum over the workers, or the longest."""
    assert explain(engine).startswith(sentence)


def test_a_late_start_is_told() -> None:
    """Starting workers takes time that no file explains."""
    late = summarise([Run("processes", 1.0, 0.1, 1, 1, 1, 1.0, 2, 0, 9, (span("1", 0.5, 1.0), span("2", 0.6, 0.9)))])
    assert "500 ms went by before the first of them was taken up" in explain(late)
