"""Prepare the session: whether the broker knows the watched symbols, what it says of the day before, and their spreads.

Daily bars are `market_history`'s work. What the broker said is one document a session; whoever makes daily bars reads
the previous closes in it, and the spreads, by which it ranks the watch list.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

from shared.domain.base.calendar import new_york_day, session_at
from shared.domain.market.quotes import Quote
from shared.domain.market.ranking import spread_bps
from shared.domain.telling.barred import SymbolsUnknown
from shared.domain.telling.messages import HistoryAsked
from shared.errors import AuthError
from shared.ports import Severity, Write
from shared.usecases.base import outbox
from shared.usecases.base.desk import replaced
from shared.usecases.base.trading import TradingDesk
from shared.usecases.market.mornings import Morning, morning_of, morning_path
from shared.usecases.telling.notices import announce

AGAIN = timedelta(seconds=2)
"""When a symbol without a quote is asked for once more: E*TRADE leaves one out for a moment now and then."""


def prepare(desk: TradingDesk, *, reason: str) -> None:
    """Ask the broker which watched symbols it knows, and hand on their previous closes.

    Without a token this waits: signing in sends the tick again. A day of rest needs nothing.
    """
    session = session_at(desk.clock.now())
    if session is not None:
        _check(desk, session.day, reason)


def _check(desk: TradingDesk, session: date, reason: str) -> None:
    """Look which symbols the broker quotes; one that it misses while it quotes others is asked for again, and told.

    Where it quotes none, that is no matter of symbols: the watch over the scan tells of it once the session is open.
    """
    watched = desk.mandate.watch_list
    try:
        known = dict(desk.broker.quotes(watched))
        missing = [symbol for symbol in watched if symbol not in known]
        if known and missing:
            desk.clock.sleep_until(desk.clock.now() + AGAIN)
            known |= dict(desk.broker.quotes(missing))
    except AuthError as problem:
        desk.journal.line("prepare_waits", Severity.WARNING, kind=type(problem).__name__, reason=reason)
        return
    unknown = [symbol for symbol in watched if symbol not in known]
    severity = Severity.WARNING if unknown else Severity.INFO
    desk.journal.line("prepared", severity, reason=reason, symbols=len(known), unknown=",".join(unknown))
    if known:
        _keep(desk, session, known, unknown)


def _closes(known: Mapping[str, Quote], session: date) -> dict[str, Decimal]:
    """Give the previous closes of the quotes that are of this day: an older one may speak of the day before that."""
    return {
        symbol: quote.previous_close
        for symbol, quote in sorted(known.items())
        if quote.previous_close is not None and new_york_day(quote.at) == session
    }


def _keep(desk: TradingDesk, session: date, known: Mapping[str, Quote], unknown: Sequence[str]) -> None:
    """Write down what is new, in one commit with the notice of unknown symbols and the ask that hands it on.

    It is handed on where closes are new, or the spread of a symbol of which none was known.
    """
    held = morning_of(desk.store, session)
    before = Morning(session=session) if held is None else held.value
    new = tuple(symbol for symbol in unknown if symbol not in before.unquoted)
    spreads = {symbol: bps for symbol, quote in sorted(known.items()) if (bps := spread_bps(quote)) is not None}
    now = Morning(
        session=session, closes=before.closes | _closes(known, session), unquoted=(*before.unquoted, *new),
        spreads=before.spreads | spreads,
    )  # fmt: skip
    if now == before:
        return
    writes: list[Write] = [replaced(morning_path(session), held, now)]
    if new:
        writes.append(announce(desk, SymbolsUnknown(symbols=new, session=session, at=desk.clock.now())))
    if now.closes == before.closes and now.spreads.keys() == before.spreads.keys():
        desk.store.commit(writes)
        return
    ask = HistoryAsked(session=session, symbols=tuple(now.closes))
    row = outbox.promise(desk, name=f"history:{desk.chance.token(12)}", topic="history-asks", key="", message=ask)
    desk.store.commit([*writes, row])
    outbox.publish(desk, row)
