"""What TA-Lib's batch functions say at each of some bars, beside what the rolling indicators said when it came."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from math import isnan

import numpy as np

from shared.domain.market.bars import Bar
from shared.domain.market.daybook import joined_bars
from shared.strategies.indicators import Indicators, usd
from shared.strategies.rolling import Rolling, daily_means
from shared.strategies.view import LongerBars
from shared.ta_lib import talib

UNKNOWN = daily_means(())
Feed = Callable[[Sequence[Bar]], Iterable[Indicators]]


def rolled(bars: Sequence[Bar]) -> Iterator[Indicators]:
    """Give the indicators after each minute, as the minutes come."""
    seen = list[Bar]()
    rolling = over(seen, opens(bars))
    for bar in bars:
        seen.append(bar)
        yield rolling.indicators(UNKNOWN)


def over(minutes: Sequence[Bar], since: datetime) -> Rolling:
    """Give the indicators of a session that opened then, over its minutes as they grow."""
    return Rolling(minutes, LongerBars(minutes, since))


def opens(bars: Sequence[Bar]) -> datetime:
    """Give the open of an October session by its bars."""
    return bars[0].end.replace(hour=13, minute=30)


def differences(bars: Sequence[Bar], feed: Feed = rolled) -> list[str]:
    """Name each indicator and bar at which TA-Lib over the same bars says something else, to the last bit."""
    expected = batch(bars)
    return [
        f"{name} after bar {count}: {getattr(found, name)!r}, {column[count]!r} is right"
        for count, found in enumerate(feed(bars))
        for name, column in expected.items()
        if repr(getattr(found, name)) != repr(column[count])
    ]


def batch(bars: Sequence[Bar]) -> dict[str, list[object]]:
    """Give each indicator of minutes at each bar, as the whole column comes from TA-Lib; the ATR of each prefix."""
    high, low, close, volume = (_column(bars, name) for name in ("high", "low", "close", "volume"))
    macd, signal, histogram = talib.MACD(close, fastperiod=12, slowperiod=26, signalperiod=9)
    upper, middle, lower = talib.BBANDS(close, timeperiod=20, nbdevup=2.0, nbdevdn=2.0)
    in_usd = {
        "macd": macd, "macd_signal": signal, "macd_histogram": histogram,
        "ema_12": talib.EMA(close, timeperiod=12), "ema_26": talib.EMA(close, timeperiod=26),
        "bollinger_upper": upper, "bollinger_middle": middle, "bollinger_lower": lower,
        "vwap": np.where(np.cumsum(volume) > 0, talib.VWAP(high, low, close, volume), np.nan),
    }  # fmt: skip
    columns: dict[str, list[object]] = {name: [usd(one) for one in _known(column)] for name, column in in_usd.items()}
    columns["rsi"] = list(_known(talib.RSI(close, timeperiod=14)))
    columns["obv"] = [int(one) for one in talib.OBV(close, volume)]
    columns["volume_ratio"] = [_ratio(bars[: count + 1]) for count in range(len(bars))]
    columns["atr"] = _atrs(bars)
    columns["last_bar"] = list(bars)
    assert set(columns) == {one.name for one in fields(Indicators) if not one.name.startswith("sma_")}
    return columns


def _column(bars: Sequence[Bar], name: str) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.array([float(getattr(bar, name)) for bar in bars])


def _known(column: Iterable[float]) -> list[float | None]:
    return [None if isnan(one) else float(one) for one in column]


def _ratio(bars: Sequence[Bar]) -> Decimal | None:
    before = sum(bar.volume for bar in bars[-21:-1])
    return Decimal(bars[-1].volume * 20) / before if len(bars) > 20 and before else None


def _atrs(bars: Sequence[Bar]) -> list[object]:
    """Give the ATR at each minute of the five-minute bars that end with it or before; of few the mean true range."""
    fives = joined_bars(bars, minutes=5, since=opens(bars))
    high, low, close = (_column(fives, name) for name in ("high", "low", "close"))
    smoothed = talib.ATR(high, low, close, timeperiod=14)
    ranges = [bar.high - bar.low for bar in fives[:1]]
    ranges += [max(bar.high, one.close) - min(bar.low, one.close) for one, bar in pairwise(fives)]
    means = [sum(ranges[:count], Decimal(0)) / count if count >= 3 else None for count in range(15)]
    after = [*means, *(usd(float(one)) for one in smoothed[14:])]
    return [after[bisect_right(fives, bar.end, key=lambda five: five.end)] for bar in bars]
