"""Peers that are libraries: for each a child script that does a job as the library's documentation recommends.

`python -m benchmarks.peers.NAME --version`, `… URLS DIRECTORY CONNECTIONS [CERTIFICATE]`. They run in the interpreter
that has the libraries, and import nothing of aioflags.
"""
