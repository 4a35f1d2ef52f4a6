"""A small, fast HTTP server of country flags that can misbehave on request: for demo, tests and benchmarks."""

from aioflags.flagserver.countries import COUNTRIES, MOST_POPULOUS
from aioflags.flagserver.server import FlagServer, ServerThread, new_event_loop

__all__ = ["COUNTRIES", "MOST_POPULOUS", "FlagServer", "ServerThread", "new_event_loop"]
