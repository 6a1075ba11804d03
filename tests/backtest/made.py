"""Bars and days by hand: a test names what it is about."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from infra.backtest.day import Day
from infra.backtest.minutes import minute_day
from shared.domain.base.calendar import TradingSession, session_of
from shared.domain.market.bars import Bar, DailyBar
from shared.domain.market.series import Series

DAY = date(2013, 10, 7)
MINUTE = timedelta(minutes=1)


def session(day: date = DAY) -> TradingSession:
    """Give the session of a day."""
    found = session_of(day)
    assert found is not None
    return found


def at(minutes: float) -> datetime:
    """Give the instant so many minutes after the open."""
    return session().opens_at + minutes * MINUTE


def bar(minute: int, text: str, volume: int = 100_000) -> Bar:
    """Give the bar that begins so many minutes after the open, of open, high, low and close."""
    opened, high, low, close = map(Decimal, text.split())
    return Bar(end=at(minute + 1), open=opened, high=high, low=low, close=close, volume=volume)


def history(symbol: str, close: str = "100", days: int = 60, before: date = DAY) -> Series:
    """Give daily bars of the sessions before a day, all at one close."""
    found: list[DailyBar] = []
    day = before
    while len(found) < days:
        day -= timedelta(days=1)
        if session_of(day) is not None:
            price = Decimal(close)
            found.append(DailyBar(day=day, open=price, high=price, low=price, close=price, volume=1_000_000))
    return Series(
        symbol=symbol, bars=tuple(reversed(found)), source="file", made="by hand", at=session(before).opens_at
    )


def day_of(bars: Sequence[Bar], symbol: str = "IBM") -> Day:
    """Give a day of one symbol."""
    return minute_day(
        session(), {symbol: history(symbol)}, symbols=[symbol], source="by hand", bars=lambda: {symbol: bars}
    )
