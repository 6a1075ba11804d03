"""Order answers from the wire: preview, cancel, order list, one order (etrade-api.md 4.4, 4.9, 4.11, 4.12).

The list is the only judge of what an order did, so it has to be complete and must not mislead:

* An empty body or a page without `OrdersResponse` is Unreadable, never "no orders"; only status 204 says
  that.
* `executedTime` is junk and is not read; a fill counts by filledQuantity, whatever the status says meanwhile.
* The owner trades by hand, too. Orders for options, funds, spreads, shorts or the extended session are
  listed, so that their symbol is known to be busy, but without price type and prices: no fingerprint of ours
  can match them. Those that cannot be told in our words at all (no symbol, no side) are left out.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.domain.brokerage import BrokerOrder, BrokerStatus, Ticket
from shared.domain.outcomes import CancelAnswer, CancelRefused, CancelTaken, Previewed, UnknownOutcome
from shared.domain.values import PriceType, Side, Term
from shared.errors import Unreadable
from shared.etrade import reading
from shared.etrade.faults import fault
from shared.etrade.reading import Node
from shared.etrade.session import Answer

# Being executed, rejected or already being cancelled (etrade-api.md 4.9).
CANCEL_REFUSALS = frozenset({5001, 5003})

_STATUSES = {
    **{status.value: status for status in BrokerStatus},
    "PARTIAL": BrokerStatus.OPEN,
    "INDIVIDUAL_FILLS": BrokerStatus.OPEN,
    # Rows that others than equity orders end in; nothing works at the broker any more.
    "DONE_TRADE_EXECUTED": BrokerStatus.EXECUTED,
    "OPTION_EXERCISE": BrokerStatus.EXECUTED,
    "OPTION_ASSIGNMENT": BrokerStatus.EXECUTED,
    "DO_NOT_EXERCISE": BrokerStatus.EXECUTED,
}
_BUYS = frozenset({"BUY", "BUY_TO_COVER", "BUY_OPEN", "BUY_CLOSE"})
_SELLS = frozenset({"SELL", "SELL_SHORT", "SELL_OPEN", "SELL_CLOSE"})
_PRICE_TYPES = {kind.value: kind for kind in PriceType}
_TERMS = {term.value: term for term in Term}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersPage:
    """One page of the order list; `marker` asks for the next one."""

    orders: tuple[BrokerOrder, ...]
    marker: str | None


def preview(raw: bytes, *, ticket: Ticket | None, at: datetime) -> Previewed:
    """Read a successful preview; raises Unreadable without ids or total, or when it is not of `ticket`.

    The total is in USD, positive for a purchase; `at` is our own instant, so that its age does not hang on
    their clock.
    """
    body = reading.root(raw, "previeworderresponse")
    ids = [reading.need(reading.whole(node, "previewid"), "previewId") for node in reading.children(body, "previewids")]
    if not ids or min(ids) <= 0:
        raise Unreadable("preview: no preview id")
    orders = reading.children(body, "order")
    if len(orders) != 1:
        raise Unreadable("preview: not one order")
    if ticket is not None:
        _same(orders[0], ticket)
    total = reading.number(orders[0], "estimatedtotalamount")
    return Previewed(
        preview_ids=tuple(dict.fromkeys(ids)),
        at=at,
        estimated_total=reading.need(total, "estimatedTotalAmount"),
    )


def _same(order: Node, ticket: Ticket) -> None:
    """Refuse a preview whose own words name another symbol, side or quantity (order-safety.md 3, R33)."""
    for leg in reading.children(order, "instrument"):
        symbol = reading.text(reading.child(leg, "product"), "symbol")
        action = reading.text(leg, "orderaction")
        quantity = reading.whole(leg, "quantity", "orderedquantity")
        if (symbol or ticket.symbol, action or ticket.side.value) != (ticket.symbol, ticket.side.value):
            raise Unreadable("preview: of another order")
        if quantity not in (None, ticket.quantity):
            raise Unreadable("preview: of another quantity")


def cancel(answer: Answer, *, order_id: int) -> CancelAnswer:
    """Give the meaning of whatever came back from a cancel; never raises."""
    if answer.status != 200:
        failed = fault(answer)
        if answer.status == 400 and failed.code in CANCEL_REFUSALS:
            return CancelRefused(code=str(failed.code))
        return UnknownOutcome(why=f"status {answer.status}, {failed.label or 'no code'}")
    try:
        body = reading.root(answer.body, "cancelorderresponse")
        answered = reading.whole(body, "orderid")
        codes = {reading.whole(node, "code") for node in reading.children(reading.child(body, "messages"), "message")}
    except Unreadable as problem:
        return UnknownOutcome(why=f"status 200, {problem.detail}")
    if answered != order_id:
        return UnknownOutcome(why="status 200 for another order")
    refusals = sorted(CANCEL_REFUSALS.intersection(code for code in codes if code is not None))
    return CancelRefused(code=str(refusals[0])) if refusals else CancelTaken()


def orders(raw: bytes) -> OrdersPage:
    """Read one page of the order list; raises Unreadable when an order of ours could be misread."""
    body = reading.root(raw, "ordersresponse")
    found = (_order(node) for node in reading.children(body, "order"))
    return OrdersPage(orders=tuple(order for order in found if order is not None), marker=reading.text(body, "marker"))


def _order(node: Node) -> BrokerOrder | None:
    order_id = reading.need(reading.whole(node, "orderid"), "orderId")
    details = reading.children(node, "orderdetail")
    legs = reading.children(details[0], "instrument") if details else []
    if not legs:
        if (reading.text(node, "ordertype") or "EQ") == "EQ":
            raise Unreadable(f"order {order_id}: no detail")
        return None
    plain = len(details) == len(legs) == 1 and _plain(node, details[0], legs[0])
    return _ours(order_id, details[0], legs[0]) if plain else _foreign(order_id, details[0], legs[0])


def _plain(order: Node, detail: Node, leg: Node) -> bool:
    """Tell whether this could be an order of ours: equity, one leg, buy or sell, regular session."""
    return (
        (reading.text(order, "ordertype") or reading.text(detail, "ordertype") or "EQ") == "EQ"
        and (reading.text(reading.child(leg, "product"), "securitytype") or "EQ") == "EQ"
        and (reading.text(detail, "marketsession") or "REGULAR") == "REGULAR"
        and reading.text(leg, "orderaction") not in (_BUYS | _SELLS) - {"BUY", "SELL"}
    )


def _ours(order_id: int, detail: Node, leg: Node) -> BrokerOrder:
    action = reading.need(reading.text(leg, "orderaction"), "orderAction")
    if action not in _BUYS | _SELLS:
        raise Unreadable(f"order {order_id}: an unknown action")
    quantity = reading.need(reading.whole(leg, "orderedquantity", "quantity"), "orderedQuantity")
    filled = reading.whole(leg, "filledquantity") or 0
    if not 0 <= filled <= quantity or quantity < 1:
        raise Unreadable(f"order {order_id}: {filled} of {quantity} filled")
    price_type = _PRICE_TYPES.get(reading.text(detail, "pricetype") or "")
    return BrokerOrder(
        order_id=order_id,
        symbol=reading.need(reading.text(reading.child(leg, "product"), "symbol"), "symbol"),
        side=Side.BUY if action in _BUYS else Side.SELL,
        quantity=quantity,
        filled=filled,
        average_price=_average(order_id, leg, filled),
        price_type=price_type,
        term=_TERMS.get(reading.text(detail, "orderterm") or ""),
        limit_price=_price(detail, "limitprice"),
        stop_price=_price(detail, "stopprice"),
        status=_status(order_id, detail),
        placed_at=reading.need(reading.milliseconds(detail, "placedtime"), "placedTime"),
    )


def _foreign(order_id: int, detail: Node, leg: Node) -> BrokerOrder | None:
    action = reading.text(leg, "orderaction")
    symbol = reading.text(reading.child(leg, "product"), "symbol")
    placed_at = reading.milliseconds(detail, "placedtime")
    if symbol is None or placed_at is None or action not in _BUYS | _SELLS:
        return None
    return BrokerOrder(
        order_id=order_id,
        symbol=symbol,
        side=Side.BUY if action in _BUYS else Side.SELL,
        quantity=int(reading.number(leg, "orderedquantity", "quantity") or 0),
        filled=int(reading.number(leg, "filledquantity") or 0),
        average_price=_price(leg, "averageexecutionprice"),
        price_type=None,
        term=_TERMS.get(reading.text(detail, "orderterm") or ""),
        limit_price=None,
        stop_price=None,
        # Somebody else's order may be in a state that no order of ours can be in: as far as we care it lives.
        status=_STATUSES.get(reading.text(detail, "status") or "", BrokerStatus.OPEN),
        placed_at=placed_at,
    )


def _average(order_id: int, leg: Node, filled: int) -> Decimal | None:
    if filled == 0:
        return None
    return reading.need(_price(leg, "averageexecutionprice"), f"order {order_id}: the price of its fill")


def _price(node: Node, name: str) -> Decimal | None:
    """Give a price; zero, which E*TRADE writes for none, is None."""
    price = reading.number(node, name)
    if price is not None and price < 0:
        raise Unreadable(f"{name} is negative")
    return price or None


def _status(order_id: int, detail: Node) -> BrokerStatus:
    return reading.need(_STATUSES.get(reading.text(detail, "status") or ""), f"order {order_id}: a known status")
