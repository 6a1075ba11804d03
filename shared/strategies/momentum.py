"""Momentum: a symbol has risen enough since the previous close, on enough shares (strategy.md, Signals)."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from shared.domain.control.config import Span
from shared.domain.orders.signals import Vote
from shared.strategies.verdict import QUOTE, Reason, Verdict, confidence
from shared.strategies.view import View

NAME = "momentum"
NO_CLOSE = Reason(code="NO_PREVIOUS_CLOSE", words="The previous close is not known.", source=QUOTE)
SMALL_RISE = Reason(
    code="RISE_TOO_SMALL", words="The rise over the previous close is below the threshold.", source=QUOTE
)
FEW_SHARES = Reason(
    code="MOMENTUM_VOLUME_LOW", words="Fewer shares than momentum asks for have traded today.", source=QUOTE
)
REASONS = (NO_CLOSE, SMALL_RISE, FEW_SHARES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """The rise over the previous close in percent, and the day's shares, from which it votes."""

    change_min_pct: Annotated[Decimal, Span("0.05", "50")] = Decimal(2)
    day_volume_min: Annotated[int, Span(0, 1_000_000_000)] = 1_000_000


def vote(view: View, own: Parameters) -> Verdict:
    """Vote when price and volume reach their thresholds; confidence grows to 1.00 at twice the asked rise."""
    quote = view.quote
    close = quote.previous_close
    if close is None or not (close.is_finite() and close > 0):
        return NO_CLOSE
    rise_pct = (quote.last - close) * 100 / close
    if rise_pct < own.change_min_pct:
        return SMALL_RISE.on(rise_pct, f"{own.change_min_pct} % or more")
    if quote.day_volume < own.day_volume_min:
        return FEW_SHARES.on(quote.day_volume, f"{own.day_volume_min} or more")
    return Vote(
        strategy=NAME,
        confidence=confidence(rise_pct / own.change_min_pct - 1),
        reasons=(
            f"up {rise_pct:.2f} % on the previous close, {own.change_min_pct} % asked",
            f"{quote.day_volume} shares today, {own.day_volume_min} asked",
        ),
    )
