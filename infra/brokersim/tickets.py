"""Reads the body of a preview or place request strictly, as E*TRADE's JSON does (fact sheet, sections 4.3 and
4.5).

Numbers may be numbers or text and unknown keys are ignored, but `Order` and `Instrument` must be lists. What
the simulator does not simulate it refuses, so that nobody mistakes silence for support.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, assert_never

from infra.brokersim.orders import Action, PriceType, Term, Ticket
from infra.brokersim.wire import CATCH_ALL, Refused

_CLIENT_ORDER_ID = re.compile(r"[A-Za-z0-9]{1,20}")
_GENERIC = 101
_TOO_LARGE = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceAttempt:
    """What can be read of a place request without trusting it; None where it cannot."""

    client_order_id: str | None
    preview_id: int | None


def body_of(raw: bytes, root: str) -> Mapping[str, Any]:
    """The object under `root` of a JSON body; malformed bodies get the catch-all 500/100."""
    try:
        content = json.loads(raw, parse_float=Decimal)
        body = content[root]
    except (ValueError, KeyError, TypeError):
        raise Refused(CATCH_ALL, code=100, status=500) from None
    if not isinstance(body, dict):
        raise Refused(CATCH_ALL, code=100, status=500)
    return body


def attempt_of(raw: bytes) -> PlaceAttempt:
    """The names in a place request, for the ledger; never raises."""
    try:
        body = body_of(raw, "PlaceOrderRequest")
    except Refused:
        return PlaceAttempt(client_order_id=None, preview_id=None)
    client_order_id = body.get("clientOrderId")
    return PlaceAttempt(
        client_order_id=client_order_id if isinstance(client_order_id, str) else None,
        preview_id=preview_id_of(body),
    )


def preview_id_of(body: Mapping[str, Any]) -> int | None:
    """The preview id of a place request; None unless `PreviewIds` has the captured shape."""
    match body.get("PreviewIds"):
        case [{"previewId": int() as number}, *_]:
            return number
        case [{"previewId": str() as text}, *_] if text.isdecimal():
            return int(text)
        case _:
            return None


def ticket_of(body: Mapping[str, Any]) -> Ticket:
    """What a preview or place request asks for; Refused 101 with the reason if the simulator cannot do it."""
    order, instrument = _only(body, "Order"), _only(_only(body, "Order"), "Instrument")
    client_order_id = str(body.get("clientOrderId", ""))
    if not _CLIENT_ORDER_ID.fullmatch(client_order_id):
        raise _refused("clientOrderId must be 1 to 20 letters and digits")
    _expect(body, "orderType", "EQ")
    _expect(order, "marketSession", "REGULAR")
    _expect(instrument, "quantityType", "QUANTITY")
    if str(order.get("allOrNone", "false")).lower() != "false":
        raise _refused("allOrNone is not simulated")
    product = instrument.get("Product")
    if not isinstance(product, dict):
        raise _refused("Product is missing")
    _expect(product, "securityType", "EQ")
    ticket = Ticket(
        client_order_id=client_order_id,
        symbol=str(product.get("symbol", "")),
        action=_action(str(instrument.get("orderAction", ""))),
        quantity=_shares(instrument.get("quantity")),
        price_type=PriceType(_one_of(tuple(PriceType), order, "priceType")),
        term=Term(_one_of(tuple(Term), order, "orderTerm")),
        limit_price=_price(order, "limitPrice"),
        stop_price=_price(order, "stopPrice"),
    )
    _check_prices(ticket)
    return ticket


def _refused(message: str) -> Refused:
    return Refused(message, code=_GENERIC)


def _only(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The single object in the list `name`; an object in place of the list is refused, as E*TRADE does."""
    match parent.get(name):
        case [dict() as single]:
            return single
        case [_, _, *_]:
            raise _refused(f"more than one {name} is not simulated")
        case _:
            raise _refused(f"{name} must be a list of one object")


def _expect(parent: Mapping[str, Any], name: str, value: str) -> None:
    if parent.get(name) != value:
        raise _refused(f"{name} must be {value}; others are not simulated")


def _action(text: str) -> Action:
    if text == "SELL_SHORT":
        raise Refused("This stock cannot be sold short.", code=33)
    if text not in tuple(Action):
        raise _refused(f"orderAction must be one of {', '.join(Action)}")
    return Action(text)


def _one_of(names: tuple[str, ...], order: Mapping[str, Any], name: str) -> str:
    value = str(order.get(name, ""))
    if value not in names:
        raise _refused(f"{name} must be one of {', '.join(names)}; others are not simulated")
    return value


def _shares(value: object) -> int:
    """A whole number of shares above zero."""
    try:
        number = Decimal(str(value))
        fits = 0 < number < _TOO_LARGE and number == int(number)
    except InvalidOperation:
        raise _refused("number of shares missing") from None
    if not fits:
        raise _refused("quantity must be a whole number of shares above zero")
    return int(number)


def _price(order: Mapping[str, Any], name: str) -> Decimal | None:
    """A price in dollars; None when left out, empty or zero (all three occur in real requests)."""
    value = order.get(name)
    if value is None or value == "":
        return None
    try:
        price = Decimal(str(value))
    except InvalidOperation:
        raise _refused(f"{name} is not a price") from None
    if not price.is_finite() or not 0 <= price < _TOO_LARGE:
        raise _refused(f"{name} is not a price")
    return price or None


def _check_prices(ticket: Ticket) -> None:
    """Each price type has its own price, prices step by 0.01 (below a dollar 0.0001), immediate terms are
    limit.
    """
    has = (ticket.limit_price is not None, ticket.stop_price is not None)
    match ticket.price_type:
        case PriceType.MARKET:
            needs = (False, False)
        case PriceType.LIMIT:
            needs = (True, False)
        case PriceType.STOP:
            needs = (False, True)
        case _:
            assert_never(ticket.price_type)
    if has != needs:
        raise _refused(f"priceType {ticket.price_type} does not go with the prices given")
    for price in (ticket.limit_price, ticket.stop_price):
        step = Decimal("0.01") if price is None or price >= 1 else Decimal("0.0001")
        if price is not None and price % step:
            raise _refused(f"price {price} is finer than {step}")
    if ticket.price_type is not PriceType.LIMIT and ticket.term in (
        Term.IMMEDIATE_OR_CANCEL,
        Term.FILL_OR_KILL,
    ):
        raise _refused(f"orderTerm {ticket.term} needs priceType LIMIT")
