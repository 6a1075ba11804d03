"""What is held over a close is held at the next open: by the account as by the book, behind its stop, at its price."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infra.backtest.bar_market import got
from infra.backtest.played import Carried, Overnight
from shared.domain.base.calendar import new_york_day
from shared.domain.base.values import CENT
from shared.domain.orders.orders import STOPS, Kind, State
from tests.backtest.made import DAY
from tests.backtest.overnight import (
    CAPITAL,
    PRICE,
    WHOLE,
    Piece,
    as_quotes,
    chain,
    config,
    days,
    gained,
    unexplained,
    walk,
)

BOTH = ("IBM", "BAC")
CUT = Piece(symbol="BAC", minutes=60)
GAPS = [Decimal(gap) / 100 for gap in (-8, -1, 0, 1, 8)]
SPLITS = [Decimal(ratio) for ratio in ("1", "1", "1", "2", "1.5", "0.1")]
ROWS = st.tuples(*(
    st.builds(
        Piece, symbol=st.just(symbol), minutes=st.sampled_from([0, 25, 60, WHOLE]), gap=st.sampled_from(GAPS),
        split=st.sampled_from(SPLITS),
    )
    for symbol in BOTH
)).filter(lambda row: any(piece.minutes for piece in row))  # fmt: skip


def row(*pieces: Piece) -> Sequence[Piece]:
    """Give a session in which IBM is whole."""
    return (Piece(symbol="IBM"), *pieces)


@given(plan=st.lists(ROWS, min_size=2, max_size=4))
@example(plan=[row(CUT), row(), row(CUT)])
@example(plan=[row(CUT), row(replace(CUT, gap=GAPS[0]))])
@example(plan=[row(CUT), row(), row(replace(CUT, split=SPLITS[-1]))])
@settings(max_examples=8, deadline=None)
def test_the_curve_moves_as_prices_do_and_ends_where_the_trades_do(plan: list[Sequence[Piece]]) -> None:
    """Whatever is held over a night, no step of the equity is more than prices made of it, and all profits are it."""
    played = list(days(plan))
    facts, each = chain(played)
    assert unexplained(facts, played) == []
    assert facts.equity[-1].equity.quantize(CENT) == CAPITAL + gained(facts)
    for one in each:
        book = {name: held.quantity for name, held in one.carried.positions.items() if held.is_open}
        assert {name: held.quantity for name, held in one.carried.overnight.shares.items()} == book


def forgotten(carried: Carried) -> Carried:
    """Lose what is held, as an account does that begins each day with its cash alone."""
    return replace(carried, overnight=Overnight())


def test_an_account_that_loses_its_shares_would_be_found() -> None:
    """Seeded mistake: where the night loses the shares the curve has a step that no price explains."""
    played = list(days([row(CUT), row()]))
    facts, _ = chain(played, left=forgotten)
    assert unexplained(facts, played)
    assert facts.equity[-1].equity != CAPITAL + gained(facts)


def test_a_symbol_that_is_missing_on_the_next_day_counts_at_its_last_price() -> None:
    """What ended early and does not trade the day after is worth on it what it was worth then."""
    facts, (first, second) = chain(list(days([[CUT], [Piece(symbol="IBM", minutes=1)]])))
    (trade,) = facts.trades
    assert trade.held == trade.shares > 0
    assert trade.open_profit == facts.equity[-1].equity - CAPITAL
    assert {one.equity for one in second.equity} == {first.equity[-1].equity}


def test_the_stop_of_the_evening_sells_at_an_open_that_lies_under_it() -> None:
    """A stop rests over the night, is the same order in the morning, and brings what the first bar opens at."""
    last_close = walk(DAY, PRICE, CUT.minutes)[-1].close
    gap = Decimal("-0.2")
    _, (first, second) = chain(list(days([[CUT], [replace(CUT, gap=gap, minutes=2)]])))
    (stop,) = (one for one in first.orders if one.kind in STOPS and one.live)
    (after,) = (one for one in second.orders if one.kind in STOPS)
    assert (after.intent_id, after.broker_order_id) == (stop.intent_id, stop.broker_order_id)
    assert after.state is State.FILLED
    assert after.average_price == got((last_close * (1 + gap)).quantize(CENT))
    assert second.carried.overnight == Overnight()


@pytest.mark.parametrize("split", [Decimal(1), Decimal(2)])
def test_on_quotes_a_stop_of_the_evening_sells_in_the_morning(split: Decimal) -> None:
    """On one-second quotes what is held goes on, too, over a split as well, and an open under its stop sells it."""
    fallen = replace(CUT, gap=Decimal("-0.1"), split=split, minutes=20)
    played = [as_quotes(day) for day in days([[CUT], [fallen]])]
    facts, (first, second) = chain(played)
    (before,) = (one for one in first.carried.positions.values() if one.is_open)
    trade = next(one for one in facts.trades if one.position_id == before.position_id)
    assert trade.shares == before.quantity * split
    assert trade.left_at is not None
    assert new_york_day(trade.left_at) == played[1].session.day
    assert trade.exit_price is not None
    assert trade.exit_price < before.stop_wanted / split
    assert trade.fees is not None
    assert second.equity[-1].equity == pytest.approx(CAPITAL + gained(facts) + trade.fees, abs=CENT)


def test_what_is_held_is_sold_in_the_morning_and_no_stop_is_placed_anew() -> None:
    """Under a hold limit that ran out over the night the sale cancels the stop of the evening and gets its shares."""
    short = replace(config(), exits=replace(config().exits, hold_max_minutes=6 * 60))
    facts, (first, second) = chain(list(days([[CUT], [CUT]])), under=short)
    (stop,) = (one for one in first.orders if one.kind in STOPS and one.live)
    sale = min((one for one in second.orders if one.kind is Kind.EXIT), key=lambda one: one.created_at)
    assert (sale.state, sale.reason, sale.quantity) == (State.FILLED, "max_hold", stop.quantity)
    assert sale.filled == stop.quantity
    assert next(one for one in second.orders if one.intent_id == stop.intent_id).state is State.CANCELLED
    others = [one for one in second.orders if one.kind in STOPS and one.intent_id != stop.intent_id]
    assert all(one.created_at > sale.updated_at for one in others)
    trade = facts.trades[0]
    assert new_york_day(trade.entered_at) == DAY
    assert trade.left_at is not None
    assert new_york_day(trade.left_at) > DAY
