"""Daily bars made of what the scan itself saw of a session.

What can go wrong: the scan saw half a day, so that open, high, low and volume are of that half; its last quote is not
the close of the auction; the broker's close of that day, told the next morning, is of another share, because a split or
a distribution lies between. What this promises: a daily bar is made only of a session that was seen from its beginning
to its end; the close becomes the broker's where both agree within a limit, and where they do not the day is marked and
nothing is adjusted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from shared.domain.bars import DailyBar
from shared.domain.daybook import MINUTE, DayBook
from shared.domain.series import Series, unsound_bar

MADE = "of quotes each second, with the broker's previous close where it gave one"
EDGE = 5 * MINUTE
"""How much of a session may be missing at its beginning and at its end."""
LEAST_SEEN = Decimal("0.9")
"""Which part of its minutes must have been seen."""
_PERCENT = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDay:
    """What became of one session's bars: the daily bar, or why there is none."""

    bar: DailyBar | None
    why: str = ""


def own_day(book: DayBook) -> OwnDay:
    """Make the daily bar of a session's day book; `volume` is the day's own figure as the last quote gave it."""
    session, bars = book.session, book.all_bars
    if not bars or book.session_high is None or book.session_low is None:
        return OwnDay(bar=None, why="nothing of the session was seen")
    minutes = (session.closes_at - session.opens_at) // MINUTE
    late, early = bars[0].end - MINUTE - session.opens_at, session.closes_at - bars[-1].end
    if max(late, early) > EDGE or len(bars) < LEAST_SEEN * minutes:
        return OwnDay(bar=None, why=f"only {len(bars)} of {minutes} minutes were seen")
    made = DailyBar(
        day=session.day, open=bars[0].open, high=book.session_high, low=book.session_low, close=bars[-1].close,
        volume=book.day_volume,
    )  # fmt: skip
    wrong = unsound_bar(made)
    return OwnDay(bar=made) if wrong is None else OwnDay(bar=None, why=wrong)


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
