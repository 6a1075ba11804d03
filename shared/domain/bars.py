"""Bars: what a symbol did in an interval, labelled by the interval's end."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One interval of one symbol: prices in USD, volume in shares, `end` in UTC (exclusive)."""

    end: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyBar:
    """One trading day of one symbol, as a data source gave it."""

    day: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int
