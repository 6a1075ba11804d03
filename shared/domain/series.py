"""Daily bars with what is known beside them: who gave them, how they were made, and the splits and dividends.

What can go wrong: a split makes yesterday's price another share's, so that an average over both is of neither; a
dividend that is taken out of old closes moves a price that was paid; bars of two sources are mixed in silence. What
this promises: bars are kept as they were traded; only `adjusted_closes` divides, by the splits up to its instant, never
by dividends; a series that holds bars of two makes says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from shared.domain.bars import DailyBar


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """From `day` on one share of before is `ratio` shares: 2 for a split of two for one, 0.1 for one for ten."""

    day: date
    ratio: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Dividend:
    """What a share of the day before earns on `day`, in USD."""

    day: date
    usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Daily bars of one symbol as they were traded, oldest first, each day once.

    `source` is who gave them, `made` how they came to be, `at` when the source was asked. `mixed` says that bars of two
    makes are in it.
    """

    symbol: str
    bars: tuple[DailyBar, ...]
    source: str
    made: str
    at: datetime
    splits: tuple[Split, ...] = ()
    dividends: tuple[Dividend, ...] = ()
    mixed: bool = False


def adjusted_closes(bars: Sequence[DailyBar], splits: Sequence[Split], *, on: date) -> tuple[Decimal, ...]:
    """Give the closes in shares as they are on a day: divided by each later split that is in force by then."""
    closes = []
    for bar in bars:
        close = bar.close
        for split in splits:
            if bar.day < split.day <= on:
                close /= split.ratio
        closes.append(close)
    return tuple(closes)
