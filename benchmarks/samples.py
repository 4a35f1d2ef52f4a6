"""What `benchmarks.sampled` has written, read again: stacks, with their threads and the garbage collector's work.

Pure: text in, data out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

__all__ = ["LABEL", "Frame", "Sample", "Samples", "read_samples"]

LABEL = "thread:"
"""What the name of a thread is preceded by, in its outermost frame."""

_HEAD = "Stack (most recent call first):"
_FRAME = re.compile(r'  File "(?P<file>[^"]+)", line (?P<line>\d+|\?\?\?) in (?P<function>.+)')
_MARK = re.compile(r"gc (?P<phase>start|stop) (?P<thread>.+)")
_MAIN = "MainThread"
_ROOTS = frozenset({"<module>", "_run_module_as_main", "_bootstrap", "_shutdown"})

Frame = tuple[str, str]
"""File and function."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The stack of the thread that was running.

    Args:
        thread: Its name.
        stack: Innermost frame first.
        is_collecting: The garbage collector was at work in this thread.
    """

    thread: str
    stack: tuple[Frame, ...]
    is_collecting: bool = False


@dataclass(slots=True)
class Samples:
    """All of a run, and how many could not be read because two threads wrote at once."""

    whole: list[Sample] = field(default_factory=list)
    torn: int = 0


def read_samples(lines: Iterable[str]) -> Samples:
    """Read the text of a run."""
    samples = Samples()
    collecting: set[str] = set()
    for block in _blocks(lines):
        if (mark := _MARK.fullmatch(block[0])) is not None:
            (collecting.add if mark["phase"] == "start" else collecting.discard)(mark["thread"])
        elif (sample := _sample(block, collecting)) is None:
            samples.torn += 1
        else:
            samples.whole.append(sample)
    return samples


def _blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    """Give each stack with its head, and each mark by itself."""
    block: list[str] = []
    for line in lines:
        text = line.rstrip("\n")
        is_mark = _MARK.fullmatch(text) is not None
        if block and (is_mark or text == _HEAD):
            yield block
            block = []
        if is_mark:
            yield [text]
        else:
            block.append(text)
    if block:
        yield block


def _sample(block: list[str], collecting: set[str]) -> Sample | None:
    """Give the sample in a block; `None` if it is not whole."""
    found = [_FRAME.fullmatch(line) for line in block[1:]]
    frames = [(match["file"], match["function"]) for match in found if match is not None]
    if block[0] != _HEAD or not frames or len(frames) != len(found) or frames[-1][1] not in _ROOTS:
        return None
    names = [function.removeprefix(LABEL) for _, function in frames if function.startswith(LABEL)]
    thread = names[-1] if names else _MAIN
    return Sample(thread, tuple(frames), thread in collecting)
