"""What a strategy may see of one symbol at one tick."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from shared.domain.base.calendar import TradingSession
from shared.domain.market.bars import Bar, DailyBar
from shared.domain.market.daybook import Joined
from shared.domain.market.halts import Sign
from shared.domain.market.quality import Sound
from shared.domain.market.series import LEAST_DAYS
from shared.frozen import frozen
from shared.strategies.indicators import Indicators

# Quality by how many daily bars are known (strategy.md): full, good, limited; with fewer, minimal.
_TIERS = ((200, Decimal("1.0")), (50, Decimal("0.8")), (LEAST_DAYS, Decimal("0.6")))
_MINIMAL = Decimal("0.2")


class LongerBars:
    """A session's completed minutes joined into longer bars since the open: each minute is joined once.

    It follows the list of minutes that it is given as that grows. What it gives nobody can change.
    """

    __slots__ = ("_complete", "_joined", "_minutes", "_since", "_upto")

    def __init__(self, minutes: Sequence[Bar], since: datetime) -> None:
        self._minutes = minutes
        self._since = since
        self._joined: dict[int, Joined] = {}
        self._complete: dict[int, tuple[Bar, ...]] = {}
        self._upto: dict[int, int] = {}

    def of(self, minutes: int) -> Sequence[Bar]:
        """Give the complete bars of so many minutes, oldest first; raises ValueError for less than one minute."""
        joined = self._joined.get(minutes)
        if joined is None:
            joined = self._joined[minutes] = Joined(minutes=minutes, since=self._since)
        for bar in self._minutes[self._upto.get(minutes, 0) :]:
            joined.add(bar)
        self._upto[minutes] = len(self._minutes)
        complete = self._complete.get(minutes, ())
        if len(complete) < len(joined.complete):
            complete = self._complete[minutes] = tuple(joined.complete)
        return complete


@frozen
class View:
    """One symbol at one tick: a sound quote, and what its session and history say.

    `opening_range` is low and high in USD; `quality` is the history's tier, 0 to 1; `daily_close` is the last daily
    bar's in USD, adjusted for the splits that are in force today, `prior_close` the same where that bar is of the
    session before. `days` are the daily bars before today, so adjusted, `longer` joins `bars` into longer ones.
    `session_high` and `session_low` in USD are those since the open, None before it. `signs` are those of a trading
    halt.
    """

    symbol: str
    quote: Sound
    at: datetime
    session: TradingSession
    bars: Sequence[Bar]
    longer: LongerBars
    indicators: Indicators
    opening_range: tuple[Decimal, Decimal] | None
    quality: Decimal
    daily_close: Decimal | None = None
    prior_close: Decimal | None = None
    days: Sequence[DailyBar] = ()
    session_high: Decimal | None = None
    session_low: Decimal | None = None
    signs: tuple[Sign, ...] = ()

    def bars_of(self, minutes: int) -> Sequence[Bar]:
        """Give the session's complete bars of so many minutes, oldest first; raises ValueError for less than one."""
        return self.longer.of(minutes)


def quality(days: int) -> Decimal:
    """Give the quality tier of a history of so many daily bars, 0 to 1; minimal never opens risk."""
    for least, tier in _TIERS:
        if days >= least:
            return tier
    return _MINIMAL
