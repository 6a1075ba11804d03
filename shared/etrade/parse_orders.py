"""Order answers from the wire: preview, cancel, order list, one order (etrade-api.md 4.4, 4.9, 4.11, 4.12).

The list is the only judge of what an order did, so it has to be complete and must not mislead:

* An empty body or a page without `OrdersResponse` is Unreadable, never "no orders"; only status 204 says
  that. Neither is a page whose marker cannot be read the last one.
* What is odd about one row is that row's own matter (`parse_rows`): every row is listed, none hides another.
"""

import contextlib
from datetime import datetime

from shared.domain.broker.brokerage import BrokerOrder, Ticket
from shared.domain.broker.outcomes import CancelAnswer, CancelRefused, CancelTaken, Previewed, UnknownOutcome
from shared.errors import Unreadable
from shared.etrade import parse_rows, reading
from shared.etrade.faults import fault
from shared.etrade.reading import Node
from shared.etrade.session import Answer
from shared.frozen import frozen

# Being executed, rejected or already being cancelled (etrade-api.md 4.9).
CANCEL_REFUSALS = frozenset({5001, 5003})


@frozen
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
        codes=_codes(orders[0], body),
    )


def _codes(*nodes: Node) -> tuple[str, ...]:
    """Give the codes of the messages beside a preview; what cannot be read there is no message."""
    found: list[str] = []
    for node in nodes:
        for name in ("messages", "messagelist"):
            with contextlib.suppress(Unreadable):
                rows = reading.children(reading.child(node, name), "message")
                found += [code for row in rows if (code := reading.text(row, "code")) is not None]
    return tuple(dict.fromkeys(found))


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
    """Read one page of the order list, row by row; raises Unreadable when the page itself could hide a row."""
    body = reading.root(raw, "ordersresponse")
    found = [row for item in reading.items(body, "order") for row in parse_rows.rows(item)]
    marker = reading.text(body, "marker")
    if marker is None and (body.get("marker") not in (None, "") or body.get("next")):
        raise Unreadable("orders: there is a next page and no marker for it")
    return OrdersPage(orders=tuple(found), marker=marker)
