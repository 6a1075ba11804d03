"""Ask for an exit: the decision in the position, and the message that says so, in one commit; there is no other way.

Whoever decides (the scan at a tick, the owner by command) writes the same: `pending_exit` names the decision, so that
nobody can forge it, and the row is the scan's own to publish. Until it is published nothing is sold; should nobody
publish it, the scan decides the pending exit anew once `reprice_s` have passed, like any exit of which nothing came.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.exits import ExitNow
from shared.domain.ids import intent_id
from shared.domain.messages import ExitPosition
from shared.domain.orders import Kind
from shared.domain.positions import PendingExit, Position
from shared.ports import Create
from shared.usecases import outbox
from shared.usecases.desk import Desk, Held

PUBLISHER = "market_scan"
"""Whose messages ask for exits: the function that has the right to the topic `exits`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An exit that was asked for: the position as it is now, the decision in it, and the row to publish."""

    held: Held[Position]
    pending: PendingExit
    row: Create


def ask_exit(
    desk: Desk, held: Held[Position], decision: ExitNow, at: datetime, *, closing: bool = False
) -> Asked:  # fmt: skip
    """Write an exit decision and promise its message; raises Conflict when the position changed meanwhile.

    `closing` makes it a wish that lasts: an exit that comes to nothing is decided again until nothing is held.
    """
    position = held.value
    slot, before = position.exits_asked, position.pending_exit
    exit_id = intent_id(kind=Kind.EXIT, cause=position.position_id, session=position.session, attempt=slot)
    pending = PendingExit(
        exit_id=exit_id, reason=decision.reason, slot=slot, price_type=decision.price_type,
        limit_price=decision.limit_price, decided_at=at, first_at=at if before is None else before.first_at,
        told=before is not None and before.told,
    )  # fmt: skip
    message = ExitPosition(
        symbol=position.symbol, position_id=position.position_id, exit_id=exit_id, session=position.session
    )
    row = outbox.promise(desk, name=exit_id, topic="exits", key=position.symbol, message=message, owner=PUBLISHER)
    after = replace(position, pending_exit=pending, exits_asked=slot + 1, closing=closing or position.closing)
    version = desk.store.commit([held.update(after), row])[0]
    desk.journal.line(
        "exit", symbol=position.symbol, reason=decision.reason, exit_id=exit_id, price_type=pending.price_type
    )
    return Asked(held=Held(path=held.path, value=after, version=version), pending=pending, row=row)
