"""What a bar is taken to say of the market: the one table of the model, and what follows from it.

| what | how | why |
|---|---|---|
| spread | 2 bps of the price, and at least a cent on each side | a bar has none |
| slippage | 1 bp beyond the touch, against us, rounded to the cent against us, and never beyond an order's limit | \
what is at the touch is gone by then; a limit is a limit |
| shares | 5 % of the bar's volume for all orders of a symbol and side together | more would have moved the bar |
| which bar | the one after the decision, at its open, for an order that arrives in its first half; else the next | \
a decision rests on bars that are over |
| a stop | at the worse of its level and the open, in the first bar whose low reaches it | it jumps over gaps |
| a limit order | at an open whose ask (a sale: whose bid) its limit allows; else at its limit in a bar that begins \
after it arrived, whose low has its ask, or high its bid, there | a bar's high or low may be older than the order |
| stop and target in one bar | the stop | targets are judged at the bar's end, on its close |
| a bar without volume | fills nothing, and triggers nothing | nobody traded |

A bar of fewer than twenty shares therefore fills nothing either: 5 % of it is no whole share.
"""

from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache

from shared.domain.base.values import CENT
from shared.domain.market.bars import Bar

MINUTE = timedelta(minutes=1)
HALF = MINUTE / 2
"""How long after a bar's beginning an order still meets its open; a stop that works then meets the bar's range."""
HALF_SPREAD = Decimal("0.0001")
SLIPPAGE = Decimal("0.0001")
VOLUME_PCT = 5


@lru_cache(maxsize=8192)
def touch(price: Decimal) -> tuple[Decimal, Decimal]:
    """Give bid and ask in USD around a traded price."""
    half = price * HALF_SPREAD
    bid = min((price - half).quantize(CENT, rounding=ROUND_FLOOR), price - CENT)
    ask = max((price + half).quantize(CENT, rounding=ROUND_CEILING), price + CENT)
    return bid, ask


def paid(price: Decimal) -> Decimal:
    """Give what a share costs at a traded price, spread and slippage included."""
    return (touch(price)[1] * (1 + SLIPPAGE)).quantize(CENT, rounding=ROUND_CEILING)


def got(price: Decimal) -> Decimal:
    """Give what a share brings at a traded price, spread and slippage taken off; never less than a cent."""
    return max((touch(price)[0] * (1 - SLIPPAGE)).quantize(CENT, rounding=ROUND_FLOOR), CENT)


def shares_of(bar: Bar | None) -> int:
    """Give how many shares of a bar our orders may have on one side."""
    return 0 if bar is None else bar.volume * VOLUME_PCT // 100
