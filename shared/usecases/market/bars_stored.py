"""The bars of a symbol that are stored, daily or within sessions, each answer with what it lacks.

What can go wrong: what was gathered for the scan ends where it needs no more; a document is damaged; half a session was
seen. What this promises: the scan's series is completed by the days of our own and by imported ones, of each day the
first of these three; a damaged document is named and hides no other; what is missing is counted and said.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

from shared.domain.base.calendar import TradingSession, new_york_day, session_of
from shared.domain.market.bars import Bar, Interval
from shared.domain.market.daybook import MINUTE
from shared.domain.market.intervals import Bars, joined, missing_days, sessions_in, share
from shared.domain.market.known import Known, age, unknown
from shared.domain.market.series import Series, cut, merged
from shared.errors import Malformed
from shared.usecases.base.desk import Desk
from shared.usecases.market.own_bars import minutes_of
from shared.usecases.market.sources import imported, own_days
from shared.usecases.market.warmth import known_days

MOST_SESSIONS = 260
"""So many sessions of bars within sessions are given at once: each is a document."""
MADE = "quotes that the scan took each second"
_DOUBTED = Decimal("0.5")


def daily(desk: Desk, symbol: str, start: date, end: date) -> Known[Bars]:
    """Give the daily bars from a day to another, both included; raises ValueError for days that cannot be meant."""
    now = desk.clock.now()
    before = min(end + timedelta(days=1), new_york_day(now))  # a day under way has no daily bar
    expected = [session for session in sessions_in(start, end) if session.day < before]
    reasons, parts = list[str](), list[Series]()
    readers: tuple[tuple[str, Callable[[], Series | None]], ...] = (
        ("history", lambda: known_days(desk, symbol, new_york_day(now))),
        ("own_days", lambda: own_days(desk.store).daily(symbol, start=start, before=before)),
        ("imports", lambda: imported(desk.store).daily(symbol, start=start, before=before)),
    )
    for collection, reader in readers:
        try:
            found = reader()
        except Malformed:
            reasons.append(f"{collection}/{symbol} cannot be read")
            continue
        parts += [] if found is None else [cut(found, start=start, before=before)]
    whole = merged(parts) if parts else Series(symbol=symbol, bars=(), source="", made="", at=now)
    gaps = missing_days(whole.bars, expected)
    doubted = tuple(f"{day}: its close is doubted, a split or distribution is possible" for day in whole.unexplained)
    reasons += [*gaps, *doubted, *(["bars of two makes"] if whole.mixed else [])]
    if not whole.bars:
        return unknown(*reasons)
    quality, as_of = share(len(whole.bars), len(expected)), _as_of(whole)
    held = Bars(
        symbol=symbol, interval=Interval.DAY, bars=whole.bars, gaps=gaps,
        splits=tuple(one for one in whole.splits if start <= one.day <= end),
        dividends=tuple(one for one in whole.dividends if start <= one.day <= end),
    )  # fmt: skip
    return Known(
        value=held, source=whole.source, made=whole.made, at=as_of, age_s=age(as_of, now),
        quality=min(quality, _DOUBTED) if doubted else quality, reasons=tuple(reasons),
    )  # fmt: skip


def _as_of(series: Series) -> datetime:
    """Give when the session of the newest bar closed; of a day without one when the source was asked."""
    session = session_of(series.bars[-1].day)
    return series.at if session is None else session.closes_at


def within(desk: Desk, symbol: str, start: date, end: date, interval: Interval) -> Known[Bars]:
    """Give the bars within the sessions from a day to another; raises ValueError for days that cannot be meant."""
    now = desk.clock.now()
    sessions = [session for session in sessions_in(start, end) if session.opens_at < now]
    if len(sessions) > MOST_SESSIONS:
        raise ValueError(f"{len(sessions)} sessions are more than {MOST_SESSIONS} of bars within sessions")
    made, gaps, damaged = list[Bar](), list[str](), list[str]()
    seen, expected, last = 0, 0, now
    for session in sessions:
        try:
            bars = minutes_of(desk, symbol, session)
        except Malformed:
            bars = ()
            damaged.append(f"{session.day}: its minutes cannot be read")
        whole = (min(now, session.closes_at) - session.opens_at) // MINUTE
        seen, expected, last = seen + len(bars), expected + whole, bars[-1].end if bars else last
        gaps += [_gap(session, len(bars), whole)] if len(bars) < whole else []
        made += bars if interval is Interval.MINUTE else joined(bars, minutes=interval.minutes, session=session)
    if not made:
        return unknown(*damaged, *gaps)
    whole_days = daily(desk, symbol, start, end).value
    splits, dividends = (whole_days.splits, whole_days.dividends) if whole_days else ((), ())
    return Known(
        value=Bars(
            symbol=symbol, interval=interval, bars=tuple(made), splits=splits, dividends=dividends, gaps=tuple(gaps)
        ),
        source="own", made=MADE, at=last, age_s=age(last, now), quality=share(seen, expected),
        reasons=(*damaged, *gaps, *(["the last bar is still running"] if made[-1].end > now else [])),
    )  # fmt: skip


def _gap(session: TradingSession, seen: int, whole: int) -> str:
    return f"{session.day}: {whole - seen} of {whole} minutes are missing"
