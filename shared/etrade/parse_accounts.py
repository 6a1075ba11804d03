"""Accounts, balance and portfolio from the wire (etrade-api.md 3.1, 3.2, 3.3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.domain.brokerage import Account, Balance, Holding
from shared.errors import Unreadable
from shared.etrade import reading
from shared.etrade.reading import Node

_ZERO = Decimal(0)


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
    """Read the account list; raises Unreadable when an account has no key, number, mode or status."""
    body = reading.root(raw, "accountlistresponse")
    return tuple(_account(node) for node in reading.children(reading.child(body, "accounts"), "account"))


def _account(node: Node) -> Account:
    return Account(
        key=reading.need(reading.text(node, "accountidkey"), "accountIdKey"),
        number=reading.need(reading.text(node, "accountid"), "accountId"),
        mode=reading.need(reading.text(node, "accountmode"), "accountMode"),
        active=reading.need(reading.text(node, "accountstatus"), "accountStatus") == "ACTIVE",
    )


def balance(raw: bytes, *, at: datetime) -> Balance:
    """Read what the account can spend, in USD; raises Unreadable when the figure of its mode is missing.

    A cash account spends settled cash, any other its cash buying power; the other figure is zero when it is
    left out.
    """
    body = reading.root(raw, "balanceresponse")
    mode = reading.need(reading.text(body, "accountmode"), "accountMode")
    computed = reading.child(body, "computed", "computedbalance")
    settled = reading.number(computed, "settledcashforinvestment")
    power = reading.number(computed, "cashbuyingpower")
    if (settled if mode == "CASH" else power) is None:
        raise Unreadable("balance: what the account can spend is missing")
    value = reading.number(reading.child(computed, "realtimevalues"), "totalaccountvalue")
    return Balance(
        at=at,
        account_mode=mode,
        settled_cash=settled if settled is not None else _ZERO,
        cash_buying_power=power if power is not None else _ZERO,
        account_value=reading.need(value, "totalAccountValue"),
    )


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
    cost = sum((part.quantity * part.cost_per_share for part in parts), _ZERO)
    mean = cost / quantity if quantity else _ZERO
    return Holding(symbol=parts[0].symbol, quantity=quantity, cost_per_share=mean)


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
