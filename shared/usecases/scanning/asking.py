"""Ask for an exit: the decision in the watch, and the message that says so, in one commit; there is no other way.

The scan decides; the owner's `strategy close` writes its wish into the position, which is one of the scan's reasons.
The decision names itself, so that nobody can forge it. Until its message is published nothing is sold; should nobody
publish it, it is decided anew once `reprice_s` have passed, like any exit of which nothing came. It is named after the
second in which it was decided: a watch that was lost and begun anew takes no name twice.
"""

from dataclasses import replace
from datetime import datetime

from shared.domain.orders.exits import ExitNow, decided
from shared.domain.orders.positions import Position
from shared.domain.telling.messages import ExitPosition
from shared.ports import Create
from shared.usecases.base import outbox
from shared.usecases.base.desk import Desk
from shared.usecases.orders.watches import Watched


def ask_exit(
    desk: Desk, position: Position, watched: Watched, decision: ExitNow, at: datetime
) -> tuple[Watched, Create]:  # fmt: skip
    """Write an exit decision and promise its message; gives the watch and the row to publish.

    Raises Conflict when another scan wrote the watch meanwhile.
    """
    wanted = decided(position, watched.value, decision, at=at)
    exit_id = wanted.exit_id
    message = ExitPosition(
        symbol=position.symbol, position_id=position.position_id, exit_id=exit_id, session=position.session
    )
    row = outbox.promise(desk, name=exit_id, topic="exits", key=position.symbol, message=message)
    after = watched.now(replace(watched.value, exit=wanted))
    version = desk.store.commit([after.write, row])[0]
    desk.journal.line(
        "exit", symbol=position.symbol, reason=decision.reason, exit_id=exit_id, price_type=wanted.price_type
    )
    return after.written(version), row
