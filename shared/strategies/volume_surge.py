"""Volume surge: far more shares than usual change hands in a minute, and the price rises (strategy.md, Signals)."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from shared.domain.control.config import Span
from shared.domain.orders.signals import Vote
from shared.strategies.verdict import BARS, QUOTE, Reason, Verdict, confidence
from shared.strategies.view import View

NAME = "volume_surge"
NO_RATIO = Reason(code="NO_VOLUME_RATIO", words="The usual volume of a minute is not known yet.", source=BARS)
NO_SURGE = Reason(code="NO_SURGE", words="The last minute's volume is not far enough above the usual.", source=BARS)
NOT_RISING = Reason(code="NOT_RISING", words="The minute of the surge did not rise.", source=BARS)
FELL_BACK = Reason(code="FELL_BACK", words="The price is back where the minute of the surge began.", source=QUOTE)
REASONS = (NO_RATIO, NO_SURGE, NOT_RISING, FELL_BACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """How many times the mean of the 20 minutes before it a minute's volume has to be."""

    ratio_min: Annotated[Decimal, Span("1", "20")] = Decimal("1.5")


def vote(view: View, own: Parameters) -> Verdict:
    """Vote when the last minute had enough volume and rose, and the price is still above where it opened.

    Confidence grows to 1.00 at twice the asked volume.
    """
    bar, ratio = view.indicators.last_bar, view.indicators.volume_ratio
    if bar is None or ratio is None:
        return NO_RATIO
    if ratio < own.ratio_min:
        return NO_SURGE.on(ratio, f"{own.ratio_min} or more")
    if bar.close <= bar.open:
        return NOT_RISING.on(bar.close, f"more than {bar.open}")
    if view.quote.last <= bar.open:
        return FELL_BACK.on(view.quote.last, f"more than {bar.open}")
    return Vote(
        strategy=NAME,
        confidence=confidence(ratio / own.ratio_min - 1),
        reasons=(
            f"the last minute had {ratio:.2f} times the mean volume of the 20 before it, {own.ratio_min} asked",
            f"it rose from {bar.open} to {bar.close}, and the price is {view.quote.last}",
        ),
    )
