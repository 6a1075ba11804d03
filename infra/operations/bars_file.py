"""A file of bars that the owner imports: daily bars or minutes, CSV or Parquet, read as a whole or not at all.

What can go wrong: a day stands twice, a price is nothing, a column is another's, half a day passes for a whole one, a
bar of today is not over; a price is one that cannot be meant: a point in the wrong place, a split that is not named.
What this promises: every row that is not clean is named with its place and its reason, and then nothing of the file is
used. Of minutes only sessions that are there from end to end become daily bars; the others are named and left out. What
lies far from the day before is named too, and is used only where the owner says that it is meant (`far`).
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from infra.operations.bars_rows import Rows, Spoilt, rows_of
from infra.simulated_day.problems import UserError
from shared.domain.base.calendar import new_york_day, session_of
from shared.domain.broker.tickets import SYMBOL
from shared.domain.market.bars import Bar, DailyBar
from shared.domain.market.daybook import MINUTE
from shared.domain.market.own_days import day_of, missing
from shared.domain.market.series import LONGEST_GAP, Dividend, Series, Split, adjusted_closes, unsound_bar
from shared.domain.telling.wording import count

PRICES = ("open", "high", "low", "close")
DAILY = ("date", "symbol", *PRICES, "volume")
EVENTS = ("split", "dividend")
INSTANTS = ("begins_utc", "ends_utc")
SHOWN = 20
FAR_PCT = 40
"""Of the lower of two prices, as the strategy's own limit for a price jump: a split of 3 for 2 makes 50."""
WANTED = (
    f"the first line of a CSV, or the schema of a Parquet file, names the columns: {','.join(DAILY)}, and split, "
    f"dividend where there are any; minutes have {' or '.join(INSTANTS)} in the place of date"
)
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,10})?")
_WHOLE = re.compile(r"[0-9]{1,15}")

Row = Mapping[str, str]
At = TypeVar("At", date, datetime)


@dataclass(slots=True)
class Imported:
    """What a file holds of one symbol: bars by day, and `short`, the days whose minutes are not all there."""

    bars: dict[date, DailyBar] = field(default_factory=dict)
    splits: list[Split] = field(default_factory=list)
    dividends: list[Dividend] = field(default_factory=list)
    short: list[date] = field(default_factory=list)


def read_bars(path: Path, *, today: date) -> dict[str, Imported]:
    """Read a file's bars of days before today, by symbol; raises UserError that names every bad row, up to a few."""
    with rows_of(path) as file:
        return _read(path, file, today)


def far(series: Series) -> tuple[str, ...]:
    """Name the days of a series on which a price lies more than `FAR_PCT` from the last close, splits taken out.

    The price that lies furthest is named; the first day, and one after a long gap, is compared with its own close.
    """
    found = []
    for before, bar in pairwise((*series.bars[:1], *series.bars)):
        near = timedelta(0) < bar.day - before.day <= LONGEST_GAP
        of = adjusted_closes([before if near else bar], series.splits, on=bar.day)[0]
        name, price = max(((name, getattr(bar, name)) for name in PRICES), key=lambda one: _apart(one[1], of))
        if _apart(price, of) > FAR_PCT:
            what = "the close of the day before" if near else "its own close"
            found.append(f"{bar.day}: {name} {price} lies {_apart(price, of):.0f} % from {what}, {of.normalize():f}")
    return tuple(found)


def _apart(one: Decimal, other: Decimal) -> Decimal:
    return 100 * abs(one - other) / min(one, other)


def _read(path: Path, file: Rows, today: date) -> dict[str, Imported]:
    found: dict[str, Imported] = {}
    minutes: dict[tuple[str, date], list[Bar]] = {}
    names = columns(path, file.names)
    problems = wrong_rows(file, lambda row: _take(found, minutes, names, row, today))
    if not problems and not found and not minutes:
        problems.append("there is no bar in it")
    if problems:
        raise UserError(f"nothing of {path} was imported:{listed(problems)}", remedy=WANTED)
    return found or _days(minutes)


def wrong_rows(file: Rows, take: Callable[[Sequence[str]], object]) -> list[str]:
    """Give each row of a file to who takes it, and say what is wrong: ValueErrors, one more than is shown at most.

    What is wrong with several rows in the same words is said once, of the first, with how many others have it.
    """
    first, rows, spoilt = dict[str, str](), Counter[str](), list[str]()
    try:
        for place, row in file.rows:
            try:
                take(row)
            except ValueError as wrong:
                first.setdefault(str(wrong), place)
                rows[str(wrong)] += 1
            if len(first) > SHOWN:
                break
    except Spoilt as end:
        spoilt.append(str(end))
    return [f"{place}: {wrong}{_others(rows[wrong] - 1)}" for wrong, place in first.items()] + spoilt


def _others(number: int) -> str:
    return f"; the same in {count(number, 'more row')}" if number else ""


def listed(problems: Sequence[str]) -> str:
    """Say some problems, each on a line of its own where there are several, and whether there are more."""
    if len(problems) == 1:
        return f" {problems[0]}"
    return "".join(f"\n  - {one}" for one in [*problems[:SHOWN], *["and more"] * (len(problems) > SHOWN)])


def columns(path: Path, names: list[str]) -> list[str]:
    """Require the columns of daily bars or of minutes; raises UserError that names those."""
    needed = set(DAILY) - {"date"}
    instants = [name for name in names if name in ("date", *INSTANTS)]
    known = needed | set(instants) | (set(EVENTS) if "date" in names else set())
    if len(instants) != 1 or not needed <= set(names) <= known or len(set(names)) != len(names):
        raise UserError(
            f"nothing of {path} was imported: it names {'other' if any(names) else 'no'} columns", remedy=WANTED
        )
    return names


def _take(
    found: dict[str, Imported], minutes: dict[tuple[str, date], list[Bar]], names: Sequence[str], row: Sequence[str],
    today: date,
) -> None:  # fmt: skip
    if len(row) != len(names):
        raise ValueError(f"{len(row)} fields where the first line names {len(names)}")
    plain = dict(zip(names, row, strict=True))
    if "date" in plain:
        _take_day(found, plain, today)
    else:
        _take_minute(minutes, plain, today)


def _take_day(found: dict[str, Imported], row: Row, today: date) -> None:
    day, symbol = _instant("date", date.fromisoformat, row, such="2026-11-17"), _symbol(row)
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
    found = minute_of(row, today)
    if found is None:
        return  # before the open and after the close: no part of a daily bar
    symbol, day, bar = found
    held = minutes.setdefault((symbol, day), [])
    if held and held[-1].end >= bar.end:
        raise ValueError(f"{_said_at(row)} of {symbol} stands twice or after a later minute")
    held.append(bar)


def minute_of(row: Row, today: date) -> tuple[str, date, Bar] | None:
    """Read a row of minutes: symbol, session and bar, None outside the session; raises ValueError in words."""
    said = _said_at(row)
    at = _instant(
        next(name for name in INSTANTS if name in row), datetime.fromisoformat, row, such="2026-11-17T14:30:00Z"
    )
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    if at.utcoffset() or at.second or at.microsecond:
        raise ValueError(f"{said} is no minute in UTC")
    end = at + MINUTE if "begins_utc" in row else at
    symbol, day = _symbol(row), new_york_day(end - MINUTE)
    _require_session(day, today)
    session = session_of(day)
    if session is None or not session.opens_at < end <= session.closes_at:
        return None
    bar = Bar(end=end, **_prices(row), volume=_volume(row))
    if (wrong := unsound_bar(day_of(day, [bar]))) is not None:
        raise ValueError(wrong)
    return symbol, day, bar


def _said_at(row: Row) -> str:
    return next(row[name] for name in INSTANTS if name in row)


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


def _instant(name: str, read: Callable[[str], At], row: Row, *, such: str) -> At:
    try:
        return read(row[name])
    except ValueError:
        raise ValueError(f"{name} is {row[name][:30]!r} and not written like {such}") from None


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
