"""The net under the one assumption: an order that was given up as absent turns up after all.

An order that the broker takes after its intent ended NOT_PLACED is ours, but nothing would watch it. It is claimed,
cancelled, and entries stop until a person has looked (order-safety.md 1.5, step 5; finding 2).
"""

from collections.abc import Sequence
from datetime import date

from shared.domain.brokerage import BrokerOrder, BrokerStatus
from shared.domain.control import TradingState
from shared.domain.orders import Order, State
from shared.ports import Severity, Where
from shared.usecases.claims import claim
from shared.usecases.control import tighten
from shared.usecases.desk import held_rows
from shared.usecases.resolve import candidates
from shared.usecases.trading import TradingDesk


def given_up(desk: TradingDesk, session: date) -> list[Order]:
    """Read the intents of a session that ended NOT_PLACED; one that cannot be read is reported and hides no other."""
    where = (Where("state", "==", State.NOT_PLACED), Where("session", "==", session.isoformat()))
    return [row.value for row in held_rows(desk, Order, desk.store.query("orders", *where))]


def cancel_late(
    desk: TradingDesk, absent: Sequence[Order], listing: Sequence[BrokerOrder], *, account_key: str
) -> None:
    """Claim and cancel every unclaimed broker order that looks like one of these intents.

    Goes to REDUCE_ONLY when there is one: the book may miss what it filled.
    """
    for order in absent:
        for order_id, seen in candidates(desk, order, listing).items():
            desk.store.commit([claim(order, order_id)])
            desk.journal.line(
                "late_acceptance", Severity.CRITICAL, intent_id=order.intent_id, order_id=order_id,
                symbol=seen.symbol, status=seen.status, filled=seen.filled,
            )  # fmt: skip
            tighten(desk, TradingState.REDUCE_ONLY, reason=f"the broker took {order.intent_id} after it was given up")
            if seen.status is BrokerStatus.OPEN:
                desk.broker.cancel(account_key, order_id)
