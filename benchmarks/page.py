"""All results as one page, complete in itself: it asks no network for anything and runs no script. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from benchmarks.charts import CLIP, OURS, STYLE, chart
from benchmarks.results import Case, Result, Series
from benchmarks.tables import cells, heads

__all__ = ["make_page"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_PAGE_STYLE = Path(__file__).with_name("page.css").read_text(encoding="utf-8")

_METHOD = (
    "Contenders are whole processes that take turns, after a warm-up, each time into an empty folder, with as many "
    "connections as everybody else and keep-alive. Every byte of every file is compared after each run: who lost or "
    "spoiled one is not ranked. Times, processor and memory are the operating system's account. Figures are medians "
    "of n rounds; who is slow has fewer, and cold stands where there was time for one run only, without a warm-up. In "
    "the charts a line goes from the least of them to the most; a bar of more than "
    f"{CLIP:g} times the shortest is torn off."
)


def make_page(results: Sequence[Result]) -> str:
    """Make the page of the results, in the order given."""
    links = "".join(f'<a href="#{escape(each.scenario)}">{escape(each.scenario)}</a>' for each in results)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<link rel="icon" href="data:,">\n'
        f"<title>aioflags: benchmarks</title>\n<style>\n{_PAGE_STYLE}{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<h1>aioflags: benchmarks</h1>\n<nav>{links}</nav>\n<p class="faint">{_METHOD}</p>\n'
        f"{''.join(map(_scenario, results))}</main>\n</body>\n</html>\n"
    )


def _scenario(result: Result) -> str:
    quick = '<p class="bad">Quick: few and small files, for a look and not for quoting.</p>\n' if result.quick else ""
    return (
        f'<section id="{escape(result.scenario)}">\n<h2>{escape(result.scenario)}</h2>\n'
        f'<p>{escape(result.summary)}</p>\n{quick}<p class="faint">Measured {escape(result.started)}.</p>\n'
        f"{_details('The machine', _facts(result.machine))}{_skipped(result.skipped)}"
        f"{''.join(map(_case, result.cases))}</section>\n"
    )


def _facts(facts: Mapping[str, str]) -> str:
    return (
        '<dl class="facts">' + "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts.items()) + "</dl>"
    )


def _skipped(skipped: Mapping[str, str]) -> str:
    if not skipped:
        return ""
    rows = "".join(f"<dt>{escape(name)}</dt><dd><code>{escape(how)}</code></dd>" for name, how in skipped.items())
    return f'<p class="bad">Not installed, and skipped: {escape(", ".join(skipped))}.</p>\n' + _details(
        "How to install them", f"<dl>{rows}</dl>"
    )


def _details(title: str, content: str) -> str:
    return f"<details><summary>{escape(title)}</summary>\n{content}</details>\n"


def _case(case: Case) -> str:
    server = f", from {case.server}" if case.server else ""
    absent = [case.ceiling.absent] if case.ceiling is not None and case.ceiling.absent else []
    notes = "".join(f'<p class="faint">{escape(note)}.</p>\n' for note in [*case.notes, *absent])
    return (
        f'<article class="card">\n<h3>{escape(case.title)}{escape(server)}</h3>\n{chart(case)}\n'
        f'<div class="scroll">{_table(case)}</div>\n{notes}{_details("Command lines", _commands(case))}</article>\n'
    )


def _table(case: Case) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads(case))
    rows = "".join(_row(series, row) for series, row in cells(case))
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>"


def _row(series: Series | None, row: Sequence[str]) -> str:
    if series is None:
        kind, why = "limit", ""
    else:
        kind = "ours" if series.name in OURS else ""
        why = f"<small>{escape(series.why)}</small>"
    mark = ' class="bad"' if series is not None and not series.is_clean else ""
    inner = "".join(f"<td>{escape(cell)}</td>" for cell in row[1:-1])
    return (
        f"<tr{f' class={kind}' if kind else ''}><td>{escape(row[0])}{why}</td>{inner}"
        f"<td{mark}>{escape(row[-1])}</td></tr>\n"
    )


def _commands(case: Case) -> str:
    rows = [(each.name, each.command, each.said) for each in case.series]
    if case.ceiling is not None and case.ceiling.command:
        rows.append((case.ceiling.tool, case.ceiling.command, ""))
    return f"<dl>{''.join(_command(*row) for row in rows)}</dl>"


def _command(name: str, words: Iterable[str], said: str) -> str:
    last = f'<br><span class="bad">said last:</span> <code>{escape(said)}</code>' if said else ""
    return f"<dt>{escape(name)}</dt><dd><code>{escape(shlex.join(words))}</code>{last}</dd>"
