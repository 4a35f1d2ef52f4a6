"""What a query can ask of the flag server."""

from __future__ import annotations

import pytest

from aioflags.flagserver.behaviour import Behaviour, read_behaviour
from aioflags.flagserver.messages import BadRequestError


def test_query_is_read_in_full() -> None:
    """Every wish arrives as a value of its type."""
    query = "seed=a&delay=.5&status=429&times=2&retry_after=7&redirect=/b&chunked=1&truncate=3&stall=4&rate=9&ranges=0"
    assert read_behaviour(f"/a%20b?{query}") == Behaviour(
        "/a b", "a", 0.5, 429, 2, "7", "/b", True, 3, 4, 9, ranges=False
    )


def test_nothing_asked_is_a_plain_answer() -> None:
    """Without a query, and with names that are not ours, the content goes out as it is."""
    assert read_behaviour("/a") == read_behaviour("/a?other=1") == Behaviour("/a")
    assert read_behaviour("/a").is_plain


@pytest.mark.parametrize("query", ["chunked=1", "truncate=0", "stall=0", "rate=1"])
def test_special_delivery_is_not_plain(query: str) -> None:
    """Whatever changes how the body goes out is known as such, zero bytes included."""
    assert not read_behaviour(f"/a?{query}").is_plain


def test_redirect_is_302_unless_said_otherwise() -> None:
    """A place alone is enough; a status beside it wins."""
    assert read_behaviour("/a?redirect=/b").status == 302
    assert read_behaviour("/a?redirect=/b&status=307").status == 307


def test_status_route_is_a_status_without_a_query() -> None:
    """`/status/CODE` answers with the code; one that HTTP does not have is a path that does not exist."""
    assert read_behaviour("/status/418").status == 418
    assert read_behaviour("/status/999").status == 404


@pytest.mark.parametrize(
    "query",
    [
        "delay=-1",
        "delay=nan",
        "delay=inf",
        "delay=x",
        "status=99",
        "status=600",
        "status=x",
        "times=-1",
        "times=²",
        "truncate=1.5",
        "rate=0",
        "rate=" + "9" * 30,
        "redirect=/a%0D%0AX: y",
        "retry_after=%00",
        "redirect=/ä",
    ],
)
def test_impossible_value_is_refused(query: str) -> None:
    """A value that cannot be meant is a bad request, a line break meant for the answer's head above all."""
    with pytest.raises(BadRequestError):
        read_behaviour(f"/a?{query}")


def test_header_lines_go_with_the_status() -> None:
    """Retry-After and Location appear only when asked for."""
    assert read_behaviour("/a?status=503").fields == ""
    assert read_behaviour("/a?retry_after=1&redirect=/b").fields == "Retry-After: 1\r\nLocation: /b\r\n"
