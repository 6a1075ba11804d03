"""Notices of odd rows: what makes two of them one event, and what is urgent."""

from dataclasses import replace

from shared.domain.telling.notice_words import words
from shared.domain.telling.notices import event_of
from shared.domain.telling.row_notices import OddRow, OwnRowOdd
from tests.domain.made import NOON
from tests.domain.row_notices import DAY


def test_odd_rows_are_told_as_what_they_are() -> None:
    """Many symbols are one notice, a row without a symbol says so, and a price that comes later is not urgent."""
    many = OddRow(where="order list", symbols=("A", "B"), fields=("status",), session=DAY, at=NOON, more=195)
    assert words(many).sentence == (
        "The account's order list has rows in 195 further symbols that are none of this system's or cannot be read in "
        "full, such as A, B (status)."
    )
    assert words(replace(many, symbols=(), more=0)).title == "An odd row in the order list: no symbol"
    own = OwnRowOdd(intent_id="I1", symbol="IBM", side="BUY", quantity=1, fields=("x",), session=DAY, at=NOON)
    assert not words(own).urgent
    events = {event_of(replace(many, symbols=one, more=0)) for one in ((), ("A/B",), ("A",))} | {event_of(many)}
    assert len(events) == 4
    assert not any("/" in event for event in events)
