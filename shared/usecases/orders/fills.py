"""What the broker shows of an order becomes our book: order, fill, position and ledger in one commit.

What can go wrong: a list lags, repeats itself or goes backwards; a fill shows before the status does; two functions
see one fill at once; the row says that shares were filled, and not at what price. What this promises: filled shares
only grow, each share is booked once (the order's version decides), and a cancel time-out changes nothing: only what
the list says counts (order-safety.md 1.3, 1.4 C16). Shares without a price are booked at a guess, so that they are
protected at once, and all documents that hold the guess are corrected in one commit when a list says the price.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from shared.domain.base.values import Side
from shared.domain.broker.brokerage import BrokerOrder
from shared.domain.orders import book
from shared.domain.orders.booking import folded, next_state
from shared.domain.orders.orders import AT_BROKER, Order, State
from shared.domain.orders.own_rows import Said, said
from shared.domain.orders.positions import Fill, Ledger, Position, standing
from shared.errors import Unreadable
from shared.frozen import frozen
from shared.ports import Where, Write
from shared.usecases.base.desk import Held, create, held_rows, read, replaced
from shared.usecases.base.trading import TradingDesk, require_our_venue
from shared.usecases.orders.moves import judged_on, move

_MAY_FILL_LATE = frozenset({State.CANCELLED, State.EXPIRED})


def position_path(symbol: str) -> str:
    """Give the path of a symbol's position."""
    return f"positions/{symbol}"


def held_position(desk: TradingDesk, symbol: str) -> Held[Position] | None:
    """Read a symbol's position, open or closed, or None; raises AnotherVenue for an open one of another venue."""
    held = read(desk.store, Position, position_path(symbol))
    if held is not None and held.value.is_open:
        require_our_venue(desk, [held.value])
    return held


def rows_of(order: Order, listing: Sequence[BrokerOrder]) -> list[BrokerOrder]:
    """Give what a list says of an order that the broker has."""
    return [seen for seen in listing if seen.order_id is not None and seen.order_id == order.broker_order_id]


def book_seen(desk: TradingDesk, held: Held[Order], seen: BrokerOrder) -> Held[Order]:
    """Bring an order that is at the broker in line with what the broker shows, and book what filled.

    Filled shares whose price is not said are booked at `guess`, so that they are protected at once; their price is
    booked when a list has it, whatever became of them. Raises Conflict when somebody else booked at the same time; the
    next look gives the same result.
    """
    order = held.value
    if seen.order_id is None or not (order.state in AT_BROKER or order.state in _MAY_FILL_LATE or order.provisional):
        return held
    news = order.provisional or (seen.filled or 0) > order.filled
    shown = said(order, seen, reference=guess(desk, order) if news else None)
    if order.provisional and shown.average_price is not None:
        held = _give_price(desk, held, filled=shown.filled, average_price=shown.average_price)
        order = held.value
    late = order.state in _MAY_FILL_LATE and shown.filled > order.filled
    if order.state not in AT_BROKER and not late:
        return held
    to = order.state if late else next_state(order, shown)
    unread = tuple(sorted({*order.unread, *shown.unread}))
    cause = f"the broker shows {shown.status or 'it'}"
    if shown.unread:
        cause += f"; not usable: {', '.join(shown.unread)}"
    if shown.filled == order.filled:
        same = to is order.state and unread == order.unread
        return held if same else move(desk, held, to, cause=cause, unread=unread)
    with judged_on(desk, held):
        fill, position = _fill(desk, order, shown, seen.order_id)

    def booked(ledger: Ledger) -> Ledger:
        return book.booked(ledger, position.value, profit=fill.realized, at=fill.at, config=desk.config)

    held = move(
        desk, held, to, create(f"fills/{seen.order_id}:{shown.filled:09d}", fill), position.write, cause=cause,
        ledger=booked, filled=shown.filled, average_price=_average(order, shown, fill), unread=unread,
        provisional=order.provisional or fill.provisional,
    )  # fmt: skip
    _tell(desk, "fill", fill)
    return held


def guess(desk: TradingDesk, order: Order) -> Decimal | None:
    """Give a price in USD for shares whose price nobody has said: the order's limit, its stop, or what they cost."""
    if order.limit_price is not None or order.stop_price is not None:
        return order.limit_price or order.stop_price
    held = held_position(desk, order.symbol)
    return held.value.average_cost if held is not None and held.value.position_id == order.position_id else None


@frozen
class _After:
    """A position as it is after a fill, and the write that makes it so."""

    value: Position
    write: Write


def _average(order: Order, shown: Said, fill: Fill) -> Decimal:
    """Give the average price of all filled shares: the broker's, or ours where a guess is part of it."""
    if shown.average_price is not None and not fill.provisional:
        return shown.average_price
    before = (order.average_price or Decimal(0)) * order.filled
    return (before + fill.price * fill.quantity) / shown.filled


def _fill(desk: TradingDesk, order: Order, shown: Said, order_id: int) -> tuple[Fill, _After]:
    quantity, price = shown.filled - order.filled, _new_price(order, shown)
    provisional = price is None
    price = price or guess(desk, order)
    if price is None:
        raise Unreadable(f"the broker shows {shown.filled} shares of {order.intent_id} filled, but no price")
    now = desk.clock.now()
    held = held_position(desk, order.symbol)
    position, profit = folded(order, held.value if held else None, quantity, price, at=now, exits=desk.config.exits)
    fill = Fill(
        intent_id=order.intent_id, broker_order_id=order_id, position_id=order.position_id,
        symbol=order.symbol, side=order.side, quantity=quantity, price=price, cumulative=shown.filled,
        realized=profit, reason=order.reason, at=now, provisional=provisional,
    )  # fmt: skip
    write = replaced(position_path(order.symbol), held, position)
    return fill, _After(value=position, write=write)


def _new_price(order: Order, shown: Said) -> Decimal | None:
    """Give the price of the new shares, None where the averages of then and now leave no sensible one."""
    if shown.average_price is None or order.provisional:
        return None
    new = book.newly_filled(order, filled=shown.filled, average_price=shown.average_price)
    return new[1] if new is not None and new[1] > 0 else None


def _give_price(desk: TradingDesk, held: Held[Order], *, filled: int, average_price: Decimal) -> Held[Order]:
    """Put the broker's price where the book has a guess: order, fills, position or its profit, and ledger.

    The position may be closed by now, or another one in its symbol: then only the profit is corrected.
    """
    order, now = held.value, desk.clock.now()
    rows = held_rows(desk, Fill, desk.store.query("fills", Where("intent_id", "==", order.intent_id)))
    fills = standing(row.value for row in rows)
    price = book.late_price(fills, filled=filled, average_price=average_price)
    if price is None or sum(fill.quantity for fill in fills) != order.filled:
        return held
    place = read(desk.store, Position, position_path(order.symbol))
    mine = place if place is not None and place.value.position_id == order.position_id else None
    guessed = [book.repriced(fill, price, at=now) for fill in fills if fill.provisional]
    before = mine.value if mine is not None else None
    after, profit = _corrected(order, before, sum((change for _, _, change in guessed), Decimal(0)), now)
    priced = _with_profit(order, guessed, profit)
    writes: list[Write] = [] if mine is None or after is None else [mine.update(after)]
    for (back, _, _), fill in zip(guessed, priced, strict=True):
        name = f"fills/{fill.broker_order_id}:{fill.cumulative:09d}"
        writes += [create(f"{name}:back", back), create(f"{name}:priced", fill)]

    def booked(ledger: Ledger) -> Ledger:
        return book.corrected(ledger, before, after, profit=profit, at=now, config=desk.config)

    paid = sum((fill.price * fill.quantity for fill in fills if not fill.provisional), Decimal(0))
    paid += sum((fill.price * fill.quantity for fill in priced), Decimal(0))
    held = move(
        desk, held, order.state, *writes, cause="the broker says at what price it filled", ledger=booked,
        average_price=average_price if filled == order.filled else paid / order.filled, provisional=False,
    )  # fmt: skip
    for fill in priced:
        _tell(desk, "fill_priced", fill)
    return held


def _with_profit(order: Order, guessed: Sequence[tuple[Fill, Fill, Decimal]], profit: Decimal) -> list[Fill]:
    """Give the fills at their true price; what it makes of a profit is in a sale's own, or in the last purchase's."""
    if order.side is Side.SELL:
        return [replace(fill, realized=fill.realized + change) for _, fill, change in guessed]
    fills = [fill for _, fill, _ in guessed]
    return [*fills[:-1], replace(fills[-1], realized=fills[-1].realized + profit)]


def _corrected(
    order: Order, position: Position | None, change: Decimal, at: datetime
) -> tuple[Position | None, Decimal]:
    """Give the position whose shares moved `change` USD more than was booked, and the profit that this makes."""
    if order.side is Side.SELL:
        return (None if position is None else book.corrected_by(position, change, at=at)), change
    if position is None:
        return None, -change
    return book.cost_corrected(position, change, bought=order.filled, at=at)


def _tell(desk: TradingDesk, event: str, fill: Fill) -> None:
    desk.journal.line(
        event, symbol=fill.symbol, side=fill.side, quantity=fill.quantity, price=str(fill.price),
        order_id=fill.broker_order_id, intent_id=fill.intent_id, realized=str(fill.realized), reason=fill.reason,
        provisional=fill.provisional,
    )  # fmt: skip
