"""What `benchmarks.costs` has measured, as text."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.layers import BASE

__all__ = ["show_functions", "show_layers", "show_rows"]

_PLACES = ("loop", "hands", "disk", "others")


def show_rows(result: Mapping[str, Any]) -> str:
    """Give the table of the groups, dearest first, with what can be said about its accuracy."""
    total = result["total"]
    lines = [
        f"{result['files']} files, {result['rounds']} runs without samples, medians; microseconds per file",
        f"wall {_spread(result['wall'])}   processor {total:.1f} = {result['user']:.1f} outside the kernel"
        f" + {result['system']:.1f} in it",
        _threads(result),
        "",
        f"{'':42}{'loop':>8}{'hands':>8}{'disk':>8}{'others':>8}{'kernel':>8}{'all':>8}{'%':>7}",
    ]
    for row in sorted(result["rows"], key=lambda row: -row["total"]):
        if row["total"]:
            lines.append(_line(row["group"], row, total))
    sums = {name: sum(row.get(name, 0.0) for row in result["rows"]) for name in (*_PLACES, "user", "system", "total")}
    lines += [_line("sum", sums, total), "", *_accuracy(result)]
    return "\n".join(lines)


def _threads(result: Mapping[str, Any]) -> str:
    """Say how busy the loop's thread is: if it is so all the time, what it does is what the wall clock shows."""
    threads, wall = result["threads"], statistics.median(result["wall"])
    shares = ", ".join(f"{place} {cost:.1f}" for place, cost in threads.items())
    busy = 100 * threads.get("loop", 0.0) / wall
    return f"threads: {shares}; the loop's is on a processor {busy:.0f} % of the time"


def _line(name: str, row: Mapping[str, float], total: float) -> str:
    figures = [*(row.get(place, 0.0) for place in _PLACES), row["system"], row["total"]]
    return f"{name:42}{''.join(f'{figure:8.1f}' for figure in figures)}{100 * row['total'] / total:7.1f}"


def _accuracy(result: Mapping[str, Any]) -> list[str]:
    user, both = result["samples"]["user"], result["samples"]["all"]
    error = result["user"] * math.sqrt(0.1 * 0.9 / max(1, user))
    slower = statistics.median(result["sampled"]) / result["total"]
    halves = "" if result["spread"] is None else f"; the halves of the runs differ by {100 * result['spread']:.1f} %"
    return [
        f"{user} samples outside the kernel and {both} of all time; {result['torn']} torn;"
        f" {result['lost']} runs were ended by a sample and made again",
        f"a share of a tenth is known to about {error:.1f} us (one standard error){halves}",
        f"with samples the runs took {slower:.2f} times the processor time; what the table shares out is without",
    ]


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def show_layers(layers: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Give the table of what is left when a layer is taken out, and what that saves."""
    base = {key: statistics.median(values) for key, values in layers[BASE].items()}
    lines = [
        "with a layer taken out, microseconds per file",
        f"{'':42}{'wall':>8}{'saved':>8}{'processor':>11}{'saved':>8}",
    ]
    for name, figures in layers.items():
        wall, cpu = (statistics.median(figures[key]) for key in ("wall", "cpu"))
        lines.append(f"{name:42}{wall:8.1f}{base['wall'] - wall:8.1f}{cpu:11.1f}{base['cpu'] - cpu:8.1f}")
    return "\n".join(lines)


def show_functions(result: Mapping[str, Any], count: int) -> str:
    """Give the dearest functions of each kind of thread, by themselves and with what they call."""
    lines = []
    for place, kinds in result["functions"].items():
        for how, rows in kinds.items():
            lines += ["", f"{place}: functions, {how}, microseconds per file outside the kernel"]
            lines += [f"{cost:8.2f}  {name}" for name, cost in rows[:count]]
    return "\n".join(lines)
