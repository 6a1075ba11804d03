"""A recorded or generated market as days of a back-test: the quotes that the simulated broker would show each second.

What the broker's answer would say is made without the answer: prices and sizes of the last row, its whole second as the
quote's instant, and the second of the last row whose price or volume was another as that of the last trade.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal

from infra.backtest.day import Day, Resolution, Tick
from infra.brokersim.market import Market
from infra.brokersim.tape import Row
from shared.domain.base.calendar import TradingSession, instant, next_midnight
from shared.domain.market.bars import Bar
from shared.domain.market.quality import BROKER
from shared.domain.market.quotes import Quote, QuoteStatus
from shared.domain.market.series import Series

SECOND = timedelta(seconds=1)
_NO_BARS: Mapping[str, Bar] = {}


def tick_day(
    market: Market, session: TradingSession, symbols: Sequence[str], history: Mapping[str, Series], *, source: str
) -> Day:
    """Give a market's session as one-second quotes of some of its symbols."""
    return Day(
        session=session, resolution=Resolution.TICK, symbols=tuple(symbols), history=history, source=source,
        play=lambda: _ticks(market, session, symbols),
    )  # fmt: skip


def _ticks(market: Market, session: TradingSession, symbols: Sequence[str]) -> Iterator[Tick]:
    shown = {symbol: _Shown(market, symbol) for symbol in symbols}
    at = session.opens_at
    while at < session.closes_at:
        found = ((symbol, one.quote(at)) for symbol, one in shown.items())
        yield Tick(at, {symbol: quote for symbol, quote in found if quote is not None}, _NO_BARS)
        at += SECOND


class _Shown:
    """What the broker shows of one symbol, second by second."""

    __slots__ = ("_at", "_close", "_next", "_row", "_rows", "_symbol", "_traded_at")

    def __init__(self, market: Market, symbol: str) -> None:
        self._symbol = symbol
        self._close: Decimal = market.previous_close(symbol)
        self._rows = market.rows(symbol, instant(market.day, time()), next_midnight(instant(market.day, time())))
        self._row: Row | None = None
        self._next: Row | None = next(self._rows, None)
        self._at = self._traded_at = instant(market.day, time())

    def quote(self, at: datetime) -> Quote | None:
        """Give the quote of an instant, None before the first row; instants only go forward."""
        while self._next is not None and self._next.at <= at:
            before, self._row = self._row, self._next
            self._at = _second(self._row.at)
            if before is None or self._row.day_volume != before.day_volume or self._row.last != before.last:
                self._traded_at = self._at
            self._next = next(self._rows, None)
        row = self._row
        if row is None:
            return None
        return Quote(
            symbol=self._symbol, bid=row.bid, bid_size=row.bid_size, ask=row.ask, ask_size=row.ask_size, last=row.last,
            day_volume=row.day_volume, previous_close=self._close, at=self._at, received_at=at,
            status=QuoteStatus.REALTIME, source=BROKER, traded_at=self._traded_at,
        )  # fmt: skip


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0) if at.microsecond else at
