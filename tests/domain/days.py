"""Daily bars for tests: a run of sessions that ends the day before one, each at the same price unless a test says."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from shared.domain.base.calendar import session_of
from shared.domain.market.bars import DailyBar
from shared.domain.market.series import Series
from tests.domain.made import OPENS

TODAY = OPENS.date()


def bar(day: date, close: str = "100", **changes: Any) -> DailyBar:
    """Give a bar of a day whose prices are all the close."""
    price = Decimal(close)
    made: dict[str, Any] = {"open": price, "high": price, "low": price, "close": price, "volume": 1000} | changes
    return DailyBar(day=day, **made)


def sessions(count: int, *, before: date = TODAY) -> list[date]:
    """Give so many sessions before a day, oldest first."""
    found: list[date] = []
    day = before
    while len(found) < count:
        day -= timedelta(days=1)
        if session_of(day) is not None:
            found.append(day)
    return found[::-1]


def series(
    count: int, *, before: date = TODAY, symbol: str = "IBM", source: str = "file",
    closes: Mapping[date, str] = MappingProxyType({}), **changes: Any,
) -> Series:  # fmt: skip
    """Give a series of so many sessions before a day."""
    bars = tuple(bar(day, closes.get(day, "100")) for day in sessions(count, before=before))
    made: dict[str, Any] = {"bars": bars, "made": f"of {source}", "at": OPENS - timedelta(hours=3)} | changes
    return Series(symbol=symbol, source=source, **made)
