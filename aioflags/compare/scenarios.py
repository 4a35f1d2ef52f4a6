"""Situations in which engines are compared: those where waiting decides, and those where something else does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any

from aioflags.items import Item
from aioflags.records import dataclass

__all__ = ["SCENARIOS", "Scenario"]

_LINE = 200_000
_BIG = 256 << 20
_LARGE = 8 << 20
_MANY = 24


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is downloaded, and how.

    Args:
        summary: What it is about, for a list.
        make_items: Gives the items from the server's URL, country codes, and seconds of delay.
        options: Of the downloader, unless the user gives others.
    """

    summary: str
    make_items: Callable[[str, Sequence[str], float], list[Item]]
    options: Mapping[str, Any] = field(default_factory=dict)


def _late_flags(server: str, codes: Sequence[str], delay: float) -> list[Item]:
    """Each flag comes `delay` to twice `delay` seconds late and then slowly, the same for every engine, in no order."""
    items = []
    for index, code in enumerate(codes):
        # Seven has no divisor in common with twenty: each delay occurs once, neighbours are far apart.
        share = index * 7 % len(codes) / max(1, len(codes) - 1)
        items.append(Item(f"{server}{code.lower()}/{code.lower()}.svg?delay={delay * (1 + share):.4f}&rate={_LINE}"))
    return items


def _big_file(server: str, _: Sequence[str], delay: float) -> list[Item]:
    return [Item(f"{server}bytes/{_BIG}?delay={delay:.4f}", name="big.bin")]


def _large_files(server: str, _: Sequence[str], __: float) -> list[Item]:
    return [Item(f"{server}bytes/{_LARGE}?seed={number}", name=f"{number:02}.bin") for number in range(_MANY)]


SCENARIOS: dict[str, Scenario] = {
    "waiting": Scenario("small files that come late: waiting is all there is to do", _late_flags, {"per_host": 0}),
    "one-big-file": Scenario("one file of 256 MiB: nothing to do at the same time", _big_file, {"per_host": 0}),
    "checksums": Scenario(
        "24 files of 8 MiB with three more digests each: the processor has the work",
        _large_files,
        {"per_host": 0, "hash": ["sha256", "sha3_512", "blake2b"]},
    ),
    "one-slow-host": Scenario(
        "small files that come late, from a host of which no more than 2 may be asked for at once",
        _late_flags,
        {"per_host": 2},
    ),
}
"""By name, as `--scenario` knows them."""
