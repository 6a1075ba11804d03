"""Read what the last check judges by, and end what it refuses: halted, told and ended, in that order.

What can go wrong: the process dies on the way. Halting comes first, so that nothing ends quietly: the order that is
still there is judged again when its message comes again, and what is halted already is not halted twice.
A refused order gives back no more cash than the ledger holds beyond the other live entries: nobody says that whoever
forged the order also wrote its reservation.
"""

from dataclasses import replace
from decimal import Decimal

from shared.domain.base.values import Side
from shared.domain.control.control import TradingState
from shared.domain.market.quotes import Quote
from shared.domain.orders.orders import Kind, Order, State
from shared.domain.orders.positions import Fill, Ledger
from shared.domain.risk.last_check import QUOTE_LIFE, Found, Known, Owner, free_shares, judge, of_document
from shared.domain.risk.last_check_words import worded
from shared.domain.telling.forged import OrderForged
from shared.ports import Severity, Where
from shared.usecases.base.desk import Held, held_rows, read
from shared.usecases.base.trading import TradingDesk
from shared.usecases.control import control
from shared.usecases.orders.fills import held_position
from shared.usecases.orders.losses import positions_anywhere
from shared.usecases.orders.moves import ledger_path, live_sells, move
from shared.usecases.telling.notices import announce


def check_document(desk: TradingDesk, order: Order) -> Found:
    """Judge what the document alone tells: it asks nobody anything."""
    return worded(of_document(order, _owner(desk)), order, _owner(desk))


def check(desk: TradingDesk, order: Order, quote: Quote | None) -> Found:
    """Judge an order on the book and the market of this moment.

    `quote` is one that the caller asked the broker for; one that is too old is asked for anew, and that of a sell not
    at all. Raises AuthError, BrokerError.
    """
    if order.kind is not Kind.ENTRY:
        return _check_sell(desk, order)
    if quote is None or desk.clock.now() - quote.received_at > QUOTE_LIFE:
        quote = desk.broker.quotes([order.symbol]).get(order.symbol)
    positions = tuple(row.value for row in positions_anywhere(desk))
    known = Known(now=desk.clock.now(), quote=quote, positions=positions, others=tuple(_others(desk, order)))
    return worded(judge(order, known, _owner(desk)), order, _owner(desk), known)


def refuse(desk: TradingDesk, held: Held[Order], found: Found) -> Held[Order]:
    """Halt trading over an order that none of ours can have made, tell the owner, and end it unsent."""
    order, codes = held.value, found.refused
    price = "the market" if (limit := order.limit_price or order.stop_price) is None else f"{limit} USD"
    what = f"{order.side} {order.quantity} {order.symbol} at {price}"
    desk.journal.line("order_forged", Severity.CRITICAL, intent_id=order.intent_id, what=what, codes=",".join(codes))
    reason = f"an order of unknown origin was stopped: {what} ({', '.join(codes)})"
    control.tighten(desk, TradingState.HALTED, reason=reason)
    told = OrderForged(intent_id=order.intent_id, what=what, codes=codes, at=desk.clock.now())
    cause = "no judgement of ours can have made it: " + ", ".join(codes)
    held = replace(held, value=replace(order, reserved=_reserved(desk, order)))
    return move(desk, held, State.DENIED, announce(desk, told), cause=cause, codes=codes, note=found.note)


def _owner(desk: TradingDesk) -> Owner:
    return Owner(
        config=desk.config, capital=desk.mandate.capital_usd, since=desk.limits_since, number=desk.config_number
    )


def _check_sell(desk: TradingDesk, order: Order) -> Found:
    """Read the position before the sells of it: a sell that ends meanwhile covers its shares no more, and has none."""
    position = held_position(desk, order.symbol)
    others = [row.value for row in live_sells(desk, order.symbol) if row.value.intent_id != order.intent_id]
    known = Known(
        now=desk.clock.now(), position=None if position is None else position.value, others=tuple(others)
    )  # fmt: skip
    if position is not None and order.quantity > free_shares(known):
        rows = desk.store.query("fills", Where("position_id", "==", order.position_id))
        sold = [fill.value.at for fill in held_rows(desk, Fill, rows) if fill.value.side == Side.SELL]
        known = replace(known, sold_at=max(sold, default=None))
    return worded(judge(order, known, _owner(desk)), order, _owner(desk), known)


def _others(desk: TradingDesk, order: Order) -> list[Order]:
    rows = held_rows(desk, Order, desk.store.query("orders", Where("live", "==", True)))
    return [row.value for row in rows if row.value.intent_id != order.intent_id]


def _reserved(desk: TradingDesk, order: Order) -> Decimal:
    """Give what the session's ledger holds for an order, as far as it does: what no other live entry has."""
    held = read(desk.store, Ledger, ledger_path(order.session))
    if held is None or order.kind is not Kind.ENTRY or not order.reserved.is_finite():
        return Decimal(0)
    others = (one.reserved for one in _others(desk, order) if one.session == order.session)
    spare = held.value.reserved - sum(others, Decimal(0))
    return max(min(spare, order.reserved), Decimal(0))
