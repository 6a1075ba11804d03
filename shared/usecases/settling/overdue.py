"""When settlement cancels an order that rests at the broker.

What can go wrong: an entry fills long after its price; an exit that does not fill rests where its stop was, because the
scan that decided it died, or wants a price that nobody pays; trading was halted. What this promises: an entry rests for
some seconds, and an exit for `EXIT_RESTS`, after which its stop is put back, unless that would help nobody; a cancel of
which nothing came is asked for again.
"""

from datetime import datetime, timedelta

from shared.domain.base.calendar import session_at
from shared.domain.control.control import TradingState
from shared.domain.orders.orders import Kind, Order, State
from shared.errors import Malformed
from shared.usecases.base.trading import TradingDesk
from shared.usecases.control import control
from shared.usecases.orders.fills import held_position
from shared.usecases.orders.losses import MARK_LIFE, last_quote
from shared.usecases.settling.late import CAME_LATE

CANCEL_AGAIN = timedelta(seconds=20)
EXIT_RESTS = timedelta(seconds=60)
"""The scan decides an exit that does not fill anew each 20 s, where another price would be better."""
EXIT_RESTS_AT_MOST = timedelta(minutes=5)
"""The same where the scan's last quote says that the exit is the better cover; nobody knows who wrote that."""


def reason_to_cancel(desk: TradingDesk, order: Order, *, listed: bool) -> str | None:
    """Say why an order is to be cancelled now, or None; a cancel of which nothing came is asked for again.

    `listed` says that a list was read: without one nothing that protects or sells is moved.
    """
    now = desk.clock.now()
    if order.state is State.CANCEL_REQ:
        return "the cancel is asked for again" if now - order.updated_at > CANCEL_AGAIN else None
    if order.state is State.WORKING and CAME_LATE in order.codes:
        return "it was given up, and came late"
    if listed and order.kind is Kind.EXIT and _rested(desk, order, now):
        return "the exit rested without filling: the stop is put back"
    if order.kind is not Kind.ENTRY or order.state is not State.WORKING:
        return None
    if order.placed_at and now - order.placed_at > timedelta(seconds=desk.config.entry.cancel_after_s):
        return "the entry did not fill in time"
    return "trading is halted" if _halted(desk) else None


def _halted(desk: TradingDesk) -> bool:
    """Tell whether entries are to be cancelled; a state of which nothing can be read is as strict as any."""
    try:
        return control.for_exits(desk).value.state is TradingState.HALTED
    except Malformed:
        return True


def _rested(desk: TradingDesk, order: Order, now: datetime) -> bool:
    """Tell whether an exit has rested too long: whoever decided it is gone, or wants too much, and no stop is there.

    Near the close it stays, for then nothing but a sale helps.
    """
    session = session_at(now)
    if session is None or order.state is not State.WORKING or order.placed_at is None:
        return False
    flattens = session.closes_at - timedelta(minutes=desk.config.exits.flatten_minutes)
    rested = now - order.placed_at
    if now >= flattens or rested <= EXIT_RESTS:
        return False
    return rested > EXIT_RESTS_AT_MOST or not _covers_better(desk, order, now)


def _covers_better(desk: TradingDesk, order: Order, now: datetime) -> bool:
    """Tell whether a stop would do worse: the exit only waits to be filled, or the market is below the stop's level."""
    held, last = held_position(desk, order.symbol), last_quote(desk, order.symbol)
    if last is None or held is None or now - last.received_at > MARK_LIFE:
        return False
    bid, limit = last.bid, order.limit_price
    return limit is None or limit <= bid or bid <= held.value.stop_wanted
