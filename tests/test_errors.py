"""Errors are split by who must act, carry plain data and survive a trip to another process."""

from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import pytest

from aioflags import errors
from aioflags.errors import KINDS, AioflagsError, DownloadError, UsageError, make_error

CONTRACT_KINDS = [
    "dns",
    "connect",
    "tls",
    "timeout",
    "stalled",
    "disconnected",
    "truncated",
    "protocol",
    "redirect",
    "http",
    "too_large",
    "checksum",
    "exists",
    "name",
    "url",
    "storage",
    "policy",
]


def subclasses(root: type[Any]) -> dict[str, list[str]]:
    """Name of each class below `root`, to the names of its own subclasses in this package."""
    found = {root.__name__: sorted(child.__name__ for child in root.__subclasses__())}
    for child in root.__subclasses__():
        found |= subclasses(child)
    return found


def test_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    """What is drawn is what is there: every class, under its parent, and the builtin that a class also is."""
    assert errors.__doc__ is not None
    drawn: dict[str, list[str]] = {}
    path: list[str] = []
    for line in errors.__doc__.splitlines():
        entry = re.fullmatch(r"    ([ │├└─]*)(\w+)(?:, an? (\w+))?(?:  .*)?", line)
        if entry is None:
            continue
        depth = len(entry[1]) // 4
        path[depth:] = [entry[2]]
        drawn[entry[2]] = []
        if depth:
            drawn[path[depth - 1]].append(entry[2])
        if entry[3]:
            assert entry[3] in {base.__name__ for base in getattr(errors, entry[2]).__mro__}
    assert {name: sorted(children) for name, children in drawn.items()} == subclasses(AioflagsError)


def test_kinds_in_the_docstring_belong_to_the_classes_beside_them() -> None:
    """The drawing names each kind once, at the class that `KINDS` gives it."""
    assert errors.__doc__ is not None
    drawn = {
        kind: match[1]
        for match in re.finditer(r"[├└]── (\w+) .*?: ([^;\n]+)", errors.__doc__)
        for kind in match[2].split(", ")
        if kind in CONTRACT_KINDS
    }
    assert drawn == {kind: error.__name__ for kind, error in KINDS.items()}


def test_kinds_are_those_of_the_contract() -> None:
    """No kind more, none less."""
    assert sorted(KINDS) == sorted(CONTRACT_KINDS)


def test_every_download_error_is_reached_by_some_kind() -> None:
    """A class without a kind could never be raised."""
    assert set(KINDS.values()) == set(DownloadError.__subclasses__())


@pytest.mark.parametrize("kind", CONTRACT_KINDS)
def test_pickling_keeps_class_arguments_and_text(kind: str) -> None:
    """An error crosses a process boundary whole."""
    error = make_error(kind, "5 of 10 bytes", "example.org")
    for twin in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert type(twin) is type(error) is KINDS[kind]
        assert (twin.kind, twin.message, twin.host) == (kind, "5 of 10 bytes", "example.org")
        assert str(twin) == str(error) == f"{kind}: 5 of 10 bytes"


@pytest.mark.parametrize("error", [AioflagsError("a"), UsageError("b"), DownloadError("http", "status 500")])
def test_bases_pickle_too(error: AioflagsError) -> None:
    """So do the errors that are no item's."""
    twin = pickle.loads(pickle.dumps(error))
    assert (type(twin), twin.args, str(twin)) == (type(error), error.args, str(error))


def test_usage_error_is_a_value_error() -> None:
    """Who calls wrongly may catch what Python raises for a wrong value."""
    assert issubclass(UsageError, ValueError)
    assert not issubclass(DownloadError, ValueError)


def test_unknown_kind_is_a_bug() -> None:
    """The list of kinds is fixed."""
    with pytest.raises(KeyError):
        make_error("weather", "rain")
