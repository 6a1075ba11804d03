"""One market day behind one protocol, whether recorded or generated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from infra.brokersim.generated import GeneratedMarket, generated_daily_bars
from infra.brokersim.recorded import RecordedMarket, recorded_daily_bars
from infra.brokersim.tape import DailyBar, MarketFileError, Row

__all__ = ["DailyBar", "Market", "MarketFileError", "Row", "daily_bars", "open_market", "without_bars"]


class Market(Protocol):
    """What traded on one New York day; all instants UTC, all prices dollars."""

    @property
    def name(self) -> str:
        """`2013-10-07` for a recorded day, `generated-<seed>` for a generated one."""

    @property
    def day(self) -> date:
        """The New York trading day."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol that can be quoted, the sensible watch list first."""

    def quote(self, symbol: str, at: datetime) -> Row | None:
        """The last row at or before `at`, or None before the first; KeyError for an unknown symbol."""

    def rows(self, symbol: str, after: datetime, upto: datetime) -> Iterator[Row]:
        """The rows with `after` < at <= `upto`, in time order."""

    def previous_close(self, symbol: str) -> Decimal:
        """The last close before the day (without a daily file: the first trade of the day)."""


def open_market(spec: str, *, seed: int) -> Market:
    """Opens `generated` or a recorded `.csv.gz`/`.csv`, wholly validated; MarketFileError if it cannot be
    trusted.
    """
    if spec == "generated":
        return GeneratedMarket(seed)
    return RecordedMarket(Path(spec))


def without_bars(symbols: Sequence[str], bars: Mapping[str, Sequence[DailyBar]]) -> tuple[str, ...]:
    """The symbols of a market of which nothing can be bought, because they have no daily bar before the day."""
    return tuple(symbol for symbol in symbols if not bars.get(symbol))


def daily_bars(spec: str, *, seed: int) -> dict[str, list[DailyBar]]:
    """Warm-up bars strictly before the day, oldest first, by symbol; empty where a recorded day has no daily
    file.
    """
    if spec == "generated":
        return generated_daily_bars(seed)
    return recorded_daily_bars(Path(spec))
