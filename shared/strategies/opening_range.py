"""Opening-range breakout: above the first quarter hour's high, on a rising bar (strategy.md, Signals)."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from shared.domain.control.config import Span
from shared.domain.market.daybook import MINUTE, OPENING_MINUTES
from shared.domain.market.receipts import said
from shared.domain.orders.signals import Vote
from shared.strategies.verdict import BARS, QUOTE, Reason, Verdict, confidence
from shared.strategies.view import View

NAME = "opening_range"
NOT_OVER = Reason(code="OPENING_RANGE_NOT_OVER", words="The opening range is not over.")
NO_RANGE = Reason(code="NO_OPENING_RANGE", words="The opening range was not watched whole.", source=BARS)
INSIDE = Reason(code="INSIDE_RANGE", words="The price has not broken out of the opening range.", source=QUOTE)
NO_RISING_BAR = Reason(code="NO_RISING_BAR", words="The last minute did not rise on volume.", source=BARS)
REASONS = (NOT_OVER, NO_RANGE, INSIDE, NO_RISING_BAR)
_WHOLE = Decimal(10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """How far above the opening range's high, in basis points, a price has broken out."""

    breakout_bps: Annotated[Decimal, Span("0", "200")] = Decimal(10)


def vote(view: View, own: Parameters) -> Verdict:
    """Vote when the price is above the range's high by the margin and the last bar closed higher on volume.

    Confidence grows to 1.00 when that bar had twice the mean volume of the 20 before it; it stays at its base
    while that mean is not known.
    """
    if view.opening_range is None:
        ends_at = view.session.opens_at + OPENING_MINUTES * MINUTE
        return NOT_OVER if view.at < ends_at else NO_RANGE
    high = view.opening_range[1]
    asked = high * (_WHOLE + own.breakout_bps) / _WHOLE
    if view.quote.last < asked:
        return INSIDE.on(view.quote.last, f"{said(asked)} or more")
    bar = view.indicators.last_bar
    if bar is None or bar.volume <= 0 or bar.close <= bar.open:
        return NO_RISING_BAR
    ratio = view.indicators.volume_ratio
    known = ratio if ratio is not None else Decimal(1)
    return Vote(
        strategy=NAME,
        confidence=confidence(known - 1),
        reasons=(
            f"{view.quote.last} is above {asked:.4f}, the opening range's high {high} and its margin",
            f"the last minute rose on {bar.volume} shares, {known:.2f} times the mean",
        ),
    )
