"""Daily bars made of what the scan itself saw of a session.

What can go wrong: the scan saw half a day, so that open, high, low and volume are of that half; its last quote is not
the close of the auction; the broker's close of that day, told the next morning, is of another share, because a split or
a distribution lies between. What this promises: a daily bar is made only of a session that was seen from its beginning
to its end; the close becomes the broker's where both agree within a limit, and where they do not the day is marked and
nothing is adjusted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from shared.domain.base.calendar import TradingSession
from shared.domain.market.bars import Bar, DailyBar
from shared.domain.market.daybook import MINUTE, DayBook
from shared.domain.market.series import Series, unsound_bar
from shared.frozen import frozen

MADE = "of quotes each second, with the broker's previous close where it gave one"
EDGE = 5 * MINUTE
"""How much of a session may be missing at its beginning and at its end."""
LEAST_SEEN = Decimal("0.9")
"""Which part of its minutes must have been seen."""
_PERCENT = Decimal(100)


@frozen
class OwnDay:
    """What became of one session's bars: the daily bar, or why there is none."""

    bar: DailyBar | None
    why: str = ""


def own_day(book: DayBook) -> OwnDay:
    """Make the daily bar of a session's day book; `volume` is the day's own figure as the last quote gave it."""
    bars = book.all_bars
    if why := missing(book.session, bars):
        return OwnDay(bar=None, why=why)
    made = replace(day_of(book.session.day, bars), volume=book.day_volume)
    wrong = unsound_bar(made)
    return OwnDay(bar=made) if wrong is None else OwnDay(bar=None, why=wrong)


def missing(session: TradingSession, bars: Sequence[Bar]) -> str:
    """Say how much of a session is missing in its minutes, where that is too much for a daily bar; "" where not."""
    if not bars:
        return "nothing of the session was seen"
    minutes = (session.closes_at - session.opens_at) // MINUTE
    late, early = bars[0].end - MINUTE - session.opens_at, session.closes_at - bars[-1].end
    short = max(late, early) > EDGE or len(bars) < LEAST_SEEN * minutes
    return f"only {len(bars)} of {minutes} minutes were seen" if short else ""


def day_of(day: date, bars: Sequence[Bar]) -> DailyBar:
    """Join a day's minutes, one at least, oldest first; the volume is their sum."""
    return DailyBar(
        day=day, open=bars[0].open, high=max(bar.high for bar in bars), low=min(bar.low for bar in bars),
        close=bars[-1].close, volume=sum(bar.volume for bar in bars),
    )  # fmt: skip


def with_day(series: Series, bar: DailyBar, *, keep: timedelta) -> Series:
    """Add a session's bar, in place of one of the same day, and forget what is older than `keep`."""
    days = {one.day: one for one in series.bars} | {bar.day: bar}
    bars = tuple(days[day] for day in sorted(days) if bar.day - day <= keep)
    return replace(series, bars=bars, doubted=tuple(day for day in series.doubted if bar.day - day <= keep))


def with_close(series: Series, day: date, close: Decimal, *, limit_pct: int) -> Series:
    """Put the broker's close of `day` in the place of ours, or doubt the day where they differ by more than the limit.

    A day without a bar of ours, or a close that is no price, changes nothing.
    """
    bars: Mapping[date, DailyBar] = {bar.day: bar for bar in series.bars}
    ours = bars.get(day)
    if ours is None or not (close.is_finite() and close > 0):
        return series
    if abs(close - ours.close) * _PERCENT > limit_pct * min(close, ours.close):
        return replace(series, doubted=tuple(sorted({*series.doubted, day})))
    right = replace(ours, close=close, high=max(ours.high, close), low=min(ours.low, close))
    return replace(series, bars=tuple(right if bar.day == day else bar for bar in series.bars))
