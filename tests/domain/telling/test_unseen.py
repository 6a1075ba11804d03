"""The words and the names of notices about what cannot be seen, beside one example of each kind."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.domain.broker.reads import Answer
from shared.domain.telling.notice_words import words
from shared.domain.telling.notices import DayResult, event_of
from shared.domain.telling.unseen import AnswerUnread, StaysHeld
from tests.domain.made import NOON, at
from tests.domain.unseen import DAY


def test_a_day_that_is_not_known_says_so() -> None:
    """A result that is not known says since when and what not, never that nothing is held, and is named apart."""
    unknown = DayResult(
        session=DAY, realized=Decimal(0), orders=1, fills=0, open_positions=(), live_orders=1, at=NOON,
        unknown=("E*TRADE's order list could not be read", "98 AIG were sent for"), since=NOON - timedelta(minutes=30),
    )  # fmt: skip
    said = words(unknown)
    assert (said.title, said.urgent) == ("2013-10-07: the result is not known", True)
    assert said.text == (
        "The session's result is not known since 11:30 ET (E*TRADE's order list could not be read; "
        "98 AIG were sent for); last known were +$0.00 realised, 1 order and 0 fills, 1 open order and no shares in "
        "the books. Look at orders and positions in E*TRADE's app: what is held there may have no stop, and the audit "
        "trail is closed as far as it is known."
    )
    assert event_of(unknown) != event_of(replace(unknown, unknown=()))


@pytest.mark.parametrize("what", [Answer.BALANCE, Answer.PORTFOLIO])
def test_what_only_buying_rests_on_is_not_urgent(what: Answer) -> None:
    """Without the balance or the portfolio nothing is bought, and with every share covered nothing is to be done."""
    blind = AnswerUnread(what=what, why="x", naked=(), since=NOON - timedelta(minutes=3), at=NOON)
    assert not words(blind).urgent
    assert "no shares are known to be without a stop." in words(blind).text
    assert words(replace(blind, naked=("1 IBM",))).urgent


def test_blindness_is_told_again_when_shares_become_naked() -> None:
    """One blindness is one event until other shares may be without a stop."""
    blind = AnswerUnread(what=Answer.ORDERS, why="x", naked=(), since=NOON, at=NOON + timedelta(minutes=3))
    assert event_of(blind) == event_of(replace(blind, why="y", at=NOON + timedelta(minutes=9)))
    assert event_of(blind) != event_of(replace(blind, naked=("98 AIG",)))
    assert event_of(blind) != event_of(replace(blind, what=Answer.PORTFOLIO))


def test_shares_without_a_stop_are_sold_without_a_cancel() -> None:
    """What has no sell at the broker needs none cancelled, and two that work are both named."""
    held = StaysHeld(
        session=DAY, position_id="P1", symbol="IBM", quantity=9, sells=(), order_ids=(), closes_at=at(390), at=at(385)
    )
    assert "no stop of ours is at E*TRADE. To sell them in E*TRADE's app enter Sell, 9 IBM" in words(held).text
    assert "cancel orders 1 and 2 first" in words(replace(held, sells=("a", "b"), order_ids=(1, 2))).text
