"""The History port over daily bars that are given."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Protocol

from shared.domain.bars import DailyBar


class DailyRow(Protocol):
    """One trading day as a market source gives it."""

    @property
    def date(self) -> date:
        """The New York day."""

    @property
    def open(self) -> Decimal:
        """Dollars."""

    @property
    def high(self) -> Decimal:
        """Dollars."""

    @property
    def low(self) -> Decimal:
        """Dollars."""

    @property
    def close(self) -> Decimal:
        """Dollars."""

    @property
    def volume(self) -> int:
        """Shares."""


class MarketHistory:
    """Daily bars of a fixed set of symbols; never gives the asked day or anything later."""

    def __init__(self, rows: Mapping[str, Sequence[DailyRow]]) -> None:
        self._bars = {symbol: _bars(days) for symbol, days in rows.items()}

    def daily(self, symbol: str, *, before: date, count: int) -> tuple[DailyBar, ...]:
        """Give up to `count` bars strictly before a day, oldest first; empty when nothing is known."""
        bars = self._bars.get(symbol, ())
        end = bisect_left(bars, before, key=lambda bar: bar.day)
        return bars[max(0, end - count) : end]


def _bars(days: Sequence[DailyRow]) -> tuple[DailyBar, ...]:
    ordered = sorted(days, key=lambda row: row.date)
    return tuple(
        DailyBar(day=row.date, open=row.open, high=row.high, low=row.low, close=row.close, volume=row.volume)
        for row in ordered
    )
