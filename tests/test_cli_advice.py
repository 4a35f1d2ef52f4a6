"""What to do next about each kind of failure."""

from __future__ import annotations

import re

import pytest

from aioflags.cli import flags, get
from aioflags.cli.advice import _BY_STATUS, ADVICE, advise
from aioflags.cli.parser import Parser
from aioflags.errors import KINDS


def test_every_kind_has_advice_of_its_own() -> None:
    """No kind of the contract is left without a word, and no two have the same."""
    assert set(ADVICE) == set(KINDS)
    assert len(set(ADVICE.values())) == len(KINDS)


def test_only_options_that_exist_are_recommended() -> None:
    """Whoever follows the advice finds the option in the help."""
    parser = Parser()
    subparsers = parser.add_subparsers()
    get.add_parser(subparsers)  # type: ignore[arg-type]
    flags.add_parser(subparsers)  # type: ignore[arg-type]
    help_text = subparsers.choices["get"].format_help()
    texts = [*ADVICE.values(), *_BY_STATUS.values(), advise("http", 503)]
    recommended = {option for text in texts for option in re.findall(r"--[a-z][a-z-]*", text)}
    assert recommended
    assert {option for option in recommended if option not in help_text} == set()


@pytest.mark.parametrize(
    ("status", "word"), [(401, "--netrc"), (403, "refuses"), (404, "spelling"), (429, "--rate"), (503, "--retries")]
)
def test_http_is_advised_by_status(status: int, word: str) -> None:
    """What helps depends on what the server said."""
    assert word in advise("http", status)


def test_other_statuses_have_the_advice_of_the_kind() -> None:
    """A status that nobody thought of still has an answer."""
    assert advise("http", 418) == ADVICE["http"]
    assert advise("dns", None) == ADVICE["dns"]
