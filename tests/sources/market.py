"""A made-up share: what was traded of it, day by day, and what happened to it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from shared.domain.base.calendar import session_of
from shared.domain.market.bars import DailyBar
from shared.domain.market.series import Dividend, Split

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
"""11:00 in New York: the session of `TODAY` is under way."""
TODAY = date(2026, 3, 10)
FIRST = date(2026, 1, 2)
SYMBOL = "BRK.B"
CENT = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class Market:
    """The bars as they were traded, oldest first, today's half one last; the splits and dividends."""

    bars: tuple[DailyBar, ...]
    splits: tuple[Split, ...] = ()
    dividends: tuple[Dividend, ...] = ()

    def over(self, start: date, before: date) -> tuple[DailyBar, ...]:
        """Give what a source must: whole days in the range."""
        return tuple(bar for bar in self.bars if start <= bar.day < min(before, TODAY))

    def factor(self, day: date) -> Decimal:
        """Give how many of today's shares one share of a day is."""
        factor = Decimal(1)
        for split in self.splits:
            factor *= split.ratio if day < split.day else 1
        return factor


def trading_days(first: date, last: date) -> tuple[date, ...]:
    """Give the days of the exchange from the first to the last."""
    every = (first + timedelta(days=at) for at in range((last - first).days + 1))
    return tuple(day for day in every if session_of(day) is not None)


def made(*, splits: Sequence[Split] = (), dividends: Sequence[Dividend] = (), seed: int = 7) -> Market:
    """Make a share from a seed: prices in cents around 480 of today's dollars, and a split changes them at its day."""
    chance = random.Random(seed)
    market = Market(bars=(), splits=tuple(splits), dividends=tuple(dividends))
    bars = []
    worth = 480.0
    for day in trading_days(FIRST, TODAY):
        worth *= chance.uniform(0.98, 1.02)
        factor = float(market.factor(day))
        four = sorted(Decimal(f"{worth * chance.uniform(0.99, 1.01) * factor:.2f}") for _ in range(4))
        bars.append(
            DailyBar(
                day=day, open=four[1], high=four[3], low=four[0], close=four[2],
                volume=int(chance.randint(10_000, 90_000) / factor) * 10,
            )
        )  # fmt: skip
    return replace(market, bars=tuple(bars))
