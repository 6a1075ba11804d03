"""Reading Yahoo's chart, and giving back what Yahoo's splits have taken out of it.

What can go wrong: Yahoo divides its prices and dividends by every split up to now, and multiplies its volumes, so that
a price which was paid is not there; now and then a split is in its list days before its prices know of it, or they were
divided by it twice; it answers another interval than the one that was asked for; a day is there twice, or with holes.
What this promises:

* Each price, dividend and volume of before a split is what it was on its day, by the splits from there to now. Yahoo
  prints a price with the digits of a 32-bit float: the shortest decimal that is that float is taken. A price that was
  divided has lost digits; multiplied again it is rounded to the cent, below a dollar to a hundredth of one (the steps
  that quotes have, rule 612 of Regulation NMS). A volume is rounded to the share.
* Where a large split (3 for 2 and more) stands between two days and the prices jump by half of it or more, they do not
  know of it, or know it twice; on its own day before a trade nobody can see. Both are SourceDown, never a guess.
* A field that is missing, or of another kind, is Unreadable with its name. A day without all of its five values is no
  day; one that is there twice counts as it was given last.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from shared.domain.base.calendar import new_york_day
from shared.domain.market.bars import DailyBar
from shared.domain.market.series import Dividend, Split
from shared.errors import SourceDown, Unreadable
from shared.frozen import frozen
from shared.sources.reading import each_day, in_order, part, printed, shares

CHART = "https://query2.finance.yahoo.com/v8/finance/chart/"

_WHERE = "yahoo: chart"
_PRICES = ("open", "high", "low", "close")
_LARGE = Decimal("1.5")
_AHEAD = timedelta(minutes=1)
_DOLLAR, _CENT, _HUNDREDTH = Decimal(1), Decimal("0.01"), Decimal("0.0001")
_MICRO = Decimal("0.000001")
_UNKNOWN, _NOTHING_THERE = "Not Found", "Data doesn't exist for startDate"


@frozen
class Chart:
    """A chart of daily bars, oldest first: as Yahoo gives it, or as it was traded."""

    bars: tuple[DailyBar, ...] = ()
    splits: tuple[Split, ...] = ()
    dividends: tuple[Dividend, ...] = ()


def read(body: bytes) -> Chart | None:
    """Read a chart as Yahoo gives it; None where it knows no such symbol. Raises Unreadable."""
    result = _result(body)
    if result is None or isinstance(result, Chart):
        return result
    events = result.get("events", {})
    return Chart(bars=_bars(result), splits=_splits(events), dividends=_dividends(events))


def last(body: bytes, *, now: datetime) -> tuple[Decimal, datetime] | None:
    """Read the last price in USD and when it was traded; None where Yahoo knows none. Raises Unreadable."""
    result = _result(body)
    if result is None or isinstance(result, Chart):
        return None
    meta, where = result["meta"], f"{_WHERE}.meta"
    usd = _single(part(meta, "regularMarketPrice", object, where=where), f"{where}.regularMarketPrice")
    at = _instant(part(meta, "regularMarketTime", object, where=where), "meta.regularMarketTime")
    if at > now + _AHEAD:
        raise Unreadable(f"{where}.regularMarketTime is in the future")
    return usd, at


def _result(body: bytes) -> Mapping[str, Any] | Chart | None:
    """Give the one result of an answer, with a meta as asked; an empty chart or None where Yahoo says so."""
    try:
        whole = json.loads(body, parse_float=Decimal)
    except ValueError:
        raise Unreadable("yahoo: the answer is no JSON") from None
    chart = part(whole, "chart", dict, where="yahoo")
    if (error := chart.get("error")) is not None:
        return _no_chart(error)
    results = part(chart, "result", list, where=_WHERE)
    if not results:
        raise Unreadable(f"{_WHERE}.result is empty")
    result: Mapping[str, Any] = results[0]
    _as_asked(part(result, "meta", dict, where=f"{_WHERE}.result"))
    return result


def as_traded(chart: Chart, *, today: date) -> Chart:
    """Give back what was divided by the splits up to today; raises SourceDown where the prices do not know one."""
    splits = tuple(one for one in chart.splits if one.day <= today)
    for split in splits:
        _known(split, chart.bars)
    bars = tuple(_undivided(bar, _factor(bar.day, splits)) for bar in chart.bars)
    dividends = tuple(
        replace(one, usd=(one.usd * _factor(one.day, splits)).quantize(_MICRO).normalize()) for one in chart.dividends
    )
    return Chart(bars=bars, splits=splits, dividends=dividends)


def _no_chart(error: object) -> Chart | None:
    code, why = part(error, "code", str, where=f"{_WHERE}.error"), part(error, "description", str, where=_WHERE)
    if code == _UNKNOWN:
        return None
    if why.startswith(_NOTHING_THERE):
        return Chart()
    raise Unreadable(f"{_WHERE}.error is none that is known")


def _as_asked(meta: Mapping[str, Any]) -> None:
    for name, asked in (("dataGranularity", "1d"), ("currency", "USD"), ("exchangeTimezoneName", "America/New_York")):
        if part(meta, name, str, where=f"{_WHERE}.meta") != asked:
            raise Unreadable(f"{_WHERE}.meta.{name} is not {asked}")


def _bars(result: Mapping[str, Any]) -> tuple[DailyBar, ...]:
    if "timestamp" not in result:
        return ()  # so Yahoo says that the range has no day
    stamps = part(result, "timestamp", list, where=f"{_WHERE}.result")
    quotes = part(part(result, "indicators", dict, where=_WHERE), "quote", list, where=f"{_WHERE}.indicators")
    where = f"{_WHERE}.indicators.quote"
    columns = {name: part(quotes[0] if quotes else None, name, list, where=where) for name in (*_PRICES, "volume")}
    for name, column in columns.items():
        if len(column) != len(stamps):
            raise Unreadable(f"{where}.{name} is not as long as the days")
    bars: list[DailyBar] = []
    for at, stamp in enumerate(stamps):
        row = {name: column[at] for name, column in columns.items()}
        if None not in row.values() and 0 not in [row[name] for name in _PRICES]:
            day = _day(stamp, "timestamp")
            prices = {name: _single(row[name], f"{where}.{name}") for name in _PRICES}
            bars.append(DailyBar(day=day, volume=shares(row["volume"], f"{where}.volume"), **prices))
    return each_day(bars)


def _splits(events: object) -> tuple[Split, ...]:
    splits = []
    for row in _events(events, "splits"):
        ratio = _field(row, "numerator", "splits") / _field(row, "denominator", "splits")
        splits.append(Split(day=_day(part(row, "date", object, where="splits"), "splits.date"), ratio=ratio))
    return in_order(splits)


def _dividends(events: object) -> tuple[Dividend, ...]:
    dividends = [
        Dividend(
            day=_day(part(row, "date", object, where="dividends"), "dividends.date"),
            usd=_single(part(row, "amount", object, where="dividends"), f"{_WHERE}.events.dividends.amount"),
        )
        for row in _events(events, "dividends")
    ]
    return in_order(dividends)


def _events(events: object, name: str) -> list[Any]:
    if not isinstance(events, Mapping) or name not in events:
        return []
    return list(part(events, name, dict, where=f"{_WHERE}.events").values())


def _field(row: object, name: str, kind: str) -> Decimal:
    where = f"{_WHERE}.events.{kind}"
    return printed(part(row, name, object, where=where), f"{where}.{name}")


def _day(stamp: object, name: str) -> date:
    return new_york_day(_instant(stamp, name))


def _instant(stamp: object, name: str) -> datetime:
    if isinstance(stamp, bool) or not isinstance(stamp, int):
        raise Unreadable(f"{_WHERE}.{name} is no Unix time")
    try:
        at = datetime.fromtimestamp(stamp, UTC)
        new_york_day(at)  # an instant at the edge of what can be written is none
    except (ValueError, OverflowError, OSError):
        raise Unreadable(f"{_WHERE}.{name} is no Unix time") from None
    return at


def _single(value: object, field: str) -> Decimal:
    """Give the shortest decimal that is the same 32-bit float; what is no such float stays as it was printed."""
    exact = printed(value, field)
    try:
        packed = struct.pack("<f", exact)
    except OverflowError:
        raise Unreadable(f"{field} is beyond any price") from None
    if struct.unpack("<f", packed)[0] != float(exact):
        return exact
    shortest = (Decimal(f"{float(exact):.{digits}g}") for digits in range(1, 10))
    return next((one for one in shortest if struct.pack("<f", one) == packed), exact)


def _factor(day: date, splits: Sequence[Split]) -> Decimal:
    """Give how many of today's shares one share of a day is."""
    factor = Decimal(1)
    for split in splits:
        if day < split.day:
            factor *= split.ratio
    return factor


def _undivided(bar: DailyBar, factor: Decimal) -> DailyBar:
    if factor == 1:
        return bar
    paid = {name: _stepped(getattr(bar, name) * factor) for name in _PRICES}
    return DailyBar(day=bar.day, volume=int((bar.volume / factor).to_integral_value()), **paid)


def _stepped(price: Decimal) -> Decimal:
    return price.quantize(_CENT if price >= _DOLLAR else _HUNDREDTH)


def _known(split: Split, bars: Sequence[DailyBar]) -> None:
    """Look whether the prices around a large split know of it once: else they jump by its ratio, up or down."""
    before = [bar for bar in bars if bar.day < split.day]
    after = next((bar for bar in bars if bar.day >= split.day), None)
    if not before or 1 / _LARGE < split.ratio < _LARGE:
        return
    if after is None:
        raise SourceDown(f"yahoo: whether its prices know the split of {split.day} is seen with that day's first trade")
    jump, ratio = (before[-1].close / after.open).ln(), split.ratio.ln()
    if 2 * abs(jump) > abs(ratio):
        raise SourceDown(f"yahoo: its prices do not know the split of {split.day}, or know it twice")
