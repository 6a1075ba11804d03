"""How fast the day's decisions became orders, its fills became protected, and how well it was looked at.

All times are simulated seconds.

An intent was ahead of another when it left the queue while the other waited in it: it was placed, refused or denied
between the other's decision and the other's placing. Source: issue, Figures.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from infra.simulated_day.book import Book
from infra.simulated_day.hours import Hours
from infra.simulated_day.ledger import BrokerLedger
from infra.simulated_day.protection import stop_delays
from shared.domain.market.sight import Looks, looks
from shared.domain.orders.orders import Kind, Order
from shared.frozen import frozen

_QUEUED = frozenset({Kind.ENTRY, Kind.EXIT})


@frozen
class Spread:
    """A set of durations in seconds: how many, the middle one, and the one that 99 of 100 do not exceed."""

    count: int
    p50: float
    p99: float


@frozen
class Timing:
    """Signal ages at placing by the number of intents ahead, and delays from fill to protective stop.

    `looks` are the seconds of the session that were looked at; `quote_age` is the age of a tick's quotes at its last
    decision, from when the first request left, a little more than from when the broker priced them.
    """

    signal_age: dict[int, Spread]
    stop_delay: Spread | None
    looks: Looks
    quote_age: Spread | None


def timing(ledger: BrokerLedger, book: Book, hours: Hours, *, took_ms: Sequence[int] = ()) -> Timing:
    """Measure one day; `took_ms` is of each tick of the scan how long it took from its first request on."""
    placed = {order.client_order_id: order.placed_at for order in ledger.orders}
    decided = {signal.signal_id: signal.decided_at for signal in book.signals}
    left = {
        order.intent_id: placed.get(order.intent_id, order.updated_at) for order in book.orders if order.kind in _QUEUED
    }
    ages: dict[int, list[float]] = defaultdict(list)
    for order in book.orders:
        if order.kind is Kind.ENTRY and order.intent_id in placed:
            since = decided.get(order.signal_id or "", order.decided_at)
            ahead = _ahead(order, since, left)
            ages[ahead].append((placed[order.intent_id] - since).total_seconds())
    delays = [delay.total_seconds() for delay in stop_delays(ledger, closes=hours.closes)]
    return Timing(
        signal_age={ahead: spread(ages[ahead]) for ahead in sorted(ages)},
        stop_delay=spread(delays) if delays else None,
        looks=looks_of(book, hours),
        quote_age=spread([ms / 1000 for ms in took_ms]) if took_ms else None,
    )


def looks_of(book: Book, hours: Hours) -> Looks:
    """Count the seconds of the session, or of the part of it that the day plays, that were looked at."""
    return looks(book.sights, max(hours.opens, hours.starts), hours.closes)


def spread(values: Sequence[float]) -> Spread:
    """Summarise durations by nearest rank; raises ValueError for none."""
    if not values:
        raise ValueError("no durations")
    ranked = sorted(values)
    return Spread(count=len(ranked), p50=_rank(ranked, 50), p99=_rank(ranked, 99))


def _rank(ranked: Sequence[float], percent: int) -> float:
    return ranked[-(-len(ranked) * percent // 100) - 1]


def _ahead(order: Order, since: datetime, left: dict[str, datetime]) -> int:
    own = left[order.intent_id]
    return sum(since < at <= own for intent, at in left.items() if intent != order.intent_id)
