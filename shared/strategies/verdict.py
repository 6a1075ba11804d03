"""What a strategy answers: a vote, or the reason why not."""

from dataclasses import dataclass
from decimal import Decimal

from shared.domain.signals import Vote

BASE = Decimal("0.70")
_STEP = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why there is no vote or no signal: a stable code and one sentence in plain words."""

    code: str
    words: str


Verdict = Vote | Reason


def confidence(strength: Decimal) -> Decimal:
    """Turn how far beyond its threshold a strategy is, 0 to 1 and more, into 0.70 to 1.00 by 0.01."""
    return (BASE + (1 - BASE) * min(max(strength, Decimal(0)), Decimal(1))).quantize(_STEP)
