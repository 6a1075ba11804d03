"""What a system left that ended without being stopped: killed, out of power, or its terminal closed by force.

What can go wrong: shares are held and nobody looks after them, and nobody says so. What this promises: what its book
held is told with the shares over which a stop of ours was seen to work, and what to do; the book knows nothing of what
the broker did since.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from infra.running.registry import Entry
from shared.domain.orders.orders import AT_BROKER, STOPS, Order
from shared.domain.orders.positions import Position
from shared.frozen import frozen


@frozen
class Held:
    """Shares that the book held, and over how many of them a stop was at the broker: the highest was at `stop` USD."""

    symbol: str
    quantity: int
    stopped: int
    stop: Decimal | None


@frozen
class Killed:
    """One system that ended without being stopped; `since` is when it was started, as its entry says it, in UTC."""

    state: str
    broker: str
    mode: str
    since: str
    held: tuple[Held, ...]


def left_by(entry: Entry, positions: Iterable[Position], live: Sequence[Order]) -> Killed:
    """Say what a killed system left, from its open positions and live orders."""
    held = tuple(_held(one, live) for one in positions)
    where = entry.began_in if entry.state is None else str(entry.state)
    return Killed(state=where, broker=entry.broker, mode=entry.mode, since=entry.since, held=held)


def _held(position: Position, live: Iterable[Order]) -> Held:
    stops = [
        one for one in live
        if one.position_id == position.position_id and one.kind in STOPS and one.state in AT_BROKER
    ]  # fmt: skip
    stopped = min(sum(one.quantity - one.filled for one in stops), position.quantity)
    stop = max((one.stop_price for one in stops if one.stop_price is not None), default=None)
    return Held(symbol=position.symbol, quantity=position.quantity, stopped=stopped, stop=stop)
