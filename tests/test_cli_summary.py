"""How failures are told at the end."""

from __future__ import annotations

from aioflags.cli.summary import Failures
from aioflags.errors import make_error
from aioflags.items import Outcome, Status


def fail(
    kind: str, message: str, host: str | None = "h", *, url: str = "http://h/x", line: int | None = None, http: int = 0
) -> Outcome:
    """Make the outcome of an item that failed."""
    error = make_error(kind, message, host)
    return Outcome(url, Status.FAILED, error=error, line=line, http_status=http or None)


def test_nothing_failed() -> None:
    """Saved and duplicate items are no failures."""
    failures = Failures()
    failures.add(Outcome("http://h/x", Status.SAVED, path="x"))
    failures.add(Outcome("http://h/x", Status.DUPLICATE))
    assert failures.count == 0
    assert failures.lines() == []


def test_groups_by_kind_and_host_most_frequent_first() -> None:
    """Equal failures at one host are one entry with a count, and each kind has one line of advice."""
    failures = Failures()
    failures.add(fail("dns", "no such host", "a"))
    for number in range(3):
        failures.add(fail("http", "status 403", "b", url=f"http://b/{number}", line=number + 1, http=403))
    failures.add(fail("dns", "no such host", "c"))
    lines = failures.lines()
    assert lines[:7] == [
        "5 files failed:",
        "  3 x http 403 at b, for instance",
        "      http://b/0 (line 1): status 403",
        "  1 x dns at a, for instance",
        "      http://h/x: no such host",
        "  1 x dns at c, for instance",
        "      http://h/x: no such host",
    ]
    assert lines[7] == "What to do next:"
    assert [line.split(":")[0] for line in lines[8:]] == ["  http 403", "  dns"]


def test_different_messages_are_different_examples() -> None:
    """Bad lines of a list are shown one by one, up to three."""
    failures = Failures()
    for number in range(1, 6):
        failures.add(fail("url", f"fault {number}", None, url="", line=number))
    lines = failures.lines()
    assert lines[1] == "  5 x url, for instance"
    assert lines[2:5] == [f"      (line {number}): fault {number}" for number in (1, 2, 3)]
    assert lines[5] == "What to do next:"


def test_memory_is_bounded() -> None:
    """A hundred groups are kept however many hosts fail, and what is left out is counted."""
    failures = Failures()
    for number in range(5000):
        failures.add(fail("dns", "x" * 10_000, f"host{number}", url="http://h/" + "y" * 10_000))
    assert failures.count == 5000
    assert len(failures._groups) == 100
    lines = failures.lines()
    assert "  and 4980 more, of other kinds or at other hosts; --json lists them all" in lines
    assert len(lines) < 50
    assert max(map(len, lines)) < 700


def test_secrets_are_hidden_and_text_is_escaped() -> None:
    """Neither a password of the list nor an escape sequence of a server reaches the terminal."""
    failures = Failures()
    failures.add(fail("http", "said \x1b[2J Authorization: Basic c2VjcmV0", "h\x9b", url="http://me:secret@h/\n"))
    text = "\n".join(failures.lines())
    assert "secret" not in text
    assert "c2VjcmV0" not in text
    assert "\x1b" not in text
    assert "\x9b" not in text
    assert "http://***@h/\\x0a" in text
