"""What a strategy answers: a vote, or the reason why not."""

from decimal import Decimal

from shared.domain.orders.signals import Vote
from shared.frozen import frozen

BASE = Decimal("0.70")
_STEP = Decimal("0.01")


@frozen(kw_only=False)
class Reason:
    """Why there is no vote or no signal: a stable code and one sentence in plain words.

    `source` is where the compared figure comes from; `found` and `asked` are the figure and what it had to be, None
    where the rule compares none.
    """

    code: str
    words: str
    source: str = "the calendar"
    found: object = None
    asked: object = None

    def on(self, found: object, asked: object) -> "Reason":
        """Give the reason with what was compared."""
        return Reason(self.code, self.words, self.source, found, asked)

    def by(self, name: str) -> "Reason":
        """Give the reason under another code."""
        return Reason(name, self.words, self.source, self.found, self.asked)


QUOTE, BARS, DAYS, VOTES = "E*TRADE's quote", "today's bars", "daily bars", "the strategies' votes"
"""Where the figures of the rules come from."""


Verdict = Vote | Reason


def confidence(strength: Decimal) -> Decimal:
    """Turn how far beyond its threshold a strategy is, 0 to 1 and more, into 0.70 to 1.00 by 0.01."""
    return (BASE + (1 - BASE) * min(max(strength, Decimal(0)), Decimal(1))).quantize(_STEP)
