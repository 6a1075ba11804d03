"""What a strategy may see of one symbol, made at each tick from what is computed once per completed bar."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.domain.bars import Bar
from shared.domain.calendar import TradingSession, session_before
from shared.domain.config import StrategyConfig
from shared.domain.daybook import MINUTE, DayBook, longer_bars
from shared.domain.halts import Sign
from shared.domain.quality import Sound, faults
from shared.domain.quotes import Quote
from shared.domain.series import LEAST_DAYS, Series, adjusted_closes, unbroken
from shared.strategies import indicators

ATR_MINUTES = 5
NO_QUOTE, OUT_OF_ORDER = "NO_QUOTE", "OUT_OF_ORDER"
BAR_LIFE = 2 * MINUTE
"""An RSI whose last bar ended longer ago than this is of another time, and sells nothing."""
# Quality by how many daily bars are known (strategy.md): full, good, limited; with fewer, minimal.
_TIERS = ((200, Decimal("1.0")), (50, Decimal("0.8")), (LEAST_DAYS, Decimal("0.6")))
_MINIMAL = Decimal("0.2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicators:
    """Indicators of the bars completed so far; `atr` in USD, over five-minute bars since the open."""

    last_bar: Bar | None = None
    rsi: float | None = None
    volume_ratio: Decimal | None = None
    atr: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One symbol at one tick: a sound quote, and what its session and history say.

    `opening_range` is low and high in USD; `quality` is the history's tier, 0 to 1; `daily_close` is the last daily
    bar's in USD, adjusted for the splits that are in force today, `prior_close` the same where that bar is of the
    session before. `signs` are those of a trading halt.
    """

    symbol: str
    quote: Sound
    at: datetime
    session: TradingSession
    bars: Sequence[Bar]
    indicators: Indicators
    opening_range: tuple[Decimal, Decimal] | None
    quality: Decimal
    daily_close: Decimal | None = None
    prior_close: Decimal | None = None
    signs: tuple[Sign, ...] = ()


class Watch:
    """One watched symbol: its day book, and the indicators of the bars completed so far.

    Mutable like the book it owns; made from a restored book it shows what it would have shown. `history` may come later
    than the first quote (`know`); of it only what leads up to today without a long gap counts. `signs` are those of a
    trading halt at the last quote that was doubted (`doubt`).
    """

    __slots__ = (
        "_atr", "_atr_bars_end", "_daily_close", "_indicators", "_opening_range", "_prior_close", "book", "quality",
        "signs", "symbol",
    )  # fmt: skip

    def __init__(self, symbol: str, book: DayBook, history: Series | None) -> None:
        self.symbol = symbol
        self.book = book
        self.quality = quality(0)
        self.signs: tuple[Sign, ...] = ()
        self._daily_close: Decimal | None = None
        self._prior_close: Decimal | None = None
        self.know(history)
        self._atr: Decimal | None = None
        self._atr_bars_end = book.session.opens_at
        self._opening_range: tuple[Decimal, Decimal] | None = None
        self._indicators = self._compute()

    def know(self, history: Series | None) -> None:
        """Take the daily bars of the days before, None where there are none."""
        today = self.book.session.day
        bars = unbroken(history.bars, before=today) if history is not None else ()
        self.quality = quality(len(bars))
        if history is not None and bars:
            (self._daily_close,) = adjusted_closes(bars[-1:], history.splits, on=today)
            self._prior_close = self._daily_close if bars[-1].day == session_before(today) else None

    @property
    def knows_days(self) -> bool:
        """Tell whether any daily bar is known."""
        return self._daily_close is not None

    def rsi(self, at: datetime) -> float | None:
        """Give RSI 14 of the completed minute bars, for exits; None where the last of them ended too long ago."""
        last = self._indicators.last_bar
        return None if last is None or at - last.end > BAR_LIFE else self._indicators.rsi

    def doubt(self, quote: Quote | None, at: datetime, config: StrategyConfig) -> tuple[str, ...]:
        """Name every fault of a tick's quote, whatever it is, and take from it what it shows of a trading halt.

        NO_QUOTE is one that is missing, OUT_OF_ORDER one of an earlier instant than a sound one before it; neither
        shows anything.
        """
        self.signs = ()
        if quote is None:
            return (NO_QUOTE,)
        found = faults(quote, now=quote.received_at, max_age_s=config.entry.quote_age_max_s)
        if self.book.is_older(quote):
            return (*found, OUT_OF_ORDER)
        self.signs = self.book.halts.observe(quote, at, config.quotes)
        return found

    def see(self, quote: Sound, at: datetime) -> View:
        """Take a tick's sound quote, and give what the strategies may see now."""
        book = self.book
        if book.observe(quote, at):
            self._indicators = self._compute()
        if self._opening_range is None:
            self._opening_range = book.opening_range(at)
        return View(
            symbol=self.symbol, quote=quote, at=at, session=book.session, bars=book.bars,
            indicators=self._indicators, opening_range=self._opening_range, quality=self.quality,
            daily_close=self._daily_close, prior_close=self._prior_close, signs=self.signs,
        )  # fmt: skip

    def _compute(self) -> Indicators:
        bars = self.book.bars
        if not bars:
            return Indicators()
        if bars[-1].end - self._atr_bars_end >= ATR_MINUTES * MINUTE:
            joined = longer_bars(bars, minutes=ATR_MINUTES, since=self.book.session.opens_at)
            if joined:
                self._atr = indicators.atr(joined)
                self._atr_bars_end = joined[-1].end
        return Indicators(
            last_bar=bars[-1],
            rsi=indicators.rsi(bars),
            volume_ratio=indicators.volume_ratio(bars),
            atr=self._atr,
        )


def quality(days: int) -> Decimal:
    """Give the quality tier of a history of so many daily bars, 0 to 1; minimal never opens risk."""
    for least, tier in _TIERS:
        if days >= least:
            return tier
    return _MINIMAL
