"""Resolve an order that was sent and never answered: by fingerprint over complete lists, or not at all.

E*TRADE cannot be asked by clientOrderId, so an order is found by what it looks like: not in the baseline that was
taken before it was sent, not claimed by another intent, same symbol, side, quantity, type and prices, placed no
earlier than it was signed. One candidate is adopted; two or more wait for a person; none proves nothing before the
session has ended, except for a sell that can only reduce: the broker reserves its shares, so after three clean lists
over 30 s it may be asked for again under a new name (order-safety.md 1.3 b, 1.5, 1.7).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.domain.brokerage import BrokerOrder
from shared.domain.calendar import session_of
from shared.domain.orders import Kind, Order, State
from shared.ports import Severity
from shared.usecases.desk import Held, create
from shared.usecases.moves import move
from shared.usecases.trading import TradingDesk

ANSWER_MAY_COME = timedelta(seconds=20)
CLOCK_SLACK = timedelta(seconds=30)
CLEAN_LISTS = 3
CLEAN_SPAN = timedelta(seconds=30)
LIST_LAG = timedelta(seconds=60)


class CleanLists:
    """When complete lists showed no trace of an order, by intent; kept for one invocation."""

    def __init__(self) -> None:
        self._seen: dict[str, list[datetime]] = {}

    def note(self, intent_id: str, at: datetime) -> None:
        """Count one clean list."""
        self._seen.setdefault(intent_id, []).append(at)

    def enough(self, intent_id: str) -> bool:
        """Tell whether there were three or more, over at least 30 s."""
        seen = self._seen.get(intent_id, [])
        return len(seen) >= CLEAN_LISTS and seen[-1] - seen[0] >= CLEAN_SPAN


def resolve(desk: TradingDesk, held: Held[Order], listing: Sequence[BrokerOrder], clean: CleanLists) -> Held[Order]:
    """Take a PLACING that nobody holds any more, or an UNKNOWN, as far as this list proves."""
    order = held.value
    if order.licence is None:
        return held
    if order.state is State.PLACING:
        if desk.clock.now() < order.licence.deadline + ANSWER_MAY_COME:
            return held
        held = move(desk, held, State.UNKNOWN, cause="nobody wrote down an answer")
    if held.value.state is not State.UNKNOWN:
        return held
    candidates = [seen for seen in listing if _could_be(order, seen) and not _claimed(desk, seen)]
    if len(candidates) > 1:
        desk.journal.line("order_manual", Severity.CRITICAL, intent_id=order.intent_id, candidates=len(candidates))
        return move(desk, held, State.MANUAL, cause=f"{len(candidates)} broker orders could be this one")
    if candidates:
        seen = candidates[0]
        claim = {"intent_id": order.intent_id, "session": order.session.isoformat()}
        return move(
            desk, held, State.WORKING, create(f"broker_orders/{seen.order_id}", claim), cause="found in the order list",
            broker_order_id=seen.order_id, placed_at=seen.placed_at,
        )  # fmt: skip
    clean.note(order.intent_id, desk.clock.now())
    if clean.enough(order.intent_id) and _absence_counts(order, desk.clock.now()):
        return move(desk, held, State.NOT_PLACED, cause="complete lists show no trace of it", codes=("ABSENT",))
    return held


def _could_be(order: Order, seen: BrokerOrder) -> bool:
    if order.licence is None or seen.order_id in order.licence.baseline:
        return False
    same = (seen.symbol, seen.side, seen.quantity) == (order.symbol, order.side, order.quantity)
    priced = (seen.price_type, seen.limit_price, seen.stop_price) == (
        order.price_type,
        order.limit_price,
        order.stop_price,
    )
    return same and priced and seen.placed_at >= order.licence.signed_at - CLOCK_SLACK


def _claimed(desk: TradingDesk, seen: BrokerOrder) -> bool:
    return desk.store.get(f"broker_orders/{seen.order_id}") is not None


def _absence_counts(order: Order, now: datetime) -> bool:
    if order.kind is not Kind.ENTRY:
        return True
    session = session_of(order.session)
    return session is not None and now > session.closes_at + LIST_LAG
