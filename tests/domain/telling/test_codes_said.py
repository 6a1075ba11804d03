"""No code of ours reaches an owner: every kind of our errors and every sign of a halt has words."""

import inspect
from collections.abc import Mapping

import pytest

from shared import errors
from shared.domain.market import halts
from shared.domain.telling.codes_said import ERRORS, halt_signs, named, quote_faults, why
from shared.domain.telling.notice_words import words
from shared.domain.telling.notices import Notice
from shared.domain.telling.unseen import MessageRetried
from tests.domain.made import NOON

ROOTS = {
    "DeskError", "MessageError", "AuthError", "BrokerError", "SourceError", "StoreError",
    "SourceDown", "SourceRefused", "SourceKeyRefused",
}  # fmt: skip
"""Kinds that nobody raises, and those that stay with the function that gathers daily bars."""


def unsaid(table: Mapping[str, str]) -> list[str]:
    """Name each kind of error that is met at work and has no words in a table."""
    kinds = inspect.getmembers(errors, inspect.isclass)
    return [name for name, one in kinds if issubclass(one, errors.DeskError) and name not in {*ROOTS, *table}]


def test_every_kind_of_error_has_its_words() -> None:
    """No name of an error of ours is told as it stands, and one without words is found."""
    assert unsaid(ERRORS) == []
    assert unsaid({name: said for name, said in ERRORS.items() if name != "Busy"}) == ["Busy"]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("StoreDown: no connection", "the database does not answer: no connection"),
        ("Malformed", "its content cannot be read"),
        ("ValueError", "ValueError"),
        ("no daily bars: AIG", "no daily bars: AIG"),
    ],
)
def test_a_reason_keeps_its_detail(reason: str, said: str) -> None:
    """The name of an error becomes words, its detail stays, and what is no name of ours is told as it is."""
    assert why(reason) == said


def test_signs_faults_and_functions_are_words() -> None:
    """Each sign of a halt, a fault of a quote, an error of the broker and a function's name read as words."""
    for code in (halts.HALTED, halts.ONE_SIDED, halts.FROZEN, halts.UNTRADED, halts.PAUSE):
        assert code not in halt_signs([code])
    assert quote_faults(["STALE", "NotSent", "odd"]) == "the quote was too old, E*TRADE could not be reached, odd"
    assert named("order_settlement") == "order settlement"


def test_a_function_that_was_killed_is_told_in_words() -> None:
    """The notice that a message comes again and again names function, task and trouble without a name of our code."""
    notice: Notice = MessageRetried(
        function="order_placement", message="exit_position", name="1", reason="StoreDown: gone", since=NOON, at=NOON
    )
    said = words(notice)
    for part in ("order_placement", "exit_position", "StoreDown"):
        assert part not in said.title + said.text
