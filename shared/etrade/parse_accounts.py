"""Accounts, balance and portfolio from the wire (etrade-api.md 3.1, 3.2, 3.3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.domain.brokerage import Account, Balance, Holding, is_margin
from shared.errors import Unreadable
from shared.etrade import reading
from shared.etrade.reading import Node

_ZERO = Decimal(0)
_CALLS = {name.lower(): name for name in ("minEquityCall", "fedCall", "cashCall", "houseCall")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One row of the portfolio; `position_id` tells it from the same row on the next page."""

    position_id: int
    holding: Holding


@dataclass(frozen=True, slots=True, kw_only=True)
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
    """Read one page of the portfolio, its shares only: options and funds of the same name are not shares."""
    body = reading.root(raw, "portfolioresponse")
    parts = reading.children(body, "accountportfolio")
    pages = max((reading.whole(part, "totalpages", "totalnoofpages") or 1 for part in parts), default=1)
    rows = [row for part in parts for row in reading.children(part, "position")]
    positions = (_position(row) for row in rows)
    return PortfolioPage(positions=tuple(item for item in positions if item is not None), pages=pages)


def holdings(positions: Iterable[Position]) -> tuple[Holding, ...]:
    """Join the pages: each position once, those in one symbol as one holding at their mean cost."""
    unique = {position.position_id: position.holding for position in positions}
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
    product = reading.child(node, "product")
    if reading.need(reading.text(product, "securitytype"), "securityType") != "EQ":
        return None
    cost = reading.number(node, "costpershare", "pricepaid")
    # No order can sell a fraction of a share, so it is cut off; the holding stays visible, if with 0 shares.
    quantity = int(reading.need(reading.number(node, "quantity"), "quantity"))
    holding = Holding(
        symbol=reading.need(reading.text(product, "symbol"), "symbol"),
        quantity=quantity,
        cost_per_share=reading.need(cost, "costPerShare"),
    )
    return Position(position_id=reading.need(reading.whole(node, "positionid"), "positionId"), holding=holding)
