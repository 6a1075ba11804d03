"""A file of bars that the owner imports: daily bars or minutes, as CSV, read as a whole or not at all.

What can go wrong: a day stands twice, a price is nothing, a column is another's, half a day passes for a whole one, a
bar of today is not over. What this promises: every line that is not clean is named with its number and its reason, and
then nothing of the file is used. Of minutes only sessions that are there from end to end become daily bars; the others
are named and left out.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from infra.day.problems import UserError
from shared.domain.bars import Bar, DailyBar
from shared.domain.calendar import new_york_day, session_of
from shared.domain.daybook import MINUTE
from shared.domain.own_days import day_of, missing
from shared.domain.series import Dividend, Split, unsound_bar
from shared.domain.tickets import SYMBOL

PRICES = ("open", "high", "low", "close")
DAILY = ("date", "symbol", *PRICES, "volume")
EVENTS = ("split", "dividend")
INSTANTS = ("begins_utc", "ends_utc")
MOST_LINES = 5_000_000
SHOWN = 20
WANTED = (
    f"the first line names the columns: {','.join(DAILY)}, and split, dividend where there are any; minutes have "
    f"{' or '.join(INSTANTS)} in the place of date"
)
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,10})?")
_WHOLE = re.compile(r"[0-9]{1,15}")

Row = Mapping[str, str]


@dataclass(slots=True)
class Imported:
    """What a file holds of one symbol: bars by day, and `short`, the days whose minutes are not all there."""

    bars: dict[date, DailyBar] = field(default_factory=dict)
    splits: list[Split] = field(default_factory=list)
    dividends: list[Dividend] = field(default_factory=list)
    short: list[date] = field(default_factory=list)


def read_bars(path: Path, *, today: date) -> dict[str, Imported]:
    """Read a file's bars of days before today, by symbol; raises UserError that names every bad line, up to a few."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _read(path, csv.reader(file, strict=True), today)
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(f"{path} cannot be read: {problem}", remedy="give a CSV file in UTF-8") from None


def _read(path: Path, lines: Iterator[list[str]], today: date) -> dict[str, Imported]:
    problems: list[str] = []
    found: dict[str, Imported] = {}
    minutes: dict[tuple[str, date], list[Bar]] = {}
    names = _columns(path, lines)
    for number, row in _rows(lines, problems):
        try:
            if len(row) != len(names):
                raise ValueError(f"{len(row)} fields where the first line names {len(names)}")
            plain = dict(zip(names, (one.strip() for one in row), strict=True))
            if "date" in plain:
                _take_day(found, plain, today)
            else:
                _take_minute(minutes, plain, today)
        except ValueError as wrong:
            problems.append(f"line {number}: {wrong}")
        if len(problems) > SHOWN:
            break
    if not problems and not found and not minutes:
        problems.append("there is no bar in it")
    if problems:
        more = ["and more"] * (len(problems) > SHOWN)
        what = f"nothing of {path} was imported: " + "; ".join([*problems[:SHOWN], *more])
        raise UserError(what, remedy=WANTED)
    return found or _days(minutes)


def _columns(path: Path, lines: Iterator[list[str]]) -> list[str]:
    names = [name.strip().lower() for name in next(lines, [])]
    needed = set(DAILY) - {"date"}
    instants = [name for name in names if name in ("date", *INSTANTS)]
    known = needed | set(instants) | (set(EVENTS) if "date" in names else set())
    if len(instants) != 1 or not needed <= set(names) <= known or len(set(names)) != len(names):
        raise UserError(f"nothing of {path} was imported: line 1 names other columns", remedy=WANTED)
    return names


def _rows(lines: Iterator[list[str]], problems: list[str]) -> Iterator[tuple[int, list[str]]]:
    number = 1
    while True:
        number += 1
        try:
            row = next(lines, None)
        except csv.Error as wrong:
            problems.append(f"line {number}: {wrong}")
            return
        if row is None:
            return
        if number > MOST_LINES:
            problems.append(f"line {number}: a file may have {MOST_LINES} lines")
            return
        if row:
            yield number, row


def _take_day(found: dict[str, Imported], row: Row, today: date) -> None:
    day, symbol = date.fromisoformat(row["date"]), _symbol(row)
    _require_session(day, today)
    bar = DailyBar(day=day, **_prices(row), volume=_volume(row))
    if (wrong := unsound_bar(bar)) is not None:
        raise ValueError(wrong)
    one = found.setdefault(symbol, Imported())
    if day in one.bars:
        raise ValueError(f"{day} of {symbol} stands twice")
    one.bars[day] = bar
    if row.get("split"):
        one.splits.append(Split(day=day, ratio=_positive("split", row)))
    if row.get("dividend"):
        one.dividends.append(Dividend(day=day, usd=_positive("dividend", row)))


def _take_minute(minutes: dict[tuple[str, date], list[Bar]], row: Row, today: date) -> None:
    name = next(name for name in INSTANTS if name in row)
    at = datetime.fromisoformat(row[name])
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    if at.utcoffset() or at.second or at.microsecond:
        raise ValueError(f"{row[name]} is no minute in UTC")
    end = at + MINUTE if name == "begins_utc" else at
    symbol, day = _symbol(row), new_york_day(end - MINUTE)
    _require_session(day, today)
    session = session_of(day)
    if session is None or not session.opens_at < end <= session.closes_at:
        return  # before the open and after the close: no part of a daily bar
    bar = Bar(end=end, **_prices(row), volume=_volume(row))
    if (wrong := unsound_bar(day_of(day, [bar]))) is not None:
        raise ValueError(wrong)
    held = minutes.setdefault((symbol, day), [])
    if held and held[-1].end >= end:
        raise ValueError(f"{row[name]} of {symbol} stands twice or after a later minute")
    held.append(bar)


def _days(minutes: Mapping[tuple[str, date], list[Bar]]) -> dict[str, Imported]:
    found: dict[str, Imported] = {}
    for (symbol, day), bars in minutes.items():
        one, session = found.setdefault(symbol, Imported()), session_of(day)
        if session is None or missing(session, bars):
            one.short.append(day)
        else:
            one.bars[day] = day_of(day, bars)
    return found


def _require_session(day: date, today: date) -> None:
    if day >= today:
        raise ValueError(f"{day} is not over")
    if session_of(day) is None:
        raise ValueError(f"{day} is no trading day")


def _symbol(row: Row) -> str:
    symbol = row["symbol"].upper()
    if not SYMBOL.fullmatch(symbol):
        raise ValueError(f"{symbol[:30]!r} is no symbol")
    return symbol


def _prices(row: Row) -> dict[str, Decimal]:
    return {name: _positive(name, row) for name in PRICES}


def _positive(name: str, row: Row) -> Decimal:
    raw = row[name]
    if not _NUMBER.fullmatch(raw) or Decimal(raw) <= 0:
        raise ValueError(f"{name} is {raw[:30]!r} and no number above 0")
    return Decimal(raw)


def _volume(row: Row) -> int:
    if not _WHOLE.fullmatch(row["volume"]):
        raise ValueError(f"volume is {row['volume'][:30]!r} and no whole number of shares")
    return int(row["volume"])
