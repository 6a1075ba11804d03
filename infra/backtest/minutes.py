"""A session as bars of a minute: each minute's bars when they are over, and the quotes that a model makes of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache, partial

from infra.backtest.bar_market import MINUTE, shares_of, touch
from infra.backtest.day import Day, Resolution, Tick
from shared.domain.base.calendar import TradingSession, session_before
from shared.domain.market.bars import Bar
from shared.domain.market.daybook import DayBook
from shared.domain.market.quality import BROKER, faults, sound
from shared.domain.market.quotes import Quote, QuoteStatus
from shared.domain.market.series import Series, adjusted_closes
from shared.strategies.config import load

Bars = Mapping[str, Sequence[Bar]]


def minute_day(
    session: TradingSession, history: Mapping[str, Series], *, symbols: Sequence[str], source: str,
    bars: Callable[[], Bars],
) -> Day:  # fmt: skip
    """Give a session of 1-minute bars, oldest first by symbol; `bars` is asked once, when it is played first."""
    closes = {symbol: _previous_close(history.get(symbol), session) for symbol in symbols}
    ticks = cache(lambda: tuple(_ticks(session, bars(), closes)))
    return Day(
        session=session, resolution=Resolution.MINUTE, symbols=tuple(symbols), history=history, source=source,
        play=lambda: iter(ticks()),
    )  # fmt: skip


def as_minutes(day: Day) -> Day:
    """Give a day of one-second quotes as its own 1-minute bars: those that the live system builds as it watches."""
    bars = partial(_built, day)
    return minute_day(day.session, day.history, symbols=day.symbols, source=day.source, bars=bars)


def _built(day: Day) -> Bars:
    books = {symbol: DayBook(day.session) for symbol in day.symbols}
    oldest = load("default").entry.quote_age_max_s
    for tick in day.ticks():
        for symbol, quote in tick.quotes.items():
            believed = sound(quote, faults(quote, now=quote.received_at, max_age_s=oldest))
            if believed is not None:
                books[symbol].observe(believed, tick.at)
    return {symbol: book.all_bars for symbol, book in books.items()}


def _ticks(session: TradingSession, bars: Bars, closes: Mapping[str, Decimal | None]) -> Iterator[Tick]:
    over: dict[datetime, dict[str, Bar]] = {}
    for symbol, own in bars.items():
        for bar in own:
            over.setdefault(bar.end, {})[symbol] = bar
    shares = dict.fromkeys(bars, 0)
    at = session.opens_at
    while at < session.closes_at:
        at += MINUTE
        ended = over.get(at, {})
        for symbol, bar in ended.items():
            shares[symbol] += bar.volume
        yield Tick(at, {name: _quote(name, bar, shares[name], closes[name]) for name, bar in ended.items()}, ended)


def _quote(symbol: str, bar: Bar, shares: int, close: Decimal | None) -> Quote:
    """Give the quote that stands for a bar at its end; a bar without volume offers nothing."""
    bid, ask = touch(bar.close)
    size = shares_of(bar)
    return Quote(
        symbol=symbol, bid=bid, bid_size=size, ask=ask, ask_size=size, last=bar.close, day_volume=shares,
        previous_close=close, at=bar.end, received_at=bar.end, status=QuoteStatus.REALTIME, source=BROKER,
        traded_at=bar.end if bar.volume else None,
    )  # fmt: skip


def _previous_close(series: Series | None, session: TradingSession) -> Decimal | None:
    """Give the close of the session before, in shares as they are on this day; None where its bar is not known."""
    if series is None or not series.bars or series.bars[-1].day != session_before(session.day):
        return None
    return adjusted_closes(series.bars[-1:], series.splits, on=session.day)[0]
