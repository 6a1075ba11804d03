"""What is computed of completed bars, as a strategy reads it; `rolling` computes it.

A figure is made when it is asked for first, and stays what it is: what no strategy asks for costs nothing, and a figure
that is kept says of its minute what it said then. What is in USD goes from TA-Lib's float back to Decimal, to the sixth
place: in floats, RSI alone leaves here. A value is None while there are too few bars, and VWAP while nothing has
traded. It needs no TA-Lib, so that whoever only names strategies, as the owner's commands do, loads none.
Source: strategy.md, Signals and Exits.
"""

from dataclasses import dataclass, fields
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from shared.domain.market.bars import Bar

RSI_BARS = 14
"""The RSI is of the changes between so many closes and the one before them: it needs a bar more."""
_STEP = Decimal("0.000001")
OURS = Context()
"""How we reckon with decimals: a figure is made while a strategy is asked, which may reckon otherwise."""
LATER = "_later"
"""Where indicators that make their figures when these are asked for have the function that gives one by its name."""
T = TypeVar("T")


class Late(Generic[T]):
    """A field whose figure is made when it is read first; from then on it lies in the object itself."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, one: None, kind: type) -> None: ...
    @overload
    def __get__(self, one: object, kind: type) -> T | None: ...
    def __get__(self, one: object | None, kind: type) -> T | None:
        if one is None:
            return None  # the field's default
        kept: dict[str, Any] = one.__dict__
        figure: T | None = kept[LATER](self._name)
        kept[self._name] = figure
        return figure

    if TYPE_CHECKING:  # what may be given; at run time it lies in the object, which is read before this field is asked

        def __set__(self, one: object, value: T | None) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Indicators:
    """Indicators of the bars completed so far; prices and ranges in USD, `rsi` 0 to 100, `obv` in shares.

    RSI, MACD, EMA, Bollinger, OBV and VWAP are of the day's minutes from its first quote, `volume_ratio` is the last
    minute's volume over the mean of the 20 before it, `atr` is over five-minute bars since the open, `sma_` over the
    closes of the days before today.
    """

    last_bar: Bar | None = None
    rsi: Late[float] = Late()
    macd: Late[Decimal] = Late()
    macd_signal: Late[Decimal] = Late()
    macd_histogram: Late[Decimal] = Late()
    ema_12: Late[Decimal] = Late()
    ema_26: Late[Decimal] = Late()
    bollinger_lower: Late[Decimal] = Late()
    bollinger_middle: Late[Decimal] = Late()
    bollinger_upper: Late[Decimal] = Late()
    volume_ratio: Late[Decimal] = Late()
    obv: Late[int] = Late()
    vwap: Late[Decimal] = Late()
    atr: Late[Decimal] = Late()
    sma_20: Decimal | None = None
    sma_50: Decimal | None = None
    sma_200: Decimal | None = None

    def __getstate__(self) -> dict[str, object]:
        """Give the figures themselves, all of them, to whoever copies or writes them."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def usd(value: float | None) -> Decimal | None:
    """Give a figure of TA-Lib's in USD, to the sixth place."""
    return None if value is None else Decimal(repr(float(value))).quantize(_STEP, context=OURS)
