"""Recorded days and files of minutes in a folder, or bars that were put into one, as the data of a back-test.

A file of quotes is a recorded day as `strategy record` writes it; a file of minutes is one as `strategy import` takes
it, of any span. `daily.csv` beside them has the daily bars of the days before, with their splits; a symbol that it does
not have leads in with the sessions that the minutes themselves have.
"""

import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path

from infra.backtest.believed import Doubt
from infra.backtest.data import CHOSEN_TODAY, EXCHANGE, Chapter
from infra.backtest.minutes import Bars, as_minutes, minute_day
from infra.backtest.quoted import tick_day
from infra.backtest.spool import EARLY, Spool, minutes_in
from infra.brokersim.market import Market, MarketFileError, open_market
from infra.brokersim.recorded import DAILY_FILE, Times, contents
from infra.operations.bars_file import INSTANTS, read_bars
from infra.operations.bars_rows import is_parquet
from infra.results.data_holes import OF_QUOTES, Gaps, around
from infra.simulated_day.problems import UserError
from shared.domain.base.calendar import TradingSession, session_before, session_of
from shared.domain.market.series import Series, cut, merged
from shared.frozen import frozen

_LONG_AGO = date(1970, 1, 1)
_REMEDY = "name a recorded day, a file of minutes, or a folder of them"


@frozen
class KeptData:
    """Satisfies `data.Data`: `quoted` and `minutes` are the files of each session, `series` the daily bars."""

    name: str
    said: tuple[str, ...]
    quoted: Mapping[date, Path]
    minutes: Mapping[date, Path]
    there: Mapping[date, Mapping[str, datetime]]
    gaps: Mapping[date, Gaps]
    series: Mapping[str, Series]
    doubts: Sequence[Doubt]

    @property
    def market(self) -> str:
        """See `data.Data`."""
        return EXCHANGE

    @property
    def has_ticks(self) -> bool:
        """See `data.Data`."""
        return bool(self.quoted)

    def present(self, first: date, last: date) -> Mapping[date, Mapping[str, datetime]]:
        """See `data.Data`."""
        return {day: symbols for day, symbols in self.there.items() if first <= day <= last}

    def unbuyable(self, first: date, last: date) -> Mapping[str, Sequence[date]]:
        """See `data.Data`."""
        found: dict[str, list[date]] = {}
        daily = {symbol: {bar.day for bar in one.bars} for symbol, one in self.series.items()}
        for day, symbols in sorted(self.present(first, last).items()):
            prior = session_before(day)
            for symbol in symbols:
                days = daily.get(symbol, set())
                known = any(one < day for one in days) if day in self.quoted else prior in days
                if not known:
                    found.setdefault(symbol, []).append(day)
        return found

    def chapters(self, first: date, last: date, symbols: Sequence[str]) -> Iterator[Chapter]:
        """See `data.Data`; raises UserError for a file that is not what it was."""
        for day, there in sorted(self.present(first, last).items()):
            session, chosen = session_of(day), [one for one in symbols or there if one in there]
            if session is not None and chosen:
                yield self._chapter(session, chosen)

    def _chapter(self, session: TradingSession, symbols: Sequence[str]) -> Chapter:
        day = session.day
        known = ((one, self.series[one]) for one in symbols if one in self.series)
        history = {symbol: cut(series, start=_LONG_AGO, before=day) for symbol, series in known}
        if day in self.quoted:
            market = _opened(self.quoted[day])
            ticks = tick_day(market, session, symbols, history, source=self.name)
            return Chapter(minutes=as_minutes(ticks), ticks=ticks)
        bars = partial(_chosen, self.minutes[day], frozenset(symbols))
        return Chapter(minutes=minute_day(session, history, symbols=symbols, source=self.name, bars=bars))


def in_files(path: Path, *, spool: Spool, today: date, chosen: bool) -> KeptData:
    """Look through a file or a folder; raises UserError for what cannot be used, and for what stands twice.

    `chosen` says that the symbols were named by whoever asks.
    """
    files = _files(path)
    daily = next((one for one in files if one.name == DAILY_FILE), None)
    if daily is None and path.is_file() and (beside := path.with_name(DAILY_FILE)).exists():
        daily = beside
    quoted: dict[date, Path] = {}
    there: dict[date, Mapping[str, datetime]] = {}
    gaps: dict[date, Gaps] = {}
    for file in (one for one in files if one.name != DAILY_FILE):
        if not _has_minutes(file):
            day, times = _contents(file)
            if day in quoted:
                raise UserError(f"{quoted[day]} and {file} are both of {day}", remedy="leave one of them out")
            quoted[day], there[day] = file, {symbol: one.last for symbol, one in times.items()}
            gaps[day] = Gaps(least=OF_QUOTES, of={symbol: around(*one) for symbol, one in times.items()})
        else:
            spool.take(file, today=today)
    daily_bars = _daily_bars(daily, today)
    doubts, minutes = spool.believe(daily_bars), spool.present()
    if both := sorted(set(minutes) & set(quoted)):
        raise UserError(f"{both[0]} is in {quoted[both[0]]}, and in a file of minutes, too", remedy="leave one out")
    if not quoted and not minutes:
        raise UserError(f"there is no market day in {path}", remedy=_REMEDY)
    return KeptData(
        name=f"files in {path.resolve()}", said=(CHOSEN_TODAY,) if chosen or minutes else (), quoted=quoted,
        minutes={day: spool.folder / f"{day}.csv" for day in minutes}, there=there | minutes,
        gaps=gaps | spool.gaps(), series=_with(spool, daily_bars), doubts=doubts,
    )  # fmt: skip


def in_spool(name: str, spool: Spool, series: Mapping[str, Series], *, said: tuple[str, ...]) -> KeptData:
    """Give what a source put into a spool, with its daily bars."""
    doubts, there = spool.believe(series), spool.present()
    minutes = {day: spool.folder / f"{day}.csv" for day in there}
    return KeptData(
        name=name, said=said, quoted={}, minutes=minutes, there=there, series=_with(spool, series), gaps=spool.gaps(),
        doubts=doubts,
    )  # fmt: skip


def _files(path: Path) -> list[Path]:
    try:
        if not path.is_dir():
            return [path]
        endings = (".csv", ".csv.gz", ".parquet")
        return sorted(one for one in path.iterdir() if one.name.endswith(endings) and not one.name.startswith("."))
    except OSError as problem:
        raise UserError(f"{path} cannot be read: {problem.strerror}", remedy=_REMEDY) from None


def _has_minutes(path: Path) -> bool:
    """Tell by the first line whether a file is one of minutes and not of quotes."""
    if is_parquet(path):
        return True
    try:
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8-sig") as file:
            names = next(csv.reader([file.readline()]), [])
    except (OSError, EOFError, UnicodeDecodeError) as problem:
        raise UserError(f"{path} cannot be read: {problem}", remedy=_REMEDY) from None
    return any(name.strip().lower() in INSTANTS for name in names)


def _contents(path: Path) -> tuple[date, Mapping[str, Times]]:
    try:
        return contents(path, apart=OF_QUOTES)
    except MarketFileError as problem:
        raise UserError(str(problem), remedy="repair the file or leave it out") from None


def _opened(path: Path) -> Market:
    try:
        return open_market(str(path), seed=0)
    except (MarketFileError, OSError) as problem:
        raise UserError(str(problem), remedy="repair the file or leave it out") from None


def _chosen(path: Path, symbols: frozenset[str]) -> Bars:
    return {symbol: bars for symbol, bars in minutes_in(path).items() if symbol in symbols}


def _daily_bars(daily: Path | None, today: date) -> Mapping[str, Series]:
    found = {} if daily is None else read_bars(daily, today=today)
    return {
        symbol: Series(
            symbol=symbol, bars=tuple(one.bars[day] for day in sorted(one.bars)), source="file",
            made=f"read from {DAILY_FILE}", at=EARLY, splits=tuple(one.splits), dividends=tuple(one.dividends),
        )
        for symbol, one in found.items()
    }  # fmt: skip


def _with(spool: Spool, series: Mapping[str, Series]) -> Mapping[str, Series]:
    """Add the spool's own days where the daily bars have none."""
    own = spool.series()
    parts = {symbol: [part for part in (series.get(symbol), own.get(symbol)) if part] for symbol in {*series, *own}}
    return {symbol: merged(some) for symbol, some in parts.items()}
