"""Resolve an order that was sent and never answered: by fingerprint over complete lists, or not at all.

E*TRADE cannot be asked by clientOrderId, so an order is found by what it looks like: not in the baseline that was
taken before it was sent, not claimed by another intent, same symbol, side, quantity, type and prices, placed no
earlier than it was signed. One candidate is adopted; two or more wait for a person; none proves nothing before the
session has ended, except for a sell that can only reduce: the broker reserves its shares, so after three clean lists
over 30 s it may be asked for again under a new name (order-safety.md 1.3 b, 1.5, 1.7).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from shared.domain.base.calendar import session_of
from shared.domain.broker.brokerage import BrokerOrder, BrokerStatus
from shared.domain.orders.orders import Candidate, Kind, Order, State
from shared.ports import Severity, Write
from shared.usecases.base.desk import Held
from shared.usecases.base.trading import TradingDesk
from shared.usecases.orders.claims import claim, claimed
from shared.usecases.orders.fills import held_position
from shared.usecases.orders.moves import move
from shared.usecases.settling.hands import sells_by_owner

ANSWER_MAY_COME = timedelta(seconds=20)
CLOCK_SLACK = timedelta(seconds=30)
CLEAN_LISTS = 3
CLEAN_SPAN = timedelta(seconds=30)
LIST_LAG = timedelta(seconds=60)
_OPEN = (BrokerStatus.OPEN, BrokerStatus.CANCEL_REQUESTED)


def resolve(desk: TradingDesk, held: Held[Order], listing: Sequence[BrokerOrder], *, account_key: str) -> Held[Order]:
    """Take a PLACING that nobody holds any more, or an UNKNOWN, as far as this list proves."""
    order = held.value
    if order.licence is None:
        return held
    if order.state is State.PLACING:
        if desk.clock.now() < order.licence.deadline + ANSWER_MAY_COME:
            return held
        held = move(desk, held, State.UNKNOWN, cause="nobody wrote down an answer")
    if held.value.state is State.MANUAL:
        return _waits(desk, held, listing)
    if held.value.state is not State.UNKNOWN:
        return held
    found = candidates(desk, order, listing)
    if len(found) > 1:
        desk.journal.line("order_manual", Severity.CRITICAL, intent_id=order.intent_id, candidates=len(found))
        cause = f"{len(found)} broker orders could be this one"
        return move(desk, held, State.MANUAL, cause=cause, candidates=shown(found))
    if found:
        order_id, seen = next(iter(found.items()))
        return adopt(desk, held, order_id, seen, cause="found in the order list")
    if any(may_be(order, seen) and not claimed(desk, seen.order_id) for seen in listing):
        return held
    return _absent(desk, held, listing, account_key)


def adopt(
    desk: TradingDesk, held: Held[Order], order_id: int, seen: BrokerOrder, *also: Write, cause: str, **changes: Any
) -> Held[Order]:
    """Claim a listed order for an intent, in one commit; raises Conflict when another intent has it."""
    return move(
        desk, held, State.WORKING, claim(held.value, order_id), *also, cause=cause, broker_order_id=order_id,
        placed_at=seen.placed_at, **changes,
    )  # fmt: skip


def _waits(desk: TradingDesk, held: Held[Order], listing: Sequence[BrokerOrder]) -> Held[Order]:
    """Write down what becomes of the candidates, and end the case when the owner has: all ended without a share."""
    found = candidates(desk, held.value, listing)
    if not found:
        return held
    if any(seen.filled or seen.status in _OPEN for seen in found.values()):
        there = shown(found)
        if sum(one.filled for one in there) == sum(one.filled for one in held.value.candidates):
            return held
        return move(desk, held, State.MANUAL, cause="the candidates have filled more", candidates=there)
    cause = "every order that could be it was ended by hand"
    not_ours = tuple(sorted({*held.value.not_ours, *found}))
    return move(desk, held, State.NOT_PLACED, cause=cause, codes=("ENDED_BY_HAND",), not_ours=not_ours)


def shown(found: Mapping[int, BrokerOrder]) -> tuple[Candidate, ...]:
    """Give the candidates as an order keeps them and the owner reads them."""
    return tuple(
        Candidate(order_id=name, status=seen.status or "?", filled=seen.filled or 0, placed_at=seen.placed_at)
        for name, seen in sorted(found.items())
    )


def _absent(desk: TradingDesk, held: Held[Order], listing: Sequence[BrokerOrder], account_key: str) -> Held[Order]:
    """Write down that a complete list does not show it, and call it not placed when that proves enough.

    What was seen is kept in the order, so that the proof goes on where an invocation ends.
    """
    order, now = held.value, desk.clock.now()
    if not _absence_counts(order, now):
        return held
    seen = order.absences
    if len(seen) < CLEAN_LISTS - 1:
        if seen and now - seen[-1] < CLEAN_SPAN / (CLEAN_LISTS - 1):
            return held
        return move(desk, held, State.UNKNOWN, cause="a complete list does not show it", absences=(*seen, now))
    if now - seen[0] < CLEAN_SPAN or not _shares_agree(desk, order, listing, account_key):
        return held
    return move(desk, held, State.NOT_PLACED, cause="complete lists show no trace of it", codes=("ABSENT",))


def _shares_agree(desk: TradingDesk, order: Order, listing: Sequence[BrokerOrder], account_key: str) -> bool:
    """Tell whether the account still holds what a sell would have sold: a list may lag, the shares tell, too.

    What was missed before this sell was born, or what the owner's own sells have taken, this sell has not.
    """
    position = held_position(desk, order.symbol)
    if order.kind is Kind.ENTRY or position is None:
        return True
    there = sum(one.quantity for one in desk.broker.portfolio(account_key) if one.symbol == order.symbol)
    by_hand = sum(sell.quantity for sell in sells_by_owner(desk, position.value, listing))
    agrees = there + by_hand >= position.value.quantity or there >= position.value.present
    if not agrees:
        desk.journal.line("shares_missing", Severity.ERROR, intent_id=order.intent_id, symbol=order.symbol, held=there)
    return agrees


def candidates(desk: TradingDesk, order: Order, listing: Sequence[BrokerOrder]) -> dict[int, BrokerOrder]:
    """Give by their ids the listed orders that could be this one and that no intent has."""
    return {
        seen.order_id: seen for seen in listing
        if seen.order_id is not None and could_be(order, seen) and not claimed(desk, seen.order_id)
    }  # fmt: skip


def could_be(order: Order, seen: BrokerOrder) -> bool:
    """Tell whether a listed order, read fully, looks like this one and is newer than its baseline."""
    if seen.odd or seen.order_id is None or seen.placed_at is None:
        return False
    same = (seen.symbol, seen.side, seen.quantity) == (order.symbol, order.side, order.quantity)
    priced = (seen.price_type, seen.limit_price, seen.stop_price) == (
        order.price_type,
        order.limit_price,
        order.stop_price,
    )
    return same and priced and may_be(order, seen)


def unlike(desk: TradingDesk, order: Order, seen: BrokerOrder | None, order_id: int) -> str | None:
    """Say why a broker order cannot be this one, or None where it can."""
    if seen is None:
        return "the order list does not show it"
    if order.licence is not None and order_id in order.licence.baseline:
        return "it was in the list before ours was sent"
    if order_id in order.not_ours:
        return "you have said that it is not"
    if claimed(desk, order_id):
        return "it belongs to another order of ours"
    if seen.odd:
        return f"it cannot be read fully ({', '.join(seen.odd)})"
    return None if could_be(order, seen) else _difference(order, seen)


def _difference(order: Order, seen: BrokerOrder) -> str:
    pairs = {
        "symbol": (seen.symbol, order.symbol), "side": (seen.side, order.side),
        "quantity": (seen.quantity, order.quantity), "price type": (seen.price_type, order.price_type),
        "limit": (seen.limit_price, order.limit_price), "stop": (seen.stop_price, order.stop_price),
    }  # fmt: skip
    other = [f"its {name} is {theirs} and ours {ours}" for name, (theirs, ours) in pairs.items() if theirs != ours]
    return ", ".join(other) or "it was placed before ours was sent"


def may_be(order: Order, seen: BrokerOrder) -> bool:
    """Tell whether nothing that can be read of a listed order speaks against its being this one.

    Such a row is never adopted, but while it stands no list proves that the order was not placed.
    """
    if order.licence is None or seen.order_id in (*order.licence.baseline, *order.not_ours):
        return False
    if seen.order_id is None and seen.symbol is None:  # may have stood there all day
        return False
    return (
        seen.symbol in (None, order.symbol)
        and seen.side in (None, order.side)
        and seen.quantity in (None, order.quantity)
        and seen.price_type in (None, order.price_type)
        and seen.term in (None, order.term)  # a term that cannot be read must not hide an order of ours
        and seen.limit_price in (None, order.limit_price)
        and seen.stop_price in (None, order.stop_price)
        and (seen.placed_at is None or seen.placed_at >= order.licence.signed_at - CLOCK_SLACK)
    )


def _absence_counts(order: Order, now: datetime) -> bool:
    if order.kind is not Kind.ENTRY:
        return True
    session = session_of(order.session)
    return session is not None and now > session.closes_at + LIST_LAG
