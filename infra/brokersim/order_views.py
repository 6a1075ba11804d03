"""Spells previews, placed orders, cancels and order lists as captured answers do (fact sheet, sections
4.4-4.11).
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from infra.brokersim.account import Account
from infra.brokersim.desk import Preview
from infra.brokersim.orders import Action, EventKind, Order, Status, Ticket
from infra.brokersim.standing import RESTRICTED, Standing
from infra.brokersim.tape import NEW_YORK
from infra.brokersim.views import milliseconds, money, number_in, product
from infra.brokersim.wire import Answer, Refused, Request, json_answer, nothing_found

_DEFAULT_COUNT, _MAX_COUNT = 25, 100
_IN_HOURS = (1026, "200|Your order was successfully entered during market hours.")
_WASH_SALE = (7084, "This purchase may make an earlier loss in this security a wash sale.")
_QUEUED = (
    1027,
    (
        "200|The market was closed when we received your order. It has been entered into our system and "
        "will be reviewed prior to market open on the next regular trading day. After market open, please "
        "check to make sure your order was accepted."
    ),
)
_EVENT_NAMES = {
    EventKind.PLACED: "ORDER_PLACED",
    EventKind.WORKING: "SENT_TO_CMS",
    EventKind.FILL: "ORDER_EXECUTED",
    EventKind.CANCEL_REQUESTED: "CANCEL_REQUESTED",
    EventKind.CANCELLED: "ORDER_CANCELLED",
    EventKind.EXPIRED: "ORDER_EXPIRED",
}


def previewed(
    account: Account, preview: Preview, at: datetime, standing: Standing, *, halt: tuple[int, str] | None
) -> Answer:
    """The answer to a preview; buying power in `cashBpDetails` (margin account: `marginBpDetails`).

    `halt` is what the broker says of a halt of the symbol: code and text.
    """
    power = account.buying_power(at)
    impact = max(preview.amount, Decimal(0))
    figures = {
        "currentBp": money(power),
        "currentOor": 0.0,
        "currentNetBp": money(power),
        "currentOrderImpact": money(impact),
        "netBp": money(power - impact),
    }
    other = {"currentBp": money(power)}
    details = (
        {"cashBpDetails": {"settled": figures, "settledUnsettled": other}}
        if not account.margin
        else {"marginBpDetails": {"marginable": figures, "nonMarginable": other}}
    )
    content = {
        "orderType": "EQ",
        "totalOrderValue": money(preview.amount),
        "previewTime": milliseconds(preview.created),
        **_common(account, at),
        **details,
        "Order": [_echo(preview.ticket, preview.amount) | _warnings(account, preview.ticket, standing, halt)],
        "PreviewIds": [{"previewId": preview.preview_id}],
        "Disclosure": {
            "ehDisclosureFlag": False,
            "ahDisclosureFlag": False,
            "conditionalDisclosureFlag": False,
            "aoDisclosureFlag": False,
        },
    }
    return json_answer({"PreviewOrderResponse": content})


def _warnings(account: Account, ticket: Ticket, standing: Standing, halt: tuple[int, str] | None) -> dict[str, Any]:
    """The messages beside a preview: a possible wash sale, an account that is restricted, a symbol that is halted."""
    found = [RESTRICTED] if standing.warned else []
    if ticket.action is Action.BUY and ticket.symbol in account.lost_in:
        found.append(_WASH_SALE)
    if halt is not None:
        found.append(halt)
    rows = [{"description": f"200|{text}", "code": code, "type": "WARNING"} for code, text in found]
    return {"messages": {"Message": rows}} if rows else {}


def placed(account: Account, order: Order, *, in_hours: bool) -> Answer:
    """The answer to an accepted order, with message 1026 in hours and 1027 when queued."""
    code, description = _IN_HOURS if in_hours else _QUEUED
    amount = order.reserve_price * order.ticket.quantity
    echo = _echo(order.ticket, amount if order.ticket.action is Action.BUY else -amount)
    echo["messages"] = {"Message": [{"description": description, "code": code, "type": "WARNING"}]}
    content = {
        "orderType": "EQ",
        **_common(account, order.placed_at),
        "placedTime": milliseconds(order.placed_at),
        "Order": [echo],
        "OrderIds": [{"orderId": order.order_id}],
    }
    return json_answer({"PlaceOrderResponse": content})


def cancelling(account: Account, order: Order, at: datetime) -> Answer:
    """The answer to a cancel request: it is being processed, not done."""
    description = "200|Your request to cancel your order is being processed."
    content = {
        "accountId": account.account_id,
        "orderId": order.order_id,
        "cancelTime": milliseconds(at),
        "Messages": {"Message": [{"description": description, "code": 5011, "type": "WARNING"}]},
    }
    return json_answer({"CancelOrderResponse": content})


def order_list(account: Account, request: Request, url: str) -> Answer:
    """One page of orders, newest first; `marker` (the last order's placed time) only if more follow."""
    query = request.query
    count = min(number_in(query, "count", _DEFAULT_COUNT), _MAX_COUNT)
    orders = [order for order in reversed([*account.earlier, *account.orders.values()]) if _wanted(order, request)]
    if marker := query.get("marker"):
        before = number_in_marker(marker)
        orders = [order for order in orders if milliseconds(order.placed_at) < before]
    if not orders:
        return nothing_found()
    page = orders[:count]
    content: dict[str, Any] = {}
    if len(orders) > count:
        last = str(milliseconds(page[-1].placed_at))
        content["marker"] = last
        content["next"] = f"{url}/v1/accounts/{account.key}/orders{request.suffix}?marker={last}"
    content["Order"] = [_order(account, order, request, url) for order in page]
    return json_answer({"OrdersResponse": content})


def single_order(account: Account, order: Order, request: Request, url: str) -> Answer:
    """One order with its events."""
    content = _order(account, order, request, url)
    instrument = content["OrderDetail"][0]["Instrument"]
    content["Events"] = {
        "Event": [
            {"name": _EVENT_NAMES[event.kind], "dateTime": milliseconds(event.at), "Instrument": instrument}
            for event in order.events
        ]
    }
    return json_answer({"OrdersResponse": {"Order": [content]}})


def number_in_marker(text: str) -> int:
    """The placed time (milliseconds) that a marker names; Refused for anything else."""
    if not (text.isascii() and text.isdigit()):
        raise Refused("Invalid marker.", code=101)
    return int(text)


def _common(account: Account, at: datetime) -> dict[str, Any]:
    summer = bool(at.astimezone(NEW_YORK).dst())
    level = "MARGIN_TRADING_ALLOWED" if account.margin else "MARGIN_TRADING_NOT_ALLOWED"
    return {"dstFlag": summer, "accountId": account.account_id, "optionLevelCd": 1, "marginLevelCd": level}


def _terms(ticket: Ticket) -> dict[str, Any]:
    return {
        "orderTerm": ticket.term,
        "priceType": ticket.price_type,
        "limitPrice": money(ticket.limit_price or Decimal(0), "0.0001"),
        "stopPrice": money(ticket.stop_price or Decimal(0), "0.0001"),
        "marketSession": "REGULAR",
        "allOrNone": False,
        "netPrice": 0,
        "netBid": 0,
        "netAsk": 0,
        "gcd": 0,
        "ratio": "",
    }


def _echo(ticket: Ticket, amount: Decimal) -> dict[str, Any]:
    """The `Order` of a preview or place answer."""
    instrument = {
        "symbolDescription": f"{ticket.symbol} COM",
        "orderAction": ticket.action,
        "quantityType": "QUANTITY",
        "quantity": ticket.quantity,
        "cancelQuantity": 0.0,
        "reserveOrder": True,
        "reserveQuantity": 0.0,
        "Product": product(ticket.symbol),
    }
    return {
        **_terms(ticket),
        "egQual": "EG_QUAL_NOT_AN_ELIGIBLE_SECURITY",
        "estimatedCommission": 0,
        "estimatedTotalAmount": money(amount),
        "Instrument": [instrument],
    }


def _order(account: Account, order: Order, request: Request, url: str) -> dict[str, Any]:
    """One element of a list: `executedTime` only when executed, no average price before the first fill."""
    ticket = order.ticket
    instrument: dict[str, Any] = {
        "symbolDescription": f"{ticket.symbol} COM",
        "orderAction": ticket.action,
        "quantityType": "QUANTITY",
        "orderedQuantity": ticket.quantity,
        "filledQuantity": float(order.filled),
    }
    if order.average_price is not None:
        instrument["averageExecutionPrice"] = money(order.average_price, "0.0001")
    instrument |= {"estimatedCommission": 0.0, "estimatedFees": 0.0, "Product": product(ticket.symbol)}
    detail: dict[str, Any] = {"placedTime": milliseconds(order.placed_at)}
    if order.executed_at is not None:
        detail["executedTime"] = milliseconds(order.executed_at)
    price = order.average_price or ticket.limit_price or ticket.stop_price or order.reserve_price
    detail |= {"orderValue": money(price * ticket.quantity), "status": order.status, **_terms(ticket)}
    if order.replaces is not None:
        detail["replacesOrderId"] = order.replaces
    if order.replaced_by is not None:
        detail["replacedByOrderId"] = order.replaced_by
    detail["Instrument"] = [instrument]
    return {
        "orderId": order.order_id,
        "details": f"{url}/v1/accounts/{account.key}/orders/{order.order_id}{request.suffix}",
        "orderType": "EQ",
        "OrderDetail": [detail],
    }


def _wanted(order: Order, request: Request) -> bool:
    """Whether an order passes the filters of a list request (section 4.11)."""
    query, ticket = request.query, order.ticket
    day = order.placed_at.astimezone(NEW_YORK).date()
    symbols, start, end = query.get("symbol"), query.get("fromDate"), query.get("toDate")
    if symbols and ticket.symbol not in symbols.upper().split(","):
        return False
    if start and end and not day_of(start) <= day <= day_of(end):
        return False
    action, security = query.get("transactionType", "ATNM"), query.get("securityType", "EQ")
    if action not in ("ATNM", ticket.action) or security != "EQ":
        return False
    match query.get("status"):
        case None | "":
            return True
        case "INDIVIDUAL_FILLS":
            return sum(event.kind is EventKind.FILL for event in order.events) > 1
        case status if status in (*Status, "REJECTED"):
            return order.status == status
        case _:
            raise Refused("Invalid status.", code=101)


def day_of(text: str) -> date:
    """The day that a request names (MMDDYYYY); Refused 2004 for anything else."""
    try:
        return datetime.strptime(text, "%m%d%Y").replace(tzinfo=NEW_YORK).date()
    except ValueError:
        raise Refused("Invalid date format; use MMDDYYYY.", code=2004) from None
