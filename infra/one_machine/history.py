"""A source of daily bars over those of a simulated market."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from shared.codec import decode, dumps, encode, loads
from shared.domain.market.bars import DailyBar
from shared.domain.market.series import Series
from shared.frozen import frozen


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


@frozen
class _HistoryFile:
    """Daily bars by symbol, oldest first."""

    bars: dict[str, tuple[DailyBar, ...]]


class MarketHistory:
    """Daily bars of a fixed set of symbols; never gives the asked day or anything later.

    `read` opens what `write` left for another process.
    """

    name = "market"

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

    def daily(self, symbol: str, *, start: date, before: date) -> Series | None:
        """Give the bars from `start` on and strictly before a day, as of the beginning of that day."""
        bars = self._bars.get(symbol, ())
        first, end = (bisect_left(bars, day, key=lambda bar: bar.day) for day in (start, before))
        if first == end:
            return None
        at = datetime.combine(before, time(), UTC)
        return Series(symbol=symbol, bars=bars[first:end], source=self.name, made="of the simulated market", at=at)


def _bars(days: Sequence[DailyRow]) -> tuple[DailyBar, ...]:
    ordered = sorted(days, key=lambda row: row.date)
    return tuple(
        DailyBar(day=row.date, open=row.open, high=row.high, low=row.low, close=row.close, volume=row.volume)
        for row in ordered
    )
