"""One rule for all tools: what is on disk, how the last run ended, and whether the two agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.torture.mishaps import Scene

__all__ = ["Ending", "Verdict", "judge"]

# Bytes compared to recognise a body; they are random, so this many tell any two apart.
_SAMPLE = 1000


@dataclass(frozen=True, slots=True)
class Ending:
    """How the last run of a tool ended.

    Args:
        status: Exit status; `None` if it was still running when its time was up.
        files: Content by path below the destination, without what the tool keeps for itself.
        strays: Paths outside the destination that were not there before.
        refetched: Bytes of bodies that the second run fetched.
        requests: How many requests the last run made.
    """

    status: int | None
    files: Mapping[str, bytes]
    strays: tuple[str, ...] = ()
    refetched: int = 0
    requests: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a tool in a mishap.

    Args:
        survived: The right files in the end, or an honest failure and no wrong file under a final name.
        delivered: All files that could be had are there.
        words: What happened, in two or three words.
    """

    survived: bool
    delivered: bool
    words: str


def judge(scene: Scene, ending: Ending) -> Verdict:
    """Decide by files and exit status alone; the first thing that is wrong names it."""
    found, wanted = Counter(ending.files.values()), Counter(scene.wanted)
    delivered = not wanted - found
    if words := next(_wrongs(scene, ending, found, wanted), None):
        return Verdict(survived=False, delivered=delivered, words=words)
    return Verdict(survived=True, delivered=delivered, words=_survived_words(scene, ending, delivered))


def _wrongs(scene: Scene, ending: Ending, found: Counter[bytes], wanted: Counter[bytes]) -> Iterator[str]:
    """Name everything that must not be, the worst first."""
    if ending.strays:
        yield "wrote outside"
    end = "still running" if ending.status is None else f"exit {ending.status}"
    for content in found:
        if content not in wanted:
            yield f"{_name(scene, content)}, {end}"
    if ending.status is None:
        yield end
    if (wanted - found) and (ending.status == 0 or scene.is_due):
        yield f"{(wanted & found).total()} of {wanted.total()} saved, {end}"
    if duplicates := (found - wanted).total():
        yield f"{duplicates} duplicates"
    if scene.refused and ending.status == 0:
        yield "no file, exit 0"
    if scene.is_finished and ending.status:
        yield f"all there, {end}"
    # A byte of each is what some ask for to see the head.
    if scene.is_finished and 2 * ending.refetched > sum(map(len, scene.wanted)):
        yield "fetched again"


def _name(scene: Scene, content: bytes) -> str:
    """Tell what a file holds that should not be there, by its head and its tail."""
    if content in scene.wrong:
        return scene.wrong[content]
    if not content:
        return "empty file"
    bodies = [*scene.wanted, *scene.others]
    heads = [body for body in bodies if content[:_SAMPLE] == body[:_SAMPLE]]
    tails = [body for body in bodies if content[-_SAMPLE:] == body[-_SAMPLE:]]
    if not heads:
        return "wrong bytes"
    if not tails or len(content) < len(heads[0]):
        return "half file"
    return "old head, new tail" if heads[0] in scene.others else "mixed bytes"


def _survived_words(scene: Scene, ending: Ending, delivered: bool) -> str:
    if not (scene.wanted and delivered):
        return "gave up"
    words = ["ok"]
    if scene.is_finished:
        words.append(f"{ending.requests} requests")
    if ending.status and not scene.refused:
        words.append(f"yet exit {ending.status}")
    return ", ".join(words)
