"""What the README shows of the results: short tables and pictures, between markers that say of what. Pure.

A marker is `<!-- benchmarks: NAME -->`, and its end `<!-- /benchmarks -->`; NAME is a scenario, or `circumstances`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from benchmarks.charts import OURS, picture
from benchmarks.disk_picture import draw
from benchmarks.figures import ceiling_of, figure_of, order, rank_figure, reference_of, show, show_spread
from benchmarks.results import Case, Result, Series
from benchmarks.tables import line, show_rounds, show_spoiled

__all__ = ["CIRCUMSTANCES", "PICTURES", "draw_pictures", "find_markers", "rewrite"]

CIRCUMSTANCES = "circumstances"
"""The block that tells when, where and with what."""

PICTURES: Mapping[str, Callable[[Result], str]] = {
    "engines": picture,
    "small": picture,
    "large": picture,
    "latency": picture,
    "disk": draw,
}
"""How the scenarios are drawn that the README has a picture of."""

# The second question of a scenario, by the column that answers it.
_BESIDE: Mapping[str, str] = {
    "engines": "ideal",
    "latency": "ideal",
    "memory": "wall",
    "scale": "cpu each",
    "rerun": "requests",
    "disk": "late p99",
}

_BLOCK = re.compile(r"(<!-- benchmarks: (\w+) -->\n).*?(<!-- /benchmarks -->)", re.DOTALL)
_FACTS = ("processor", "cores", "memory", "system", "python", "files go to")
_NONE = "-"


def find_markers(text: str) -> list[str]:
    """Name the blocks of a text, in order."""
    return [name for _, name, _ in _BLOCK.findall(text)]


def rewrite(text: str, results: Sequence[Result]) -> str:
    """Put into each block of `text` what the results say."""
    made = {each.scenario: _scenario(each) for each in results} | {CIRCUMSTANCES: _circumstances(results)}

    def fill(found: re.Match[str]) -> str:
        begin, name, end = found.groups()
        missing = f"Not measured here yet: `python -m benchmarks {name}` does."
        return f"{begin}\n{made.get(name, missing)}\n\n{end}"

    return _BLOCK.sub(fill, text)


def draw_pictures(results: Sequence[Result]) -> dict[str, str]:
    """Draw what there is to draw: SVG by the path in the repository."""
    return {_path(each.scenario): PICTURES[each.scenario](each) for each in results if each.scenario in PICTURES}


def _path(scenario: str) -> str:
    return f".assets/benchmarks-{scenario}.svg"


def _circumstances(results: Sequence[Result]) -> str:
    if not results:
        return "Not measured here yet: `python -m benchmarks all` does."
    lines = []
    machines: dict[str, list[str]] = {}
    for result in results:
        facts = ", ".join(f"{name} {result.machine[name]}" for name in _FACTS if name in result.machine)
        machines.setdefault(facts, []).append(result.scenario)
    for facts, scenarios in machines.items():
        where = "" if len(machines) == 1 else f"{', '.join(scenarios)}: "
        lines.append(f"* {where}{facts}.")
    days = sorted({result.started.partition("T")[0] for result in results})
    lines.append(f"* Measured {' to '.join(days[:: max(1, len(days) - 1)])}. {_versions(results)}.")
    quick = [result.scenario for result in results if result.quick]
    if quick:
        lines.append(f"* **Quick runs, not for quoting**: {', '.join(quick)}.")
    skipped = {name: how for result in results for name, how in result.skipped.items()}
    lines += [f"* {name} is not installed, and was skipped: `{how}`." for name, how in skipped.items()]
    return "\n".join(lines)


def _versions(results: Sequence[Result]) -> str:
    """Name who took part, aioflags in all its forms once, each with its version."""
    versions: dict[str, None] = {}
    for result in results:
        for case in result.cases:
            versions |= dict.fromkeys(
                f"{each.name.split(' ')[0]} {each.version}" for each in case.series if each.version
            )
            versions |= dict.fromkeys([case.server] if case.server else [])
    return ", ".join(versions)


def _scenario(result: Result) -> str:
    # What has nothing of ours is left to the report.
    cases = [case for case in result.cases if _ours(case) is not None]
    parts = [_sentence(result.summary)]
    if result.scenario in PICTURES:
        parts.append(f"![{result.scenario}: bars of medians]({_path(result.scenario)})")
    beside = _BESIDE.get(result.scenario, "")
    contenders = list(dict.fromkeys(series.name for case in cases for series in case.series))
    if len(cases) > len(contenders):
        parts.append(_by_case(cases, contenders, beside))
    else:
        parts += [_by_contender(cases, contenders, beside), _captions(cases)]
    return "\n\n".join(parts)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _ours(case: Case) -> Series | None:
    return next((series for name in OURS for series in case.series if series.name == name), None)


def _by_contender(cases: Sequence[Case], contenders: Sequence[str], beside: str) -> str:
    """Give the table with a row for each contender, a column for each case."""
    lines = [line(["", *(f"{case.key}, {_rounds(case)}" for case in cases)]), "|---|" + "---|" * len(cases)]
    lines += _bounds("the ideal", cases, [case.ideal if case.columns[0].key == "wall" else None for case in cases])
    lines += _bounds("the server's ceiling", cases, [ceiling_of(case, case.columns[0].key) for case in cases])
    lines += [line([_bold(name), *(_cell(case, name, beside) for case in cases)]) for name in contenders]
    lines.append(line(["place", *map(_place, cases)]))
    return "\n".join(lines)


def _bounds(name: str, cases: Sequence[Case], values: Sequence[float | None]) -> list[str]:
    """Give the row of what nobody can be better than, if there is anything to say."""
    shown = [_NONE if v is None else show(v, case.columns[0].unit) for v, case in zip(values, cases, strict=True)]
    return [line([name, *shown])] if any(value is not None for value in values) else []


def _by_case(cases: Sequence[Case], contenders: Sequence[str], beside: str) -> str:
    """Give the table with a row for each case, a column for each contender."""
    lines = [line(["", *map(_bold, contenders), "place"]), "|---|" + "---|" * (len(contenders) + 1)]
    for case in cases:
        title = f"{case.title}; {case.columns[0].title}, {_rounds(case)}"
        lines.append(line([title, *(_cell(case, name, beside) for name in contenders), _place(case)]))
    return "\n".join(lines)


def _bold(name: str) -> str:
    return f"**{name}**" if name in OURS else name


def _rounds(case: Case) -> str:
    return f"n = {max(len(series.rounds) for series in case.series)}"


def _cell(case: Case, name: str, beside: str) -> str:
    """Write down a contender's ratio, median and spread, rounds if others had more, and the column `beside`."""
    series = next((each for each in case.series if each.name == name), None)
    if series is None:
        return _NONE
    if not series.is_clean:
        return show_spoiled(series)
    figure, unit, reference = rank_figure(case), case.columns[0].unit, reference_of(case)
    assert reference is not None
    ratio = show(series.median(figure) / reference.median(figure), "times")
    few = "" if len(series.rounds) == max(len(each.rounds) for each in case.series) else f", n = {show_rounds(series)}"
    spread = f" ({show_spread(series, figure, unit)}{few})" if len(series.rounds) > 1 else few
    return f"**{ratio}** {show(series.median(figure), unit)}{spread}{_second(case, series, beside)}"


def _second(case: Case, series: Series, beside: str) -> str:
    column = next((each for each in case.columns if each.key == beside), None)
    figure = figure_of(case, beside)
    return "" if column is None or figure is None else f"; {column.title} {show(series.median(figure), column.unit)}"


def _place(case: Case) -> str:
    """Say how ours did among those that are ranked: where it loses, to whom."""
    ranked = [each for each in order(case) if each.is_clean]
    ours = _ours(case)
    if ours not in ranked:
        return "not ranked"
    before = ranked[: ranked.index(ours)]
    loses = f": loses to {', '.join(each.name for each in before)}" if before else ""
    return f"{len(before) + 1} of {len(ranked)}{loses}"


def _captions(cases: Sequence[Case]) -> str:
    """Say what each column is: the case, what it ranks by, and by whom the others are measured."""
    return "\n".join(f"* {case.key}: {'; '.join(_caption(case))}." for case in cases)


def _caption(case: Case) -> Iterator[str]:
    yield case.title
    reference: Series | None = reference_of(case)
    what = case.columns[0].title
    yield what if reference is None else f"{what}, and how many times that of {reference.name}"
    yield from case.notes
