"""Measurements of aioflags against itself and others; every figure in the README comes from here.

A *scenario* is a module with a function `run(bench: Bench) -> Iterable[Case]`; the first line of its docstring is its
summary, and `benchmarks.command.SCENARIOS` gives it its name. What it can build on:

* `bench.downloads(heading, server, corpus, contenders, …)` makes a whole case of downloads: list files, the server's
  ceiling, contenders in turn, every byte read after each run.
* `rounds.run_rounds(entrants, bench.rounds, directory, bench.tell)` is the layer below, for what is no download: an
  `Entrant` has a command line for a destination, a check of what is there afterwards, and `figures`, which turns the
  finished process (`Cost`, with what it wrote to standard output) into figures of its own. Give the series to a `Case`.
* `results.Case(columns=…)` says what its table shows: `Column(key, title, unit)`, where `key` is one that
  `figures.figure_of` knows or one of those own figures, and the first column is the one that ranks.
* `bench.pick(full, quick)` for sizes, `bench.tell(text)`, `bench.directory` (a folder on the file system to use).

JSON, tables, pictures, report and comparison follow from the cases. A *command* that is no scenario, such as `torture`,
is a module with `add_parser(commands)`, named in `benchmarks.command.COMMANDS`.
"""
