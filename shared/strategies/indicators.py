"""What is computed of completed bars, as a strategy reads it; `rolling` computes it.

What is in USD goes from TA-Lib's float back to Decimal, to the sixth place, and only when it is asked for: in floats,
RSI alone leaves here. A value is None while there are too few bars, and VWAP while nothing has traded. It needs no
TA-Lib, so that whoever only names strategies, as the owner's commands do, loads none.
Source: strategy.md, Signals and Exits.
"""

from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, cast, overload

from shared.domain.market.bars import Bar

RSI_BARS = 14
"""The RSI is of the changes between so many closes and the one before them: it needs a bar more."""
_STEP = Decimal("0.000001")
_OURS = Context()
"""How we reckon with decimals: a figure is made while a strategy is asked, which may reckon otherwise."""


class Usd:
    """A field in USD that may be given as TA-Lib's float: it becomes a Decimal when it is read first, and stays it."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, one: None, kind: type) -> None: ...
    @overload
    def __get__(self, one: object, kind: type) -> Decimal | None: ...
    def __get__(self, one: object | None, kind: type) -> Decimal | None:
        if one is None:
            return None  # the field's default
        kept: dict[str, Any] = one.__dict__
        found = kept[self._name]
        if isinstance(found, float):
            found = kept[self._name] = usd(found)
        return cast(Decimal | None, found)

    def __set__(self, one: object, value: float | Decimal | None) -> None:
        one.__dict__[self._name] = value


@dataclass(frozen=True, kw_only=True)
class Indicators:
    """Indicators of the bars completed so far; prices and ranges in USD, `rsi` 0 to 100, `obv` in shares.

    RSI, MACD, EMA, Bollinger, OBV and VWAP are of the day's minutes from its first quote, `volume_ratio` is the last
    minute's volume over the mean of the 20 before it, `atr` is over five-minute bars since the open, `sma_` over the
    closes of the days before today.
    """

    last_bar: Bar | None = None
    rsi: float | None = None
    macd: Usd = Usd()
    macd_signal: Usd = Usd()
    macd_histogram: Usd = Usd()
    ema_12: Usd = Usd()
    ema_26: Usd = Usd()
    bollinger_lower: Usd = Usd()
    bollinger_middle: Usd = Usd()
    bollinger_upper: Usd = Usd()
    volume_ratio: Decimal | None = None
    obv: int | None = None
    vwap: Usd = Usd()
    atr: Decimal | None = None
    sma_20: Decimal | None = None
    sma_50: Decimal | None = None
    sma_200: Decimal | None = None


def usd(value: float | None) -> Decimal | None:
    """Give a figure of TA-Lib's in USD, to the sixth place."""
    return None if value is None else Decimal(repr(float(value))).quantize(_STEP, context=_OURS)
