"""Turn an exit decision into one sell: cancel what rests on the shares, see it end, sell what is then held.

What can go wrong: the orders cannot be seen, and a stop that is cancelled blindly leaves shares that are neither sold
nor protected; the cancel is not confirmed; the stop fills while it is being cancelled; an earlier sell is in doubt; the
broker refuses the sell; the decision was replaced or the position is flat by now; the process dies or freezes anywhere
after the cancel.
What this promises: a stop is cancelled only when it was seen in the last seconds, and its shares are sold only when its
end was seen (`cancel`); until then the message comes again, then the next decision, and the owner is told why nothing
is sold. No sell is sent while another sell of the same shares is live or unknown. Only the decision that the position's
own document names is worked. When no sell follows, settlement puts a stop back (`protect`), however often the scan has
decided anew meanwhile; whoever wakes up after that finds the position changed and sends nothing, for an exit is born in
a commit that changes its position, as a stop is: of two invocations that saw the same shares free only one goes on
(order-safety.md 1.3, house plan step 5).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from shared.domain.calendar import is_open, new_york_day, session_of
from shared.domain.facts import RiskFacts
from shared.domain.ids import digest
from shared.domain.messages import ExitPosition
from shared.domain.notices import ExitUnseen
from shared.domain.orders import AT_BROKER, IN_DOUBT, UNSENT, Kind, Order, State
from shared.domain.positions import PendingExit, Position
from shared.domain.risk import deny_codes
from shared.domain.values import Side, Term
from shared.errors import Busy, OutcomeUnknown, Refused, Unseen
from shared.ports import Check, Severity
from shared.usecases import account, control
from shared.usecases.cancel import Listing, cancel_and_confirm, unconfirmed
from shared.usecases.desk import Held, persist
from shared.usecases.fills import held_position
from shared.usecases.moves import begin, held_order, live_sells, move
from shared.usecases.notices import announce
from shared.usecases.refused import count_at_once
from shared.usecases.send import send
from shared.usecases.trading import TradingDesk

EXIT_LIFE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """An exit's order that may be sent, and the last list that was read on the way, None when nobody had to look."""

    order: Held[Order]
    account_key: str
    expires_at: datetime
    listing: Listing | None


def leave(desk: TradingDesk, message: ExitPosition) -> None:
    """Work one exit decision; one that is no longer the position's own is acknowledged without effect.

    As long as nothing of it was sent and somebody else writes first, such as settlement that books the cancelled stop,
    it begins anew at once: coming again it would find signals in its place. Raises Busy while an earlier sell is in
    doubt or cannot be seen, BrokerError or StoreError where it has to come again.
    """
    ready = persist(lambda: _prepare(desk, message))
    if ready is None:
        return
    try:
        sent = send(
            desk, ready.order, account_key=ready.account_key, expires_at=ready.expires_at, listing=ready.listing
        )  # fmt: skip
    except (Refused, OutcomeUnknown) as problem:
        raise Busy(f"E*TRADE did not say what it thinks of an exit: {problem.detail}") from None
    count_at_once(desk, sent.value)


def _prepare(desk: TradingDesk, message: ExitPosition) -> _Ready | None:
    """Free the shares and approve the exit's order; None when there is nothing to send."""
    position = _current(desk, message)
    if position is None or position.value.pending_exit is None:
        return None
    pending = position.value.pending_exit
    expires_at = pending.decided_at + EXIT_LIFE
    held = held_order(desk, message.exit_id)
    if held is not None and held.value.state not in UNSENT:
        return None
    if desk.clock.now() > expires_at:
        if held is not None:
            move(desk, held, State.VOIDED, cause="the exit waited too long", codes=("SIGNAL_STALE",))
        return None
    now = desk.clock.now()
    if control.exits_blocked(desk) or not is_open(now):
        # Nothing is touched: the stop stays, and settlement gives the position back to it.
        desk.journal.line("exit_blocked", Severity.WARNING, symbol=message.symbol, exit_id=message.exit_id)
        return None
    if not position.value.present:
        # They are missed in the account: a sell would be of nothing, and should they be there their stop has to stay.
        desk.journal.line("exit_of_nothing", Severity.WARNING, symbol=message.symbol, exit_id=message.exit_id)
        return None
    key = account.ours(desk, new_york_day(now)).value.key
    listing = _free_shares(desk, message, position, key)
    position = _current(desk, message)
    if position is None:
        if held is not None:
            move(desk, held, State.VOIDED, cause="nothing is held any more", codes=("FLAT",))
        return None
    if held is None:
        held, position = _intent(desk, position, pending)
    if held.value.state is State.NEW:
        held = _approve(desk, held, position)
    return _Ready(order=held, account_key=key, expires_at=expires_at, listing=listing)


def _current(desk: TradingDesk, message: ExitPosition) -> Held[Position] | None:
    """Give the position when it is open and this is its pending exit."""
    held = held_position(desk, message.symbol)
    if held is None or not held.value.is_open or held.value.position_id != message.position_id:
        return None
    pending = held.value.pending_exit
    return held if pending is not None and pending.exit_id == message.exit_id else None


def _free_shares(desk: TradingDesk, message: ExitPosition, position: Held[Position], key: str) -> Listing | None:
    """End every other live sell of the symbol; gives the last list that was read, None when nothing was cancelled."""
    listing: Listing | None = None
    for held in live_sells(desk, message.symbol):
        if held.value.intent_id == message.exit_id:
            continue
        if held.value.state in UNSENT:
            move(desk, held, State.VOIDED, cause="an exit takes its place", codes=("REPLACED",))
        elif held.value.state in IN_DOUBT:
            raise Busy(f"a sell of {message.symbol} is in doubt")
        elif held.value.state in AT_BROKER:
            try:
                ended, newer = cancel_and_confirm(desk, held, account_key=key, cause="an exit takes its place")
            except Unseen as problem:
                _tell_unseen(desk, position, held.value, problem.detail)
                raise Busy(f"the sells of {message.symbol} cannot be seen: {problem.detail}") from None
            listing = newer or listing or ()
            if ended.value.state in AT_BROKER:
                raise Busy(f"the cancel of a sell of {message.symbol} is not confirmed yet")
    return listing


def _tell_unseen(desk: TradingDesk, held: Held[Position], sell: Order, why: str) -> None:
    """Tell the owner that an exit waits, and of what; each row of decisions once."""
    position = held.value
    desk.journal.line("exit_unseen", Severity.ERROR, symbol=position.symbol, why=why)
    pending = position.pending_exit
    if sell.state is State.CANCEL_REQ:
        unconfirmed(desk, sell, why)
    elif pending is not None and not pending.told:
        notice = ExitUnseen(
            position_id=position.position_id, symbol=position.symbol, quantity=position.quantity,
            reason=pending.reason, why=why, since=pending.first_at, at=desk.clock.now(),
        )  # fmt: skip
        told = replace(position, pending_exit=replace(pending, told=True))
        desk.store.commit([held.update(told), announce(desk, notice)])


def _intent(desk: TradingDesk, held: Held[Position], pending: PendingExit) -> tuple[Held[Order], Held[Position]]:
    """Write the exit's order and, in the same commit, into the position that it was begun.

    Raises Conflict when the position is no longer the one that was read: whatever changed it may have sold it.
    """
    position = held.value
    now = desk.clock.now()
    order = Order(
        intent_id=pending.exit_id, kind=Kind.EXIT, position_id=position.position_id, signal_id=None,
        strategy=position.strategy, reason=pending.reason, symbol=position.symbol, side=Side.SELL,
        venue=position.venue, quantity=position.present, price_type=pending.price_type, term=Term.GOOD_FOR_DAY,
        limit_price=pending.limit_price, stop_price=None, stop_distance=position.stop_distance, spread=Decimal(0),
        session=new_york_day(now), decided_at=pending.decided_at, created_at=now, updated_at=now,
        payload_hash=digest(pending.exit_id, str(position.present), str(pending.limit_price)),
    )  # fmt: skip
    begun = replace(position, pending_exit=replace(pending, begun=True))
    order_held, versions = begin(desk, order, held.update(begun), cause=f"exit: {pending.reason}")
    return order_held, Held(path=held.path, value=begun, version=versions[0])


def _approve(desk: TradingDesk, held: Held[Order], position: Held[Position]) -> Held[Order]:
    """Judge an exit: it must reduce what is held now, and the trading state must not block exits.

    The approval holds only if the position is still the one that was judged.
    """
    order = held.value
    quantity = position.value.present
    others = [row.value for row in live_sells(desk, order.symbol)]
    facts = RiskFacts(
        now=desk.clock.now(), kind=Kind.EXIT, symbol=order.symbol, side=Side.SELL, price_type=order.price_type,
        term=order.term, quantity=quantity, limit_price=order.limit_price, decided_at=order.decided_at,
        session=session_of(order.session), control=control.current(desk).value, positions=(position.value,),
        live_orders=tuple(sell for sell in others if sell.intent_id != order.intent_id),
    )  # fmt: skip
    codes = deny_codes(facts, desk.config)
    if codes:
        return move(desk, held, State.DENIED, cause="denied: " + ", ".join(codes), codes=codes)
    unchanged = Check(position.path, position.version)
    return move(desk, held, State.RESERVED, unchanged, cause="reduces what is held", quantity=quantity)
