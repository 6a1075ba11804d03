"""Complete order lists, and the last one of this instance for an intent that waited behind another one.

A list is a baseline: what it holds existed before we sent. One of a few seconds ago serves as well, because whatever
we sent since is claimed by its own intent (order-safety.md 1.5); it spares the queue a call at one call a second. It
is also the sight without which no stop is cancelled (`cancel`): one list serves all exits that follow each other.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from shared.domain.broker.brokerage import BrokerOrder
from shared.ports import Broker, Clock, Journal

RECENT = timedelta(seconds=5)
_Last = tuple[str, date, datetime, tuple[BrokerOrder, ...]]


@dataclass(slots=True)
class _Kept:
    """The last list of an instance, whoever of it asked, and the odd rows that it told of."""

    last: _Last | None = None
    told: set[tuple[object, ...]] = field(default_factory=set)


class OrderLists:
    """Reads complete lists; belongs to one instance of one function."""

    def __init__(self, *, broker: Broker, clock: Clock, journal: Journal, kept: _Kept | None = None) -> None:
        self._broker = broker
        self._clock = clock
        self._journal = journal
        self._kept = kept or _Kept()

    @property
    def told(self) -> set[tuple[object, ...]]:
        """The names of the odd rows that this instance has told of."""
        return self._kept.told

    def through(self, broker: Broker) -> "OrderLists":
        """Give the same lists, asked for through another broker object: what either reads serves both."""
        return OrderLists(broker=broker, clock=self._clock, journal=self._journal, kept=self._kept)

    def fresh(self, account_key: str, *, since: date) -> tuple[BrokerOrder, ...]:
        """Ask the broker for every order since a New York day; raises AuthError, BrokerError."""
        asked_at = self._clock.now()
        listing = self._broker.orders(account_key, since=since)
        self._kept.last = (account_key, since, asked_at, listing)
        return listing

    def recent(self, account_key: str, *, since: date) -> tuple[BrokerOrder, ...]:
        """Give a list that was asked for in the last `RECENT` and goes back as far, else ask."""
        last = self._kept.last
        served = last is not None and self._serves(last, account_key, since)
        self._journal.line("cache", kind="orders", asked=1, served=int(served))
        return last[3] if last is not None and served else self.fresh(account_key, since=since)

    def _serves(self, last: _Last, account_key: str, since: date) -> bool:
        return last[0] == account_key and last[1] <= since and self._clock.now() - last[2] <= RECENT
