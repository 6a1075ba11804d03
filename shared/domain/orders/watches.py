"""What the scan wants of a position that is held: its stop level, and whether it is to be sold.

The book says what is held and what was begun over it, the watch what is wanted of it; they are two documents of two
owners. What can go wrong: the watch is older than the position, of an earlier one in the symbol, or lost. What this
promises: a level only moves up, whichever of the two knows the higher one, and a watch of another position says
nothing.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from shared.domain.base.values import PriceType
from shared.domain.orders.positions import Position
from shared.frozen import frozen

EXIT_LIFE = timedelta(seconds=60)
"""So long after its decision an exit may be begun and sent; one that is not begun by then is lost."""


@frozen
class ExitDecision:
    """A decision to sell, written where the scan alone writes, so that nobody can forge it; `limit_price` in USD.

    `first_at` is when the first decision of this row was made: deciding anew at another price carries it on.
    """

    exit_id: str
    reason: str
    price_type: PriceType
    limit_price: Decimal | None
    decided_at: datetime
    first_at: datetime


@frozen
class PositionWatch:
    """What is wanted of the position `position_id`; prices in USD.

    `high_water` is the best bid so far, and at least the average cost that it was begun at; `stop_wanted` is the level
    of its stop, wanted since `stop_set_at`; with `breakeven` the entry is protected. `exit` is the last decision to
    sell, until nothing more can come of it.
    """

    position_id: str
    high_water: Decimal
    stop_wanted: Decimal
    stop_set_at: datetime
    breakeven: bool = False
    exit: ExitDecision | None = None
    schema_version: int = 1


def following(watch: PositionWatch | None, position: Position) -> PositionWatch:
    """Give the watch of a position: begun where there is none of it, its level never below the position's own."""
    if watch is None or watch.position_id != position.position_id:
        return PositionWatch(
            position_id=position.position_id, high_water=position.average_cost, stop_wanted=position.stop_wanted,
            stop_set_at=position.stop_set_at,
        )  # fmt: skip
    if watch.stop_wanted >= position.stop_wanted and watch.stop_set_at >= position.stop_set_at:
        return watch
    return replace(
        watch, stop_wanted=max(watch.stop_wanted, position.stop_wanted),
        stop_set_at=max(watch.stop_set_at, position.stop_set_at),
    )  # fmt: skip


def wanted(position: Position, watch: PositionWatch | None) -> Position:
    """Give a position with the stop level that counts: its own, or the one of its watch where that is higher."""
    if watch is None or watch.position_id != position.position_id or watch.stop_wanted <= position.stop_wanted:
        return position
    return replace(position, stop_wanted=watch.stop_wanted, stop_set_at=watch.stop_set_at)
