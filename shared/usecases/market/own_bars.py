"""Keep the bars that the scan built: each symbol's minutes of a session, and the daily bar made of them.

What can go wrong: the morning's tick does not come, comes twice, or dies half-way; books are damaged; the broker's
close of the day before comes later than the bars. What this promises: the sessions of the last week are caught up with,
in any number of attempts, for the scan's own documents stay for a week; what is damaged is reported and costs its
session alone; minutes are kept as long as the setting says and then deleted.
"""

from dataclasses import replace
from datetime import date, timedelta

from shared.domain.base.calendar import TradingSession, session_before, session_of
from shared.domain.market.bars import Bar, DailyBar
from shared.domain.market.daybook import DayBook
from shared.domain.market.own_days import MADE, own_day, with_close, with_day
from shared.domain.market.series import Series
from shared.errors import Malformed
from shared.ports import Data, Delete, Put, Severity, Where
from shared.usecases.base.desk import Desk, put, read_sound
from shared.usecases.market.books import books_of, pack, unpack
from shared.usecases.market.mornings import morning_of

BACK = timedelta(days=7)
"""How far back sessions are caught up with: as long as the scan's documents stay."""
DAYS_KEPT = timedelta(days=400)
"""How long daily bars of our own are kept: an average of 200 sessions needs 290 days."""
AT_ONCE = 200


def keep(desk: Desk, *, since: date, until: date) -> date:
    """Keep what was scanned of the sessions after `since` and before `until`, give the day before which all is kept."""
    day = max(since + timedelta(days=1), until - BACK)
    while day < until:
        session = session_of(day)
        if session is not None:
            _keep_session(desk, session)
        day += timedelta(days=1)
    return until - timedelta(days=1)


def correct(desk: Desk, session: date, *, limit_pct: int) -> None:
    """Put the broker's close of the session before in the place of ours, where it has said one this morning."""
    morning = morning_of(desk.store, session)
    day = session_before(session)
    if morning is None or day is None:
        return
    for symbol, close in morning.value.closes.items():
        held = read_sound(desk, Series, f"own_days/{symbol}")
        if held is None:
            continue
        right = with_close(held.value, day, close, limit_pct=limit_pct)
        if right == held.value:
            continue
        desk.store.commit([held.update(right)])
        if right.doubted != held.value.doubted:
            desk.journal.line("close_doubted", Severity.WARNING, symbol=symbol, day=day.isoformat(), close=str(close))


def forget(desk: Desk, *, before: date) -> None:
    """Delete the minutes of the sessions before a day, some hundred at a time; the oldest documents come first."""
    oldest = desk.store.query("own_minutes", limit=AT_ONCE)
    old = [Delete(row.path) for row in oldest if row.data.get("session", "") < before.isoformat()]
    for first in range(0, len(old), 20):
        desk.store.commit(old[first : first + 20])


def minutes_of(desk: Desk, symbol: str, session: TradingSession) -> tuple[Bar, ...]:
    """Give the whole minutes of a session that the scan saw, oldest first: those kept, else those in its own books.

    Raises StoreDown, or Malformed for a document that holds no minutes.
    """
    row = desk.store.get(_minutes_path(symbol, session))
    plain = dict(books_of(desk, session)).get(symbol) if row is None else unpack(str(row.data.get("book")))
    return () if plain is None else _whole(desk, session, plain)


def all_minutes(desk: Desk, session: TradingSession) -> tuple[dict[str, tuple[Bar, ...]], tuple[str, ...]]:
    """Give those of every symbol that the scan saw, and the symbols whose minutes cannot be read; raises StoreDown."""
    found, damaged = dict[str, tuple[Bar, ...]](), list[str]()
    plain = dict(books_of(desk, session))
    for row in desk.store.query("own_minutes", Where("session", "==", session.day.isoformat())):
        symbol = str(row.data.get("symbol"))
        try:
            plain[symbol] = unpack(str(row.data.get("book")))
        except Malformed:
            damaged.append(symbol)
    for symbol, book in sorted(plain.items()):
        try:
            found[symbol] = _whole(desk, session, book)
        except Malformed:
            damaged.append(symbol)
    return found, tuple(damaged)


def _whole(desk: Desk, session: TradingSession, plain: object) -> tuple[Bar, ...]:
    now = min(desk.clock.now(), session.closes_at)
    return tuple(bar for bar in DayBook.from_plain(plain, session).all_bars if session.opens_at < bar.end <= now)


def _keep_session(desk: Desk, session: TradingSession) -> None:
    kept = short = 0
    for symbol, plain in books_of(desk, session):
        try:
            made = own_day(DayBook.from_plain(plain, session))
        except Malformed as problem:
            desk.journal.line("books_unreadable", Severity.ERROR, symbol=symbol, kind=type(problem).__name__)
            continue
        day = session.day.isoformat()
        minutes: Data = {"symbol": symbol, "session": day, "book": pack(plain)}
        writes = [Put(_minutes_path(symbol, session), minutes)]
        if made.bar is None:
            short += 1
            desk.journal.line("own_day_short", symbol=symbol, day=day, why=made.why)
        else:
            writes.append(_with_day(desk, symbol, made.bar, session))
        desk.store.commit(writes)
        kept += 1
    if kept:
        desk.journal.line("own_bars_kept", session=session.day.isoformat(), symbols=kept, short=short)


def _minutes_path(symbol: str, session: TradingSession) -> str:
    return f"own_minutes/{session.day:%Y%m%d}-{symbol}"


def _with_day(desk: Desk, symbol: str, bar: DailyBar, session: TradingSession) -> Put:
    held = read_sound(desk, Series, f"own_days/{symbol}")
    before = Series(symbol=symbol, bars=(), source="own", made=MADE, at=session.closes_at)
    after = with_day(before if held is None else held.value, bar, keep=DAYS_KEPT)
    return put(f"own_days/{symbol}", replace(after, at=max(after.at, session.closes_at)))
