"""Signals: what a strategy thinks should be entered. An opinion, without size and without authority over price."""

from datetime import date, datetime
from decimal import Decimal

from shared.domain.base.values import Side
from shared.frozen import frozen


@frozen
class Vote:
    """One strategy's yes: `confidence` 0 to 1, and the reasons, one at least, in plain words."""

    strategy: str
    confidence: Decimal
    reasons: tuple[str, ...]


@frozen
class Signal:
    """What the scan saw at one tick; prices in USD, `stop_distance` in USD a share, `daily_close` the last daily bar's.

    The order function reads its own copy of this from the store and re-derives quotes, size and risk
    (order-safety.md 4, items 19 and 20).
    """

    signal_id: str
    strategy: str
    symbol: str
    side: Side
    session: date
    slot: int
    decided_at: datetime
    decision_price: Decimal
    stop_distance: Decimal
    confidence: Decimal
    quality: Decimal
    votes: tuple[Vote, ...]
    daily_close: Decimal | None = None
    config_number: int = 0
