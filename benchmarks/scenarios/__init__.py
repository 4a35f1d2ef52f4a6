"""The scenarios: a module each, whose `run(bench)` gives its cases; the first line of its docstring is its summary."""
