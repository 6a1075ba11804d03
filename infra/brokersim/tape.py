"""The values of a market and the compact column store of one symbol's day."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
PRICE_UNITS = 10_000
"""Prices are stored as whole ten-thousandths of a dollar, the finest step that a US equity is quoted in."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Row(NamedTuple):
    """What one symbol showed from `at` (UTC) until its next row; prices in dollars, sizes and volume in
    shares.

    A named tuple and not a dataclass: a day makes several hundred thousand of them, and this is four times
    cheaper.
    """

    at: datetime
    bid: Decimal
    bid_size: int
    ask: Decimal
    ask_size: int
    last: Decimal
    day_volume: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyBar:
    """One New York trading day of one symbol; prices in dollars, volume in shares."""

    date: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


class MarketFileError(Exception):
    """A market file that cannot be trusted: names the file, the line (the header is line 1) and what is
    wrong.
    """

    def __init__(self, path: Path, line: int, problem: str) -> None:
        super().__init__(f"{path}, line {line}: {problem}")
        self.path = path
        self.line = line
        self.problem = problem


def microseconds(at: datetime) -> int:
    """Whole microseconds since 1970 of an aware instant, without a float in between."""
    return (at - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=1024)
def instant(at_us: int) -> datetime:
    """The inverse of `microseconds`."""
    return _EPOCH + timedelta(microseconds=at_us)


def new_york(day: date, clock: time) -> datetime:
    """The UTC instant at which New York clocks show `clock` on `day`."""
    return datetime.combine(day, clock, tzinfo=NEW_YORK).astimezone(UTC)


@lru_cache(maxsize=65_536)
def dollars(units: int) -> Decimal:
    """Ten-thousandths of a dollar as dollars."""
    return Decimal(units) / PRICE_UNITS


class Tape:
    """All rows of one symbol in time order, seven integers a row."""

    __slots__ = ("ask", "ask_size", "at_us", "bid", "bid_size", "day_volume", "last")

    def __init__(self) -> None:
        self.at_us = array("q")
        self.bid = array("q")
        self.bid_size = array("q")
        self.ask = array("q")
        self.ask_size = array("q")
        self.last = array("q")
        self.day_volume = array("q")

    def __len__(self) -> int:
        return len(self.at_us)

    def row(self, index: int) -> Row:
        """The row at a place in the tape."""
        return Row(
            instant(self.at_us[index]),
            dollars(self.bid[index]),
            self.bid_size[index],
            dollars(self.ask[index]),
            self.ask_size[index],
            dollars(self.last[index]),
            self.day_volume[index],
        )

    def latest(self, at: datetime) -> Row | None:
        """The last row at or before `at`, or None before the first."""
        index = bisect_right(self.at_us, microseconds(at))
        return self.row(index - 1) if index else None

    def between(self, after: datetime, upto: datetime) -> Iterator[Row]:
        """The rows with `after` < at <= `upto`, in time order."""
        start = bisect_right(self.at_us, microseconds(after))
        end = bisect_right(self.at_us, microseconds(upto), lo=start)
        columns = (self.at_us, self.bid, self.bid_size, self.ask, self.ask_size, self.last, self.day_volume)
        at, bid, bid_size, ask, ask_size, last, shares = (memoryview(column)[start:end] for column in columns)
        return map(
            Row, map(instant, at), map(dollars, bid), bid_size, map(dollars, ask), ask_size, map(dollars, last), shares
        )  # fmt: skip
