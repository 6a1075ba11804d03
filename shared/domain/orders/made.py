"""The orders that we make, each from its cause: an entry from a signal, an exit from a decision, a stop from a level.

Made here and nowhere else, so that whoever decides in one process makes the same documents as the functions.
"""

from datetime import datetime
from decimal import Decimal

from shared.domain.base.calendar import new_york_day
from shared.domain.base.ids import digest, intent_id
from shared.domain.base.values import PriceType, Side, Term, Venue
from shared.domain.orders.orders import Kind, Order
from shared.domain.orders.positions import Position
from shared.domain.orders.signals import Signal
from shared.domain.orders.watches import ExitDecision


def entry_of(signal: Signal, *, venue: Venue, now: datetime, number: int, payload: str) -> Order:
    """Make the intent of a signal, not sized yet; `payload` is the signal as it was written."""
    name = intent_id(kind=Kind.ENTRY, cause=signal.signal_id, session=signal.session)
    return Order(
        intent_id=name, kind=Kind.ENTRY, position_id=name, signal_id=signal.signal_id, strategy=signal.strategy,
        reason=f"{signal.strategy} at {signal.decision_price}", symbol=signal.symbol, side=signal.side,
        venue=venue, quantity=0, price_type=PriceType.LIMIT, term=Term.IMMEDIATE_OR_CANCEL,
        limit_price=None, stop_price=None, stop_distance=signal.stop_distance, spread=Decimal(0),
        session=signal.session, decided_at=signal.decided_at, created_at=now, updated_at=now,
        config_number=number, payload_hash=digest(payload),
    )  # fmt: skip


def exit_of(position: Position, decision: ExitDecision, *, now: datetime, number: int) -> Order:
    """Make the order of an exit decision, over all shares of the position that are there."""
    return Order(
        intent_id=decision.exit_id, kind=Kind.EXIT, position_id=position.position_id, signal_id=None,
        strategy=position.strategy, reason=decision.reason, symbol=position.symbol, side=Side.SELL,
        venue=position.venue, quantity=position.present, price_type=decision.price_type, term=Term.GOOD_FOR_DAY,
        limit_price=decision.limit_price, stop_price=None, stop_distance=position.stop_distance, spread=Decimal(0),
        session=new_york_day(now), decided_at=decision.decided_at, created_at=now, updated_at=now,
        config_number=number,
        payload_hash=digest(decision.exit_id, str(position.present), str(decision.limit_price)),
    )  # fmt: skip


def stop_of(
    position: Position, quantity: int, kind: Kind, *, level: Decimal, replaces: str | None, now: datetime, number: int
) -> Order:
    """Make the next stop of a position, over so many of its shares, at a level in USD."""
    name = intent_id(kind=kind, cause=position.position_id, session=position.session, attempt=position.stops_asked)
    return Order(
        intent_id=name, kind=kind, position_id=position.position_id, signal_id=None, strategy=position.strategy,
        reason="protective stop", symbol=position.symbol, side=Side.SELL, venue=position.venue,
        quantity=quantity, price_type=PriceType.STOP, term=Term.GOOD_UNTIL_CANCEL, limit_price=None, stop_price=level,
        stop_distance=position.stop_distance, spread=Decimal(0), session=new_york_day(now), decided_at=now,
        created_at=now, updated_at=now, config_number=number,
        payload_hash=digest(name, str(quantity), str(level)), replaces=replaces,
    )  # fmt: skip
