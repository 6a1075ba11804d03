"""One market day as a back-test plays it: an iterator of instants, each with what is known at it and nothing later.

What can go wrong: a bar is shown before it is over, a day knows a close of its own, a split of a later day changes the
prices of an earlier one. What this promises: at each instant there are the quotes that the broker would have shown, and
at minute resolution the bars that ended in it; `history` holds bars of days before this one only. A day is made anew
by each call of `ticks`, so that several configurations play the same one, and nothing of a day that is over is kept.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from shared.domain.base.calendar import TradingSession
from shared.domain.market.bars import Bar
from shared.domain.market.quotes import Quote
from shared.domain.market.series import Series


class Resolution(StrEnum):
    """What a day is known at: quotes each second, or bars of a minute."""

    TICK = "tick"
    MINUTE = "1m"


class Tick(NamedTuple):
    """One instant of a session, UTC: a quote of each symbol that has one, and the bars that ended just now.

    Bars are there at minute resolution only, and a symbol that did not trade in the minute has neither bar nor quote.
    A named tuple and no dataclass: a day has 23,400 of them.
    """

    at: datetime
    quotes: Mapping[str, Quote]
    bars: Mapping[str, Bar]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One session of some symbols, from `source`; `history` has the daily bars before it, by symbol."""

    session: TradingSession
    resolution: Resolution
    symbols: tuple[str, ...]
    history: Mapping[str, Series]
    source: str
    play: Callable[[], Iterator[Tick]] = field(repr=False)

    def ticks(self) -> Iterator[Tick]:
        """Give the day's instants in order, from its open on, each time from the beginning."""
        return self.play()
