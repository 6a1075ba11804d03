"""Keep every share that we hold behind a stop at the broker.

What can go wrong: a stop is refused because the shares are not booked yet (1037), or because the market is already
below it; the process dies between the cancel of an old stop and the new one; a sell that replaces the stop ends
without filling. What this promises: whoever settles next finds uncovered shares from the documents alone and asks
again, under a new name each time; a pending exit is left alone until its sell has ended (order-safety.md 1.3 b').
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from shared.domain.brokerage import BrokerOrder
from shared.domain.calendar import new_york_day
from shared.domain.ids import digest, intent_id
from shared.domain.orders import AT_BROKER, IN_DOUBT, TERMINAL, UNSENT, Kind, Order, State
from shared.domain.positions import Position
from shared.domain.values import PriceType, Side, Term
from shared.ports import Severity
from shared.usecases.cancel import cancel_and_confirm
from shared.usecases.desk import Held
from shared.usecases.fills import held_position
from shared.usecases.moves import begin, held_order, live_sells, move
from shared.usecases.send import send
from shared.usecases.trading import TradingDesk

EXIT_LOST_AFTER = timedelta(seconds=60)
Listing = Sequence[BrokerOrder]


def protect(
    desk: TradingDesk,
    held: Held[Position],
    sells: Sequence[Held[Order]],
    *,
    account_key: str,
    listing: Listing,
) -> None:
    """Do the next thing that one open position needs.

    `sells` are the live sell orders of its symbol, `listing` a complete order list of the last seconds. Raises
    BrokerError or StoreError where the next poll has to try again.
    """
    if any(sell.value.state in IN_DOUBT for sell in sells):
        return
    if held.value.pending_exit is not None:
        given_back = _give_back(desk, held)
        if given_back is None:
            return
        held = given_back
    for sell in sells:
        if sell.value.state in UNSENT:
            move(desk, sell, State.VOIDED, cause="left behind before it was sent", codes=("SWEPT",))
    resting = [sell for sell in sells if sell.value.state in AT_BROKER]
    uncovered = held.value.quantity - _covered(resting)
    if uncovered > 0:
        _stop(desk, held, uncovered, Kind.PROTECT, replaces=None, account_key=account_key, listing=listing)
    else:
        _raise_stops(desk, held, resting, account_key=account_key)


def _give_back(desk: TradingDesk, held: Held[Position]) -> Held[Position] | None:
    """Drop a pending exit whose sell has ended or never came; None while it still may fill."""
    pending = held.value.pending_exit
    if pending is None:
        return held
    sell = held_order(desk, pending.exit_id)
    lost = sell is None and desk.clock.now() - pending.decided_at > EXIT_LOST_AFTER
    if not lost and (sell is None or sell.value.state not in TERMINAL):
        return None
    free = replace(held.value, pending_exit=None)
    version = desk.store.commit([held.update(free)])[0]
    desk.journal.line("exit_ended_unfilled", Severity.WARNING, symbol=free.symbol, exit_id=pending.exit_id)
    return Held(path=held.path, value=free, version=version)


def _raise_stops(desk: TradingDesk, held: Held[Position], resting: Sequence[Held[Order]], *, account_key: str) -> None:
    wanted = held.value.stop_wanted
    for stop in resting:
        level = stop.value.stop_price
        if stop.value.state is State.WORKING and level is not None and level < wanted:
            ended, listing = cancel_and_confirm(desk, stop, account_key=account_key, cause="the stop moves up")
            if ended.value.state is State.CANCELLED:
                _replace(desk, stop.value, account_key=account_key, listing=listing)
            return


def _replace(desk: TradingDesk, old: Order, *, account_key: str, listing: Listing) -> None:
    """Put a new stop over what nothing covers now: the cancel took its time, and others may have been quicker."""
    position = held_position(desk, old.symbol)
    if position is None or position.value.pending_exit is not None:
        return
    uncovered = position.value.quantity - _covered(live_sells(desk, old.symbol))
    if uncovered > 0:
        _stop(
            desk, position, uncovered, Kind.MOVE, replaces=old.intent_id, account_key=account_key, listing=listing
        )  # fmt: skip


def _covered(sells: Sequence[Held[Order]]) -> int:
    """Count the shares that sells may still take, those in doubt and those on their way included."""
    return sum(sell.value.quantity - sell.value.filled for sell in sells)


def _stop(
    desk: TradingDesk, held: Held[Position], quantity: int, kind: Kind, *, replaces: str | None, account_key: str,
    listing: Listing,
) -> None:  # fmt: skip
    position = held.value
    level = position.stop_wanted
    name = intent_id(kind=kind, cause=position.position_id, session=position.session, attempt=position.stops_asked)
    now = desk.clock.now()
    order = Order(
        intent_id=name, kind=kind, position_id=position.position_id, signal_id=None, strategy=position.strategy,
        reason="protective stop", symbol=position.symbol, side=Side.SELL, venue=position.venue,
        quantity=quantity, price_type=PriceType.STOP, term=Term.GOOD_UNTIL_CANCEL, limit_price=None, stop_price=level,
        stop_distance=position.stop_distance, spread=Decimal(0), session=new_york_day(now), decided_at=now,
        created_at=now, updated_at=now, payload_hash=digest(name, str(quantity), str(level)), replaces=replaces,
    )  # fmt: skip
    asked = held.update(replace(position, stops_asked=position.stops_asked + 1))
    stop, _ = begin(desk, order, asked, cause=f"{quantity} shares need a stop at {level}")
    stop = move(desk, stop, State.RESERVED, cause="reduces risk only")
    stop = send(desk, stop, account_key=account_key, expires_at=None, listing=listing)
    if stop.value.state is not State.WORKING:
        desk.journal.line(
            "unprotected", Severity.ERROR, symbol=position.symbol, state=stop.value.state,
            codes=",".join(stop.value.codes),
        )  # fmt: skip
