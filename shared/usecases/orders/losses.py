"""What the session lost so far, and the trading state that follows from it (strategy.md, Sizing and limits)."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from shared.domain.base.calendar import TradingSession
from shared.domain.market.quality import BROKER
from shared.domain.market.quotes import Quote
from shared.domain.orders import book
from shared.domain.orders.positions import Ledger, Position
from shared.ports import Where
from shared.usecases.base.desk import Desk, Held, held_rows, not_before, read, read_sound
from shared.usecases.base.trading import TradingDesk, require_our_venue
from shared.usecases.control.control import tighten
from shared.usecases.orders.moves import ledger_path

MARK_LIFE = timedelta(minutes=3)
_SECOND = timedelta(seconds=1)


def open_positions(desk: TradingDesk, *, on_bad: Callable[[], object] = lambda: None) -> list[Held[Position]]:
    """Read every open position, by symbol, to work on it; `on_bad` is called for one that cannot be read.

    Raises AnotherVenue for one that is not for this desk.
    """
    held = positions_anywhere(desk, on_bad=on_bad)
    require_our_venue(desk, [row.value for row in held])
    return held


def positions_anywhere(desk: TradingDesk, *, on_bad: Callable[[], object] = lambda: None) -> list[Held[Position]]:
    """Read every open position, by symbol, wherever it was bought: to look at, not to work on.

    `on_bad` is called for one that cannot be read.
    """
    rows = desk.store.query("positions", Where("is_open", "==", True))
    return held_rows(desk, Position, rows, on_bad=on_bad)


def last_quote(desk: Desk, symbol: str) -> Quote | None:
    """Give the scan's last quote of a symbol, however old."""
    held = read_sound(desk, Quote, f"quotes/{symbol}")
    return None if held is None else held.value


def quotes_since(desk: Desk, oldest: datetime) -> list[Quote]:
    """Give the scan's last quotes that came at `oldest` or later."""
    # As text instants sort wrongly within one second: a second more is read, and the instants themselves decide.
    rows = desk.store.query("quotes", not_before("received_at", oldest - _SECOND))
    return [row.value for row in held_rows(desk, Quote, rows) if row.value.received_at >= oldest]


def marks(desk: TradingDesk, positions: Sequence[Position]) -> dict[str, Decimal]:
    """Give the broker's last sound bid of each position's symbol in USD; one older than `MARK_LIFE` is left out."""
    if not positions:
        return {}
    symbols, recent = {position.symbol for position in positions}, quotes_since(desk, desk.clock.now() - MARK_LIFE)
    return {one.symbol: one.bid for one in recent if one.symbol in symbols and one.source == BROKER}


def watch_losses(desk: TradingDesk, session: TradingSession) -> None:
    """Go to REDUCE_ONLY at the daily loss limit and to HALTED at the drawdown limit, measured on the capital."""
    held = read(desk.store, Ledger, ledger_path(session.day))
    if held is None:
        return
    positions = [row.value for row in open_positions(desk)]
    known = marks(desk, positions)
    open_profit = sum(
        (book.open_profit(position, known[position.symbol]) for position in positions if position.symbol in known),
        Decimal(0),
    )
    lost = -(held.value.realized + open_profit)
    found = book.restriction(lost, capital=desk.mandate.capital_usd, limits=desk.config.limits)
    if found is not None:
        to, reason = found
        tighten(desk, to, reason=reason)
