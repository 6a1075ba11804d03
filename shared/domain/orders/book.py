"""The book: fills folded into positions and the session's ledger, exact in money.

Average cost. Cost and proceeds are kept to a millionth of a dollar and every fill moves cost from the
position to its profit, so over a position's life profit is exactly what came in less what went out. Levels
only move up. A fill whose price the broker has not said yet is booked at a guess, and the difference is moved when the
price comes.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from shared.domain.base.values import CENT
from shared.domain.control.config import Limits, StrategyConfig
from shared.domain.control.control import TradingState
from shared.domain.orders.orders import Order
from shared.domain.orders.positions import Fill, Ledger, Position
from shared.domain.orders.pricing import initial_stop
from shared.errors import InvariantBroken

_MONEY = Decimal("0.000001")
_AVERAGE = Decimal("0.000000000001")


def newly_filled(order: Order, *, filled: int, average_price: Decimal) -> tuple[int, Decimal] | None:
    """Give shares and price in USD that the broker's totals add to an order, None when they add nothing."""
    quantity = filled - order.filled
    if quantity < 0:
        raise InvariantBroken(f"order {order.intent_id}: the broker's fills fell from {order.filled} to {filled}")
    if quantity == 0:
        return None
    before = (order.average_price or Decimal(0)) * order.filled
    return quantity, _average((average_price * filled - before).quantize(_MONEY), quantity)


def opened(order: Order, *, quantity: int, price: Decimal, at: datetime) -> Position:
    """Make the position of an entry's first fill, with its first stop level; prices in USD."""
    _checked(quantity, price)
    return Position(
        position_id=order.position_id, symbol=order.symbol, venue=order.venue, strategy=order.strategy,
        session=order.session, quantity=quantity, opened_at=at,
        average_cost=_average((price * quantity).quantize(_MONEY), quantity),
        stop_distance=order.stop_distance, spread_paid=order.spread,
        stop_wanted=initial_stop(average_cost=price, stop_distance=order.stop_distance), stop_set_at=at,
    )  # fmt: skip


def bought(position: Position, *, quantity: int, price: Decimal, at: datetime) -> Position:
    """Add a further fill of the entry; the stop level follows the average up and never down."""
    _checked(quantity, price)
    cost = invested(position) + (price * quantity).quantize(_MONEY)
    average = _average(cost, position.quantity + quantity)
    level = initial_stop(average_cost=average, stop_distance=position.stop_distance)
    moved = level > position.stop_wanted
    return replace(
        position, quantity=position.quantity + quantity, average_cost=average, is_open=True, closed_at=None,
        stop_wanted=level if moved else position.stop_wanted, stop_set_at=at if moved else position.stop_set_at,
    )  # fmt: skip


def sold(position: Position, *, quantity: int, price: Decimal, at: datetime) -> tuple[Position, Decimal]:
    """Take shares out and give the position with the profit of this fill in USD; flat closes it.

    As many as were sold are missed no longer: the sale explains them.
    """
    _checked(quantity, price)
    if quantity > position.quantity:
        raise InvariantBroken(f"position {position.position_id}: sold {quantity} of {position.quantity}")
    cost, left = invested(position), position.quantity - quantity
    leaving = (cost * quantity / position.quantity).quantize(_MONEY) if left else cost
    profit = _tidy((price * quantity).quantize(_MONEY) - leaving)
    lost_at = at if profit < 0 else position.lost_at
    after = replace(
        position, quantity=left, realized=position.realized + profit, lost_at=lost_at,
        missing=None if position.missing is None else position.missing.without(quantity),
    )  # fmt: skip
    if left:
        return replace(after, average_cost=_average(cost - leaving, left)), profit
    return replace(after, is_open=False, closed_at=at, pending_exit=None), profit


def lost(position: Position, *, quantity: int, at: datetime) -> Position:
    """Take shares out at a price nobody knows: their cost goes, no profit is made up for them; flat closes it."""
    if not 0 <= quantity <= position.quantity:
        raise InvariantBroken(f"position {position.position_id}: lost {quantity} of {position.quantity}")
    if quantity == 0:
        return position
    left = position.quantity - quantity
    after = replace(position, quantity=left, unpriced=position.unpriced + quantity)
    return after if left else replace(after, is_open=False, closed_at=at, pending_exit=None)


def reserved(ledger: Ledger, amount: Decimal) -> Ledger:
    """Count one more entry and hold its cash in USD."""
    return replace(ledger, reserved=ledger.reserved + amount, entries=ledger.entries + 1)


def reserved_again(ledger: Ledger, amount: Decimal) -> Ledger:
    """Hold the cash in USD of an entry that was counted before, and given up."""
    return replace(ledger, reserved=ledger.reserved + amount)


def released(ledger: Ledger, amount: Decimal) -> Ledger:
    """Let go of an ended entry's cash in USD; what it filled is a position now."""
    if amount > ledger.reserved:
        raise InvariantBroken(f"ledger {ledger.session}: {amount} USD released of {ledger.reserved}")
    return replace(ledger, reserved=ledger.reserved - amount)


def booked(ledger: Ledger, position: Position, *, profit: Decimal, at: datetime, config: StrategyConfig) -> Ledger:
    """Write a fill of `position`, as it is after it, into the ledger; `profit` in USD, 0 for a purchase.

    A position that closes at a loss lengthens the row, any other close ends it; a full row starts the
    cool-down.
    """
    after = replace(ledger, realized=ledger.realized + profit, last_fill_at=at)
    if position.is_open:
        return after
    return replace(after, losses_in_a_row=0) if position.realized >= 0 else _lost(after, at, config)


def peak(capital: Decimal, ledgers: Sequence[Ledger]) -> Decimal:
    """Give the highest equity in USD that any of these sessions, oldest first, ended with; the capital at least."""
    highest = equity = capital
    for past in ledgers:
        equity += past.realized
        highest = max(highest, equity)
    return highest


def restriction(lost: Decimal, *, capital: Decimal, limits: Limits) -> tuple[TradingState, str] | None:
    """Give the trading state that a session's loss in USD asks for, and why: measured on the capital."""
    if lost * 100 >= capital * limits.drawdown_pct:
        return TradingState.HALTED, f"the session lost {lost} USD: the drawdown limit is reached"
    if lost * 100 >= capital * limits.daily_loss_pct:
        return TradingState.REDUCE_ONLY, f"the session lost {lost} USD: the daily limit is reached"
    return None


def late_price(fills: Sequence[Fill], *, filled: int, average_price: Decimal) -> Decimal | None:
    """Give the price in USD of all shares that have none from the broker, out of the average of `filled` shares.

    None when the fills whose price is known leave no sensible one.
    """
    known = sum(((fill.price * fill.quantity).quantize(_MONEY) for fill in fills if not fill.provisional), Decimal(0))
    shares = filled - sum(fill.quantity for fill in fills if not fill.provisional)
    rest = (average_price * filled - known).quantize(_MONEY)
    return _average(rest, shares) if shares > 0 and rest > 0 else None


def repriced(fill: Fill, price: Decimal, *, at: datetime) -> tuple[Fill, Fill, Decimal]:
    """Give the fill that takes a guess back, the one at its true price, and by how much in USD its money grew."""
    change = (price * fill.quantity).quantize(_MONEY) - (fill.price * fill.quantity).quantize(_MONEY)
    back = replace(fill, quantity=-fill.quantity, realized=-fill.realized, at=at)
    return back, replace(fill, price=price, provisional=False, at=at), _tidy(change)


def cost_corrected(position: Position, change: Decimal, *, bought: int, at: datetime) -> tuple[Position, Decimal]:
    """Let `bought` shares have cost `change` USD more; gives the position and the profit that its sold shares lose.

    What is still held takes its part of the change into its cost, and what left at a price nobody knows takes its part
    with it; the stop level follows up and never down.
    """
    kept = (change * min(position.quantity, bought) / bought).quantize(_MONEY)
    gone = (change * min(position.unpriced, bought) / bought).quantize(_MONEY)
    profit = _tidy(kept + gone - change)
    after = corrected_by(position, profit, at=at)
    if not position.quantity:
        return after, profit
    average = _average(invested(position) + kept, position.quantity)
    level = max(position.stop_wanted, initial_stop(average_cost=average, stop_distance=position.stop_distance))
    moved_at = at if level > position.stop_wanted else position.stop_set_at
    return replace(after, average_cost=average, stop_wanted=level, stop_set_at=moved_at), profit


def corrected_by(position: Position, profit: Decimal, *, at: datetime) -> Position:
    """Give a position whose sold shares brought `profit` USD more than was booked; a loss by it is one of then."""
    realized = position.realized + profit
    lost = profit < 0 and realized < 0
    return replace(position, realized=realized, lost_at=at if lost else position.lost_at)


def corrected(
    ledger: Ledger,
    before: Position | None,
    after: Position | None,
    *,
    profit: Decimal,
    at: datetime,
    config: StrategyConfig,
) -> Ledger:
    """Write into the ledger what a price that came late made of a profit; a closed position may turn into a loss."""
    changed = replace(ledger, realized=ledger.realized + profit)
    if before is None or after is None or after.is_open or not before.realized >= 0 > after.realized:
        return changed
    return _lost(changed, at, config)


def open_profit(position: Position, price: Decimal) -> Decimal:
    """Give the profit in USD that selling all at `price` would add."""
    return (price * position.quantity).quantize(_MONEY) - invested(position)


def invested(position: Position) -> Decimal:
    """Give what the open shares cost, in USD."""
    return (position.average_cost * position.quantity).quantize(_MONEY)


def _lost(ledger: Ledger, at: datetime, config: StrategyConfig) -> Ledger:
    row = ledger.losses_in_a_row + 1
    if row < config.limits.losses_in_a_row:
        return replace(ledger, losses_in_a_row=row)
    until = at + timedelta(minutes=config.limits.cooldown_minutes)
    return replace(ledger, losses_in_a_row=row, cooldown_until=until)


def _average(cost: Decimal, quantity: int) -> Decimal:
    """Divide exactly enough that times the quantity gives the cost again."""
    return _tidy((cost / quantity).quantize(_AVERAGE))


def _tidy(amount: Decimal) -> Decimal:
    whole = amount.quantize(CENT)
    return whole if whole == amount else amount


def _checked(quantity: int, price: Decimal) -> None:
    if quantity <= 0 or not price > 0:
        raise InvariantBroken(f"a fill of {quantity} shares at {price} USD")
