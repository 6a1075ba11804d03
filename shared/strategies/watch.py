"""One watched symbol through its session: its view at each tick, made from what is computed once per completed bar."""

from datetime import datetime
from decimal import Decimal

from shared.domain.base.calendar import session_before
from shared.domain.control.config import StrategyConfig
from shared.domain.market.bars import Bar, DailyBar
from shared.domain.market.daybook import MINUTE, DayBook
from shared.domain.market.halts import Sign
from shared.domain.market.quality import Sound, faults
from shared.domain.market.quotes import Quote
from shared.domain.market.series import Series, adjusted_bars, unbroken
from shared.strategies.rolling import Rolling, daily_means
from shared.strategies.view import LongerBars, View, quality

NO_QUOTE, OUT_OF_ORDER = "NO_QUOTE", "OUT_OF_ORDER"
BAR_LIFE = 2 * MINUTE
"""An RSI whose last bar ended longer ago than this is of another time, and sells nothing."""


class Watch:
    """One watched symbol: its day book, and the indicators of the bars completed so far.

    Mutable like the book it owns; made from a restored book it shows what it would have shown. `history` may come later
    than the first quote (`know`); of it only what leads up to today without a long gap counts. `signs` are those of a
    trading halt at the last quote that was doubted (`doubt`).
    """

    __slots__ = (
        "_bars", "_daily_close", "_days", "_indicators", "_longer", "_means", "_opening_range",
        "_prior_close", "_rolling", "book", "quality", "signs", "symbol",
    )  # fmt: skip

    def __init__(self, symbol: str, book: DayBook, history: Series | None) -> None:
        self.symbol = symbol
        self.book = book
        self.quality = quality(0)
        self.signs: tuple[Sign, ...] = ()
        self._bars = tuple(book.bars)
        self._longer = LongerBars(book.bars, book.session.opens_at)
        self._rolling = Rolling(book.bars, self._longer)
        self._opening_range: tuple[Decimal, Decimal] | None = None
        self._days: tuple[DailyBar, ...] = ()
        self._means: tuple[Decimal | None, ...] = daily_means(())
        self._daily_close: Decimal | None = None
        self._prior_close: Decimal | None = None
        self.know(history)

    def know(self, history: Series | None) -> None:
        """Take the daily bars of the days before, None where there are none."""
        today = self.book.session.day
        bars = unbroken(history.bars, before=today) if history is not None else ()
        self.quality = quality(len(bars))
        if history is not None and bars:
            self._days = adjusted_bars(bars, history.splits, on=today)
            self._means = daily_means([bar.close for bar in self._days])
            self._daily_close = self._days[-1].close
            self._prior_close = self._daily_close if bars[-1].day == session_before(today) else None
        self._indicators = self._rolling.indicators(self._means)

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
        self.signs = self.book.halts.observe(quote, at, config.quotes, faultless=not found)
        return found

    def see(self, quote: Sound, at: datetime) -> View:
        """Take a tick's sound quote, and give what the strategies may see now."""
        if self.book.observe(quote, at):
            self._take_bar()
        return self.view(quote, at)

    def take(self, bar: Bar) -> None:
        """Take a minute that is over, of a session that is known by its bars alone and not by quotes each second."""
        self.book.take(bar)
        self._take_bar()

    def view(self, quote: Sound, at: datetime) -> View:
        """Give what the strategies may see now beside a quote, of what was taken by now."""
        book = self.book
        if self._opening_range is None:
            self._opening_range = book.opening_range(at)
        return View(
            symbol=self.symbol, quote=quote, at=at, session=book.session, bars=self._bars, longer=self._longer,
            indicators=self._indicators, opening_range=self._opening_range, quality=self.quality,
            daily_close=self._daily_close, prior_close=self._prior_close, days=self._days,
            session_high=book.session_high, session_low=book.session_low, signs=self.signs,
        )  # fmt: skip

    def _take_bar(self) -> None:
        """Take the bar that was completed just now."""
        self._bars = tuple(self.book.bars)  # a strategy may keep or turn what it is given: the book's own is not given
        self._indicators = self._rolling.indicators(self._means)
