"""Prepare the session: history of the watch list, and whether the broker knows its symbols."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from shared.domain.bars import DailyBar
from shared.domain.calendar import session_at
from shared.errors import AuthError
from shared.ports import History, Severity, Store
from shared.usecases.desk import put, read
from shared.usecases.trading import TradingDesk

DAYS = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmth:
    """A symbol's daily bars from before one session, oldest first."""

    session: date
    bars: tuple[DailyBar, ...]


def prepare(desk: TradingDesk, history: History, *, reason: str) -> None:
    """Store history for every watched symbol, and ask the broker which of them it knows.

    Without a token the second half waits: signing in sends this tick again. A day of rest needs nothing.
    """
    session = session_at(desk.clock.now())
    if session is None:
        return
    served = 0
    for symbol in desk.mandate.watch_list:
        held = read(desk.store, Warmth, f"history/{symbol}")
        if held is not None and held.value.session == session.day:
            served += 1
            continue
        bars = history.daily(symbol, before=session.day, count=DAYS)
        desk.store.commit([put(f"history/{symbol}", Warmth(session=session.day, bars=bars))])
    desk.journal.line("cache", kind="history", asked=len(desk.mandate.watch_list), served=served)
    _check(desk, reason)


def warm_bars(store: Store, symbol: str, session: date) -> Sequence[DailyBar]:
    """Give the stored history of a symbol, empty when it was not prepared for this session."""
    held = read(store, Warmth, f"history/{symbol}")
    return held.value.bars if held is not None and held.value.session == session else ()


def _check(desk: TradingDesk, reason: str) -> None:
    try:
        known = desk.broker.quotes(desk.mandate.watch_list)
    except AuthError as problem:
        desk.journal.line("prepare_waits", Severity.WARNING, kind=type(problem).__name__, reason=reason)
        return
    unknown = [symbol for symbol in desk.mandate.watch_list if symbol not in known]
    severity = Severity.WARNING if unknown else Severity.INFO
    desk.journal.line("prepared", severity, reason=reason, symbols=len(known), unknown=",".join(unknown))
