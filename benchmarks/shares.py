"""Whose time a sample is: the group of its innermost frame that has an owner; and how samples become microseconds.

C code has no frame, so it counts for the Python function that calls it: a parser in C for the function that feeds it,
uvloop for the one that runs the loop. A module of the standard library counts for its caller, unless it is part of the
event loop, of thread pools or of TLS. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.samples import Frame, Sample

__all__ = [
    "GROUPS",
    "NOBODY",
    "START",
    "Row",
    "Usage",
    "count_functions",
    "group_of",
    "place_of",
    "rows_of",
    "show_function",
    "spread",
]

START = "start-up, imports, end"
LOOP = "event loop: uvloop or selectors, C tasks"
ASYNCIO = "asyncio: timeouts, tasks, locks"
AIOHTTP = "aiohttp, yarl, multidict"
TLS = "TLS, where Python drives it"
HOPS = "hops between threads"
COLLECTOR = "garbage collector"
ENGINE = "ours: engine"
DISPATCH = "ours: dispatcher, schedule, retry"
INTAKE = "ours: list, intake, names, register"
OUTCOMES = "ours: downloader, outcomes"
STORAGE = "ours: storage, writer, destination"
LEDGER = "ours: ledger"
TERMINAL = "ours: command line, progress, output"
OTHER = "ours: anything else"
NOBODY = "not attributed"

GROUPS = (
    *(ENGINE, DISPATCH, INTAKE, OUTCOMES, STORAGE, LEDGER, TERMINAL, OTHER),
    *(AIOHTTP, LOOP, ASYNCIO, TLS, HOPS, COLLECTOR, START, NOBODY),
)

_OURS = {
    ENGINE: "transfer pace addresses ranges",
    DISPATCH: "dispatcher health schedule queues jobs pursuit lessons breaker uplink retry watch trace",
    INTAKE: "intake inputs lines names register rows roll urls chain credentials",
    OUTCOMES: "downloader workforce streams items blocking equipment settings",
    STORAGE: "storage writer destination tree folders parts private digests disk_errors drafts halves lock",
    LEDGER: "ledger newcomers turns journal recorder",
    HOPS: "groups",
}
_MODULES = {module: group for group, modules in _OURS.items() for module in modules.split()}
_FOLDERS = {"engines": ENGINE, "cli": TERMINAL}
_FEEDS = frozenset({"feed", "ledger_feed"})

_LIBRARIES = frozenset({"aiohttp", "aiohappyeyeballs", "aiosignal", "frozenlist", "multidict", "propcache", "yarl"})
_LOOP_FILES = ("base_events", "events", "runners", "selector_events", "unix_events")
_STANDARD = {
    **dict.fromkeys((f"asyncio/{name}.py" for name in _LOOP_FILES), LOOP),
    "selectors.py": LOOP,
    "asyncio/sslproto.py": TLS,
    "ssl.py": TLS,
    "asyncio/futures.py": HOPS,
    "concurrent/futures/_base.py": HOPS,
    "concurrent/futures/thread.py": HOPS,
    "threading.py": HOPS,
}

_IMPORT = ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>")
_SAMPLER = "benchmarks/sampled.py"
_MAIN = "MainThread"


def group_of(sample: Sample) -> str:
    """Tell whose time a sample is."""
    if sample.is_collecting:
        return COLLECTOR
    if any(file in _IMPORT for file, _ in sample.stack):
        return START
    if sample.thread == _MAIN and not any(file.endswith("asyncio/runners.py") for file, _ in sample.stack):
        return START
    for file, _ in sample.stack:
        if (group := _owner(file.replace("\\", "/"))) is not None:
            return group
    return NOBODY


def _owner(file: str) -> str | None:
    if file.endswith(_SAMPLER):
        return NOBODY
    parts = file.removesuffix(".py").split("/")
    if "aioflags" in parts[:-1]:
        # The checkout may bear the same name: the innermost folder counts.
        return _own_group(parts[len(parts) - parts[::-1].index("aioflags") :])
    if _LIBRARIES.intersection(parts[:-1]):
        return AIOHTTP
    for ending, group in _STANDARD.items():
        if file.endswith("/" + ending):
            return group
    return ASYNCIO if parts[-2:-1] == ["asyncio"] else None


def _own_group(path: Sequence[str]) -> str:
    if path[-1] in _FEEDS:
        return INTAKE
    if len(path) > 1:
        return _FOLDERS.get(path[0], OTHER)
    # What a module was split into bears its name.
    return _MODULES.get(path[0]) or _MODULES.get(path[0].split("_")[0], OTHER)


def place_of(thread: str) -> str:
    """Name the kind of thread: loop, hands, disk, others."""
    if thread == _MAIN:
        return "loop"
    for place in ("hands", "disk"):
        if thread.startswith(f"aioflags-{place}"):
            return place
    return "others"


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds of processor outside and inside the kernel."""

    user: float
    system: float

    @property
    def total(self) -> float:
        """Both."""
        return self.user + self.system


@dataclass(frozen=True, slots=True)
class Row:
    """What one group costs, in seconds: outside the kernel by place, and in the kernel."""

    group: str
    places: Mapping[str, float]
    system: float

    @property
    def user(self) -> float:
        """Outside the kernel, all threads."""
        return sum(self.places.values())

    @property
    def total(self) -> float:
        """In and outside the kernel."""
        return self.user + self.system


def rows_of(total: Usage, ends: Usage, user: Sequence[Sample], everything: Sequence[Sample]) -> list[Row]:
    """Share out what the system says was used; the rows add up to it.

    Args:
        total: Of a run without samples.
        ends: What a run uses before the samples begin and after they end; counted as start-up.
        user: Samples of time outside the kernel.
        everything: Samples of all time. What a group has there beyond `user` is its time in the kernel; chance can
            make that less than nothing, which counts as nothing.
    """
    outside = Counter((group_of(sample), place_of(sample.thread)) for sample in user)
    inside = _kernel_weights(total, ends, user, everything)
    user_each = (total.user - ends.user) / max(1, len(user))
    system_each = (total.system - ends.system) / (sum(inside.values()) or 1.0)
    rows = []
    for group in GROUPS:
        places = {place: count * user_each for (owner, place), count in outside.items() if owner == group}
        system = inside.get(group, 0.0) * system_each
        if group == START:
            places["loop"] = places.get("loop", 0.0) + ends.user
            system += ends.system
        if group == NOBODY and not user:
            places["loop"] = total.user - ends.user
        if group == NOBODY and not any(inside.values()):
            system += total.system - ends.system
        rows.append(Row(group, places, system))
    return rows


def _kernel_weights(
    total: Usage, ends: Usage, user: Sequence[Sample], everything: Sequence[Sample]
) -> dict[str, float]:
    outside = Counter(map(group_of, user))
    both = Counter(map(group_of, everything))
    user_each = (total.user - ends.user) / max(1, len(user))
    each = (total.total - ends.total) / max(1, len(everything))
    return {group: max(0.0, both[group] * each - outside[group] * user_each) for group in GROUPS}


def count_functions(samples: Iterable[Sample], *, inclusive: bool) -> Counter[str]:
    """Count the samples in which a function is at work: itself, or itself and what it calls."""
    counts: Counter[str] = Counter()
    for sample in samples:
        frames = set(sample.stack) if inclusive else {_innermost(sample.stack)}
        counts.update(map(show_function, frames))
    return counts


def _innermost(stack: Sequence[Frame]) -> Frame:
    """Give the innermost frame; one that a dataclass has made, which all look alike, is its caller's."""
    return next((frame for frame in stack if frame[0] != "<string>"), stack[0])


def show_function(frame: Frame) -> str:
    """Name a function by the last parts of its file."""
    file, function = frame
    parts = file.removesuffix(".py").split("/")
    return f"{'.'.join(parts[-2:])}:{function}"


def spread(first: Sequence[Sample], second: Sequence[Sample]) -> float | None:
    """Tell how far two sets of samples are apart: the largest difference of any group's share, 0 to 1.

    Returns:
        `None` if one of them is empty.
    """
    if not first or not second:
        return None
    one, other = (Counter(map(group_of, samples)) for samples in (first, second))
    return max(abs(one[group] / len(first) - other[group] / len(second)) for group in GROUPS)
