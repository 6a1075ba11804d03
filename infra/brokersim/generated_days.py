"""The generated days that follow the generated day of a seed: one market, whose closes and daily bars lead on.

The first day is `generated.GENERATED_DAY` as it is alone. On each day after it a symbol rises, falls or goes nowhere by
a draw of its own: it rises seldom and far, falls more often and less, so that in the mean no symbol goes anywhere and
a year stays a market. Days are drawn one after another, because each begins at the close of the one before; which days
there are, and when they close, whoever asks has to say, for this room knows no calendar.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal

import numpy as np

from infra.brokersim.chance import stream_seed
from infra.brokersim.generated import (
    GENERATED_DAY,
    HISTORY_BARS,
    Character,
    Columns,
    character_of,
    draw_seconds,
    generated_history,
    tape_of,
)
from infra.brokersim.tape import DailyBar, Row, Tape, dollars

_RISES, _FALLS = 0.12, 0.193  # how often: 0.12 x 4.75 % up in the mean, gap included, is 0.193 x 2.95 % down
_NINE = 9 * 3600
_OPEN = 30 * 60
_MINUTE = 60


class GeneratedDay:
    """One day of a generated market; satisfies `market.Market`."""

    def __init__(self, seed: int, day: date, columns: Mapping[str, Columns], closes: Mapping[str, Decimal]) -> None:
        self.name = f"generated-{seed}"
        self.day = day
        self.symbols = tuple(columns)
        self._columns = columns
        self._closes = closes
        self._tapes: dict[str, Tape] = {}

    def quote(self, symbol: str, at: datetime) -> Row | None:
        """See `market.Market.quote`."""
        return self._tape(symbol).latest(at)

    def rows(self, symbol: str, after: datetime, upto: datetime) -> Iterator[Row]:
        """See `market.Market.rows`."""
        return self._tape(symbol).between(after, upto)

    def previous_close(self, symbol: str) -> Decimal:
        """See `market.Market.previous_close`."""
        return self._closes[symbol]

    def minutes(self, symbol: str, minutes: int) -> Iterator[tuple[int, int, int, int, int]]:
        """Open, high, low, close (in ten-thousandths of a dollar) and volume of each minute from the open on.

        They are made of what is shown at whole seconds, as the bars of whoever looks each second are.
        """
        columns, end = self._columns[symbol], _OPEN + minutes * _MINUTE
        last = columns.last[_OPEN:end].reshape(minutes, _MINUTE)
        ends = columns.day_volume[_OPEN + _MINUTE - 1 : end : _MINUTE]
        volume = np.diff(ends, prepend=columns.day_volume[_OPEN])
        rows = (last[:, 0], last.max(axis=1), last.min(axis=1), last[:, -1], volume)
        return zip(*(column.tolist() for column in rows), strict=True)

    def _tape(self, symbol: str) -> Tape:
        if symbol not in self._tapes:
            self._tapes[symbol] = tape_of(self._columns[symbol], self.day)
        return self._tapes[symbol]


class GeneratedDays:
    """The days of one seed, in order; `history` has the daily bars before the day that comes next."""

    def __init__(self, seed: int, symbols: Sequence[str]) -> None:
        self._seed = seed
        self._symbols = tuple(symbols)
        self.history = {symbol: list(generated_history(seed, symbol)) for symbol in symbols}
        self._usual = {symbol: bars[-1].volume for symbol, bars in self.history.items()}

    def days(self, sessions: Iterable[tuple[date, time]]) -> Iterator[GeneratedDay]:
        """Draw the sessions, each with the wall clock of its close; the first is the generated day itself."""
        for day, closes in sessions:
            close = closes.hour * 3600 + closes.minute * 60 - _NINE
            drawn = {symbol: self._draw(symbol, day, close) for symbol in self._symbols}
            before = {symbol: bars[-1].close for symbol, bars in self.history.items()}
            yield GeneratedDay(self._seed, day, drawn, before)
            for symbol, columns in drawn.items():
                self.history[symbol] = [*self.history[symbol], _daily(columns, day, close)][-HISTORY_BARS:]

    def _draw(self, symbol: str, day: date, close: int) -> Columns:
        before, usual = self.history[symbol][-1], self._usual[symbol]
        if day == GENERATED_DAY:
            chance = np.random.default_rng(stream_seed(self._seed, "day", symbol))
            return draw_seconds(chance, character_of(symbol), float(before.close), usual)
        chance = np.random.default_rng(stream_seed(self._seed, "day", day.isoformat(), symbol))
        shares = int(usual * float(np.exp(chance.normal(0, 0.3))))
        return draw_seconds(chance, _drawn_character(chance), float(before.close), shares, close)


def _drawn_character(chance: np.random.Generator) -> Character:
    drawn = chance.random()
    if drawn < _RISES:
        return Character.RISES
    return Character.FALLS if drawn < _RISES + _FALLS else Character.GOES_NOWHERE


def _daily(columns: Columns, day: date, close: int) -> DailyBar:
    """The daily bar of a day's regular session."""
    last = columns.last[_OPEN:close]
    opened, high, low, closed = (dollars(int(one)) for one in (last[0], last.max(), last.min(), last[-1]))
    volume = int(columns.day_volume[close - 1])
    return DailyBar(date=day, open=opened, high=high, low=low, close=closed, volume=volume)
