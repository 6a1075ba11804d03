"""Look after one held position at one tick: carry its high water mark, want a higher stop, or decide to leave.

The decision is written into the position together with its message; the order function works it, settlement moves the
stop. A conflict means that the position changed under us: the next tick judges it anew. An exit that the broker
refused is decided again when `backoff` says so, and not at the next tick.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain import backoff, pricing
from shared.domain.calendar import TradingSession
from shared.domain.exits import ExitNow, Hold, MoveStop, judge
from shared.domain.orders import Order
from shared.domain.positions import Position
from shared.domain.quotes import Quote
from shared.domain.values import PriceType
from shared.errors import Conflict
from shared.usecases import outbox
from shared.usecases.asking import ask_exit
from shared.usecases.control import exits_blocked
from shared.usecases.desk import Held, read
from shared.usecases.moves import live_sells, order_path
from shared.usecases.trading import TradingDesk


def look_after(
    desk: TradingDesk,
    held: Held[Position],
    quote: Quote | None,
    *,
    rsi: float | None,
    session: TradingSession,
    at: datetime,
) -> tuple[str, Held[Position]]:
    """Judge a position at a tick; `quote` is None when there is none without faults.

    Gives the receipt's code, and the position with the high water mark that the next tick goes on from.
    """
    judgement = judge(
        held.value,
        quote,
        rsi=rsi,
        now=at,
        session=session,
        config=desk.config,
        exit_live=_exit_live(desk, held.value),
    )
    if isinstance(judgement, Hold) and quote is not None and _unguarded(desk, held.value, quote, session, at):
        limit = pricing.sell_limit(bid=quote.bid, config=desk.config)
        judgement = ExitNow(reason="stop_missed", price_type=PriceType.LIMIT, limit_price=limit)
    match judgement:
        case Hold():
            return "held", replace(held, value=replace(held.value, high_water=judgement.high_water))
        case MoveStop():
            moved = replace(
                held.value, stop_wanted=judgement.level, high_water=judgement.high_water,
                breakeven=judgement.breakeven, stop_set_at=at,
            )  # fmt: skip
            return f"stop:{judgement.level}", _write(desk, held, moved)
        case ExitNow() if exits_blocked(desk):
            return f"exit halted:{judgement.reason}", held
        case ExitNow() if not backoff.may_ask(held.value.exit_refused, at):
            return f"exit refused:{judgement.reason}", held
        case ExitNow():
            return f"exit:{judgement.reason}", _leave(desk, held, judgement, at)


def _unguarded(desk: TradingDesk, position: Position, quote: Quote, session: TradingSession, at: datetime) -> bool:
    """Tell whether the bid has reached the stop level and no sell of ours is there to see it.

    The broker refuses a stop that is not below the market. Between the level and the distance from which `judge` calls
    a stop missed, nothing else would ever sell these shares.
    """
    settled = at - position.stop_set_at >= timedelta(seconds=desk.config.exits.stop_move_every_s)
    trades = position.is_open and session.opens_at <= at < session.closes_at
    if not trades or not settled or position.pending_exit is not None or quote.bid > position.stop_wanted:
        return False
    return not live_sells(desk, position.symbol)


def _exit_live(desk: TradingDesk, position: Position) -> bool:
    if position.pending_exit is None:
        return False
    order = read(desk.store, Order, order_path(position.pending_exit.exit_id))
    return order is not None and order.value.live


def _leave(desk: TradingDesk, held: Held[Position], decision: ExitNow, at: datetime) -> Held[Position]:
    try:
        asked = ask_exit(desk, held, decision, at)
    except Conflict:
        return held
    outbox.publish(desk, asked.row)
    return asked.held


def _write(desk: TradingDesk, held: Held[Position], after: Position) -> Held[Position]:
    try:
        version = desk.store.commit([held.update(after)])[0]
    except Conflict:
        return held
    return Held(path=held.path, value=after, version=version)
