"""Preview, cancel and the order list: the only judge must not mislead."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.brokerage import BrokerOrder, BrokerStatus
from shared.domain.outcomes import CancelRefused, CancelTaken, Previewed, UnknownOutcome
from shared.domain.values import PriceType, Side, Term
from shared.errors import Unreadable
from shared.etrade import parse_orders
from shared.etrade.session import Answer
from tests.etrade import samples
from tests.etrade.test_build import TICKET
from tests.etrade.world import START


def raw(value: object) -> bytes:
    return json.dumps(value).encode()


def read(*rows: dict[str, Any]) -> tuple[BrokerOrder, ...]:
    return parse_orders.orders(raw(samples.orders(*rows))).orders


def test_a_captured_order_is_read() -> None:
    """An order as captured is read exactly, without its junk executedTime."""
    at = datetime.fromtimestamp(samples.NOW_S, UTC) + timedelta(milliseconds=674)
    assert read(samples.order()) == (
        BrokerOrder(
            order_id=674,
            symbol="COCP",
            side=Side.BUY,
            quantity=53,
            filled=53,
            average_price=Decimal("1.405"),
            price_type=PriceType.LIMIT,
            term=Term.GOOD_FOR_DAY,
            limit_price=Decimal("1.41"),
            stop_price=None,
            status=BrokerStatus.EXECUTED,
            placed_at=at,
        ),
    )


@pytest.mark.parametrize(
    ("wire", "status"),
    [
        *((status.value, status) for status in BrokerStatus),
        ("PARTIAL", BrokerStatus.OPEN),
        ("INDIVIDUAL_FILLS", BrokerStatus.OPEN),
    ],
)
def test_each_status_is_read(wire: str, status: BrokerStatus) -> None:
    """Each known status has its meaning; PARTIAL and INDIVIDUAL_FILLS are working orders."""
    assert read(samples.order(status=wire))[0].status is status


@pytest.mark.parametrize("filled", [0, 0.0, "0", None])
def test_nothing_filled_has_no_price(filled: object) -> None:
    """While nothing is filled the average price is None, even when the broker writes one."""
    row = samples.order(leg={"filledQuantity": filled, "averageExecutionPrice": 0}, status="OPEN")
    assert (read(row)[0].filled, read(row)[0].average_price) == (0, None)


def test_a_foreign_kind_of_order_matches_no_fingerprint() -> None:
    """Orders that we never place are listed without price type and prices."""
    rows = (
        samples.order(1) | {"orderType": "OPTN"},
        samples.order(2, leg={"orderAction": "SELL_SHORT"}),
        samples.order(3, marketSession="EXTENDED"),
        samples.order(4, leg={"Product": {"symbol": "COCP", "securityType": "OPTN"}}),
    )
    found = read(*rows)
    assert [order.order_id for order in found] == [1, 2, 3, 4]
    assert {(order.price_type, order.limit_price) for order in found} == {(None, None)}
    assert [order.side for order in found] == [Side.BUY, Side.SELL, Side.BUY, Side.BUY]


def test_an_order_in_several_parts_is_foreign() -> None:
    """A bracket or a spread is listed once, under its first leg, and matches no fingerprint."""
    row = samples.order(5)
    row["OrderDetail"].append(row["OrderDetail"][0])
    assert [(order.order_id, order.price_type) for order in read(row)] == [(5, None)]


def test_what_cannot_be_told_in_our_words_is_left_out() -> None:
    """A fund exchange or a bond without a symbol does not stop the list."""
    rows = (
        samples.order(1, leg={"orderAction": "EXCHANGE"}) | {"orderType": "MF"},
        samples.order(2, leg={"Product": {"securityType": "BOND"}}) | {"orderType": "BOND"},
        {"orderId": 3, "orderType": "BOND"},
        samples.order(4),
    )
    assert [order.order_id for order in read(*rows)] == [4]


@pytest.mark.parametrize("price_type", ["STOP_LIMIT", "TRAILING_STOP_CNST", "", None])
def test_an_unknown_price_type_is_none(price_type: object) -> None:
    """A price type or term that we do not use is None, not a failure."""
    found = read(samples.order(priceType=price_type, orderTerm="GOOD_TILL_DATE"))[0]
    assert (found.price_type, found.term) == (None, None)


@pytest.mark.parametrize(
    "row",
    [
        samples.order(status="NEWS"),
        samples.order(status=None),
        samples.order(placedTime=None),
        samples.order(placedTime=10**17),
        samples.order(limitPrice=-1),
        samples.order(limitPrice="cheap"),
        samples.order() | {"orderId": None},
        samples.order() | {"orderId": "x"},
        samples.order() | {"orderId": 1.5},
        samples.order() | {"OrderDetail": []},
        samples.order(leg={"orderedQuantity": None}),
        samples.order(leg={"orderedQuantity": 0}),
        samples.order(leg={"orderedQuantity": 5.5}),
        samples.order(leg={"filledQuantity": 54}),
        samples.order(leg={"filledQuantity": -1}),
        samples.order(leg={"averageExecutionPrice": None}),
        samples.order(leg={"averageExecutionPrice": 0}),
        samples.order(leg={"orderAction": None}),
        samples.order(leg={"orderAction": "HOLD"}),
        samples.order(leg={"Product": {}}),
        samples.order(leg={"Product": []}),
    ],
)
def test_an_order_that_could_be_misread_is_unreadable(row: dict[str, Any]) -> None:
    """One order of ours without id, status, time, side, quantity or the price of its fill spoils the list."""
    with pytest.raises(Unreadable):
        read(samples.order(1), row)


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"<html/>", b'{"OrdersResponse":[]}', b'{"Error":{}}'])
def test_an_empty_body_is_not_an_empty_list(body: bytes) -> None:
    """Only status 204 means no orders; an empty or foreign body is Unreadable."""
    with pytest.raises(Unreadable):
        parse_orders.orders(body)


@pytest.mark.parametrize("body", [{}, {"Order": []}, {"Order": None}, {"marker": ""}])
def test_a_list_without_orders_is_empty(body: dict[str, object]) -> None:
    """An OrdersResponse without orders is an empty list with no further page."""
    page = parse_orders.orders(raw({"OrdersResponse": body}))
    assert (page.orders, page.marker) == ((), None)


def test_one_key_with_two_values_is_unreadable() -> None:
    """A body in which one key has two values is refused, since either could be meant."""
    body = raw(samples.orders(samples.order())).replace(
        b'"filledQuantity": 53.0', b'"filledQuantity": 0, "FILLEDQUANTITY": 53'
    )
    with pytest.raises(Unreadable):
        parse_orders.orders(body)


def test_a_captured_preview_is_read() -> None:
    """A preview as captured gives all its ids, our own instant and the total with its sign."""
    body = raw(samples.preview(PreviewIds=[{"previewId": 1, "cashMargin": "CASH"}, {"previewId": "2"}]))
    found = parse_orders.preview(body, ticket=TICKET, at=START)
    assert found == Previewed(preview_ids=(1, 2), at=START, estimated_total=Decimal("1323.1"))


@pytest.mark.parametrize(
    "changes",
    [
        {"PreviewIds": []},
        {"PreviewIds": None},
        {"PreviewIds": [{"previewId": 0}]},
        {"PreviewIds": [{"previewId": "abc"}]},
        {"PreviewIds": [{}]},
        {"Order": []},
        {"Order": [{}]},
        {"Order": [{"estimatedTotalAmount": "a lot"}]},
        {"Order": [{"estimatedTotalAmount": 1}, {"estimatedTotalAmount": 1}]},
    ],
)
def test_a_preview_without_ids_or_total_is_unreadable(changes: dict[str, object]) -> None:
    """A preview that lacks an id or its total is no preview."""
    with pytest.raises(Unreadable):
        parse_orders.preview(raw(samples.preview(**changes)), ticket=TICKET, at=START)


@pytest.mark.parametrize("changes", [{"symbol": "MSFT"}, {"quantity": 11}, {"side": Side.SELL}])
def test_a_preview_of_another_order_is_unreadable(changes: dict[str, Any]) -> None:
    """A preview that names another symbol, side or quantity is refused, unless nothing is expected of it."""
    ticket = replace(TICKET, **changes)
    with pytest.raises(Unreadable):
        parse_orders.preview(raw(samples.preview()), ticket=ticket, at=START)
    assert parse_orders.preview(raw(samples.preview()), ticket=None, at=START).preview_ids == (266606056106,)


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (Answer(200, raw(samples.cancelled())), CancelTaken()),
        (Answer(200, raw(samples.cancelled(code=5003))), CancelRefused(code="5003")),
        (
            Answer(400, raw({"Error": {"code": 5001, "message": "being executed"}})),
            CancelRefused(code="5001"),
        ),
        (Answer(400, b"<Error><code>5003</code></Error>"), CancelRefused(code="5003")),
        (Answer(400, raw({"Error": {"code": 101}})), UnknownOutcome(why="status 400, 101")),
        (Answer(500, raw({"Error": {"code": 5001}})), UnknownOutcome(why="status 500, 5001")),
        (Answer(400, samples.RATE_HTML), UnknownOutcome(why="status 400, rate")),
        (Answer(401, samples.oauth_xml("token_expired")), UnknownOutcome(why="status 401, token_expired")),
        (Answer(204, b""), UnknownOutcome(why="status 204, no code")),
        (Answer(200, raw(samples.cancelled(404))), UnknownOutcome(why="status 200 for another order")),
    ],
)
def test_each_cancel_answer_has_its_meaning(answer: Answer, meaning: object) -> None:
    """A cancel is taken or refused only when the broker says so; everything else is unknown."""
    assert parse_orders.cancel(answer, order_id=403) == meaning


@pytest.mark.parametrize("body", [b"", b"{}", b"<html/>", b'{"CancelOrderResponse":{}}'])
def test_a_garbled_cancel_is_unknown(body: bytes) -> None:
    """A success without the order's id is unknown."""
    assert isinstance(parse_orders.cancel(Answer(200, body), order_id=403), UnknownOutcome)
