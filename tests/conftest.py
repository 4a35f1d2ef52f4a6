"""What all tests share: every asynchronous test runs on asyncio in debug mode and on uvloop, and loses no error."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping

import hypothesis
import pytest
import uvloop

# The same examples each time, however slow the machine.
hypothesis.settings.register_profile("aioflags", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("aioflags")


class DebugLoop(asyncio.SelectorEventLoop):
    """The loop of asyncio in debug mode: it notices calls from a wrong thread and what was never awaited."""

    def set_debug(self, enabled: bool) -> None:
        """Be in debug mode, whatever the runner of the test asks for."""
        super().set_debug(True)


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Name the loops that each asynchronous test runs on."""
    return {"asyncio": DebugLoop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(autouse=True)
def no_lost_error(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test during which a loop reported an exception that nobody retrieved, or a task that nobody ended."""
    yield
    lost = [record for record in caplog.get_records("call") if record.name == "asyncio"]
    assert [record.getMessage() for record in lost if record.levelno >= logging.ERROR] == []
