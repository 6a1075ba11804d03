"""Reads a recorded market day and refuses one that cannot be trusted.

What can go wrong: a download stops in the middle of the gzip, a file is sorted by symbol instead of time, a
column is missing, a price is zero, a quote is crossed, two days are glued together. Each would make a
simulation quietly wrong. So the whole file is read and checked before the first quote, and the message names
the file and the line. A locked quote (bid equal to ask) is legal and occurs in real data.
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise, takewhile
from pathlib import Path
from typing import NamedTuple

from infra.brokersim.tape import (
    NEW_YORK,
    PRICE_UNITS,
    DailyBar,
    MarketFileError,
    Row,
    Tape,
    dollars,
    instant,
    microseconds,
)

ROW_COLUMNS = ("time_utc", "symbol", "bid", "bid_size", "ask", "ask_size", "last", "day_volume")
BAR_COLUMNS = ("date", "symbol", "open", "high", "low", "close", "volume")
DAILY_FILE = "daily.csv"

_MICROSECOND = timedelta(microseconds=1)
_GZIP = 31  # zlib's window bits for "a gzip stream, header and checksum included"
_CHUNK = 1 << 16
_NO_ROWS = "no rows after the header"


class Times(NamedTuple):
    """When a symbol of a recorded file has rows: the first, the last, and each pair of rows that lie far apart."""

    first: datetime
    last: datetime
    apart: list[tuple[datetime, datetime]]


class RecordedMarket:
    """One validated recorded day; satisfies `market.Market`."""

    def __init__(self, path: Path) -> None:
        self.day, self._tapes = _load(path)
        self.name = self.day.isoformat()
        self.symbols = tuple(sorted(self._tapes))
        bars = _bars_before(path, self.day)
        self._previous_close = {
            symbol: bars[symbol][-1].close if bars.get(symbol) else dollars(tape.last[0])
            for symbol, tape in self._tapes.items()
        }

    def quote(self, symbol: str, at: datetime) -> Row | None:
        """See `market.Market.quote`."""
        return self._tapes[symbol].latest(at)

    def rows(self, symbol: str, after: datetime, upto: datetime) -> Iterator[Row]:
        """See `market.Market.rows`."""
        return self._tapes[symbol].between(after, upto)

    def previous_close(self, symbol: str) -> Decimal:
        """See `market.Market.previous_close`."""
        return self._previous_close[symbol]

    def times(self, symbol: str, *, apart: timedelta) -> Times:
        """The instants of the symbol's rows, of which those are `apart` that are so much or more."""
        found, least = self._tapes[symbol].at_us, apart // _MICROSECOND
        far = ((instant(one), instant(other)) for one, other in pairwise(found) if other - one >= least)
        return Times(instant(found[0]), instant(found[-1]), list(far))


def recorded_daily_bars(path: Path) -> dict[str, list[DailyBar]]:
    """The bars of the daily file beside `path` that lie strictly before its day, oldest first."""
    for line, (time_text, *_) in _records(path, ROW_COLUMNS):
        return _bars_before(path, _Reader(path).moment(time_text, line).astimezone(NEW_YORK).date())
    raise MarketFileError(path, 1, _NO_ROWS)


def contents(path: Path, *, apart: timedelta) -> tuple[date, dict[str, Times]]:
    """The New York day of a recorded file, and each symbol with its rows' instants, of which those are `apart` that
    are so much or more; without the checks of its figures.
    """
    read, found = _Reader(path), dict[str, Times]()
    latest, at = "", datetime.min.replace(tzinfo=UTC)
    for line, (time_text, symbol, *_) in _records(path, ROW_COLUMNS):
        if time_text != latest:
            latest, at = time_text, read.moment(time_text, line)
        before = found.get(symbol)
        if before is None:
            found[symbol] = Times(at, at, [])
        elif before.last != at:
            if at - before.last >= apart:
                before.apart.append((before.last, at))
            found[symbol] = before._replace(last=at)
    if not found:
        raise MarketFileError(path, 1, _NO_ROWS)
    return at.astimezone(NEW_YORK).date(), dict(sorted(found.items()))


def _text(path: Path) -> str:
    """The file as text; a gzip that ends or breaks early is reported at the line where it breaks."""
    raw = path.read_bytes()
    if not raw:
        raise MarketFileError(path, 1, "the file is empty")
    if path.suffix != ".gz":
        return raw.decode("utf-8", "replace")
    inflate, plain = zlib.decompressobj(_GZIP), bytearray()
    try:
        for start in range(0, len(raw), _CHUNK):
            plain += inflate.decompress(raw[start : start + _CHUNK])
    except zlib.error as error:
        if not plain and not raw.startswith(b"\x1f\x8b"):
            raise MarketFileError(path, 1, "not a gzip file") from error
        raise MarketFileError(path, plain.count(b"\n") + 1, f"the gzip data is damaged here ({error})") from error
    if not inflate.eof:
        raise MarketFileError(path, plain.count(b"\n") + 1, "the file is cut off here, in the middle of the gzip")
    return plain.decode("utf-8", "replace")


def _records(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    """Every data row as (line number, values in the order of `columns`)."""
    reader = csv.reader(_text(path).splitlines())
    header = next(reader, [])
    missing = [name for name in columns if name not in header]
    if missing:
        raise MarketFileError(path, 1, f"missing column {', '.join(missing)}")
    places = [header.index(name) for name in columns]
    for line, values in enumerate(reader, start=2):
        if len(values) != len(header):
            raise MarketFileError(path, line, f"{len(values)} values where the header has {len(header)}")
        yield line, [values[place] for place in places]


class _Reader:
    """Turns the words of one file into numbers; remembers what it has seen, as prices and instants repeat."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._prices: dict[str, int] = {}
        self._sizes: dict[str, int] = {}

    def _fail(self, line: int, problem: str) -> MarketFileError:
        return MarketFileError(self._path, line, problem)

    def moment(self, text: str, line: int) -> datetime:
        """A UTC instant; must be ISO 8601 with a time zone."""
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise self._fail(line, f"time_utc {text!r} is not a valid timestamp") from None
        if at.utcoffset() is None:
            raise self._fail(line, f"time_utc {text!r} has no time zone")
        return at.astimezone(UTC)

    def price(self, text: str, column: str, line: int) -> int:
        """A price in ten-thousandths of a dollar; must be above zero and no finer than that."""
        known = self._prices.get(text)
        if known is not None:
            return known
        try:
            value = Decimal(text) * PRICE_UNITS
            units = int(value)
        except (InvalidOperation, ValueError, OverflowError):
            raise self._fail(line, f"{column} {text!r} is not a price") from None
        if units <= 0:
            raise self._fail(line, f"{column} {text} is not above zero")
        if units != value:
            raise self._fail(line, f"{column} {text} is finer than 0.0001")
        self._prices[text] = units
        return units

    def size(self, text: str, column: str, line: int) -> int:
        """A number of shares; must be whole and not negative."""
        known = self._sizes.get(text)
        if known is not None:
            return known
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()):
            raise self._fail(line, f"{column} {text!r} is not a whole number")
        if digits != text:
            raise self._fail(line, f"{column} {text} is negative")
        self._sizes[text] = shares = int(text)
        return shares


def _load(path: Path) -> tuple[date, dict[str, Tape]]:
    """The day and the tapes of a recorded file, every row checked."""
    read = _Reader(path)
    tapes: dict[str, Tape] = {}
    day: date | None = None
    latest_text, latest_us = "", 0
    for line, (time_text, symbol, bid_text, bid_size, ask_text, ask_size, last, volume) in _records(path, ROW_COLUMNS):
        if time_text != latest_text:
            at = read.moment(time_text, line)
            row_day = at.astimezone(NEW_YORK).date()
            day = day or row_day
            if row_day != day:
                raise MarketFileError(path, line, f"a row of {row_day} in the file of {day}")
            at_us = microseconds(at)
            if at_us < latest_us:
                raise MarketFileError(path, line, f"time goes backwards: {time_text} after {latest_text}")
            latest_text, latest_us = time_text, at_us
        bid, ask = read.price(bid_text, "bid", line), read.price(ask_text, "ask", line)
        if bid > ask:
            raise MarketFileError(path, line, f"crossed quote: bid {bid_text} above ask {ask_text}")
        tape = tapes.get(symbol) or tapes.setdefault(symbol, Tape())
        tape.at_us.append(latest_us)
        tape.bid.append(bid)
        tape.bid_size.append(read.size(bid_size, "bid_size", line))
        tape.ask.append(ask)
        tape.ask_size.append(read.size(ask_size, "ask_size", line))
        tape.last.append(read.price(last, "last", line))
        tape.day_volume.append(read.size(volume, "day_volume", line))
    if day is None:
        raise MarketFileError(path, 1, _NO_ROWS)
    return day, tapes


def _bars_before(path: Path, day: date) -> dict[str, list[DailyBar]]:
    """The daily bars beside a market file before `day`, by symbol; each symbol's bars must ascend by date."""
    beside = path.with_name(DAILY_FILE)
    bars: dict[str, list[DailyBar]] = {}
    if not beside.exists():
        return bars
    read = _Reader(beside)
    for line, (date_text, symbol, *prices, volume) in _records(beside, BAR_COLUMNS):
        try:
            bar_day = date.fromisoformat(date_text)
        except ValueError:
            raise MarketFileError(beside, line, f"date {date_text!r} is not a date") from None
        own = bars.setdefault(symbol, [])
        if own and own[-1].date >= bar_day:
            raise MarketFileError(beside, line, f"{symbol}: {bar_day} does not come after {own[-1].date}")
        names = BAR_COLUMNS[2:6]
        values = (dollars(read.price(text, name, line)) for text, name in zip(prices, names, strict=True))
        opened, high, low, close = values
        own.append(
            DailyBar(
                date=bar_day,
                open=opened,
                high=high,
                low=low,
                close=close,
                volume=read.size(volume, "volume", line),
            )
        )
    return {symbol: list(takewhile(lambda bar: bar.date < day, own)) for symbol, own in bars.items()}
