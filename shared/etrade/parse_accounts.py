"""Accounts, balance and portfolio from the wire (etrade-api.md 3.1, 3.2, 3.3)."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from shared.domain.broker.brokerage import Account, Balance, Holding, is_margin
from shared.errors import Unreadable
from shared.etrade import reading
from shared.etrade.reading import Node
from shared.frozen import frozen

T = TypeVar("T")
_ZERO = Decimal(0)
_CALLS = {name.lower(): name for name in ("minEquityCall", "fedCall", "cashCall", "houseCall")}


@frozen
class Position:
    """One row of the portfolio; `position_id` tells it from the same row on the next page, None where it is odd."""

    position_id: int | None
    holding: Holding


@frozen
class PortfolioPage:
    """One page of the portfolio and how many there are."""

    positions: tuple[Position, ...]
    pages: int


def accounts(raw: bytes) -> tuple[Account, ...]:
    """Read the account list row by row; what a row lacks is named in it, and hides no other row."""
    body = reading.child(reading.root(raw, "accountlistresponse"), "accounts").get("account")
    rows = body if isinstance(body, list) else [] if body is None or body == "" else [body]
    return tuple(_account(row if isinstance(row, dict) else {}) for row in rows)


def _account(node: Node) -> Account:
    names = ("accountIdKey", "accountId", "accountMode", "accountStatus")
    key, number, mode, status = (reading.text(node, name.lower()) or "" for name in names)
    odd = tuple(name for name, found in zip(names, (key, number, mode, status), strict=True) if not found)
    return Account(key=key, number=number, mode=mode, active=status == "ACTIVE", odd=odd)


def balance(raw: bytes, *, at: datetime) -> Balance:
    """Read what the account can spend, in USD, and what the broker says against its trading.

    Raises Unreadable with the name of the figure of its mode when that is missing. An answer that does not name the
    mode is read as far as it goes: the account list has the mode, and then `Balance.lacks` says what is missing.
    """
    body = reading.root(raw, "balanceresponse")
    mode = reading.text(body, "accountmode") or ""
    computed = reading.child(body, "computed", "computedbalance")
    margin = is_margin(mode)
    return Balance(
        at=at,
        account_mode=mode,
        settled_cash=_figure(computed, "settledCashForInvestment", needed=bool(mode) and not margin),
        cash_buying_power=_figure(computed, "cashBuyingPower", needed=margin),
        account_value=_figure(_part(computed, "realtimevalues"), "totalAccountValue", needed=False),
        day_trader_status=reading.text(body, "daytraderstatus") or "",
        calls=_calls(computed.get("opencalls")),
    )


def _figure(node: Node, name: str, *, needed: bool) -> Decimal | None:
    """Give a figure in USD; one that nothing rests on is None when it is not to be read."""
    try:
        found = reading.number(node, name.lower())
    except Unreadable:
        if needed:
            raise Unreadable(f"balance: {name} is not a usable number") from None
        return None
    return reading.need(found, f"balance: {name}") if needed else found


def _part(node: Node, name: str) -> Node:
    value = node.get(name)
    return value if isinstance(value, dict) else {}


def _calls(node: object) -> tuple[str, ...]:
    """Name the margin calls that are not surely zero, all of them where they cannot be read."""
    if node is None or node == "":
        return ()
    if not isinstance(node, dict):
        return ("OpenCalls",)
    return tuple(sorted(_CALLS[key] for key in _CALLS if not _zero(node, key)))


def _zero(node: Node, key: str) -> bool:
    try:
        return not reading.number(node, key)
    except Unreadable:
        return False


def portfolio(raw: bytes) -> PortfolioPage:
    """Read one page of the portfolio, row by row; raises Unreadable when the page itself could hide a row."""
    body = reading.root(raw, "portfolioresponse")
    parts = reading.children(body, "accountportfolio")
    counts = [reading.whole(part, "totalpages", "totalnoofpages") for part in parts]
    if any(count is None and part.get("next") for count, part in zip(counts, parts, strict=True)):
        raise Unreadable("portfolio: there is a next page and no number of pages")
    rows = [row for part in parts for row in reading.items(part, "position")]
    positions = (_position(row if isinstance(row, dict) else {}) for row in rows)
    pages = max((count or 1 for count in counts), default=1)
    return PortfolioPage(positions=tuple(item for item in positions if item is not None), pages=pages)


def holdings(positions: Iterable[Position]) -> tuple[Holding, ...]:
    """Join the pages: each position once, as it can be read, those in one symbol as one holding at their mean cost.

    Where two rows under one id differ nobody knows whether they are one position or two: the id is odd.
    """
    unique: dict[object, Holding] = {}
    for at, position in enumerate(positions):
        name = ("row", at) if position.position_id is None else (position.position_id, position.holding.symbol)
        found = unique.get(name)
        if found is None or (found.odd and not position.holding.odd):
            unique[name] = position.holding
        elif found.quantity != position.holding.quantity and not position.holding.odd:
            unique[name] = replace(found, odd=("positionId",))
    by_symbol: dict[str, list[Holding]] = {}
    for holding in unique.values():
        by_symbol.setdefault(holding.symbol, []).append(holding)
    return tuple(_joined(parts) for parts in by_symbol.values())


def _joined(parts: list[Holding]) -> Holding:
    if len(parts) == 1:
        return parts[0]
    quantity = sum(part.quantity for part in parts)
    costs = [part.quantity * part.cost_per_share for part in parts if part.cost_per_share is not None]
    mean = sum(costs, _ZERO) / quantity if quantity and len(costs) == len(parts) else None
    odd = tuple(dict.fromkeys(name for part in parts for name in part.odd))
    return Holding(symbol=parts[0].symbol, quantity=quantity, cost_per_share=mean, odd=odd)


def _position(node: Node) -> Position | None:
    """Read one row; None for a bond or the like that has no symbol and so is no shares of anything."""
    product = _part(node, "product")
    symbol, kind = reading.symbol(product), reading.text(product, "securitytype")
    if kind not in (None, "EQ") and symbol is None:
        return None
    number = _readable(lambda: reading.whole(node, "positionid")) or None  # zero stands for none
    quantity = _readable(lambda: reading.number(node, "quantity"))
    shares = int(quantity or 0) if kind == "EQ" else 0
    unread = {
        "symbol": symbol is None,
        "securityType": kind != "EQ",
        # No order can sell a fraction of a share, so it is cut off; of no known type nobody knows whether it is shares.
        "quantity": kind is None or (kind == "EQ" and (quantity is None or quantity != shares)),
        "positionId": number is None,
    }
    cost = _readable(lambda: reading.number(node, "costpershare", "pricepaid")) if kind == "EQ" else None
    odd = tuple(name for name, why in unread.items() if why)
    return Position(
        position_id=number, holding=Holding(symbol=symbol or "", quantity=shares, cost_per_share=cost, odd=odd)
    )


def _readable(read: Callable[[], T | None]) -> T | None:
    """Give what can be read, None for the rest."""
    try:
        return read()
    except Unreadable:
        return None
