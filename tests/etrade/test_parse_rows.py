"""One row of the order list: what can be read is read, what cannot is named, and no row hides another."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.base.values import Side
from shared.domain.broker.brokerage import BrokerOrder, BrokerStatus
from shared.etrade import parse_orders, parse_rows
from tests.etrade import samples


def read(*items: object) -> tuple[BrokerOrder, ...]:
    """Read a page of these rows."""
    return parse_orders.orders(json.dumps({"OrdersResponse": {"Order": list(items)}}).encode()).orders


def in_parts(*symbols: str) -> dict[str, Any]:
    """Give one order with a part for each symbol."""
    row = samples.order(5)
    row["OrderDetail"] = [
        samples.order(5, leg={"Product": {"symbol": symbol, "securityType": "EQ"}})["OrderDetail"][0]
        for symbol in symbols
    ]
    return row


@pytest.mark.parametrize(
    ("row", "odd"),
    [
        (samples.order() | {"orderType": "OPTN"}, "orderType"),
        (samples.order(leg={"Product": {"symbol": "COCP", "securityType": "OPTN"}}), "securityType"),
        (samples.order(marketSession="EXTENDED"), "marketSession"),
        (samples.order(leg={"orderAction": "SELL_SHORT"}), "orderAction"),
        (samples.order(leg={"orderAction": "EXCHANGE"}), "orderAction"),
        (samples.order(leg={"orderAction": None}), "orderAction"),
        (samples.order(leg={"quantityType": "DOLLAR"}), "quantityType"),
        (samples.order(leg={"quantityType": "ALL_I_OWN"}), "quantityType"),
        (samples.order(leg={"quantityType": {}}), "quantityType"),
        (samples.order(leg={"orderedQuantity": None}), "orderedQuantity"),
        (samples.order(leg={"orderedQuantity": 0}), "orderedQuantity"),
        (samples.order(leg={"orderedQuantity": 10.4321}), "orderedQuantity"),
        (samples.order(leg={"orderedQuantity": "many"}), "orderedQuantity"),
        (samples.order(leg={"orderedQuantity": 1e40}), "orderedQuantity"),
        (samples.order(leg={"filledQuantity": 54}), "filledQuantity"),
        (samples.order(leg={"filledQuantity": -1}), "filledQuantity"),
        (samples.order(leg={"filledQuantity": 10.4321}), "filledQuantity"),
        (samples.order(leg={"filledQuantity": None}), "filledQuantity"),
        (samples.order(leg={"averageExecutionPrice": None}), "averageExecutionPrice"),
        (samples.order(leg={"averageExecutionPrice": 0}), "averageExecutionPrice"),
        (samples.order(leg={"averageExecutionPrice": "dear"}), "averageExecutionPrice"),
        (samples.order(status="NEWS"), "status"),
        (samples.order(status=None), "status"),
        (samples.order(status=["OPEN"]), "status"),
        (samples.order(placedTime=None), "placedTime"),
        (samples.order(placedTime=10**17), "placedTime"),
        (samples.order(limitPrice=-1), "limitPrice"),
        (samples.order(limitPrice="cheap"), "limitPrice"),
        (samples.order(limitPrice=0), "limitPrice"),
        (samples.order(priceType="STOP", stopPrice=0), "stopPrice"),
        (samples.order(priceType="TRAILING_STOP_CNST"), "priceType"),
        (samples.order(priceType=None), "priceType"),
        (samples.order() | {"orderId": None}, "orderId"),
        (samples.order() | {"orderId": "x"}, "orderId"),
        (samples.order() | {"orderId": -3}, "orderId"),
        (samples.order() | {"orderId": 1.5}, "orderId"),
        (samples.order(leg={"Product": {}}), "symbol"),
        (samples.order(leg={"Product": {"symbol": "\ud800"}}), "symbol"),
        (samples.order(leg={"Product": []}), "Product"),
        (samples.order() | {"OrderDetail": []}, "OrderDetail"),
        (samples.order() | {"OrderDetail": "none"}, "OrderDetail"),
        (samples.order(Instrument=None), "Instrument"),
        ({}, "orderId"),
        (None, "Order"),
        ([7], "Order"),
    ],
)
def test_an_odd_row_is_named_and_hides_no_other(row: object, odd: str) -> None:
    """A row that no order of ours is, or that cannot be read, names the field; the rows around it stay plain."""
    before, found, after = read(samples.order(1), row, samples.order(2))
    assert odd in found.odd
    assert (before.odd, before.order_id, after.odd, after.order_id) == ((), 1, (), 2)


def test_what_can_be_read_of_an_odd_row_is_read() -> None:
    """One field that cannot be read takes no other with it."""
    (found,) = read(samples.order(status="NEWS", placedTime="now", leg={"averageExecutionPrice": None}))
    assert found.odd == ("status", "averageExecutionPrice", "placedTime")
    assert (found.order_id, found.symbol, found.side, found.quantity, found.filled) == (674, "COCP", Side.BUY, 53, 53)
    assert (found.status, found.average_price, found.placed_at) == (None, None, None)


@pytest.mark.parametrize("row", [samples.order(orderTerm="GOOD_TILL_DATE"), samples.order(leg={"quantityType": None})])
def test_a_term_or_a_missing_word_makes_no_row_odd(row: dict[str, Any]) -> None:
    """A term that we do not use, and words that a row may leave out, hide no order of ours."""
    assert read(row)[0].odd == ()


def test_the_symbol_is_read_in_capitals() -> None:
    """A symbol in lower case is the same symbol."""
    assert read(samples.order(leg={"Product": {"symbol": "cocp"}}))[0].symbol == "COCP"


def test_an_order_in_parts_is_odd_and_all_its_symbols_are_busy() -> None:
    """A spread or a bracket is one odd row whose fills nobody counts, and a row for each further symbol."""
    first, other = read(in_parts("COCP", "IBM", "COCP"))
    assert (first.order_id, first.symbol, first.filled, first.status) == (5, "COCP", None, None)
    assert first.odd == ("OrderDetail", "Instrument")
    assert (other.order_id, other.symbol, other.odd) == (None, "IBM", ("Instrument",))


def test_of_two_rows_with_one_id_the_plain_one_counts() -> None:
    """The row that can be read fully wins, whichever came first; of two plain ones the one that filled more."""
    odd, plain = read(samples.order(status="NEWS"), samples.order())
    assert parse_rows.better(odd, plain) == parse_rows.better(plain, odd) == plain
    (resting,) = read(samples.order(status="OPEN", leg={"filledQuantity": 0}))
    assert parse_rows.better(resting, plain) == parse_rows.better(plain, resting) == plain
    (worse,) = read(samples.order(status="NEWS", placedTime=None))
    assert parse_rows.better(odd, worse) == parse_rows.better(worse, odd) == odd


def test_two_orders_with_one_id_are_not_both_true() -> None:
    """Of two plain rows of different orders under one id the first is kept, and its id is called odd."""
    ours, other = read(samples.order(), samples.order(leg={"Product": {"symbol": "IBM"}}))
    kept = parse_rows.better(ours, other)
    assert (kept.symbol, kept.odd) == ("COCP", ("orderId",))


def test_an_order_without_a_fill_needs_no_price() -> None:
    """While nothing is filled the row says nothing of an average price, whatever stands there."""
    at = datetime.fromtimestamp(samples.NOW_S, UTC) + timedelta(milliseconds=674)
    (found,) = read(samples.order(status="OPEN", leg={"filledQuantity": 0, "averageExecutionPrice": "none"}))
    assert (found.odd, found.average_price, found.status, found.placed_at) == ((), None, BrokerStatus.OPEN, at)


@pytest.mark.parametrize(
    "written", [b"9" * 5000, b"1e999999999999999999999", b"NaN", b"-Infinity", b"1e400", b'"\xff\xfe"', b'"1_0"']
)
def test_a_number_that_is_none_spoils_its_own_field_alone(written: bytes) -> None:
    """Digits without end, what JSON does not know, and bytes that are no text make one field odd, and no page."""
    raw = json.dumps(samples.orders(samples.order(1, leg={"orderedQuantity": 77}), samples.order(2))).encode()
    odd, plain = parse_orders.orders(raw.replace(b'"orderedQuantity": 77', b'"orderedQuantity": ' + written)).orders
    assert (odd.odd, odd.quantity, odd.filled, plain.odd) == (("orderedQuantity",), None, 53, ())


def test_rows_are_joined_newest_first_and_those_without_an_id_stay() -> None:
    """All rows stand in the order of their placing, an id once, and rows that cannot be told apart once."""
    rows = read(samples.order(1), samples.order(3), {}, samples.order(2), samples.order(3), {}, None)
    assert [row.order_id for row in parse_rows.joined(rows)] == [3, 2, 1, None, None]
