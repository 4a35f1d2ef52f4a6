"""Measurements of aioflags against itself and others; the tables and pictures of the README are made from them.

A *scenario* is a module with a function `run(bench: Bench) -> Iterable[Case]`; the first line of its docstring is its
summary, and its name is the module's. What it can build on:

* `bench.downloads(heading, server, corpus, contenders, …)` makes a whole case of downloads: list files, the server's
  ceiling, contenders in turn, every byte read after each run.
* `bench.take_turns(entrants, directory)` is the layer below, for what is no download: an `Entrant` has a command line
  for a destination, a check of what is there afterwards, and `figures`, which turns the finished process (`Cost`, with
  what it wrote to standard output) into figures of its own. Give the series to a `Case`.
* `results.Case(columns=…)` says what its table shows: `Column(key, title, unit)`, where `key` is one that
  `figures.figure_of` knows or one of those own figures, and the first column is the one that ranks.
* `bench.pick(full, quick)` for sizes, `bench.tell(text)`, `bench.directory` (a folder on the file system to use).

A run becomes `results/local/NAME.json`, which stays where it was made. What is committed is a run of all scenarios, in
`results/`: `report` makes a page of such a folder, and of the committed one the README's tables and pictures;
`compare` holds two of them against each other. A scenario that is new needs a line in `results.ORDER` and a block in
the README. A *command* that is no scenario, such as `torture`, is a module with `add_parser(commands)`, named in
`benchmarks.command.COMMANDS`.
"""
