"""Trades from entry to exit, as a person counts them: one for each position.

What can go wrong: a position's fills are counted twice or not at all; shares that left by the owner's hand have no
price. What this promises: a trade is made of fills and of what the owner took out, which are never overwritten. When
shares changed hands comes from the broker's own ledger where there is one, else from the fills: then it is when the
system learned of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from infra.results.facts import StopLine, Trade
from shared.domain.orders.orders import STOPS, TERMINAL, Order
from shared.domain.orders.positions import Fill
from shared.domain.orders.signals import Signal
from shared.domain.orders.taken import Taken

_PERCENT = Decimal("0.0001")
_NOBODY: Mapping[int, Sequence[datetime]] = {}


def trades(
    *, orders: Iterable[Order], fills: Iterable[Fill], taken: Iterable[Taken] = (), signals: Iterable[Signal] = (),
    filled_at: Mapping[int, Sequence[datetime]] = _NOBODY,
) -> list[Trade]:  # fmt: skip
    """Give the trades by the time of their first fill; `filled_at` is when a broker's order filled, by its number.

    `fills` are those that count (shared.domain.orders.positions.standing), in the order in which they came.
    """
    of = {order.intent_id: order for order in orders}
    decided = {signal.signal_id: signal.decision_price for signal in signals}
    gone, by_position = defaultdict[str, list[Taken]](list), defaultdict[str, list[Fill]](list)
    for one in taken:
        gone[one.position_id].append(one)
    for fill in fills:
        by_position[fill.position_id].append(fill)
    of_position = defaultdict[str, list[Order]](list)
    for order in of.values():
        of_position[order.position_id].append(order)
    found = [
        _trade(
            those, gone[position], of_position[position], filled_at,
            entry_slippage=_entry_slippage(those, of, decided), stop_slippage=_stop_slippage(those, of),
        )
        for position, those in by_position.items()
    ]  # fmt: skip
    return sorted(found, key=lambda trade: (trade.entered_at, trade.symbol))


def stop_lines(orders: Iterable[Order], closes: datetime, opens: datetime | None = None) -> tuple[StopLine, ...]:
    """Give each protective stop that the broker had, from when it was placed until it ended, or until the close.

    What was placed before `opens` begins then: its line of the day before is not drawn again.
    """
    found = []
    for order in orders:
        if order.kind in STOPS and order.placed_at is not None and order.stop_price is not None:
            over = order.state_since if order.state in TERMINAL and order.state_since is not None else closes
            begins = order.placed_at if opens is None else max(order.placed_at, opens)
            ends = max(begins, min(over, closes))
            found.append(StopLine(symbol=order.symbol, begins=begins, ends=ends, level=order.stop_price))
    return tuple(sorted(found, key=lambda stop: (stop.begins, stop.symbol)))


def _trade(
    fills: list[Fill], gone: list[Taken], orders: list[Order], when: Mapping[int, Sequence[datetime]], *,
    entry_slippage: Decimal | None, stop_slippage: Decimal | None,
) -> Trade:  # fmt: skip
    bought = [fill for fill in fills if fill.side == "BUY"]
    sold = [fill for fill in fills if fill.side == "SELL"]
    shares = sum(fill.quantity for fill in bought)
    held = shares - sum([*(fill.quantity for fill in sold), *(taken.quantity for taken in gone)])
    begins = min(at for fill in fills for at in when.get(fill.broker_order_id, [fill.at]))
    left = [at for fill in sold for at in when.get(fill.broker_order_id, [fill.at])] + [taken.at for taken in gone]
    brought = [fill.price * fill.quantity for fill in sold] + [one.proceeds for taken in gone for one in taken.sells]
    proceeds = sum(brought, Decimal(0))
    realized = sum([*(fill.realized for fill in fills), *(taken.realized for taken in gone)], Decimal(0))
    priced = sum(fill.quantity for fill in sold) + sum(taken.quantity - taken.unpriced for taken in gone)
    reasons = [fill.reason for fill in sold] + ["taken out by hand" for _ in gone]
    return Trade(
        position_id=fills[0].position_id,
        symbol=fills[0].symbol,
        strategy=next((order.strategy for order in reversed(orders)), ""),
        shares=shares,
        entered_at=begins,
        entry_price=average(bought) or Decimal(0),
        left_at=max(left) if left and not held else None,
        exit_price=proceeds / priced if priced else None,
        exit_reason=", ".join(dict.fromkeys(reasons)),
        realized=realized,
        possible_wash_sale=any(order.possible_wash_sale for order in orders),
        percent=_percent(realized, cost=proceeds - realized) if priced else None,
        unpriced=sum(taken.unpriced for taken in gone),
        held=held,
        entry_slippage=entry_slippage,
        stop_slippage=stop_slippage,
    )


def _entry_slippage(
    fills: Iterable[Fill], of: Mapping[str, Order], decided: Mapping[str, Decimal]
) -> Decimal | None:  # fmt: skip
    """Give what the purchases cost more than at the prices of their decisions; None where one of these is not known."""
    more = Decimal(0)
    for fill in fills:
        if fill.side == "BUY":
            order = of.get(fill.intent_id)
            price = None if order is None else decided.get(order.signal_id or "")
            if price is None:
                return None
            more += (fill.price - price) * fill.quantity
    return more


def _stop_slippage(fills: Iterable[Fill], of: Mapping[str, Order]) -> Decimal | None:
    """Give what stops sold below their levels; None where no stop sold."""
    less = [
        (order.stop_price - fill.price) * fill.quantity
        for fill in fills
        if (order := of.get(fill.intent_id)) is not None and order.kind in STOPS and order.stop_price is not None
    ]
    return sum(less, Decimal(0)) if less else None


def _percent(realized: Decimal, *, cost: Decimal) -> Decimal | None:
    return (realized * 100 / cost).quantize(_PERCENT) if cost > 0 else None


def average(fills: Iterable[Fill]) -> Decimal | None:
    """Give the mean price of shares that changed hands in USD, or None for none."""
    listed = list(fills)
    shares = sum(fill.quantity for fill in listed)
    return sum((fill.quantity * fill.price for fill in listed), Decimal(0)) / shares if shares else None
