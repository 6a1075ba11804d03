"""How an approved order reaches the broker of a played day: preview, the last check, place (`usecases.orders.send`)."""

from infra.backtest.room import Room
from shared.domain.base.values import Side
from shared.domain.market.quotes import Quote
from shared.domain.orders.orders import Kind, Order, State
from shared.domain.risk import last_check
from shared.domain.risk.last_check import Found, Known, Owner
from shared.domain.risk.last_check_words import worded


def send(room: Room, order: Order, quote: Quote | None) -> Order:
    """Take an approved order to the broker; it works there, was refused there, or was not sent.

    `quote` is the one that an entry was judged on.
    """
    preview = room.preview(order)
    if isinstance(preview, str):
        return room.move(order, State.REJECTED, codes=(f"preview:{preview}",))
    wash = order.possible_wash_sale or (order.side is Side.BUY and order.symbol in room.account.lost_in)
    order = room.move(order, State.PREVIEWED, possible_wash_sale=wash)
    found = _checked(room, order, quote)
    if found.refused or found.void:
        codes = (*found.refused, *found.void)
        to = State.DENIED if found.refused else State.VOIDED
        return room.move(order, to, cause="not sent: " + ", ".join(codes), codes=codes, note=found.note)
    order = room.move(order, State.PLACING)
    code = room.place(order, preview)
    if code is not None:
        return room.move(order, State.REJECTED, codes=(f"place:{code}",))
    placed = room.at_market[order.intent_id]
    return room.move(order, State.WORKING, broker_order_id=placed.order_id, placed_at=room.now)


def _checked(room: Room, order: Order, quote: Quote | None) -> Found:
    owner = Owner(config=room.config, capital=room.carried.capital, since=room.day.session.opens_at)
    others = tuple(one for one in room.live.values() if one.intent_id != order.intent_id)
    if order.kind is Kind.ENTRY:
        known = Known(now=room.now, quote=quote, positions=tuple(room.open_positions()), others=others)
        return worded(last_check.judge(order, known, owner), order, owner, known)
    mine = tuple(one for one in others if one.symbol == order.symbol and one.side is Side.SELL)
    sold = [one.at for one in room.booked if one.position_id == order.position_id and one.side == Side.SELL]
    known = Known(
        now=room.now, position=room.positions.get(order.symbol), others=mine, sold_at=max(sold, default=None)
    )  # fmt: skip
    return worded(last_check.judge(order, known, owner), order, owner, known)
