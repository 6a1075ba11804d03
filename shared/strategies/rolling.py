"""Indicators over completed bars: each goes on, when it is read, from the bar at which it was read last.

What can go wrong: each minute costs more than the one before it, or every minute costs what nobody reads. What this
promises: an indicator takes each bar once, and one that nobody reads takes none. What it has still to take is in no
queue of its own but in the session's bars, which its day book keeps in any case: after a whole day without a reader
that is a few hundred bars of a symbol, and they go with the day. Whoever reads first then pays for all of them at once,
a fraction of a millisecond. The value is that of its minute however late and in whatever order it is read: of a minute
before the one that was read last it is reckoned anew.

TA-Lib's own streaming handles (0.8 and later) carry them, so that a value is that of its batch function over the same
bars, bit for bit; the tests compare both. What TA-Lib has no function for is the volume ratio, and the ATR of a few
bars.
Source: strategy.md, Signals and Exits.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal, localcontext
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from shared.domain.market.bars import Bar
from shared.strategies.indicators import LATER, OURS, RSI_BARS, Indicators, usd
from shared.strategies.view import LongerBars
from shared.ta_lib import stream, talib

ATR_MINUTES = 5
ATR_BARS = 14
ATR_BARS_MIN = 3
VOLUME_BARS = 20
BOLLINGER_BARS = 20
BOLLINGER_WIDTH = 2.0
FAST, SLOW, SIGNAL = 12, 26, 9
"""The bars of EMA 12 and 26 and of the MACD that is made of them, and of the MACD's own mean."""
SMA_DAYS = (20, 50, 200)


class Rolled:
    """One of TA-Lib's indicators along bars: a float, or a tuple where it has several parts."""

    __slots__ = ("_figures", "_handle", "_least", "_open", "_taken", "_value")

    def __init__(self, opened: Callable[..., Any], figures: Callable[[Bar], tuple[float, ...]], *, least: int) -> None:
        """Open it with `opened` once there are `least` bars; `figures` are a bar's, in the order that TA-Lib asks."""
        self._open = opened
        self._figures = figures
        self._least = least
        self._taken = 0
        self._handle: Any = None
        self._value: Any = None

    def of(self, bars: Sequence[Bar], count: int) -> Any:
        """Give its value over the first so many bars, None where they are too few; `bars` only grow between calls."""
        if count < self._least:
            return None
        if count < self._taken:
            return self._opened(bars[:count]).value
        if self._handle is None:
            self._handle = self._opened(bars[:count])
            self._value, self._taken = self._handle.value, count
        for bar in bars[self._taken : count]:
            self._value = self._handle.update(*self._figures(bar))
        self._taken = count
        return self._value

    def _opened(self, bars: Sequence[Bar]) -> Any:
        return self._open(*(np.array(row) for row in zip(*map(self._figures, bars), strict=True)))


def _close(bar: Bar) -> tuple[float, ...]:
    return (float(bar.close),)


def _range(bar: Bar) -> tuple[float, ...]:
    return float(bar.high), float(bar.low), float(bar.close)


def rsi() -> Rolled:
    """Give RSI 14 of closes, 0 to 100."""
    return Rolled(partial(stream.RSI, timeperiod=RSI_BARS), _close, least=RSI_BARS + 1)


def ema(bars: int) -> Rolled:
    """Give the EMA of closes over so many bars."""
    return Rolled(partial(stream.EMA, timeperiod=bars), _close, least=bars)


def macd() -> Rolled:
    """Give MACD 12/26/9 of closes: its value, its mean, and what lies between."""
    opened = partial(stream.MACD, fastperiod=FAST, slowperiod=SLOW, signalperiod=SIGNAL)
    return Rolled(opened, _close, least=SLOW + SIGNAL - 1)


def bollinger() -> Rolled:
    """Give the Bollinger bands 20/2 of closes: upper, middle, lower."""
    opened = partial(stream.BBANDS, timeperiod=BOLLINGER_BARS, nbdevup=BOLLINGER_WIDTH, nbdevdn=BOLLINGER_WIDTH)
    return Rolled(opened, _close, least=BOLLINGER_BARS)


def obv() -> Rolled:
    """Give the OBV of closes and volumes."""
    return Rolled(stream.OBV, lambda bar: (*_close(bar), float(bar.volume)), least=1)


def vwap() -> Rolled:
    """Give the VWAP of highs, lows, closes and volumes since the first of them; 0 while nothing has traded."""
    return Rolled(stream.VWAP, lambda bar: (*_range(bar), float(bar.volume)), least=1)


def smoothed_range() -> Rolled:
    """Give Wilder's ATR 14 of highs, lows and closes."""
    return Rolled(partial(stream.ATR, timeperiod=ATR_BARS), _range, least=ATR_BARS + 1)


def mean_range(bars: Sequence[Bar]) -> Decimal | None:
    """Give the mean true range in USD of a few bars, for want of an ATR; None of fewer than 3."""
    if len(bars) < ATR_BARS_MIN:
        return None
    with localcontext(OURS):
        total = sum(
            (max(bar.high, before.close) - min(bar.low, before.close) for before, bar in pairwise(bars)),
            bars[0].high - bars[0].low,
        )  # fmt: skip
        return total / len(bars)


def volume_ratio(bars: Sequence[Bar], count: int) -> Decimal | None:
    """Give the volume of the last of so many bars over the mean of the 20 before it; None also when those had none."""
    before = sum([bar.volume for bar in bars[count - VOLUME_BARS - 1 : count - 1]]) if count > VOLUME_BARS else 0
    return OURS.divide(Decimal(bars[count - 1].volume * VOLUME_BARS), Decimal(before)) if before else None


class Rolling:
    """The indicators of one symbol's session; it follows the list of minutes that it is given as that grows."""

    __slots__ = ("_atr", "_bollinger", "_ema_12", "_ema_26", "_longer", "_macd", "_minutes", "_obv", "_rsi", "_vwap")

    def __init__(self, minutes: Sequence[Bar], longer: LongerBars) -> None:
        self._minutes, self._longer = minutes, longer
        self._rsi, self._macd, self._bollinger = rsi(), macd(), bollinger()
        self._ema_12, self._ema_26 = ema(FAST), ema(SLOW)
        self._obv, self._vwap, self._atr = obv(), vwap(), smoothed_range()

    def indicators(self, means: Sequence[Decimal | None]) -> Indicators:
        """Give them all as they stand; `means` are those of the days before, as `daily_means` gives them."""
        count = len(self._minutes)
        sma_20, sma_50, sma_200 = means
        made = Indicators.__new__(Indicators)  # each bar has one, and what is not there is made when it is read
        made.__dict__.update(
            {LATER: partial(self._figure, count)},
            last_bar=self._minutes[-1] if count else None, sma_20=sma_20, sma_50=sma_50, sma_200=sma_200,
        )  # fmt: skip
        return made

    def _figure(self, count: int, name: str) -> object:
        """Give a figure of Indicators by its name, over the first so many minutes."""
        minutes = self._minutes
        match name:
            case "rsi":
                return self._rsi.of(minutes, count)
            case "volume_ratio":
                return volume_ratio(minutes, count)
            case "atr":
                return self._range(count)
            case "macd" | "macd_signal" | "macd_histogram":
                return _part(self._macd.of(minutes, count), ("macd", "macd_signal", "macd_histogram").index(name))
            case "ema_12":
                return usd(self._ema_12.of(minutes, count))
            case "ema_26":
                return usd(self._ema_26.of(minutes, count))
            case "vwap":
                return usd(self._vwap.of(minutes, count) or None)
            case "obv":
                total = self._obv.of(minutes, count)
                return None if total is None else int(total)
            case _:
                bands = ("bollinger_upper", "bollinger_middle", "bollinger_lower")
                return _part(self._bollinger.of(minutes, count), bands.index(name))

    def _range(self, count: int) -> Decimal | None:
        """Give the ATR of the five-minute bars that are complete when so many minutes are."""
        if not count:
            return None
        fives = self._longer.of(ATR_MINUTES)
        complete = bisect_right(fives, self._minutes[count - 1].end, key=_end)
        return usd(self._atr.of(fives, complete)) if complete > ATR_BARS else mean_range(fives[:complete])


def _part(found: tuple[float, ...] | None, place: int) -> Decimal | None:
    return None if found is None else usd(found[place])


def _end(bar: Bar) -> datetime:
    return bar.end


def daily_means(closes: Sequence[Decimal]) -> tuple[Decimal | None, ...]:
    """Give SMA 20, 50 and 200 in USD of daily closes, oldest first."""
    figures = np.array([float(close) for close in closes])
    return tuple(
        usd(float(talib.SMA(figures, timeperiod=days)[-1])) if len(figures) >= days else None for days in SMA_DAYS
    )
