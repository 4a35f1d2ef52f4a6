"""The machinery of the lab: probes are really run, and the verdict follows from what they observed."""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from aioflags.futures_lab.lab import AtLeast, AtMost, Claim, Expected, Facts, NotTriedError, Value, try_claim


def see_concurrent() -> Facts:
    return {"fact": 1, "thread": threading.current_thread().name}


async def see_asyncio() -> Facts:
    await asyncio.sleep(0)
    return {"fact": 2, "thread": threading.current_thread().name}


CLAIM = Claim(
    name="of-a-test",
    sentence="One is one and two is two.",
    lesson="Count.",
    probes=(see_concurrent, see_asyncio),
    expected={"fact": (1, 2)},
)


def test_claim_holds_when_all_is_as_expected() -> None:
    """Each probe is run in a thread with its own name, and what it saw is kept."""
    finding = try_claim(CLAIM)
    assert finding.observations == {
        "concurrent": {"fact": 1, "thread": "caller"},
        "asyncio": {"fact": 2, "thread": "loop"},
    }
    assert (finding.holds, finding.verdict, finding.contradictions) == (True, "holds", [])
    assert finding.elapsed > 0


def test_one_other_observation_turns_the_verdict() -> None:
    """And the finding says which kind, which fact, what was seen and what was claimed."""
    finding = try_claim(replace(CLAIM, expected={"fact": (1, 3)}))
    assert (finding.holds, finding.verdict) == (False, "does not hold")
    assert finding.contradictions == ["asyncio, fact: 2 where 3 is claimed"]


@pytest.mark.parametrize(
    ("expected", "seen", "holds"),
    [
        (True, True, True),
        (True, 1, False),
        (1, True, False),
        (None, None, True),
        ("", "", True),
        ("", None, False),
        (AtLeast(1.2), 1.2, True),
        (AtLeast(1.2), 1.19, False),
        (AtLeast(1.2), "1.3", False),
        (AtMost(1.2), 1.2, True),
        (AtMost(1.2), 1.21, False),
        (AtMost(1.2), None, False),
        (..., "whatever", True),
    ],
)
def test_verdict_of_a_single_fact(expected: Expected, seen: Value, holds: bool) -> None:
    """Values must be the same in type, too; a limit belongs to what it allows; the ellipsis claims nothing."""

    def see() -> Facts:
        return {"fact": seen}

    assert try_claim(replace(CLAIM, probes=(see,), expected={"fact": (expected,)})).holds is holds


@pytest.mark.parametrize(("expected", "holds"), [(None, False), (0, False), (..., True)])
def test_missing_fact_contradicts_whatever_is_claimed_of_it(expected: Expected, holds: bool) -> None:
    """Also a claimed None: that nothing was observed is no observation of nothing."""

    def see() -> Facts:
        return {}

    assert try_claim(replace(CLAIM, probes=(see,), expected={"fact": (expected,)})).holds is holds


def test_error_in_a_probe_is_an_observation() -> None:
    """The others are run all the same, and the claim does not hold."""

    def fail() -> Facts:
        raise ValueError("of the probe")

    finding = try_claim(replace(CLAIM, probes=(fail, see_asyncio)))
    assert finding.observations["concurrent"] == {"raised": "ValueError: of the probe"}
    assert finding.contradictions == ["concurrent.futures, fact: nothing where 1 is claimed"]
    assert finding.observations["asyncio"]["fact"] == 2


def test_kind_that_cannot_be_tried_has_no_part_in_the_verdict() -> None:
    """The reason is told, to people and to programs."""

    def refuse() -> Facts:
        raise NotTriedError("it is not here")

    finding = try_claim(replace(CLAIM, probes=(see_concurrent, see_asyncio, refuse), expected={"fact": (1, 2, 3)}))
    assert (finding.holds, finding.verdict) == (True, "holds; distributed was not tried: it is not here")
    record = json.loads(json.dumps(finding.record()))
    assert record["observations"]["dask"] == {"not tried": "it is not here"}
    assert record["observations"]["asyncio"]["fact"] == 2


def test_patience_tries_again_until_it_sees_what_is_expected() -> None:
    """And not once more."""
    speeds: Iterator[float] = iter([0.9, 1.1, 1.9, 2.0])

    def measure() -> Facts:
        return {"speed": next(speeds)}

    claim = replace(CLAIM, probes=(measure,), expected={"speed": (AtLeast(1.5),)}, patience=60.0)
    assert try_claim(claim).observations["concurrent"] == {"speed": 1.9}
    assert next(speeds) == 2.0


def test_patience_ends_with_what_was_seen_last() -> None:
    """A claim that never holds is not tried for ever."""
    speeds: Iterator[float] = iter([0.9, 1.1])

    def measure() -> Facts:
        return {"speed": next(speeds)}

    finding = try_claim(replace(CLAIM, probes=(measure,), expected={"speed": (AtLeast(1.5),)}))
    assert finding.contradictions == ["concurrent.futures, speed: 0.9 where 1.5 or more is claimed"]


def test_code_is_that_of_the_functions_that_are_run() -> None:
    """Helpers first; another probe is another code."""

    def other() -> Facts:
        return {"fact": 1}

    assert CLAIM.code == f"{inspect.getsource(see_concurrent)}\n{inspect.getsource(see_asyncio)}".rstrip()
    changed = replace(CLAIM, probes=(other, see_asyncio), helpers=(see_concurrent,)).code
    assert changed.startswith("def see_concurrent()")
    assert 'def other() -> Facts:\n    return {"fact": 1}\n' in changed


async def test_lab_works_inside_a_running_loop() -> None:
    """A probe has a loop and a thread of its own, so a notebook can try a claim, too."""
    assert try_claim(CLAIM).holds


@pytest.mark.parametrize("debug", ["0", "1"])
def test_environment_does_not_change_what_is_observed(debug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop of a probe is that of asyncio, out of debug mode."""
    monkeypatch.setenv("PYTHONASYNCIODEBUG", debug)

    async def see_mode() -> Facts:
        loop = asyncio.get_running_loop()
        return {"debug": loop.get_debug(), "home": type(loop).__module__.split(".")[0]}

    claim = replace(CLAIM, probes=(see_mode,), expected={"debug": (False,), "home": ("asyncio",)})
    assert try_claim(claim).contradictions == []
