"""Indicators over completed bars, taken one bar at a time: each bar costs the same, however many came before it.

TA-Lib's own streaming handles (0.8 and later) carry them, so that a value is that of its batch function over the same
bars, bit for bit; the tests compare both. What TA-Lib has no function for is the volume ratio, and the ATR of a few
bars.
Source: strategy.md, Signals and Exits.
"""

from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np

from shared.domain.market.bars import Bar
from shared.strategies.indicators import RSI_BARS, Indicators, usd
from shared.ta_lib import stream, talib

ATR_BARS = 14
ATR_BARS_MIN = 3
VOLUME_BARS = 20
BOLLINGER_BARS = 20
BOLLINGER_WIDTH = 2.0
FAST, SLOW, SIGNAL = 12, 26, 9
"""The bars of EMA 12 and 26 and of the MACD that is made of them, and of the MACD's own mean."""
SMA_DAYS = (20, 50, 200)


class Rolled:
    """One of TA-Lib's indicators over bars as they come: a float, or a tuple where it has several parts."""

    __slots__ = ("_handle", "_least", "_open", "_seen", "value")

    def __init__(self, opened: Callable[..., Any], *, least: int) -> None:
        """Open it with `opened` once there are `least` bars."""
        self.value: Any = None
        self._open = opened
        self._least = least
        self._seen: list[tuple[float, ...]] = []
        self._handle: Any = None

    def add(self, *figures: float) -> None:
        """Take the figures of the next bar, in the order in which TA-Lib asks for them."""
        if self._handle is not None:
            self.value = self._handle.update(*figures)
            return
        self._seen.append(figures)
        if len(self._seen) == self._least:
            self._handle = self._open(*(np.array(row) for row in zip(*self._seen, strict=True)))
            self.value, self._seen = self._handle.value, []


def rsi() -> Rolled:
    """Give RSI 14 of closes, 0 to 100."""
    return Rolled(partial(stream.RSI, timeperiod=RSI_BARS), least=RSI_BARS + 1)


def ema(bars: int) -> Rolled:
    """Give the EMA of closes over so many bars."""
    return Rolled(partial(stream.EMA, timeperiod=bars), least=bars)


def macd() -> Rolled:
    """Give MACD 12/26/9 of closes: its value, its mean, and what lies between."""
    opened = partial(stream.MACD, fastperiod=FAST, slowperiod=SLOW, signalperiod=SIGNAL)
    return Rolled(opened, least=SLOW + SIGNAL - 1)


def bollinger() -> Rolled:
    """Give the Bollinger bands 20/2 of closes: upper, middle, lower."""
    opened = partial(stream.BBANDS, timeperiod=BOLLINGER_BARS, nbdevup=BOLLINGER_WIDTH, nbdevdn=BOLLINGER_WIDTH)
    return Rolled(opened, least=BOLLINGER_BARS)


def obv() -> Rolled:
    """Give the OBV of closes and volumes."""
    return Rolled(stream.OBV, least=1)


def vwap() -> Rolled:
    """Give the VWAP of highs, lows, closes and volumes since the first of them; 0 while nothing has traded."""
    return Rolled(stream.VWAP, least=1)


class Atr:
    """ATR 14 in USD; with fewer bars the mean true range of those there are, None with fewer than 3."""

    __slots__ = ("_bars", "_before", "_ranges", "_rolled", "value")

    def __init__(self) -> None:
        self.value: Decimal | None = None
        self._rolled = Rolled(partial(stream.ATR, timeperiod=ATR_BARS), least=ATR_BARS + 1)
        self._before: Decimal | None = None
        self._bars, self._ranges = 0, Decimal(0)

    def add(self, bar: Bar) -> None:
        """Take the next bar."""
        self._rolled.add(float(bar.high), float(bar.low), float(bar.close))
        self._bars += 1
        if self._bars > ATR_BARS:
            self.value = usd(self._rolled.value)
            return
        close = bar.close if self._before is None else self._before
        high, low = (bar.high, bar.low) if self._before is None else (max(bar.high, close), min(bar.low, close))
        self._ranges += high - low
        self._before = bar.close
        if self._bars >= ATR_BARS_MIN:
            self.value = self._ranges / self._bars


class VolumeRatio:
    """The last bar's volume over the mean of the 20 bars before it; None also when those had none."""

    __slots__ = ("_last", "_total", "value")

    def __init__(self) -> None:
        self.value: Decimal | None = None
        self._last: deque[int] = deque()
        self._total = 0

    def add(self, volume: int) -> None:
        """Take the next bar's volume, in shares."""
        if len(self._last) == VOLUME_BARS:
            self.value = Decimal(volume * VOLUME_BARS) / self._total if self._total else None
            self._total -= self._last.popleft()
        self._last.append(volume)
        self._total += volume


class Rolling:
    """The indicators of one symbol's session, as its minutes and its five-minute bars come."""

    __slots__ = ("_atr", "_bollinger", "_ema_12", "_ema_26", "_macd", "_obv", "_rsi", "_volume", "_vwap", "last_bar")

    def __init__(self) -> None:
        self.last_bar: Bar | None = None
        self._rsi, self._macd, self._bollinger = rsi(), macd(), bollinger()
        self._ema_12, self._ema_26 = ema(FAST), ema(SLOW)
        self._obv, self._vwap = obv(), vwap()
        self._volume, self._atr = VolumeRatio(), Atr()

    def add(self, bar: Bar) -> None:
        """Take the next completed minute."""
        self.last_bar = bar
        close, volume = float(bar.close), float(bar.volume)
        for one in (self._rsi, self._macd, self._bollinger, self._ema_12, self._ema_26):
            one.add(close)
        self._obv.add(close, volume)
        self._vwap.add(float(bar.high), float(bar.low), close, volume)
        self._volume.add(bar.volume)

    def add_five(self, bar: Bar) -> None:
        """Take the next completed bar of five minutes."""
        self._atr.add(bar)

    def indicators(self, means: Sequence[Decimal | None]) -> Indicators:
        """Give them all as they stand; `means` are those of the days before, as `daily_means` gives them."""
        line, signal, histogram = self._macd.value or (None, None, None)
        upper, middle, lower = self._bollinger.value or (None, None, None)
        total = self._obv.value
        sma_20, sma_50, sma_200 = means
        made = Indicators.__new__(Indicators)  # each bar has one: a frozen class's own way takes ten times as long
        made.__dict__.update(
            last_bar=self.last_bar, rsi=self._rsi.value,
            macd=line, macd_signal=signal, macd_histogram=histogram,
            ema_12=self._ema_12.value, ema_26=self._ema_26.value,
            bollinger_lower=lower, bollinger_middle=middle, bollinger_upper=upper,
            volume_ratio=self._volume.value, obv=None if total is None else int(total),
            vwap=self._vwap.value or None, atr=self._atr.value,
            sma_20=sma_20, sma_50=sma_50, sma_200=sma_200,
        )  # fmt: skip
        return made


def daily_means(closes: Sequence[Decimal]) -> tuple[Decimal | None, ...]:
    """Give SMA 20, 50 and 200 in USD of daily closes, oldest first."""
    figures = np.array([float(close) for close in closes])
    return tuple(
        usd(float(talib.SMA(figures, timeperiod=days)[-1])) if len(figures) >= days else None for days in SMA_DAYS
    )
