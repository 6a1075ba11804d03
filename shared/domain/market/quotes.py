"""Quotes as the broker gives them, and nothing that it did not give."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from shared.errors import BrokerError, NotSent
from shared.frozen import frozen


class QuoteStatus(StrEnum):
    """How fresh the broker says that a quote is (etrade-api.md 2.1)."""

    REALTIME = "REALTIME"
    DELAYED = "DELAYED"
    CLOSING = "CLOSING"
    EH_REALTIME = "EH_REALTIME"
    EH_BEFORE_OPEN = "EH_BEFORE_OPEN"
    EH_CLOSED = "EH_CLOSED"
    UNKNOWN = "UNKNOWN"


@frozen(gc=False)
class Quote:
    """One symbol's market at one moment: prices in USD, sizes and volume in shares, instants in UTC.

    What the broker did not give is None: the previous close, and when the last trade was. `adjusted` is its sign that
    prices of earlier days were changed, as for a split; `halted` that it says of the symbol that trading is halted.
    """

    symbol: str
    bid: Decimal
    bid_size: int
    ask: Decimal
    ask_size: int
    last: Decimal
    day_volume: int
    previous_close: Decimal | None
    at: datetime
    received_at: datetime
    status: QuoteStatus
    source: str
    adjusted: bool = False
    traded_at: datetime | None = None
    halted: bool = False

    @property
    def mid(self) -> Decimal:
        """The middle of bid and ask in USD."""
        return (self.bid + self.ask) / 2

    @property
    def spread(self) -> Decimal:
        """Ask less bid in USD."""
        return self.ask - self.bid


_NOTHING: Mapping[str, BrokerError] = {}


class Quotes(Mapping[str, Quote]):
    """The broker's answer about some symbols: one that it does not know is absent, and nothing else is.

    Looking up a symbol whose call failed raises that failure, so that no failure is taken for an unknown symbol; so
    does going through all while one is missing. `failed` and `unasked` are for whoever goes on with the others.
    """

    __slots__ = ("_found", "failed", "unasked")

    def __init__(
        self, found: Mapping[str, Quote], *, failed: Mapping[str, BrokerError] = _NOTHING, unasked: Iterable[str] = ()
    ) -> None:
        self._found = found
        self.failed = failed
        self.unasked = frozenset(unasked)

    @property
    def heard(self) -> Mapping[str, Quote]:
        """The quotes that came, whatever became of the others."""
        return self._found

    def __getitem__(self, symbol: str) -> Quote:
        if symbol in self.failed:
            raise self.failed[symbol]
        if symbol in self.unasked:
            raise NotSent(f"{symbol} was not asked for: its turn did not come")
        return self._found[symbol]

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole())

    def __len__(self) -> int:
        return len(self._whole())

    def _whole(self) -> Mapping[str, Quote]:
        for problem in self.failed.values():
            raise problem
        if self.unasked:
            raise NotSent(f"{len(self.unasked)} symbols were not asked for: their turn did not come")
        return self._found
