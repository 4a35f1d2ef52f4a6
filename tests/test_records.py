"""A record of ours is what the standard library would make of it, only sooner."""

from __future__ import annotations

import copy
import dataclasses
import dis
import inspect
import pickle
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field, fields, replace
from types import FrameType
from typing import Any

import pytest

from aioflags.records import dataclass


def declare(make: Callable[..., Any]) -> type[Any]:
    """Something with fields of every kind."""

    @make(frozen=True, slots=True)
    class Record:
        """With a description."""

        name: str
        size: int = 3
        notes: dict[str, str] = field(default_factory=dict)
        seen: list[str] = field(default_factory=list, compare=False)
        secret: str = field(default="", repr=False)

        def __post_init__(self) -> None:
            if self.size < 0:
                raise ValueError(f"{self.name} is less than nothing")

    # Pickled by its name.
    Record.__qualname__ = "Quick"
    return Record


Plain = declare(dataclasses.dataclass)
Quick = declare(dataclass)


@dataclass(frozen=True, slots=True)
class Single:
    """Of one field, which is no row of fields."""

    name: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """Of no field at all."""


CALLS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    (("a",), {}),
    (("a", 4, {"k": "v"}), {}),
    ((), {"name": "b", "notes": {}, "secret": "s"}),
    (("a",), {"seen": ["x"], "size": 0}),
]


@pytest.mark.parametrize(("args", "names"), CALLS)
def test_record_has_the_fields_of_its_dataclass(args: Any, names: Any) -> None:
    """By place and by name, defaults made anew for each."""
    plain, quickly = Plain(*args, **names), Quick(*args, **names)
    assert type(quickly) is Quick
    assert [getattr(quickly, each.name) for each in fields(quickly)] == [
        getattr(plain, each.name) for each in fields(plain)
    ]
    assert repr(quickly) == repr(plain)
    assert Quick("x").notes is not Quick("x").notes


@pytest.mark.parametrize(
    ("args", "names"), [((), {}), (("a",), {"name": "b"}), (("a",), {"colour": 1}), (("a", -1), {})]
)
def test_wrong_call_fails_as_with_a_dataclass(args: Any, names: Any) -> None:
    """With the same error, its message included."""
    with pytest.raises((TypeError, ValueError)) as plain:
        Plain(*args, **names)
    with pytest.raises(plain.type) as quickly:
        Quick(*args, **names)
    assert str(quickly.value).split("__init__() ")[-1] == str(plain.value).split("__init__() ")[-1]


def test_record_is_frozen() -> None:
    """Nothing can be set, removed or added."""
    record = Quick("a")
    for name in ("name", "colour"):
        with pytest.raises((FrozenInstanceError, TypeError)):
            setattr(record, name, "b")
    with pytest.raises(FrozenInstanceError):
        del record.name
    assert not hasattr(record, "__dict__")


def test_record_goes_where_a_dataclass_goes() -> None:
    """Compared, copied, replaced, pickled; and it says how it is called."""
    record = Quick("a", 2, {"k": "v"})
    assert record == Quick("a", 2, {"k": "v"}, seen=["not compared"]) != Quick("a")
    for other in (copy.copy(record), copy.deepcopy(record), pickle.loads(pickle.dumps(record))):
        assert type(other) is Quick
        assert other == record
    assert replace(record, size=5) == Quick("a", 5, {"k": "v"})
    assert str(inspect.signature(Quick)) == str(inspect.signature(Plain))


def test_record_is_pickled_by_the_places_of_its_fields() -> None:
    """As one call, whatever it has for a state: what crosses between processes pays for that with each item."""
    assert Quick("a", 2).__reduce__() == (Quick, ("a", 2, {}, [], ""))
    assert Single("a").__reduce__() == (Single, ("a",))
    assert pickle.loads(pickle.dumps(Single("a"))) == Single("a")


def test_record_is_compared_by_its_kind_and_the_fields_that_count() -> None:
    """And hashed by them, as far as they can be."""
    assert Single("a") == Single("a") != Single("b")
    assert hash(Single("a")) == hash(Single("a"))
    assert len({Single("a"), Single("a"), Single("b")}) == 2
    assert Quick("a") != "a"
    assert Nothing() == Nothing()
    assert repr(Nothing()) == "Nothing()"
    assert Quick("a") != Plain("a")
    for kind in (Plain, Quick):
        with pytest.raises(TypeError, match="unhashable"):
            hash(kind("a"))


@dataclasses.dataclass(frozen=True, slots=True)
class Longer(Single):
    """Somebody's own, with a field more."""

    size: int = 0


class Noted(Single):
    """Somebody's own, which is as open as any object."""


def test_subclass_of_a_record_is_made_and_copied_as_itself() -> None:
    """With what it has more: users may have their own kind of item."""
    noted = Noted("a")
    noted.__dict__["note"] = "n"
    for record in (Longer("a", 5), noted):
        for other in (copy.copy(record), copy.deepcopy(record), pickle.loads(pickle.dumps(record))):
            assert type(other) is type(record)
            assert other == record
            assert getattr(other, "__dict__", None) == getattr(record, "__dict__", None)
    assert Longer("a", 5) != Longer("a", 6)
    with pytest.raises(FrozenInstanceError):
        noted.name = "b"  # type: ignore[misc]


def test_record_can_be_taken_apart() -> None:
    """By whatever takes dataclasses apart."""
    record = Quick("a", 2)
    assert dataclasses.asdict(record) == dataclasses.asdict(Plain("a", 2))
    assert Quick.__match_args__ == Plain.__match_args__
    assert Quick.__doc__ == Plain.__doc__
    assert Quick.__init__.__annotations__ == Plain.__init__.__annotations__
    match record:
        case Quick(name, size):
            assert (name, size) == ("a", 2)


def test_record_says_for_itself_what_it_has_said() -> None:
    """What its class defines stays."""

    @dataclass(frozen=True, slots=True)
    class Terse:
        name: str

        def __repr__(self) -> str:
            return self.name

    assert repr(Terse("a")) == "a"


def test_other_dataclasses_are_those_of_the_standard_library() -> None:
    """With all their options."""

    @dataclass(slots=True)
    class Counter:
        count: int = 0

    @dataclass(frozen=True, slots=True, order=True)
    class Rank:
        number: int

    @dataclass
    class Bare:
        name: str

    counter = Counter()
    counter.count += 1
    assert counter == Counter(1)
    assert Rank(1) < Rank(2)
    assert Bare("a").__dict__ == {"name": "a"}


def calls_in_constructor(kind: type[Any]) -> int:
    calls = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal calls
        if frame.f_code is not kind.__init__.__code__:
            return None
        frame.f_trace_opcodes = True
        calls += event == "opcode" and dis.opname[frame.f_code.co_code[frame.f_lasti]] == "CALL"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        kind("a")
    finally:
        sys.settrace(before)
    return calls


def test_fields_are_set_without_a_call_for_each() -> None:
    """Which is what it is for."""
    assert calls_in_constructor(Plain) > len(fields(Plain))
    assert calls_in_constructor(Quick) == calls_in_constructor(Plain) - len(fields(Plain)) + 1
