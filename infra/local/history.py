"""The History port over daily bars that are given."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from shared.codec import decode, dumps, encode, loads
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _HistoryFile:
    """Daily bars by symbol, oldest first."""

    bars: dict[str, tuple[DailyBar, ...]]


class MarketHistory:
    """Daily bars of a fixed set of symbols; never gives the asked day or anything later.

    `read` opens what `write` left for another process.
    """

    def __init__(self, bars: Mapping[str, tuple[DailyBar, ...]]) -> None:
        self._bars = dict(bars)

    @classmethod
    def of(cls, rows: Mapping[str, Sequence[DailyRow]]) -> "MarketHistory":
        """Take the days of a market source, in any order."""
        return cls({symbol: _bars(days) for symbol, days in rows.items()})

    @classmethod
    def read(cls, path: Path) -> "MarketHistory":
        """Read a history file."""
        return cls(decode(_HistoryFile, loads(path.read_bytes())).bars)

    def write(self, path: Path) -> None:
        """Write a history file."""
        path.write_bytes(dumps(encode(_HistoryFile(bars=self._bars))))

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
