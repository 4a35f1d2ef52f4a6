"""A small, fast HTTP server of country flags that can misbehave on request: for demo, tests and benchmarks."""
