"""The event loop, the limit on open files, the collector."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator

import pytest
import uvloop

from aioflags.cli.runner import choose_loop, raise_file_limit


@pytest.fixture
def few_files() -> Iterator[int]:
    """Allow few open files, and as many as before afterwards; gives the hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(("concurrency", "limit"), [(10, 200), (68, 200), (100, 264)])
def test_limit_is_raised_when_it_is_needed(few_files: int, concurrency: int, limit: int) -> None:
    """A socket and a file for each attempt and some to spare; never lowered."""
    raise_file_limit(concurrency)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (limit, few_files)


def test_limit_stops_at_what_the_system_allows(few_files: int) -> None:
    """More than the hard limit is not asked for."""
    raise_file_limit(10**9)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == few_files
    assert soft in {hard, 200}


def test_loop_is_uvloops_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without uvloop the standard library's loop does."""
    assert choose_loop() is uvloop.new_event_loop
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert choose_loop() is None
