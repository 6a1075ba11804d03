"""Bars of one symbol over a range of days: a day's, a minute's, or some minutes joined.

What can go wrong: half an hour at the end of a session is left out because it is no whole one; a day that nobody saw is
taken for one on which nothing traded. What this promises: bars are as they were traded, with the splits beside them and
adjusted by none; a joined bar ends with its interval or with the session; what should be there and is not is counted.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal

from shared.domain.base.calendar import TradingSession, session_of
from shared.domain.market.bars import Bar, DailyBar, Interval
from shared.domain.market.daybook import joined_bars
from shared.domain.market.series import Dividend, Split
from shared.frozen import frozen

_HUNDREDTH = Decimal("0.01")


@frozen
class Bars:
    """Bars of one symbol, oldest first, as they were traded: daily ones or ones within sessions, by the interval.

    `splits` and `dividends` are those of the range that are known, `gaps` says in words what is missing.
    """

    symbol: str
    interval: Interval
    bars: tuple[DailyBar, ...] | tuple[Bar, ...]
    splits: tuple[Split, ...] = ()
    dividends: tuple[Dividend, ...] = ()
    gaps: tuple[str, ...] = ()


def sessions_in(start: date, end: date) -> list[TradingSession]:
    """Give the sessions from a day to another, both included; raises ValueError for days that cannot be meant."""
    if end < start:
        raise ValueError(f"{end} is before {start}")
    days = (start + timedelta(days=count) for count in range((end - start).days + 1))
    return [session for day in days if (session := session_of(day)) is not None]


def joined(bars: Sequence[Bar], *, minutes: int, session: TradingSession) -> tuple[Bar, ...]:
    """Join a session's minutes, oldest first, into bars of so many minutes from the open on; the last may be shorter.

    It ends with the session.
    """
    made = joined_bars(bars, minutes=minutes, since=session.opens_at)
    return tuple(replace(bar, end=min(bar.end, session.closes_at)) for bar in made)


def share(there: int, of: int) -> Decimal:
    """Give which part of what should be there is, from 0 to 1; never 1 where anything is missing."""
    return Decimal(1) if there >= of else (Decimal(there) / of).quantize(_HUNDREDTH, ROUND_DOWN)


def missing_days(bars: Sequence[DailyBar], sessions: Sequence[TradingSession]) -> tuple[str, ...]:
    """Say how many of these sessions have no bar, and which is the first."""
    there = {bar.day for bar in bars}
    gone = [session.day for session in sessions if session.day not in there]
    return (f"{len(gone)} of {len(sessions)} sessions are missing, the first is {gone[0]}",) if gone else ()
