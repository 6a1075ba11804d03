"""Bars that nobody can believe: left out before anything is played, and named.

What can go wrong: three minutes of a file have a price of ten times the others, and become a profit. What this
promises: a bar of which a price lies further from what was believed before it than the live system's limit for a jump
(`same_share`) is not played: no decision, no fill and no value rests on it. A jump that lasts is believed from its
sixth bar on, so that a real fall is not hidden. Of a bar only what was before it is asked, nothing that comes later.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from infra.results.data_end import NAMED
from infra.results.words import clock
from shared.domain.base.calendar import new_york_day
from shared.domain.market.bars import Bar
from shared.domain.market.daybook import MINUTE
from shared.domain.market.same_share import apart
from shared.domain.telling.wording import count, few
from shared.frozen import frozen
from shared.strategies.config import load

LIMIT_PCT = load("default").universe.jump_max_pct
"""Of the lower price, as the live system's own limit."""
LASTS = 5
"""So many bars in a row at another level are not believed; those after them are."""


@frozen
class Doubt:
    """A bar that is not believed: its price that lies furthest from the one `before` it, in USD, and when it begins."""

    symbol: str
    begins: datetime
    price: Decimal
    before: Decimal

    @property
    def day(self) -> date:
        """Its session."""
        return new_york_day(self.begins)

    @property
    def words(self) -> str:
        """Say it."""
        percent = abs(self.price - self.before) * 100 / min(self.price, self.before)
        when = f"{self.symbol} on {self.day} at {clock(self.begins)}"
        return f"{when}: {self.price} is {percent:,.0f} % from the {self.before} before it"


def believed(symbol: str, bars: Iterable[Bar], before: Decimal | None) -> tuple[list[Bar], list[Doubt]]:
    """Part a session's bars, oldest first, into those that are believed and the others.

    `before` is the close of the session before in shares as they are on this one, None where it is not known: then the
    first bar is believed.
    """
    kept: list[Bar] = []
    doubts: list[Doubt] = []
    last, lasted = before, 0
    level: Decimal | None = None
    for bar in bars:
        last = bar.open if last is None else last
        price = furthest(bar.low, bar.high, last)
        same = level is not None and furthest(bar.low, bar.high, level) is None
        if price is None or (same and lasted >= LASTS):
            kept.append(bar)
            last, level, lasted = bar.close, None, 0
        else:
            doubts.append(Doubt(symbol=symbol, begins=bar.end - MINUTE, price=price, before=last))
            level, lasted = bar.close, lasted + 1 if same else 1
    return kept, doubts


def furthest(low: Decimal, high: Decimal, before: Decimal) -> Decimal | None:
    """Give which of the two lies further from the price before than the limit, the furthest; None where neither does.

    The prices are above zero.
    """
    worst = max((low, high), key=lambda price: max(price, before) / min(price, before))
    return worst if apart(worst, before, LIMIT_PCT) else None


def told(doubts: Sequence[Doubt]) -> tuple[str, ...]:
    """Say which bars are left out; nothing where none is."""
    if not doubts:
        return ()
    left_out = f"{count(len(doubts), 'bar')} left out, with a price more than {LIMIT_PCT} % from the one before"
    named = few([one.words for one in doubts], NAMED)
    return (f"{left_out}: {named}, New York time. A jump that lasts is believed from its sixth bar on.",)
