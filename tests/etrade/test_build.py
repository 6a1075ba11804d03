"""Order bodies: exactly the documented shape, and prices as exact text."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.base.values import PriceType, Side, Term
from shared.domain.broker.brokerage import Ticket
from shared.errors import InvariantBroken
from shared.etrade import build

TICKET = Ticket(
    client_order_id="I2345678901234567890",
    symbol="AAPL",
    side=Side.BUY,
    quantity=10,
    price_type=PriceType.LIMIT,
    term=Term.GOOD_FOR_DAY,
    limit_price=Decimal("132.31"),
)


def order(body: bytes) -> dict[str, Any]:
    """Give the one order of a request body."""
    (only,) = next(iter(json.loads(body).values()))["Order"]
    assert isinstance(only, dict)
    return only


def test_a_preview_has_the_documented_shape() -> None:
    """A preview of a limit order is written key by key as the documents show it."""
    assert json.loads(build.preview(TICKET)) == {
        "PreviewOrderRequest": {
            "orderType": "EQ",
            "clientOrderId": "I2345678901234567890",
            "Order": [
                {
                    "allOrNone": "false",
                    "priceType": "LIMIT",
                    "orderTerm": "GOOD_FOR_DAY",
                    "marketSession": "REGULAR",
                    "limitPrice": "132.31",
                    "Instrument": [
                        {
                            "Product": {"securityType": "EQ", "symbol": "AAPL"},
                            "orderAction": "BUY",
                            "quantityType": "QUANTITY",
                            "quantity": "10",
                        }
                    ],
                }
            ],
        }
    }


def test_a_place_repeats_the_preview_and_names_its_ids() -> None:
    """A place has the previewed order unchanged, its clientOrderId, and every preview id in its wrapper."""
    previewed = json.loads(build.preview(TICKET))["PreviewOrderRequest"]
    placed = json.loads(build.place(TICKET, [7, 8]))["PlaceOrderRequest"]
    assert placed == previewed | {"PreviewIds": [{"previewId": 7}, {"previewId": 8}]}


def test_a_stop_has_only_its_stop_price() -> None:
    """A stop order carries its stop price and no limit price, not even an empty one."""
    stop = replace(TICKET, side=Side.SELL, price_type=PriceType.STOP, limit_price=None, stop_price=Decimal("0.3"))
    written = order(build.preview(stop))
    assert (written["stopPrice"], "limitPrice" in written) == ("0.3000", False)


def test_a_market_order_has_no_price() -> None:
    """A market order carries no price at all."""
    written = order(build.preview(replace(TICKET, price_type=PriceType.MARKET, limit_price=None)))
    assert not {"limitPrice", "stopPrice"} & written.keys()


def test_a_cancel_names_the_order() -> None:
    """A cancel holds the order id as a number and nothing else."""
    assert json.loads(build.cancel(403)) == {"CancelOrderRequest": {"orderId": 403}}


@pytest.mark.parametrize(
    "changes",
    [
        {"client_order_id": ""},
        {"client_order_id": "I23456789012345678901"},
        {"client_order_id": "with-hyphen"},
        {"symbol": ""},
        {"symbol": "AAPL,MSFT"},
        {"quantity": 0},
        {"quantity": -1},
        {"limit_price": None},
        {"limit_price": Decimal(0)},
        {"limit_price": Decimal(-1)},
        {"limit_price": Decimal("NaN")},
        {"limit_price": Decimal("Infinity")},
        {"limit_price": Decimal("1E+12")},
        {"limit_price": Decimal("132.315")},
        {"limit_price": Decimal("0.12345")},
        {"stop_price": Decimal("130.00")},
        {"price_type": PriceType.MARKET},
        {"price_type": PriceType.STOP},
    ],
)
def test_a_ticket_that_could_be_misread_is_a_bug(changes: dict[str, Any]) -> None:
    """A ticket with a bad id, symbol, quantity or price is never written."""
    with pytest.raises(InvariantBroken):
        build.preview(replace(TICKET, **changes))


@pytest.mark.parametrize("preview_ids", [[], [0], [5, -1]])
def test_a_place_needs_its_preview(preview_ids: list[int]) -> None:
    """A place without a true preview id is never written."""
    with pytest.raises(InvariantBroken):
        build.place(TICKET, preview_ids)


@settings(max_examples=100, deadline=None)
@given(
    ticks=st.integers(1, 99_999_999),
    quantity=st.integers(1, 10**6),
    exponent=st.integers(0, 4),
)
def test_prices_arrive_exactly(ticks: int, quantity: int, exponent: int) -> None:
    """Whatever the price and however its Decimal is written, the body's text is that price on its tick."""
    price = Decimal(ticks) / (100 if ticks >= 100 else 10_000)
    spelled = price.normalize() if exponent == 0 else price
    written = order(build.preview(replace(TICKET, limit_price=spelled, quantity=quantity)))
    assert Decimal(written["limitPrice"]) == price
    assert set(written["limitPrice"]) <= set("0123456789.")
    assert written["Instrument"][0]["quantity"] == str(quantity)
