"""Turn an exit decision into one sell: begin its order, cancel what rests on the shares, see it end, sell what is left.

What can go wrong: the orders cannot be seen, and a stop that is cancelled blindly leaves shares that are neither sold
nor protected; the cancel is not confirmed; the stop fills while it is being cancelled; an earlier sell is in doubt; the
broker refuses the sell; the decision was replaced or the position is flat by now; the process dies or freezes anywhere
after the cancel.
What this promises: a stop is cancelled only when it was seen in the last seconds, and its shares are sold only when its
end was seen (`cancel`); until then the message comes again, then the next decision, and the owner is told why nothing
is sold. No sell is sent while another sell of the same shares is live or unknown. Only the decision that the scan's own
watch names is worked. When no sell follows, settlement puts a stop back (`protect`), however often the scan has decided
anew meanwhile; whoever wakes up after that finds its order ended and sends nothing.

The decision lies in the scan's watch, what is sold in the book: no commit holds both, and none needs to. A watch only
asks; the position alone decides what is sold. The exit's order is born before anything is cancelled, in a commit that
writes it into the position, so that settlement leaves the shares to it, and whoever begins a sell on an older copy of
the position is too late, a second exit and a stop alike. Every other sell is looked for after that birth, and the order
is approved only if the position is still the one that was read after they had ended: of two invocations that saw the
same shares free only one goes on. A decision that was replaced, or grew too old, between its reading and the birth is
found out when all is read again after it; one that is replaced still later is ended by the next, which is born after it
and finds it among the sells (order-safety.md 1.3, shared/README.md, One signal, step 6).
"""

from dataclasses import replace
from datetime import datetime

from shared.domain.base.calendar import is_open, new_york_day, session_of
from shared.domain.base.values import Side
from shared.domain.orders.made import exit_of
from shared.domain.orders.orders import AT_BROKER, IN_DOUBT, UNSENT, Kind, Order, State
from shared.domain.orders.positions import PendingExit, Position
from shared.domain.orders.watches import EXIT_LIFE, ExitDecision
from shared.domain.risk import denials
from shared.domain.risk.facts import RiskFacts
from shared.domain.risk.risk import deny_codes
from shared.domain.telling.messages import ExitPosition
from shared.domain.telling.notices import ExitUnseen
from shared.errors import Busy, Malformed, OutcomeUnknown, Refused, Unseen
from shared.frozen import frozen
from shared.ports import Check, Severity
from shared.usecases.base.desk import Held, persist
from shared.usecases.base.trading import TradingDesk
from shared.usecases.control import control
from shared.usecases.orders import account
from shared.usecases.orders.cancel import Listing, cancel_and_confirm, unconfirmed
from shared.usecases.orders.fills import held_position
from shared.usecases.orders.moves import begin, held_order, live_sells, move
from shared.usecases.orders.refused import count_at_once
from shared.usecases.orders.send import send
from shared.usecases.orders.watches import kept
from shared.usecases.telling.notices import announce


@frozen
class _Ready:
    """An exit's order that may be sent, and the last list that was read on the way, None when nobody had to look."""

    order: Held[Order]
    account_key: str
    expires_at: datetime
    listing: Listing | None


@frozen
class _Wish:
    """A decision to sell and the position that it is about, as it was read."""

    decision: ExitDecision
    position: Held[Position]

    @property
    def under_way(self) -> bool:
        """Whether the position's own document names this exit: it was begun, and nobody took it out since."""
        pending = self.position.value.pending_exit
        return pending is not None and pending.exit_id == self.decision.exit_id


def leave(desk: TradingDesk, message: ExitPosition) -> None:
    """Work one exit decision; one that is no longer the scan's own is acknowledged without effect.

    As long as nothing of it was sent and somebody else writes first, such as settlement that books the cancelled stop,
    it begins anew at once: coming again it would find signals in its place. Raises Busy while an earlier sell is in
    doubt or cannot be seen, BrokerError or StoreError where it has to come again, Malformed where it names no exit.
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
    """Begin the exit's order, free its shares and approve it; None when there is nothing to send.

    Once the order is born all is read and judged again, so that one that froze before it cancels nothing.
    """
    wish, held = _current(desk, message), _order(desk, message)
    if held is not None and held.value.state not in UNSENT:
        return None
    if wish is None:
        if held is not None:
            _outdated(desk, held)
        return None
    expires_at = wish.decision.decided_at + EXIT_LIFE
    if desk.clock.now() > expires_at:
        if held is not None:
            move(desk, held, State.VOIDED, cause="the exit waited too long", codes=("SIGNAL_STALE",))
        return None
    now = desk.clock.now()
    if control.exits_blocked(desk) or not is_open(now):
        # Nothing is touched: the stop stays, and settlement gives the position back to it.
        desk.journal.line("exit_blocked", Severity.WARNING, symbol=message.symbol, exit_id=message.exit_id)
        return None
    if not wish.position.value.present:
        # They are missed in the account: a sell would be of nothing, and should they be there their stop has to stay.
        desk.journal.line("exit_of_nothing", Severity.WARNING, symbol=message.symbol, exit_id=message.exit_id)
        return None
    key = account.to_sell(desk, new_york_day(now)).value.key
    if held is None:
        _begin(desk, wish)
        return _prepare(desk, message)
    listing = _free_shares(desk, wish, key) if wish.under_way else None
    after = _current(desk, message)
    if after is None or not after.under_way:
        _outdated(desk, held)
        return None
    if held.value.state is State.NEW:
        held = _approve(desk, held, after.position)
    return _Ready(order=held, account_key=key, expires_at=expires_at, listing=listing)


def _order(desk: TradingDesk, message: ExitPosition) -> Held[Order] | None:
    """Read the exit's order; raises Malformed for a message that names another order of ours."""
    held = held_order(desk, message.exit_id)
    if held is not None and (held.value.kind, held.value.position_id) != (Kind.EXIT, message.position_id):
        raise Malformed(f"order {message.exit_id} is no exit of position {message.position_id}")
    return held


def _outdated(desk: TradingDesk, held: Held[Order]) -> None:
    move(desk, held, State.VOIDED, cause="it is not the position's exit any more", codes=("OUTDATED",))


def _current(desk: TradingDesk, message: ExitPosition) -> _Wish | None:
    """Give the decision with its position, when that is open and the scan's watch of it names this decision.

    The watch is read after the position: one that was read before could be of a position that is over.
    """
    held = held_position(desk, message.symbol)
    if held is None or not held.value.is_open or held.value.position_id != message.position_id:
        return None
    watch = kept(desk, message.symbol)
    if watch is None or watch.position_id != message.position_id:
        return None
    decision = watch.exit
    if decision is None or decision.exit_id != message.exit_id:
        return None
    return _Wish(decision=decision, position=held)


def _free_shares(desk: TradingDesk, wish: _Wish, key: str) -> Listing | None:
    """End every other live sell of the symbol; gives the last list that was read, None when nothing was cancelled."""
    listing: Listing | None = None
    symbol = wish.position.value.symbol
    for held in live_sells(desk, symbol):
        if held.value.intent_id == wish.decision.exit_id:
            continue
        if held.value.state in UNSENT:
            move(desk, held, State.VOIDED, cause="an exit takes its place", codes=("REPLACED",))
        elif held.value.state in IN_DOUBT:
            raise Busy(f"a sell of {symbol} is in doubt")
        elif held.value.state in AT_BROKER:
            try:
                ended, newer = cancel_and_confirm(desk, held, account_key=key, cause="an exit takes its place")
            except Unseen as problem:
                _tell_unseen(desk, wish, held.value, problem.detail)
                raise Busy(f"the sells of {symbol} cannot be seen: {problem.detail}") from None
            listing = newer or listing or ()
            if ended.value.state in AT_BROKER:
                raise Busy(f"the cancel of a sell of {symbol} is not confirmed yet")
    return listing


def _tell_unseen(desk: TradingDesk, wish: _Wish, sell: Order, why: str) -> None:
    """Tell the owner that an exit waits, and of what; each row of decisions once."""
    position = wish.position.value
    desk.journal.line("exit_unseen", Severity.ERROR, symbol=position.symbol, why=why)
    pending = position.pending_exit
    if sell.state is State.CANCEL_REQ:
        unconfirmed(desk, sell, why)
    elif pending is not None and not pending.told:
        notice = ExitUnseen(
            position_id=position.position_id, symbol=position.symbol, quantity=position.quantity,
            reason=wish.decision.reason, why=why, since=pending.first_at, at=desk.clock.now(),
        )  # fmt: skip
        told = replace(position, pending_exit=replace(pending, told=True))
        desk.store.commit([wish.position.update(told), announce(desk, notice)])


def _begin(desk: TradingDesk, wish: _Wish) -> None:
    """Write the exit's order and, in the same commit, into the position that it is under way.

    It takes the place of an earlier exit there. Raises Conflict when the position is no longer the one that was read:
    whatever changed it may have sold it.
    """
    position, decision = wish.position.value, wish.decision
    now, before = desk.clock.now(), position.pending_exit
    order = exit_of(position, decision, now=now, number=desk.config_number)
    told = before is not None and before.told and before.first_at == decision.first_at
    pending = PendingExit(exit_id=decision.exit_id, first_at=decision.first_at, told=told)
    begun = wish.position.update(replace(position, pending_exit=pending))
    begin(desk, order, begun, cause=f"exit: {decision.reason}")


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
        session=session_of(order.session), control=control.for_exits(desk).value, positions=(position.value,),
        live_orders=tuple(sell for sell in others if sell.intent_id != order.intent_id),
    )  # fmt: skip
    codes = deny_codes(facts, desk.config)
    if codes:
        note = denials.sentences(codes, facts, desk.config)
        return move(desk, held, State.DENIED, cause="denied: " + ", ".join(codes), codes=codes, note=note)
    unchanged = Check(position.path, position.version)
    return move(desk, held, State.RESERVED, unchanged, cause="reduces what is held", quantity=quantity)
