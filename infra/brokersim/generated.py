"""A whole market day made from a seed: 118 symbols, none of it recorded.

The day is Monday 2013-03-04, an ordinary full session, because the real daily bars of the sample data (AAPL,
GOOG, IBM, MSFT, FB) end on Friday 2013-03-01: so the real history leads into the generated day without a gap.
The other 113 symbols begin with ZX, which no listed company used, and have a generated history on the same
real trading dates. Older dates than FB's listing are generated too, so that every symbol has the same 260
bars.

Character goes by place in the list, whatever the seed: of every ten symbols the second, fifth and eighth rise
(they open a little above the previous close and drift 2.5-5 % up), the seventh falls, the others go nowhere.
So `symbols[:10]` is a watch list with three risers, one faller and five real names.

Each symbol is drawn from its own stream and only when first asked for: scanning ten costs ten.
"""

from __future__ import annotations

import csv
import gzip
from array import array
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from infra.brokersim.chance import stream_seed
from infra.brokersim.tape import PRICE_UNITS, DailyBar, Row, Tape, microseconds, new_york

GENERATED_DAY = date(2013, 3, 4)
HISTORY_BARS = 260
REAL_SYMBOLS = ("IBM", "AAPL", "MSFT", "GOOG", "FB")
SYMBOL_COUNT = 118

_CENT = PRICE_UNITS // 100
_SECONDS = 7 * 3600 + 60 + 1  # 09:00:00 to 16:01:00, both included
_OPEN, CLOSE = 30 * 60, 7 * 3600  # seconds after 09:00 of the regular session's ends

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Character(Enum):
    """What a symbol does on a day."""

    RISES = "rises"
    FALLS = "falls"
    GOES_NOWHERE = "goes nowhere"


class Columns(NamedTuple):
    """A day of one symbol, a value for each second from 09:00:00 on; prices in ten-thousandths of a dollar."""

    bid: Integers
    bid_size: Integers
    ask: Integers
    ask_size: Integers
    last: Integers
    day_volume: Integers


def _symbols() -> tuple[str, ...]:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    made_up = [f"ZX{first}{second}" for first in letters for second in letters]
    order = list(REAL_SYMBOLS)
    for place in range(1, 2 * len(REAL_SYMBOLS), 2):  # real and made-up names alternate at the head of the list
        order.insert(place, made_up.pop(0))
    return tuple(order + made_up)[:SYMBOL_COUNT]


SYMBOLS = _symbols()


class GeneratedMarket:
    """The generated day of one seed; satisfies `market.Market`."""

    day = GENERATED_DAY
    symbols = SYMBOLS

    def __init__(self, seed: int) -> None:
        self.name = f"generated-{seed}"
        self._seed = seed
        self._tapes: dict[str, Tape] = {}

    def _tape(self, symbol: str) -> Tape:
        tape = self._tapes.get(symbol)
        if tape is None:
            tape = self._tapes[symbol] = _draw_day(self._seed, symbol)
        return tape

    def quote(self, symbol: str, at: datetime) -> Row | None:
        """See `market.Market.quote`."""
        return self._tape(symbol).latest(at)

    def rows(self, symbol: str, after: datetime, upto: datetime) -> Iterator[Row]:
        """See `market.Market.rows`."""
        return self._tape(symbol).between(after, upto)

    def previous_close(self, symbol: str) -> Decimal:
        """See `market.Market.previous_close`."""
        return generated_history(self._seed, symbol)[-1].close


def generated_daily_bars(seed: int) -> dict[str, list[DailyBar]]:
    """`HISTORY_BARS` bars before the generated day for every symbol, oldest first."""
    return {symbol: list(generated_history(seed, symbol)) for symbol in SYMBOLS}


@cache
def _real_rows() -> dict[str, list[dict[str, str]]]:
    """The last rows of each symbol in the sample data, oldest first (read without pandas, which this does not need)."""
    rows = {symbol: deque[dict[str, str]](maxlen=HISTORY_BARS) for symbol in REAL_SYMBOLS}
    packed = files("bokeh_sampledata").joinpath("_data", "stocks.csv.gz").read_bytes()
    for row in csv.DictReader(gzip.decompress(packed).decode().splitlines()):
        rows[row["Ticker"]].append(row)
    return {symbol: list(own) for symbol, own in rows.items()}


def _real_bar(row: Mapping[str, str]) -> DailyBar:
    """The bar of a row of the sample data."""
    opened, high, low, close = (Decimal(row[name]) for name in ("Open", "High", "Low", "Close"))
    day, volume = date.fromisoformat(row["Date"]), int(row["Volume"])
    return DailyBar(date=day, open=opened, high=high, low=low, close=close, volume=volume)


@cache
def generated_history(seed: int, symbol: str) -> tuple[DailyBar, ...]:
    """The bars before the day: the real ones where they exist, before them a walk that meets them."""
    dates = [date.fromisoformat(row["Date"]) for row in _real_rows()["IBM"]]
    real = [_real_bar(row) for row in _real_rows().get(symbol, [])]
    missing = dates[: HISTORY_BARS - len(real)]
    chance = np.random.default_rng(stream_seed(seed, "history", symbol))
    if real:
        meets, shares = float(real[0].open), float(np.median([bar.volume for bar in real]))
    else:
        meets, shares = (
            float(np.exp(chance.uniform(np.log(15), np.log(400)))),
            float(chance.uniform(3e6, 3e7)),
        )
    returns = chance.normal(0.0005, 0.015, len(missing))
    closes = np.clip(meets * np.exp(np.cumsum(returns[::-1])[::-1] * -1 + returns), 6, 950)
    return (*_walk(missing, closes, shares, chance), *real)


def _walk(dates: list[date], closes: Floats, shares: float, chance: np.random.Generator) -> Iterator[DailyBar]:
    """Bars around given closes, in cents, each opening near the close before it."""
    for place, (day, close_at) in enumerate(zip(dates, closes, strict=True)):
        before = float(closes[place - 1]) if place else float(close_at)
        opened, close = before * float(np.exp(chance.normal(0, 0.004))), float(close_at)
        up, down = np.abs(chance.normal(0, 0.006, 2))
        high, low = max(opened, close) * (1 + float(up)), min(opened, close) * (1 - float(down))
        prices = [Decimal(round(value * 100)) / 100 for value in (opened, high, low, close)]
        volume = int(shares * float(np.exp(chance.normal(0, 0.3))))
        yield DailyBar(date=day, open=prices[0], high=prices[1], low=prices[2], close=prices[3], volume=volume)


@cache
def _rhythm(close: int) -> Floats:
    """How busy each second is relative to the session's mean: a U between the bells, a trickle outside."""
    second = np.arange(_SECONDS)
    through_day = (second - _OPEN) / (close - _OPEN)
    busy = 0.55 + 1.8 * (2 * through_day - 1) ** 4 + 1.2 * np.exp(-through_day * 26)
    busy[(second < _OPEN) | (second >= close)] = 0.03
    return np.asarray(busy, dtype=np.float64)


def _draw_day(seed: int, symbol: str) -> Tape:
    """One symbol's day in rows, one for each second in which anything changed."""
    chance = np.random.default_rng(stream_seed(seed, "day", symbol))
    previous = generated_history(seed, symbol)[-1]
    columns = draw_seconds(chance, character_of(symbol), float(previous.close), previous.volume)
    return tape_of(columns, GENERATED_DAY)


def draw_seconds(
    chance: np.random.Generator, character: Character, previous_close: float, shares: int, close: int = CLOSE
) -> Columns:
    """One symbol's day second by second from 09:00 on; `shares` is how many trade on a usual day."""
    busy = _rhythm(close)
    mid = _mid_prices(chance, character, previous_close, busy)
    bid, ask = _touch(chance, mid, busy)
    traded = chance.random(_SECONDS) < np.clip(0.35 * busy, 0.01, 0.95)
    traded[0] = True
    at_ask = chance.random(_SECONDS) < 0.5
    last = _held(np.where(at_ask, ask, bid), traded)
    shares_a_second = max(shares, 2_000_000) * busy / busy.sum()
    volume = shares_a_second * chance.gamma(1.2, 1 / 1.2, _SECONDS) * traded / np.clip(0.35 * busy, 0.01, 0.95)
    day_volume = np.cumsum(np.ceil(volume / 100) * 100 * traded).astype(np.int64)
    refreshed = (chance.random(_SECONDS) < np.clip(0.25 * busy, 0.01, 0.9)) | _changed(bid) | _changed(ask)
    bid_size = _held(_sizes(chance), refreshed)
    ask_size = _held(_sizes(chance), refreshed)
    return Columns(bid * _CENT, bid_size, ask * _CENT, ask_size, last * _CENT, day_volume)


def character_of(symbol: str) -> Character:
    """What a symbol does on the generated day, by its place in the list."""
    place = SYMBOLS.index(symbol)
    if place % 10 in {1, 4, 7}:
        return Character.RISES
    return Character.FALLS if place % 10 == 6 else Character.GOES_NOWHERE


def _mid_prices(chance: np.random.Generator, character: Character, previous_close: float, busy: Floats) -> Floats:
    """The path of the middle price in dollars: a gap at the open, the symbol's drift, and noise in the U
    shape.
    """
    match character:
        case Character.RISES:
            gap, drift = chance.uniform(0.006, 0.014), chance.uniform(0.025, 0.05)
        case Character.FALLS:
            gap, drift = -chance.uniform(0.004, 0.01), -chance.uniform(0.015, 0.03)
        case _:
            gap, drift = chance.normal(0, 0.003), chance.normal(0, 0.003)
    session = busy > 0.1
    share = np.sqrt(busy) / np.sqrt((busy[session]).sum())
    noise = chance.normal(0, chance.uniform(0.007, 0.012), _SECONDS) * share
    lean = np.where(session, drift / session.sum(), 0.0)
    return np.asarray(previous_close * np.exp(gap + np.cumsum(noise + lean)), dtype=np.float64)


def _touch(chance: np.random.Generator, mid: Floats, busy: Floats) -> tuple[Integers, Integers]:
    """Bid and ask in whole cents around the middle: 1-10 basis points apart, wider outside the session."""
    width = chance.uniform(1, 4) * 1e-4 * np.where(busy > 0.1, 1.0, 2.5)
    bid = np.floor(mid * (1 - width / 2) * 100).astype(np.int64)
    ask = np.ceil(mid * (1 + width / 2) * 100).astype(np.int64)
    return bid, np.maximum(ask, bid + 1)


def _sizes(chance: np.random.Generator) -> Integers:
    """Displayed sizes: round lots, mostly a few hundred shares."""
    return np.asarray(chance.geometric(0.18, _SECONDS) * 100, dtype=np.int64)


def _changed(column: Integers) -> NDArray[np.bool_]:
    """Where a column differs from the second before; the first second counts as changed."""
    return np.concatenate(([True], column[1:] != column[:-1]))


def _held(column: Integers, when: NDArray[np.bool_]) -> Integers:
    """A column that takes its value only where `when` holds and keeps it until the next such second."""
    places = np.maximum.accumulate(np.where(when, np.arange(_SECONDS), 0))
    return np.asarray(column[places], dtype=np.int64)


def tape_of(columns: Columns, day: date) -> Tape:
    """The seconds of a day in which any column changed, as a tape."""
    changed = np.logical_or.reduce([_changed(column) for column in columns])
    start = microseconds(new_york(day, time(9)))
    at_us = start + np.flatnonzero(changed).astype(np.int64) * 1_000_000
    tape = Tape()
    kept = (at_us, *(column[changed] for column in columns))
    names = ("at_us", "bid", "bid_size", "ask", "ask_size", "last", "day_volume")
    for name, column in zip(names, kept, strict=True):
        values: array[int] = getattr(tape, name)
        values.frombytes(np.ascontiguousarray(column, dtype=np.int64).tobytes())
    return tape
