"""Bars and days by hand: a test names what it is about."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from infra.backtest.day import Day
from infra.backtest.minutes import minute_day
from infra.brokersim.generated import GENERATED_DAY
from infra.brokersim.market import daily_bars, open_market
from infra.brokersim.recorded import BAR_COLUMNS, DAILY_FILE
from shared.domain.base.calendar import TradingSession, session_of
from shared.domain.market.bars import Bar, DailyBar
from shared.domain.market.series import Series
from tests.simulated_day import made

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


def half_day(folder: Path, symbol: str) -> Path:
    """Write a share's generated day until one o'clock as a half-day, and its daily bars, and give the market's file."""
    moved = made.HALF_DAY - GENERATED_DAY
    begins, ends = made.at(9, 25) - moved, made.at(13, 1) - moved
    rows = open_market("generated", seed=1).rows(symbol, begins, ends)
    bars = daily_bars("generated", seed=1)[symbol]
    made.write_rows(
        folder / DAILY_FILE,
        [(one.date + moved, symbol, one.open, one.high, one.low, one.close, one.volume) for one in bars],
        columns=BAR_COLUMNS,
    )
    path = folder / "market.csv"
    made.write_rows(path, [((row.at + moved).isoformat(), symbol, *row[1:]) for row in rows])
    return path
