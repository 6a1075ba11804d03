"""Look after one held position at one tick: carry its high water mark, want a higher stop, or decide to leave.

What is wanted goes into the scan's own watch (`watches/SYMBOL`), a decision together with its message; the position is
read and never written here. The order function works a decision, settlement moves the stop.

What can go wrong: two scans judge one position (compare-and-set on the watch: the later one reads anew and judges at
its next tick); the book is a tick behind a decision, or ahead of it, for watch and position are in no commit together;
a decision is lost, or comes to nothing. What this promises: a decision stands until its order has ended and the book
has taken it out of the position, with every refusal counted, or until it is too old to be begun; then it is decided
afresh, an exit that the broker refused when `backoff` says so. Nothing is sold twice for it: whoever begins a sell
changes the position, however many decisions there are (`leave`).
"""

from dataclasses import replace
from datetime import datetime

from shared.domain.base.calendar import TradingSession
from shared.domain.base.values import PriceType
from shared.domain.market.quality import Sound, faults
from shared.domain.orders import backoff, pricing
from shared.domain.orders.exits import OWNER, ExitNow, Hold, MoveStop, Unquoted, is_over, judge, stop_passed
from shared.domain.orders.orders import Order, State
from shared.domain.orders.positions import Position
from shared.domain.orders.versions import held_by
from shared.domain.orders.watches import PositionWatch
from shared.errors import Conflict
from shared.usecases.base import outbox
from shared.usecases.base.desk import Held, read
from shared.usecases.base.trading import TradingDesk
from shared.usecases.control.control import exits_blocked
from shared.usecases.orders.losses import MARK_LIFE, last_quote
from shared.usecases.orders.moves import live_sells, order_path
from shared.usecases.orders.watches import Watched
from shared.usecases.scanning.asking import ask_exit


def look_after(
    desk: TradingDesk,
    held: Held[Position],
    watched: Watched,
    quote: Sound | Unquoted,
    *,
    rsi: float | None,
    session: TradingSession,
    at: datetime,
) -> tuple[str, Watched | None]:
    """Judge a position at a tick.

    Gives the receipt's code, and the watch that the next tick goes on from: None when it has to be read anew.
    """
    position, watched, live = _decided(desk, held, watched.over(held.value), at)
    watch = watched.value
    rules = held_by(position, desk.config)
    judgement = judge(
        position, watch, quote, rsi=rsi, now=at, session=session, config=rules, exit_live=live
    )  # fmt: skip
    trades = position.is_open and session.opens_at <= at < session.closes_at
    if isinstance(judgement, Hold) and trades and watch.exit is None:
        judgement = _without_a_stop(desk, position, watch, quote, at) or judgement
    match judgement:
        case Hold():
            return "held", watched.now(replace(watch, high_water=judgement.high_water))
        case MoveStop():
            moved = replace(
                watch, stop_wanted=judgement.level, high_water=judgement.high_water, breakeven=judgement.breakeven,
                stop_set_at=at,
            )  # fmt: skip
            return f"stop:{judgement.level}", watched.now(moved).kept(desk)
        case ExitNow():
            return _decided_now(desk, position, watched, judgement, at)


def leave_for(
    desk: TradingDesk, position: Position, watched: Watched, quote: Sound, *, reason: str, at: datetime
) -> tuple[str, Watched | None]:  # fmt: skip
    """Sell what no rule of ours sells, for another reason; gives what `look_after` gives."""
    limit = pricing.sell_limit(bid=quote.bid, config=desk.config)
    decision = ExitNow(reason=reason, price_type=PriceType.LIMIT, limit_price=limit)
    return _decided_now(desk, position, watched, decision, at)


def _decided_now(
    desk: TradingDesk, position: Position, watched: Watched, decision: ExitNow, at: datetime
) -> tuple[str, Watched | None]:  # fmt: skip
    if exits_blocked(desk):
        return f"exit halted:{decision.reason}", watched
    if not backoff.may_ask(position.exit_refused, at):
        return f"exit refused:{decision.reason}", watched
    return f"exit:{decision.reason}", _leave(desk, position, watched, decision, at)


def _decided(
    desk: TradingDesk, held: Held[Position], watched: Watched, at: datetime
) -> tuple[Position, Watched, bool]:  # fmt: skip
    """Give the position, its watch without a decision that is over, and whether the decision's order is live.

    One that still waits for its shares is not: another price may take its place. The position is read again after the
    order, so that it is not older than its order's end.
    """
    decision = watched.value.exit
    if decision is None:
        return held.value, watched, False
    order = read(desk.store, Order, order_path(decision.exit_id))
    if order is not None and order.value.live:
        return held.value, watched, order.value.state is not State.NEW
    again = read(desk.store, Position, held.path)
    position = held.value if again is None else again.value
    if is_over(decision, position, at=at, begun=order is not None):
        watched = watched.now(replace(watched.value, exit=None))
    return position, watched, False


def _without_a_stop(
    desk: TradingDesk, position: Position, watch: PositionWatch, quote: Sound | Unquoted, at: datetime
) -> ExitNow | None:
    """Decide what `judge` does not: what the owner wants sold has no quote, or what is held has no stop."""
    if isinstance(quote, Unquoted):
        # Not in a halt: nobody can buy now, and the first quote after it finds the stop where it was.
        return _by_wish(desk, position, at) if position.closing and not quote.halted else None
    if not _unguarded(desk, position, watch, quote, at):
        return None
    limit = pricing.sell_limit(bid=quote.bid, config=desk.config)
    return ExitNow(reason="stop_missed", price_type=PriceType.LIMIT, limit_price=limit)


def _by_wish(desk: TradingDesk, position: Position, at: datetime) -> ExitNow:
    """Sell by the owner's wish without a quote of this tick: at the last sound bid of three minutes, else at market."""
    last = last_quote(desk, position.symbol)
    if last is None or faults(last, now=at, max_age_s=int(MARK_LIFE.total_seconds())):
        return ExitNow(reason=OWNER, price_type=PriceType.MARKET, limit_price=None)
    limit = pricing.flatten_limit(bid=last.bid)
    return ExitNow(reason=OWNER, price_type=PriceType.LIMIT, limit_price=limit)


def _unguarded(desk: TradingDesk, position: Position, watch: PositionWatch, quote: Sound, at: datetime) -> bool:
    """Tell whether the bid has reached the stop level and no sell of ours is there to see it.

    The broker refuses a stop that is not below the market. Between the level and the distance from which `judge` calls
    a stop missed, nothing else would ever sell these shares.
    """
    return stop_passed(watch, quote, at=at, config=desk.config) and not live_sells(desk, position.symbol)


def _leave(
    desk: TradingDesk, position: Position, watched: Watched, decision: ExitNow, at: datetime
) -> Watched | None:  # fmt: skip
    try:
        after, row = ask_exit(desk, position, watched, decision, at)
    except Conflict:
        return None
    outbox.publish(desk, row)
    return after
