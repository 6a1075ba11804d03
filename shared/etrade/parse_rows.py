"""One row of the order list, field by field: what can be read is read, and what cannot is named.

What can go wrong: the owner trades by hand, too, and not only as we do: options, funds, spreads, shorts, the extended
session, fractions of shares, amounts of dollars, words that nobody has published. One such row, taken for unreadable,
hid the fills of all our orders for a day. What this promises: a row never raises and never hides another; each field
that no order of ours can have, or that cannot be read, is named in `odd`; a field that is not read is None and never a
guess. Several parts under one order are one odd row for the first part, whose shares nobody can count, and one without
an id for each further symbol, so that this is known to be busy, too. `executedTime` is junk and is not read; a fill
counts by filledQuantity, whatever the status says meanwhile (etrade-api.md 4.11).
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from shared.domain.base.values import PriceType, Side, Term
from shared.domain.broker.brokerage import BrokerOrder, BrokerStatus
from shared.errors import Unreadable
from shared.etrade import reading
from shared.etrade.reading import Node

T = TypeVar("T")

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
# Under these words something was filled: a row that does not say how much is not one of nothing.
_FILLS = frozenset({"EXECUTED", "PARTIAL", "INDIVIDUAL_FILLS"})
_SIDES = {
    **dict.fromkeys(("BUY", "BUY_TO_COVER", "BUY_OPEN", "BUY_CLOSE"), Side.BUY),
    **dict.fromkeys(("SELL", "SELL_SHORT", "SELL_OPEN", "SELL_CLOSE"), Side.SELL),
}
_PRICE_TYPES = {kind.value: kind for kind in PriceType}
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_TERMS = {term.value: term for term in Term}


class _Look:
    """Reads fields, and keeps the names of those that no order of ours has or that cannot be read."""

    def __init__(self) -> None:
        self._odd: dict[str, None] = {}

    def at(self, name: str, read: Callable[[], T | None]) -> T | None:
        """Read one field; one that cannot be read is odd and None."""
        try:
            return read()
        except Unreadable:
            self.odd_if(True, name)
            return None

    def word(self, node: Node, name: str) -> str | None:
        """Read a word; anything else that stands there is odd and None."""
        found = reading.text(node, name.lower())
        self.odd_if(found is None and node.get(name.lower()) not in (None, ""), name)
        return found

    def odd_if(self, odd: bool, name: str) -> None:
        """Call a field odd."""
        if odd:
            self._odd[name] = None

    @property
    def names(self) -> tuple[str, ...]:
        """The odd fields, each once, in the order in which they were met."""
        return tuple(self._odd)


def rows(item: object) -> tuple[BrokerOrder, ...]:
    """Read one element of the list: one row, and one more for each further symbol of an order in parts."""
    look = _Look()
    node: Node = item if isinstance(item, dict) else {}
    look.odd_if(node is not item, "Order")
    details = _parts(look, node, "OrderDetail")
    legs = [leg for detail in details for leg in _parts(look, detail, "Instrument")]
    look.odd_if(len(details) != 1, "OrderDetail")
    look.odd_if(len(legs) != 1, "Instrument")
    first = _row(look, node, details[0] if details else {}, legs[0] if legs else {}, alone=not look.names)
    others = dict.fromkeys(_symbol(_Look(), _product(_Look(), leg)) for leg in legs[1:])
    return (first, *(_busy(symbol) for symbol in others if symbol not in (None, first.symbol)))


def _parts(look: _Look, node: Node, name: str) -> list[Node]:
    found = look.at(name, lambda: reading.items(node, name.lower())) or []
    parts: list[Node] = [part for part in found if isinstance(part, dict)]
    look.odd_if(len(parts) != len(found), name)
    return parts


def joined(found: Iterable[BrokerOrder]) -> tuple[BrokerOrder, ...]:
    """Join the rows of all pages: newest first, each id once, each row without an id as often as it differs."""
    unique: dict[object, BrokerOrder] = {}
    for row in found:
        name = row if row.order_id is None else row.order_id
        unique[name] = better(unique[name], row) if name in unique else row
    return tuple(sorted(unique.values(), key=lambda row: (row.placed_at or _LONG_AGO, row.order_id or 0), reverse=True))


def better(one: BrokerOrder, other: BrokerOrder) -> BrokerOrder:
    """Give the one of two rows with one id that says more: the plain one, and of two that which has gone further.

    Two plain ones of different orders cannot both be true: the first is kept, and its id is odd.
    """
    if one.odd or other.odd:
        return one if len(one.odd) <= len(other.odd) else other
    if (one.symbol, one.side) != (other.symbol, other.side):
        return replace(one, odd=("orderId",))
    return max(one, other, key=lambda row: (row.filled or 0, row.status is not BrokerStatus.OPEN))


def _row(look: _Look, order: Node, detail: Node, leg: Node, *, alone: bool) -> BrokerOrder:
    symbol = _instrument(look, order, detail, leg)
    action, status, kind = look.word(leg, "orderAction"), look.word(detail, "status"), look.word(detail, "priceType")
    look.odd_if(action not in ("BUY", "SELL"), "orderAction")
    look.odd_if(status not in _STATUSES, "status")
    look.odd_if(kind not in _PRICE_TYPES, "priceType")
    quantity = look.at("orderedQuantity", lambda: _above_zero(reading.whole(leg, "orderedquantity", "quantity")))
    # Nobody can say which part of an order in parts was filled, nor whose status that is.
    filled = look.at("filledQuantity", lambda: _filled(leg, status)) if alone else None
    look.odd_if(filled is not None and quantity is not None and filled > quantity, "filledQuantity")
    average = look.at("averageExecutionPrice", lambda: _price(leg, "averageexecutionprice")) if filled else None
    look.odd_if(bool(filled) and average is None, "averageExecutionPrice")
    limit = look.at("limitPrice", lambda: _price(detail, "limitprice"))
    look.odd_if(kind == PriceType.LIMIT and limit is None, "limitPrice")
    stop = look.at("stopPrice", lambda: _price(detail, "stopprice"))
    look.odd_if(kind == PriceType.STOP and stop is None, "stopPrice")
    order_id = look.at("orderId", lambda: _above_zero(reading.whole(order, "orderid")))
    placed_at = look.at("placedTime", lambda: reading.need(reading.milliseconds(detail, "placedtime"), "placedTime"))
    return BrokerOrder(
        order_id=order_id, symbol=symbol, side=_SIDES.get(action or ""), quantity=quantity, filled=filled,
        average_price=average, price_type=_PRICE_TYPES.get(kind or ""), limit_price=limit, stop_price=stop,
        # A term that cannot be read must not hide an order of ours.
        term=_TERMS.get(reading.text(detail, "orderterm") or ""),
        status=_STATUSES.get(status or "") if alone else None, placed_at=placed_at, odd=look.names,
    )  # fmt: skip


def _instrument(look: _Look, order: Node, detail: Node, leg: Node) -> str | None:
    """Give the symbol, and name what makes it another instrument, another session, dollars or all that is owned."""
    product = _product(look, leg)
    for node, name, ours in (
        (order, "orderType", "EQ"),
        (detail, "orderType", "EQ"),
        (product, "securityType", "EQ"),
        (detail, "marketSession", "REGULAR"),
        (leg, "quantityType", "QUANTITY"),
    ):
        look.odd_if(look.word(node, name) not in (None, ours), name)
    return _symbol(look, product)


def _product(look: _Look, leg: Node) -> Node:
    return look.at("Product", lambda: reading.child(leg, "product")) or {}


def _symbol(look: _Look, product: Node) -> str | None:
    symbol = reading.symbol(product)
    look.odd_if(symbol is None, "symbol")
    return symbol


def _busy(symbol: str | None) -> BrokerOrder:
    """Give the row of a further part of an order: nothing is said of it but its symbol."""
    return BrokerOrder(
        order_id=None, symbol=symbol, side=None, quantity=None, filled=None, average_price=None, price_type=None,
        term=None, limit_price=None, stop_price=None, status=None, placed_at=None, odd=("Instrument",),
    )  # fmt: skip


def _filled(leg: Node, status: str | None) -> int:
    filled = reading.whole(leg, "filledquantity")
    if filled is None and status not in _FILLS:
        return 0
    if filled is None or filled < 0:
        raise Unreadable("filledQuantity is missing or negative")
    return filled


def _above_zero(value: int | None) -> int:
    if value is None or value < 1:
        raise Unreadable("a number above zero is missing")
    return value


def _price(node: Node, name: str) -> Decimal | None:
    """Give a price; zero, which E*TRADE writes for none, is None."""
    price = reading.number(node, name)
    if price is not None and price < 0:
        raise Unreadable(f"{name} is negative")
    return price or None
