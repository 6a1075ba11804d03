"""Quotes as the broker gives them, and nothing that it did not give."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class QuoteStatus(StrEnum):
    """How fresh the broker says that a quote is (etrade-api.md 2.1)."""

    REALTIME = "REALTIME"
    DELAYED = "DELAYED"
    CLOSING = "CLOSING"
    EH_REALTIME = "EH_REALTIME"
    EH_BEFORE_OPEN = "EH_BEFORE_OPEN"
    EH_CLOSED = "EH_CLOSED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One symbol's market at one moment: prices in USD, sizes and volume in shares, instants in UTC.

    `previous_close` is 0 where the broker did not give it; `adjusted` is its sign that prices of earlier days were
    changed, as for a split.
    """

    symbol: str
    bid: Decimal
    bid_size: int
    ask: Decimal
    ask_size: int
    last: Decimal
    day_volume: int
    previous_close: Decimal
    at: datetime
    received_at: datetime
    status: QuoteStatus
    source: str
    adjusted: bool = False

    @property
    def mid(self) -> Decimal:
        """The middle of bid and ask in USD."""
        return (self.bid + self.ask) / 2

    @property
    def spread(self) -> Decimal:
        """Ask less bid in USD."""
        return self.ask - self.bid
