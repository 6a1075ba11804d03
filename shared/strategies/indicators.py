"""Indicators over completed bars, as TA-Lib computes them; None while there are too few bars.

Source: strategy.md, Signals and Exits. Floats live here only; what reaches a price goes back to Decimal.
"""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

import numpy as np
import talib

from shared.domain.bars import Bar

RSI_BARS = 14
ATR_BARS = 14
ATR_BARS_MIN = 3
VOLUME_BARS = 20
_STEP = Decimal("0.000001")


def rsi(bars: Sequence[Bar]) -> float | None:
    """Give RSI 14 of the closes, 0 to 100."""
    if len(bars) <= RSI_BARS:
        return None
    closes = np.array([float(bar.close) for bar in bars])
    return float(talib.RSI(closes, timeperiod=RSI_BARS)[-1])


def volume_ratio(bars: Sequence[Bar]) -> Decimal | None:
    """Give the last bar's volume over the mean of the 20 bars before it; None also when those had none."""
    if len(bars) <= VOLUME_BARS:
        return None
    total = sum(bar.volume for bar in bars[-1 - VOLUME_BARS : -1])
    return Decimal(bars[-1].volume * VOLUME_BARS) / total if total else None


def atr(bars: Sequence[Bar]) -> Decimal | None:
    """Give ATR 14 in USD; with fewer bars the mean true range of those there are, None with fewer than 3."""
    if len(bars) < ATR_BARS_MIN:
        return None
    if len(bars) <= ATR_BARS:
        return sum(_true_ranges(bars), Decimal(0)) / len(bars)
    high, low, close = (np.array([float(getattr(bar, name)) for bar in bars]) for name in ("high", "low", "close"))
    smoothed = float(talib.ATR(high, low, close, timeperiod=ATR_BARS)[-1])
    return Decimal(repr(smoothed)).quantize(_STEP)


def _true_ranges(bars: Sequence[Bar]) -> list[Decimal]:
    ranges = [bars[0].high - bars[0].low]
    for before, bar in pairwise(bars):
        ranges.append(max(bar.high, before.close) - min(bar.low, before.close))
    return ranges
