"""Keep every share that we hold behind a stop at the broker.

What can go wrong: a stop is refused because the shares are not booked yet, or held by other sells (1037), or because
the market is already below it; the process dies between the cancel of an old stop and the new one; an exit that
cancelled the stop freezes, for any time, while the scan decides it anew each 20 s; a sell that replaces the stop ends
without filling; a cancel is never confirmed; the orders cannot be seen.
What this promises: whoever settles next finds uncovered shares from the documents alone and asks again, under a new
name each time. An exit that is under way (the position's `pending_exit`) is left alone while its sell may still follow:
until that sell has ended, or until no sell has covered the shares for `BARE_AT_MOST`, whichever exit is the latest
(where the broker refuses their stop, since it last did, and until it may be asked again);
then it is voided and the stop is put back, in one commit that takes the exit out of the position, so that an exit which
froze finds itself outdated. An order whose cancel is not confirmed still covers: no second stop is sent over its
shares. The level is the scan's to raise (`watches`) and never anybody's to lower: once the broker took a stop at it, it
is the position's own. A level that the broker refuses, as one that is not below the market, is left alone for
`MOVES_AGAIN`, and a stop at the position's own level is put back. A stop moves up only when it can be seen (`cancel`),
and none of its shares is missed in the account, for over those no other would be asked for. What the broker refused is
asked again after a pause (`backoff`) and only in the session; a stop that it has not refused is asked for at any time,
also for shares that filled in the session's last second: the broker keeps such an order for the next one
(order-safety.md 1.3 b').
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.base.ids import intent_id
from shared.domain.base.values import Side
from shared.domain.orders import backoff
from shared.domain.orders.made import stop_of
from shared.domain.orders.orders import AT_BROKER, IN_DOUBT, TERMINAL, UNSENT, Kind, Order, State
from shared.domain.orders.positions import Position
from shared.ports import Check, Severity
from shared.usecases.base.desk import Held, persist
from shared.usecases.base.trading import TradingDesk
from shared.usecases.orders.cancel import Listing, cancel_and_confirm
from shared.usecases.orders.fills import held_position
from shared.usecases.orders.moves import begin, held_order, live_sells, move
from shared.usecases.orders.refused import count, count_at_once, forget
from shared.usecases.orders.send import send
from shared.usecases.orders.watches import with_wanted_stop
from shared.usecases.settling.cover import changed, orders_of

MOVES_AGAIN = timedelta(minutes=5)
BARE_AT_MOST = timedelta(seconds=40)
"""An exit sends its sell some five seconds after it saw the stop's end; one that takes so long will not."""


def protect(
    desk: TradingDesk,
    held: Held[Position],
    sells: Sequence[Held[Order]],
    *,
    account_key: str,
    listing: Listing | None,
) -> None:
    """Do the next thing that one open position needs.

    `sells` are the live sell orders of its symbol, `listing` a complete order list of the last seconds, None when none
    can be read: then shares are covered, and no stop moves. Raises BrokerError or StoreError where the next poll has to
    try again.
    """
    if any(sell.value.state in IN_DOUBT for sell in sells):
        return
    resting = [sell for sell in sells if sell.value.state in AT_BROKER]
    uncovered = held.value.present - _covered(resting)
    pending = held.value.pending_exit
    if pending is not None:
        sell = held_order(desk, pending.exit_id)
        if sell is not None and not _over(desk, held.value, sell.value, uncovered):
            return
        held = held if sell is None else count(desk, held, sell.value)
        desk.journal.line("exit_ended_unfilled", Severity.WARNING, symbol=held.value.symbol, exit_id=pending.exit_id)
    for sell in sells:
        if sell.value.state in UNSENT:
            # An exit that was born since the position was read is not left behind: the check of its version saves it.
            judged = Check(held.path, held.version)
            move(desk, sell, State.VOIDED, judged, cause="left behind before it was sent", codes=("SWEPT",))
    if uncovered > 0:
        held = _last_refused(desk, held)
        if backoff.may_ask(held.value.stop_refused, desk.clock.now()):
            _stop(
                desk, held, uncovered, Kind.PROTECT, replaces=None, account_key=account_key, listing=listing or ()
            )  # fmt: skip
            return
    if pending is not None:
        held = _without_exit(desk, held)
    if uncovered <= 0 and listing is not None:
        held = forget(desk, _with_levels(desk, held, resting))
        if held.value.missing is None:
            _raise_stops(desk, held, resting, account_key=account_key)


def _over(desk: TradingDesk, position: Position, sell: Order, uncovered: int) -> bool:
    """Tell whether an exit has had its time: its sell has ended, or left shares bare too long."""
    return sell.state in TERMINAL or (
        uncovered > 0
        and desk.clock.now() - _bare_since(desk, position) > BARE_AT_MOST
        and backoff.may_ask(position.stop_refused, desk.clock.now())
    )  # fmt: skip


def _bare_since(desk: TradingDesk, position: Position) -> datetime:
    """Give since when uncovered shares wait for an exit: shares came, a sell over them ended, or a stop was refused.

    So an exit has its time after each refusal of a stop, and the stop is asked for again after each such time.
    """
    at_broker = [order for order in orders_of(desk, position) if order.broker_order_id is not None]
    gone = [changed(one) for one in at_broker if one.side is Side.BUY or one.state not in AT_BROKER]
    refused = [] if position.stop_refused is None else [position.stop_refused.last_at]
    return max([position.opened_at, *gone, *refused])


def _without_exit(desk: TradingDesk, held: Held[Position]) -> Held[Position]:
    free = replace(held.value, pending_exit=None)
    return Held(path=held.path, value=free, version=desk.store.commit([held.update(free)])[0])


def _last_refused(desk: TradingDesk, held: Held[Position]) -> Held[Position]:
    """Count the refusal of the stop that was asked for last, if nobody has: the broker may also refuse it later."""
    position = held.value
    if position.stops_asked == 0:
        return held
    attempt = position.stops_asked - 1
    for kind in (Kind.PROTECT, Kind.MOVE):
        name = intent_id(kind=kind, cause=position.position_id, session=position.session, attempt=attempt)
        last = held_order(desk, name)
        if last is not None:
            return count(desk, held, last.value)
    return held


def _raise_stops(desk: TradingDesk, held: Held[Position], resting: Sequence[Held[Order]], *, account_key: str) -> None:
    wanted = wanted_now(desk, held.value).stop_wanted
    for stop in resting:
        level = stop.value.stop_price
        if stop.value.state is State.WORKING and level is not None and level < wanted and not _is_new(desk, stop.value):
            ended, listing = cancel_and_confirm(desk, stop, account_key=account_key, cause="the stop moves up")
            if ended.value.state is State.CANCELLED:
                _replace(desk, stop.value, account_key=account_key, listing=listing)
            return


def _is_new(desk: TradingDesk, stop: Order) -> bool:
    """Tell whether a stop was placed less than `stop_move_every_s` ago: each move costs a moment without one."""
    every = timedelta(seconds=desk.config.exits.stop_move_every_s)
    return stop.placed_at is not None and desk.clock.now() - stop.placed_at < every


def _replace(desk: TradingDesk, old: Order, *, account_key: str, listing: Listing) -> None:
    """Put a new stop over what nothing covers now: the cancel took its time, and others may have been quicker."""
    position = held_position(desk, old.symbol)
    if position is None or position.value.pending_exit is not None:
        return
    uncovered = position.value.present - _covered(live_sells(desk, old.symbol))
    if uncovered > 0:
        _stop(
            desk, position, uncovered, Kind.MOVE, replaces=old.intent_id, account_key=account_key, listing=listing
        )  # fmt: skip


def wanted_now(desk: TradingDesk, position: Position) -> Position:
    """Give a position with the level that its stop is asked for at now."""
    refused_at = position.move_refused_at
    if refused_at is not None and desk.clock.now() - refused_at < MOVES_AGAIN:
        return position
    return with_wanted_stop(desk, position)


def _with_levels(desk: TradingDesk, held: Held[Position], resting: Sequence[Held[Order]]) -> Held[Position]:
    """Make the level of each stop that rests the position's own, whoever learned that the broker took it."""
    for stop in resting:
        level = stop.value.stop_price
        if stop.value.state is State.WORKING and level is not None and level > held.value.stop_wanted:
            _take_over(desk, stop.value)
            held = held_position(desk, held.value.symbol) or held
    return held


def _take_over(desk: TradingDesk, stop: Order) -> None:
    """Make the level of a stop that the broker took the position's own, where that is lower."""
    held, level = held_position(desk, stop.symbol), stop.stop_price
    if held is None or level is None or held.value.position_id != stop.position_id or level <= held.value.stop_wanted:
        return
    wanted = with_wanted_stop(desk, held.value)
    set_at = wanted.stop_set_at if wanted.stop_wanted == level else stop.created_at
    desk.store.commit([held.update(replace(held.value, stop_wanted=level, stop_set_at=set_at))])


def _covered(sells: Sequence[Held[Order]]) -> int:
    """Count the shares that sells may still take, those in doubt and those on their way included."""
    return sum(sell.value.quantity - sell.value.filled for sell in sells)


def _stop(
    desk: TradingDesk, held: Held[Position], quantity: int, kind: Kind, *, replaces: str | None, account_key: str,
    listing: Listing,
) -> None:  # fmt: skip
    position = held.value
    level = wanted_now(desk, position).stop_wanted
    order = stop_of(
        position, quantity, kind, level=level, replaces=replaces, now=desk.clock.now(), number=desk.config_number
    )  # fmt: skip
    asked = held.update(replace(position, stops_asked=position.stops_asked + 1, pending_exit=None))
    stop = begin(desk, order, asked, cause=f"{quantity} shares need a stop at {level}")
    stop = move(desk, stop, State.RESERVED, cause="reduces risk only")
    stop = send(desk, stop, account_key=account_key, expires_at=None, listing=listing)
    count_at_once(desk, stop.value)
    if stop.value.state is State.WORKING:
        persist(lambda: _take_over(desk, stop.value))
    else:
        desk.journal.line(
            "unprotected", Severity.ERROR, symbol=position.symbol, state=stop.value.state,
            codes=",".join(stop.value.codes),
        )  # fmt: skip
