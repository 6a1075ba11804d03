"""Momentum: a symbol has risen enough since the previous close, on enough shares (strategy.md, Signals)."""

from shared.domain.config import StrategyConfig
from shared.domain.signals import Vote
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


def vote(view: View, config: StrategyConfig) -> Verdict:
    """Vote when price and volume reach their thresholds; confidence grows to 1.00 at twice the asked rise."""
    asked = config.strategies.momentum
    quote = view.quote
    close = quote.previous_close
    if close is None or not (close.is_finite() and close > 0):
        return NO_CLOSE
    rise_pct = (quote.last - close) * 100 / close
    if rise_pct < asked.change_min_pct:
        return SMALL_RISE.on(rise_pct, f"{asked.change_min_pct} % or more")
    if quote.day_volume < asked.day_volume_min:
        return FEW_SHARES.on(quote.day_volume, f"{asked.day_volume_min} or more")
    return Vote(
        strategy=NAME,
        confidence=confidence(rise_pct / asked.change_min_pct - 1),
        reasons=(
            f"up {rise_pct:.2f} % on the previous close, {asked.change_min_pct} % asked",
            f"{quote.day_volume} shares today, {asked.day_volume_min} asked",
        ),
    )
