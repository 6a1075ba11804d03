"""Bars: what a symbol did in an interval, labelled by the interval's end."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from shared.frozen import frozen


class Interval(StrEnum):
    """How long a bar is."""

    DAY = "1d"
    HOUR = "1h"
    QUARTER = "15m"
    FIVE = "5m"
    MINUTE = "1m"

    @property
    def minutes(self) -> int:
        """How many minutes of a session one bar is of; 0 for a whole session."""
        return {"1d": 0, "1h": 60, "15m": 15, "5m": 5, "1m": 1}[self.value]


@frozen(gc=False)
class Bar:
    """One interval of one symbol: prices in USD, volume in shares, `end` in UTC (exclusive)."""

    end: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


@frozen(gc=False)
class DailyBar:
    """One trading day of one symbol, as a data source gave it."""

    day: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int
