"""Orders fill from the tape, at the instants and prices at which they could have (fact sheet, sections 4.2,
4.12).
"""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from infra.brokersim.market import Row
from tests.infra.brokersim.world import CLOSE, NOON, ListedMarket, World, row, world

EARLY = row(-9_000, "10.00", "10.02")
# `World.buy` lets three seconds pass: with the sign-in at noon, orders are placed at noon + 3 s.


def fills(one: World) -> list[tuple[int, str]]:
    return [(fill["quantity"], fill["price"]) for fill in one.simulator.ledger()["fills"]]


def tape(*rows: Row) -> World:
    return world(ListedMarket({"ZXAA": [EARLY, *rows]}))


def test_nothing_fills_before_the_latency_has_passed() -> None:
    """Nothing fills before the latency has passed."""
    one = world()
    order_id = one.buy()
    one.clock.forward(0.499)
    assert fills(one) == []
    one.clock.forward(0.2)
    assert fills(one) == [(100, "10.02")]
    assert 0.5 <= one.seconds(order_id, "fill") <= 0.7


def test_a_fill_carries_its_own_instant_however_late_somebody_looks() -> None:
    """A fill carries its own instant however late somebody looks."""
    one, other = world(), world()
    for each, wait in ((one, 0.7), (other, 3_000.0)):
        each.buy()
        each.clock.forward(wait)
    assert one.simulator.ledger()["fills"] == other.simulator.ledger()["fills"]


def test_a_limit_buy_waits_until_the_ask_comes_down_and_pays_the_ask() -> None:
    """A limit buy waits until the ask comes down and pays the ask."""
    one = tape(row(10, "9.50", "9.52"), row(20, "9.40", "9.42"))
    order_id = one.buy(limitPrice="9.55")
    one.clock.forward(60)
    assert fills(one) == [(100, "9.52")]
    assert one.seconds(order_id, "fill") == 7


def test_a_limit_sell_gets_the_bid() -> None:
    """A limit sell gets the bid."""
    one = tape(row(10, "10.50", "10.52"))
    one.buy()
    one.clock.forward(1)
    one.buy(clientOrderId="order2", orderAction="SELL", limitPrice="10.40")
    one.clock.forward(60)
    assert fills(one)[1:] == [(100, "10.50")]


def test_a_market_order_takes_the_touch() -> None:
    """A market order takes the touch."""
    one = tape()
    one.buy(priceType="MARKET", limitPrice="")
    one.clock.forward(1)
    one.buy(clientOrderId="order2", priceType="MARKET", limitPrice="", orderAction="SELL")
    one.clock.forward(1)
    assert fills(one) == [(100, "10.02"), (100, "10.00")]


def test_a_large_order_takes_what_each_row_displays() -> None:
    """A large order takes what each row displays."""
    one = tape(
        row(2, "10.00", "10.01", size=300),
        row(10, "10.01", "10.02", size=500),
        row(11, "10.01", "10.02", size=900),
    )
    order_id = one.buy(quantity=1_000)
    one.clock.forward(3)
    assert one.order(order_id)["status"] == "OPEN"
    assert one.order(order_id)["filled"] == 300
    one.clock.forward(60)
    assert fills(one) == [(300, "10.01"), (500, "10.02"), (200, "10.02")]
    assert one.order(order_id)["status"] == "EXECUTED"


def test_a_partly_filled_order_can_be_cancelled_and_keeps_what_it_got() -> None:
    """A partly filled order can be cancelled and keeps what it got."""
    one = tape(row(2, "10.00", "10.01", size=300))
    order_id = one.buy(quantity=1_000)
    one.clock.forward(1)
    one.cancel(order_id)
    one.clock.forward(2)
    assert (one.order(order_id)["status"], one.order(order_id)["filled"]) == ("CANCELLED", 300)


def test_two_orders_share_what_one_row_displays() -> None:
    """Two orders share what one row displays."""
    one = tape(row(2, "10.00", "10.02", size=150))
    one.buy()
    one.buy(clientOrderId="order2")
    one.clock.forward(60)
    assert fills(one) == [(100, "10.02"), (50, "10.02")]


def test_immediate_or_cancel_keeps_its_first_chance_only() -> None:
    """Immediate or cancel keeps its first chance only."""
    one = tape(row(2, "10.00", "10.02", size=60), row(5, "10.00", "10.02", size=900))
    order_id = one.buy(orderTerm="IMMEDIATE_OR_CANCEL")
    one.clock.forward(60)
    assert fills(one) == [(60, "10.02")]
    assert one.order(order_id)["status"] == "CANCELLED"
    assert one.seconds(order_id, "cancelled") == one.seconds(order_id, "fill")


def test_immediate_or_cancel_away_from_the_market_is_cancelled() -> None:
    """Immediate or cancel away from the market is cancelled."""
    one = world()
    order_id = one.buy(orderTerm="IMMEDIATE_OR_CANCEL", limitPrice="9.00")
    one.clock.forward(1)
    assert [told["event"] for told in one.order(order_id)["history"]] == ["placed", "working", "cancelled"]


@pytest.mark.parametrize(("size", "expected"), [(99, []), (100, [(100, "10.02")])])
def test_fill_or_kill_fills_whole_or_not_at_all(size: int, expected: list[tuple[int, str]]) -> None:
    """Fill or kill fills whole or not at all."""
    one = tape(row(2, "10.00", "10.02", size=size))
    order_id = one.buy(orderTerm="FILL_OR_KILL")
    one.clock.forward(60)
    assert fills(one) == expected
    assert one.order(order_id)["status"] == ("EXECUTED" if expected else "CANCELLED")


def held(*rows: Row) -> World:
    """100 shares bought at 10.02, four seconds after noon."""
    one = tape(*rows)
    one.buy()
    one.clock.forward(1)
    return one


STOP = {
    "clientOrderId": "stop",
    "orderAction": "SELL",
    "priceType": "STOP",
    "limitPrice": "",
    "stopPrice": "9.80",
    "orderTerm": "GOOD_UNTIL_CANCEL",
}


def test_a_sell_stop_triggers_when_a_trade_reaches_it_and_sells_at_the_bid() -> None:
    """A sell stop triggers when a trade reaches it and sells at the bid."""
    one = held(
        row(10, "9.70", "9.72", last="9.90"),  # the bid is below the stop, but nothing has traded there
        row(20, "9.78", "9.82", last="9.80"),
    )
    order_id = one.buy(**STOP)
    one.clock.at = NOON + timedelta(seconds=15)
    assert one.order(order_id)["status"] == "OPEN"
    one.clock.forward(15)
    assert fills(one)[1:] == [(100, "9.78")]
    assert one.simulator.ledger()["fills"][1]["at"].endswith("16:00:20.000000+00:00")


def test_a_triggered_stop_stays_triggered_until_it_is_filled() -> None:
    """A triggered stop stays triggered until it is filled."""
    one = held(row(20, "9.78", "9.82", last="9.80", size=40), row(30, "10.10", "10.12", last="10.11"))
    one.buy(**STOP)
    one.clock.forward(60)
    assert fills(one)[1:] == [(40, "9.78"), (60, "10.10")]


def test_a_buy_stop_triggers_above_the_market() -> None:
    """A buy stop triggers above the market."""
    one = tape(row(20, "10.48", "10.53", last="10.50"))
    one.buy(priceType="STOP", limitPrice="", stopPrice="10.50")
    one.clock.forward(60)
    assert fills(one) == [(100, "10.53")]


def test_day_orders_expire_at_the_close_and_others_stay() -> None:
    """Day orders expire at the close and others stay."""
    one = world()
    day, until_cancel = (
        one.buy(limitPrice="9.00"),
        one.buy(limitPrice="9.00", clientOrderId="order2", orderTerm="GOOD_UNTIL_CANCEL"),
    )
    one.clock.at = CLOSE + timedelta(hours=1)
    assert one.order(day)["status"] == "EXPIRED"
    assert one.order(day)["history"][-1]["at"] == "2013-10-07T20:00:00.000000+00:00"
    assert one.order(until_cancel)["status"] == "OPEN"


def test_nothing_fills_outside_the_regular_session() -> None:
    """Nothing fills outside the regular session."""
    late = (CLOSE - NOON).total_seconds()
    one = world(ListedMarket({"ZXAA": [EARLY, row(late, "8.98", "9.00"), row(late + 60, "8.98", "9.00")]}))
    order_id = one.buy(limitPrice="9.00", orderTerm="GOOD_UNTIL_CANCEL")
    one.clock.at = CLOSE + timedelta(hours=2)
    assert fills(one) == []
    assert one.order(order_id)["status"] == "OPEN"


def test_an_order_that_reaches_the_exchange_after_the_bell_expires_on_arrival() -> None:
    """An order that reaches the exchange after the bell expires on arrival."""
    one = world(at=CLOSE - timedelta(seconds=3.2))
    order_id = one.buy()
    one.clock.forward(10)
    assert [told["event"] for told in one.order(order_id)["history"]] == ["placed", "expired"]


def test_a_half_day_closes_early() -> None:
    """A half day closes early."""
    one = world(closes_at=time(12, 30))
    order_id = one.buy(limitPrice="9.00")
    one.clock.forward(3_600)
    assert one.order(order_id)["history"][-1]["at"] == "2013-10-07T16:30:00.000000+00:00"
