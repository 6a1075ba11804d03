"""Prepare the session: history of the watch list, and whether the broker knows its symbols."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from shared.domain.barred import SymbolsUnknown
from shared.domain.bars import DailyBar
from shared.domain.calendar import session_at
from shared.errors import AuthError
from shared.ports import History, Severity, Store
from shared.usecases.desk import put, read
from shared.usecases.notices import announce
from shared.usecases.trading import TradingDesk

DAYS = 250
AGAIN = timedelta(seconds=2)
"""When a symbol without a quote is asked for once more: E*TRADE leaves one out for a moment now and then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmth:
    """A symbol's daily bars from before one session, oldest first; `told`: the owner heard that it has no quote."""

    session: date
    bars: tuple[DailyBar, ...]
    told: bool = False


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
    _check(desk, session.day, reason)


def warm_bars(store: Store, symbol: str, session: date) -> Sequence[DailyBar]:
    """Give the stored history of a symbol, empty when it was not prepared for this session."""
    held = read(store, Warmth, f"history/{symbol}")
    return held.value.bars if held is not None and held.value.session == session else ()


def _check(desk: TradingDesk, session: date, reason: str) -> None:
    """Look which symbols the broker quotes; one that it misses while it quotes others is asked for again, and told.

    Where it quotes none, that is no matter of symbols: the watch over the scan tells of it once the session is open.
    """
    watched = desk.mandate.watch_list
    try:
        known = desk.broker.quotes(watched)
        missing = [symbol for symbol in watched if symbol not in known]
        if known and missing:
            desk.clock.sleep_until(desk.clock.now() + AGAIN)
            known |= desk.broker.quotes(missing)
    except AuthError as problem:
        desk.journal.line("prepare_waits", Severity.WARNING, kind=type(problem).__name__, reason=reason)
        return
    unknown = [symbol for symbol in watched if symbol not in known]
    severity = Severity.WARNING if unknown else Severity.INFO
    desk.journal.line("prepared", severity, reason=reason, symbols=len(known), unknown=",".join(unknown))
    if known:
        _tell(desk, session, unknown)


def _tell(desk: TradingDesk, session: date, unknown: Sequence[str]) -> None:
    """Promise one notice of the symbols that were not told of in this session; whoever publishes notices sends it."""
    held = [read(desk.store, Warmth, f"history/{symbol}") for symbol in unknown]
    new = {symbol: one for symbol, one in zip(unknown, held, strict=True) if one is not None and not one.value.told}
    if not new:
        return
    notice = SymbolsUnknown(symbols=tuple(new), session=session, at=desk.clock.now())
    marked = [one.update(replace(one.value, told=True)) for one in new.values()]
    desk.store.commit([announce(desk, notice), *marked])
