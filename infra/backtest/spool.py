"""Bars of a minute, put into one small file for each session: whatever they came from, a day is read alone.

What can go wrong: a file of a year does not fit into memory; two files have the same minutes; the clock of a file is
New York's and it says nothing of it. What this promises: files are read row by row and as a whole or not at all, each
bad row is named, a session of a symbol comes from one file only, and instants that can only be New York's are refused.
"""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from infra.backtest.believed import LIMIT_PCT, Doubt, believed, furthest
from infra.backtest.minutes import Bars
from infra.operations.bars_file import INSTANTS, columns, listed, minute_of, wrong_rows
from infra.operations.bars_rows import rows_of
from infra.results.data_holes import OF_BARS, Gap, Gaps, around
from infra.simulated_day.problems import UserError
from shared.domain.base.calendar import NEW_YORK, session_before, session_of
from shared.domain.market.bars import Bar, DailyBar
from shared.domain.market.daybook import MINUTE
from shared.domain.market.own_days import day_of, missing
from shared.domain.market.same_share import apart
from shared.domain.market.series import Series, adjusted_closes, cut

COLUMNS = ("ends_utc", "symbol", "open", "high", "low", "close", "volume")
_UTC = "give instants in UTC, such as 2026-11-17T14:31:00Z for 9:31 in New York in winter"
_HELD = 50_000
EARLY = datetime.min.replace(tzinfo=UTC)
"""When bars of a file were asked for: nobody knows, and no part of the decision looks."""


@dataclass(slots=True)
class _Sum:
    """What a session's bars of one symbol add up to: the first, the last, how many, and all as one bar.

    `apart` are the times between bars that lie far apart.
    """

    first: Bar
    last: Bar
    count: int
    whole: DailyBar
    apart: list[Gap] = field(default_factory=list)


class Spool:
    """A folder of minutes, a file a session."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._whose: dict[tuple[date, str], str] = {}
        self._sums: dict[tuple[date, str], _Sum] = {}
        self._rows: dict[date, list[str]] = {}
        self._held = 0

    def take(self, path: Path, *, today: date) -> None:
        """Take a file of minutes; raises UserError for one that is not clean, or that has what another had."""
        count = Counter[str]()
        with rows_of(path) as file:
            names = columns(path, file.names)

            def one(row: Sequence[str]) -> None:
                plain = dict(zip(names, row, strict=True))
                found = minute_of(plain, today)
                count["inside"] += found is not None
                count["local"] += found is None and _is_local(plain)
                if found is not None:
                    self._require_new(path, *found[:2])
                    self.put(*found, source=str(path))

            problems = wrong_rows(file, one)
        if problems:
            raise UserError(f"{path} cannot be used:{listed(problems)}", remedy="correct it, or leave the file out")
        if count["local"] > count["inside"]:
            raise UserError(f"{path} cannot be used: its instants look like New York's clock, not UTC", remedy=_UTC)
        self.flush()

    def put(self, symbol: str, day: date, bar: Bar, *, source: str) -> None:
        """Take one bar; raises ValueError for a minute that is not later than the one before."""
        at, before = (day, symbol), self._sums.get((day, symbol))
        self._whose.setdefault(at, source)
        if before is not None and before.last.end >= bar.end:
            raise ValueError(f"{bar.end:%Y-%m-%dT%H:%MZ} of {symbol} stands twice or after a later minute")
        one = day_of(day, [bar])
        if before is None:
            self._sums[at] = _Sum(first=bar, last=bar, count=1, whole=one)
        else:
            if bar.end - MINUTE - before.last.end >= OF_BARS:
                before.apart.append((before.last.end, bar.end - MINUTE))
            before.last, before.count, before.whole = bar, before.count + 1, _joined(before.whole, one)
        prices = f"{bar.open},{bar.high},{bar.low},{bar.close}"
        self._rows.setdefault(day, []).append(f"{bar.end.isoformat()},{symbol},{prices},{bar.volume}\n")
        self._held += 1
        if self._held >= _HELD:
            self.flush()

    def _require_new(self, path: Path, symbol: str, day: date) -> None:
        other = self._whose.get((day, symbol), str(path))
        if other != str(path):
            what = f"{other} and {path} both have {day} of {symbol}"
            raise UserError(what, remedy="leave one of them out, or take its days out of it")

    def flush(self) -> None:
        """Write what is held."""
        for day, rows in self._rows.items():
            file = self.folder / f"{day}.csv"
            with file.open("a", encoding="utf-8") as out:
                if not file.stat().st_size:
                    out.write(f"{','.join(COLUMNS)}\n")
                out.writelines(rows)
        self._rows.clear()
        self._held = 0

    def believe(self, series: Mapping[str, Series]) -> tuple[Doubt, ...]:
        """Leave out the bars that nobody can believe, and give them; `series` are the daily bars from elsewhere."""
        self.flush()
        sessions: dict[date, list[str]] = {}
        for day, symbol in self._sums:
            sessions.setdefault(day, []).append(symbol)
        doubts: list[Doubt] = []
        for day, symbols in sorted(sessions.items()):
            closes = {symbol: self._close_before(day, symbol, series.get(symbol)) for symbol in symbols}
            odd = {one: close for one, close in closes.items() if _is_odd(self._sums[day, one], close)}
            doubts += self._without(day, odd) if odd else []
        return tuple(doubts)

    def _close_before(self, day: date, symbol: str, series: Series | None) -> Decimal | None:
        """Give the close of the session before, in shares as they are on a day, None where nothing has it."""
        prior = session_before(day)
        if prior is None:
            return None
        own = self._sums.get((prior, symbol))
        found = [own.whole] if own is not None else []
        if series is not None and (known := cut(series, start=prior, before=day).bars):
            found = list(known)
        return adjusted_closes(found, () if series is None else series.splits, on=day)[-1] if found else None

    def _without(self, day: date, closes: Mapping[str, Decimal | None]) -> list[Doubt]:
        """Write a session's file anew without what is not believed of these symbols; gives that."""
        file, doubts = self.folder / f"{day}.csv", list[Doubt]()
        bars = minutes_in(file)
        file.unlink()
        for symbol, those in bars.items():
            del self._sums[day, symbol]
            kept, doubted = believed(symbol, those, closes[symbol]) if symbol in closes else (those, [])
            doubts += doubted
            for bar in kept:
                self.put(symbol, day, bar, source=self._whose[day, symbol])
        self.flush()
        return doubts

    def present(self) -> dict[date, Mapping[str, datetime]]:
        """Give the symbols of each session, each with the end of its last minute."""
        found: dict[date, dict[str, datetime]] = {}
        for (day, symbol), one in sorted(self._sums.items(), key=lambda item: item[0]):
            found.setdefault(day, {})[symbol] = one.last.end
        return dict(found)

    def gaps(self) -> dict[date, Gaps]:
        """Give the times of each session that have no minutes, by symbol."""
        found: dict[date, dict[str, Sequence[Gap]]] = {}
        for (day, symbol), one in self._sums.items():
            found.setdefault(day, {})[symbol] = around(one.first.end - MINUTE, one.last.end, one.apart)
        return {day: Gaps(least=OF_BARS, of=those) for day, those in found.items()}

    def series(self) -> dict[str, Series]:
        """Give the daily bars of the sessions that are there from end to end, by symbol."""
        whole: dict[str, list[DailyBar]] = {}
        for (day, symbol), one in sorted(self._sums.items(), key=lambda item: item[0][0]):
            if _is_whole(day, one):
                whole.setdefault(symbol, []).append(one.whole)
        return {
            symbol: Series(symbol=symbol, bars=tuple(bars), source="minutes", made="joined from minutes", at=EARLY)
            for symbol, bars in whole.items()
        }


def minutes_in(path: Path) -> Bars:
    """Read a session's file that a spool wrote."""
    found: dict[str, list[Bar]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for end, symbol, opened, high, low, close, volume in list(csv.reader(file))[1:]:
            found.setdefault(symbol, []).append(
                Bar(
                    end=datetime.fromisoformat(end), open=Decimal(opened), high=Decimal(high), low=Decimal(low),
                    close=Decimal(close), volume=int(volume),
                )
            )  # fmt: skip
    return found


def _is_odd(one: _Sum, close: Decimal | None) -> bool:
    """Tell whether a session may have a bar that is not believed: its prices, or the close before, lie far apart."""
    low, high = one.whole.low, one.whole.high
    return apart(low, high, LIMIT_PCT) or (close is not None and furthest(low, high, close) is not None)


def _is_whole(day: date, one: _Sum) -> bool:
    """Tell whether a session's minutes are enough for a daily bar, as `own_days.missing` tells."""
    session = session_of(day)
    between = [one.last] * (one.count - 1)
    return session is not None and not missing(session, [one.first, *between])


def _joined(one: DailyBar, other: DailyBar) -> DailyBar:
    return DailyBar(
        day=one.day, open=one.open, high=max(one.high, other.high), low=min(one.low, other.low), close=other.close,
        volume=one.volume + other.volume,
    )  # fmt: skip


def _is_local(row: Mapping[str, str]) -> bool:
    """Tell whether an instant that names no zone is of the session on New York's clock."""
    at = datetime.fromisoformat(next(row[name] for name in INSTANTS if name in row))
    if at.tzinfo is not None:
        return False
    session = session_of(at.date())
    return session is not None and session.opens_at < at.replace(tzinfo=NEW_YORK) <= session.closes_at
