"""What is used of our own order's row: what it says and can be, and nothing else."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.base.values import PriceType, Side, Term
from shared.domain.broker.brokerage import BrokerOrder, BrokerStatus
from shared.domain.orders.own_rows import Said, said
from tests.domain.made import NOON, order

LIMIT = Decimal("100.10")
ROW = BrokerOrder(
    order_id=501, symbol="IBM", side=Side.BUY, quantity=10, filled=4, average_price=Decimal("100.02"),
    price_type=PriceType.LIMIT, term=Term.GOOD_FOR_DAY, limit_price=LIMIT, stop_price=None, status=BrokerStatus.OPEN,
    placed_at=NOON,
)  # fmt: skip


def look(booked: int = 2, **changes: Any) -> Said:
    """Look at the row with these changes; two shares are booked."""
    return said(order(filled=booked, broker_order_id=501), replace(ROW, **changes), reference=LIMIT)


def test_a_plain_row_is_used_as_it_is() -> None:
    """Shares, price and status of a row that is read fully are used."""
    assert look() == Said(filled=4, average_price=Decimal("100.02"), status=BrokerStatus.OPEN, unread=())


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"symbol": "AIG"}, "symbol"),
        ({"side": Side.SELL}, "orderAction"),
        ({"filled": None}, "filledQuantity"),
        ({"filled": 11}, "filledQuantity"),
    ],
)
def test_a_row_that_contradicts_what_we_sent_books_and_ends_nothing(changes: dict[str, Any], name: str) -> None:
    """Neither shares nor an end are taken from a row of another order or without a possible number of shares."""
    assert look(status=BrokerStatus.CANCELLED, **changes) == Said(
        filled=2, average_price=None, status=None, unread=(name,)
    )


def test_a_row_that_lags_takes_nothing_back() -> None:
    """Fewer shares than are booked are no news, and their price is not that of ours."""
    assert look(booked=5) == Said(filled=5, average_price=None, status=BrokerStatus.OPEN, unread=())


@pytest.mark.parametrize("price", ["1001", "10.00", "101.2", "1000000000000"])
def test_a_price_that_cannot_be_is_not_used(price: str) -> None:
    """Shares are used without a price that is far from every possible one, or above the limit of a purchase."""
    assert look(average_price=Decimal(price)) == Said(
        filled=4, average_price=None, status=BrokerStatus.OPEN, unread=("averageExecutionPrice",)
    )


def test_a_sale_is_not_below_its_limit_and_a_stop_may_be_far_below() -> None:
    """A sale's limit holds from below; a stop may fill lower than its level."""
    sell = order(side=Side.SELL, limit_price=LIMIT)
    row = replace(ROW, side=Side.SELL, average_price=Decimal(98))
    assert said(sell, row, reference=LIMIT).average_price is None
    stop = replace(sell, price_type=PriceType.STOP, limit_price=None, stop_price=LIMIT)
    assert said(stop, replace(row, average_price=Decimal(31)), reference=LIMIT).average_price == 31


def test_what_is_missing_is_named_and_the_rest_is_used() -> None:
    """A row without status, time, quantity or symbol still says how many shares were filled, and at what price."""
    found = look(status=None, placed_at=None, quantity=None, symbol=None, odd=("status", "symbol"))
    assert found == Said(filled=4, average_price=Decimal("100.02"), status=None, unread=("status", "symbol"))
