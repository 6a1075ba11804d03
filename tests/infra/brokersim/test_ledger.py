"""The ledger adds up: whatever is traded, the fills alone explain the cash and the positions."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from infra.brokersim.ledger import Ledger
from infra.brokersim.market import open_market
from tests.infra.brokersim.world import World, world


def fold(ledger: Ledger, cash: Decimal) -> tuple[str, dict[str, int]]:
    """Cash and positions that follow from the fills."""
    shares: Counter[str] = Counter()
    for fill in ledger["fills"]:
        sign = 1 if fill["action"] == "BUY" else -1
        cash -= sign * fill["quantity"] * Decimal(fill["price"])
        shares[fill["symbol"]] += sign * fill["quantity"]
        assert shares[fill["symbol"]] >= 0
        assert cash >= 0
    return str(cash), {symbol: held for symbol, held in sorted(shares.items()) if held}


def trade_at_random(one: World, symbols: tuple[str, ...], chance: random.Random, count: int) -> None:
    for number in range(count):
        symbol = chance.choice(symbols)
        held = one.simulator.ledger()["positions"].get(symbol, 0)
        row = one.simulator._broker._market.quote(symbol, one.clock.at)
        assert row is not None
        action = "SELL" if held and chance.random() < 0.6 else "BUY"
        near = row.bid if action == "SELL" else row.ask
        order: dict[str, Any] = {
            "clientOrderId": f"random{number}",
            "symbol": symbol,
            "orderAction": action,
            "quantity": chance.randint(1, held) if action == "SELL" else chance.randint(1, 150),
            "orderTerm": chance.choice(["GOOD_FOR_DAY", "IMMEDIATE_OR_CANCEL", "GOOD_UNTIL_CANCEL"]),
            "limitPrice": str(near + chance.choice([-5, -1, 0, 1, 5]) * Decimal("0.01")),
        }
        answer = one.preview(**order)
        if answer.status_code != 200:
            assert answer.json()["Error"]["code"] in (1021, 1037)
            continue
        one.clock.forward(chance.uniform(1, 2))
        placed = one.place(answer.json()["PreviewOrderResponse"]["PreviewIds"][0]["previewId"], **order)
        one.clock.forward(chance.uniform(1, 90))
        if placed.status_code == 200 and chance.random() < 0.4:
            one.cancel(placed.json()["PlaceOrderResponse"]["OrderIds"][0]["orderId"])
            one.clock.forward(chance.uniform(1, 5))


def random_day(seed: int) -> Ledger:
    market = open_market("generated", seed=seed)
    one = world(market, at=datetime(2013, 3, 4, 15, tzinfo=UTC), seed=seed)
    trade_at_random(one, market.symbols[1:6], random.Random(seed), 60)
    one.clock.at = datetime(2013, 3, 4, 21, 30, tzinfo=UTC)
    return one.simulator.ledger()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_fills_explain_cash_and_positions_to_the_cent(seed: int) -> None:
    """Fills explain cash and positions to the cent."""
    ledger = random_day(seed)
    assert len(ledger["fills"]) > 20
    assert (ledger["cash"], ledger["positions"]) == fold(ledger, Decimal(100_000))
    for order in ledger["orders"]:
        own = [fill for fill in ledger["fills"] if fill["order_id"] == order["order_id"]]
        assert sum(fill["quantity"] for fill in own) == order["filled"] <= order["quantity"]
        instants = [told["at"] for told in order["history"]]
        assert instants == sorted(instants)
        first_fill = min((fill["at"] for fill in own), default=None)
        latency = timedelta(milliseconds=500)
        assert first_fill is None or at(first_fill) - at(order["placed_at"]) >= latency
    assert [fill["at"] for fill in ledger["fills"]] == sorted(fill["at"] for fill in ledger["fills"])


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_the_same_seed_gives_the_same_ledger_to_the_byte() -> None:
    """The same seed gives the same ledger to the byte."""
    assert json.dumps(random_day(4)) == json.dumps(random_day(4))
