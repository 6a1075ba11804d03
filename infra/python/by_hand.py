"""An entry that a program asks for, as a signal to the order function: an opinion, without size and without a price.

What can go wrong: a program that was started again, or that repeats itself, buys twice; one key stands for two
different orders. What this promises: a key makes one signal a session, and a signal at most one order; the second time
the same order is meant, and a key that stands for another symbol is refused.
"""

from datetime import date, datetime
from decimal import Decimal

from infra.simulated_day.problems import UserError
from shared.domain.base.calendar import TradingSession, is_open, session_at
from shared.domain.base.ids import intent_id, signal_id
from shared.domain.base.values import Side
from shared.domain.control.config import StrategyConfig
from shared.domain.market.quality import Sound, faults, sound
from shared.domain.market.quotes import Quote
from shared.domain.orders.orders import Kind
from shared.domain.orders.signals import Signal, Vote
from shared.strategies.decide import SLOT, stop_distance
from shared.usecases.base import outbox
from shared.usecases.base.desk import Desk, read
from shared.usecases.market.warmth import known_days
from shared.usecases.scanning.voting import stored

BY_HAND = "by-hand"
"""The strategy of such an order, wherever one is named."""
_VOTE = Vote(strategy=BY_HAND, confidence=Decimal(1), reasons=("A program asked for it.",))


def open_session(at: datetime) -> TradingSession:
    """Give the session that trades at an instant; raises UserError outside of one."""
    session = session_at(at)
    if session is None or not is_open(at):
        what = "the market is closed, and nothing was sent"
        raise UserError(what, remedy="ask in the session, from 9:30 to 16:00 New York")
    return session


def known(desk: Desk, symbol: str, key: str, day: date) -> str | None:
    """Give the order that a key stands for, by its id, None for a new key; raises UserError for another symbol's."""
    held = read(desk.store, Signal, f"signals/{_name(key, day)}")
    if held is None:
        return None
    if held.value.symbol != symbol:
        what = f"the key {key!r} stands for an order of {held.value.symbol} today, and nothing was sent"
        raise UserError(what, remedy="give each order a key of its own")
    return order_of(held.value)


def usable(quote: Quote | None, symbol: str, at: datetime, config: StrategyConfig) -> Sound:
    """Give a quote as one to decide on; raises UserError where there is none, or anything is wrong with it."""
    found = () if quote is None else faults(quote, now=at, max_age_s=config.entry.quote_age_max_s)
    fit = sound(quote, found)
    if fit is None:
        why = f": {', '.join(found)}" if found else ""
        what = f"{symbol} has no quote that can be traded on{why}; nothing was sent"
        raise UserError(what, remedy="ask again in a moment, with the same key")
    return fit


def ask(desk: Desk, quote: Sound, key: str, session: TradingSession, config: StrategyConfig) -> str:
    """Give the order function a signal on a quote, with the stop of one whose ATR is not known; the order's id."""
    at, symbol = desk.clock.now(), quote.symbol
    days = known_days(desk, symbol, session.day)
    signal = Signal(
        signal_id=_name(key, session.day), strategy=BY_HAND, symbol=symbol, side=Side.BUY, session=session.day,
        slot=(at - session.opens_at) // SLOT, decided_at=at, decision_price=quote.last,
        stop_distance=stop_distance(config.exits, quote.last, None),
        confidence=Decimal(1), quality=Decimal(1), votes=(_VOTE,),
        daily_close=days.bars[-1].close if days is not None and days.bars else None,
    )  # fmt: skip
    if (row := stored(desk, signal, quote)) is not None:
        outbox.publish(desk, row)
    return order_of(signal)


def order_of(signal: Signal) -> str:
    """Give the id of the order that a signal leads to."""
    return intent_id(kind=Kind.ENTRY, cause=signal.signal_id, session=signal.session)


def _name(key: str, day: date) -> str:
    return signal_id(strategy=BY_HAND, symbol=key, side=Side.BUY, session=day, slot=0)
