"""Preview, cancel and the order list: the only judge must not mislead."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.base.values import PriceType, Side, Term
from shared.domain.broker.brokerage import BrokerOrder, BrokerStatus
from shared.domain.broker.outcomes import CancelRefused, CancelTaken, Previewed, UnknownOutcome
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


@pytest.mark.parametrize("more", [{"marker": {}}, {"marker": True}, {"next": "https://example.invalid/next"}])
def test_a_page_without_a_readable_marker_is_not_the_last(more: dict[str, object]) -> None:
    """A page that has a next one, or a marker that cannot be read, is Unreadable: what follows would be missed."""
    with pytest.raises(Unreadable):
        parse_orders.orders(raw({"OrdersResponse": {"Order": [], **more}}))


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
    assert found == Previewed(preview_ids=(1, 2), at=START, estimated_total=Decimal("1323.1"), codes=("7084",))


@pytest.mark.parametrize(
    ("messages", "codes"),
    [
        ({"Message": [{"code": 1036}, {"code": "7084"}, {"code": 1036}]}, ("1036", "7084")),
        ({"Message": {"code": 1036}}, ("1036",)),
        ({"Message": [{"description": "no code"}]}, ()),
        ({"Message": [7]}, ()),
        ([], ()),
        (None, ()),
    ],
)
def test_the_codes_of_a_previews_messages_are_read(messages: object, codes: tuple[str, ...]) -> None:
    """The messages beside a preview are read by their codes; one that cannot be read makes no preview unreadable."""
    order = samples.preview()["PreviewOrderResponse"]["Order"][0] | {"messages": messages}
    body = raw(samples.preview(Order=[order]))
    assert parse_orders.preview(body, ticket=TICKET, at=START).codes == codes


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
