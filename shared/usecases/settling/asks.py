"""What the owner asks of settlement by command: cancel an entry, end a case for a person, reconcile with the account.

What can go wrong: the owner names a protective stop, or a broker order that cannot be ours; settlement dies between the
deed and its answer; nobody runs; an old wish is met by another situation. What this promises: a wish is worked at the
next poll, on a complete list of that poll, as often as it takes, and its deed happens once, because its order's own
document decides; what cannot be done is refused with the reason; what nobody worked for `LIFE` is not done any more,
and says so. That an order was never placed is not taken from a list that may still lag behind it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from shared.domain.broker.brokerage import BrokerOrder
from shared.domain.control.asks import Ask, AskKind, Verdict, answered
from shared.domain.orders.explain import WORDS
from shared.domain.orders.orders import STOPS, TERMINAL, UNSENT, Kind, Order, State
from shared.ports import Where
from shared.usecases.base.desk import Desk, Held, create, held_rows
from shared.usecases.base.trading import TradingDesk
from shared.usecases.orders.cancel import ask_cancel
from shared.usecases.orders.fills import book_seen
from shared.usecases.orders.moves import held_order, move
from shared.usecases.settling.look import Look
from shared.usecases.settling.reconcile import reconcile
from shared.usecases.settling.resolve import LIST_LAG, adopt, candidates, may_be, unlike

LIFE = timedelta(minutes=10)
Listing = Sequence[BrokerOrder]


def ask(desk: Desk, wish: Ask) -> None:
    """Write a wish down for settlement; raises StoreDown."""
    desk.store.commit([create(path(wish.ask_id), wish)])


def path(ask_id: str) -> str:
    """Give the path of an ask."""
    return f"asks/{ask_id}"


def waiting(desk: Desk) -> list[Held[Ask]]:
    """Read the wishes that wait, oldest first."""
    rows = held_rows(desk, Ask, desk.store.query("asks", Where("waiting", "==", True)))
    return sorted(rows, key=lambda row: (row.value.at, row.value.ask_id))


def work(
    desk: TradingDesk, held: Held[Ask], listing: Listing, *, account_key: str, compare: Callable[[], Look]
) -> None:  # fmt: skip
    """Do what one wish needs now and answer it when that is all; it waits on while the broker has to show something.

    `compare` looks at the account and compares it with the book. Raises BrokerError or StoreError where the next poll
    has to try again.
    """
    wish = held.value
    if desk.clock.now() - wish.at > LIFE:
        minutes = int(LIFE.total_seconds() // 60)
        answer(
            desk, held, Verdict(done=False, text=f"no function handled it for {minutes} minutes: repeat the command")
        )
        return
    match wish.kind:
        case AskKind.CANCEL:
            verdict = _cancel(desk, held, account_key)
        case AskKind.RESOLVE:
            verdict = _resolve(desk, held, listing)
        case AskKind.RECONCILE:
            verdict = reconcile(desk, wish, listing, compare)
        case _:
            assert_never(wish.kind)
    if isinstance(verdict, Verdict):
        answer(desk, held, verdict)
    elif verdict is not None and verdict != wish.progress:
        desk.store.commit([held.update(replace(wish, progress=verdict))])


def answer(desk: TradingDesk, held: Held[Ask], verdict: Verdict) -> None:
    """Write the answer to a wish."""
    desk.store.commit([held.update(answered(held.value, verdict, desk.clock.now()))])
    _journal(desk, held.value, verdict)


def _journal(desk: TradingDesk, wish: Ask, verdict: Verdict) -> None:
    desk.journal.line("ask_answered", ask=wish.ask_id, kind=wish.kind, done=verdict.done, text=verdict.text)


def _cancel(desk: TradingDesk, held: Held[Ask], account_key: str) -> Verdict | str | None:
    """Cancel an entry; gives the answer, or what it waits for. One that filled all its shares was not cancelled."""
    found = held_order(desk, held.value.intent_id or "")
    if found is None:
        return Verdict(done=False, text=f"there is no order {held.value.intent_id}")
    order = found.value
    refusal = not_cancelled(order, held.value.at)
    if refusal is not None:
        return Verdict(done=False, text=refusal)
    if order.state in TERMINAL:
        text = f"{order.intent_id} is {WORDS[order.state]}, {order.filled} of {order.quantity} filled"
        return Verdict(done=order.state is not State.FILLED, text=text)
    if order.state in UNSENT:
        move(desk, found, State.VOIDED, cause="the owner cancels it", codes=("BY_OWNER",))
        return Verdict(done=True, text=f"{order.intent_id} is cancelled: it was never sent")
    if order.state is State.PLACING:
        return "it is being sent: the cancel is asked for as soon as the broker has it"
    if order.state is State.WORKING:
        ask_cancel(desk, found, account_key=account_key, cause="the owner cancels it")
    return "the cancel was asked for; the order list has to show how it ended"


def not_cancelled(order: Order, asked_at: datetime) -> str | None:
    """Say why an order is not cancelled by command, or None."""
    if order.state in TERMINAL and order.updated_at < asked_at:
        return f"{order.intent_id} has ended: {WORDS[order.state]}"
    if order.kind in STOPS:
        stop = f"{order.intent_id} is the stop that protects {order.quantity - order.filled} shares of {order.symbol}"
        return f"{stop}: `strategy close {order.symbol}` sells them and ends it"
    if order.kind is Kind.EXIT:
        return f"{order.intent_id} is an exit: `strategy halt --exits-too` lets no further one be sent"
    if order.state in (State.UNKNOWN, State.MANUAL):
        return f"{order.intent_id} is {WORDS[order.state]}: nobody knows its broker order; `strategy resolve` ends that"
    return None


def _resolve(desk: TradingDesk, held: Held[Ask], listing: Listing) -> Verdict | str | None:
    """End a doubt as the owner says, checked against a complete list; the answer is part of the commit."""
    wish = held.value
    found = held_order(desk, wish.intent_id or "")
    if found is None:
        return Verdict(done=False, text=f"there is no order {wish.intent_id}")
    order = found.value
    if order.state is State.PLACING:
        return "its authorisation to send has to expire first"
    if order.state not in (State.UNKNOWN, State.MANUAL):
        return Verdict(done=False, text=f"{order.intent_id} is {WORDS[order.state]}: nothing of it is in doubt")
    possible = candidates(desk, order, listing)
    if wish.broker_order_id is None:
        if not possible and order.licence is not None and desk.clock.now() < order.licence.deadline + LIST_LAG:
            return "the order list may show it late: what it shows a minute after the order was sent decides"
        _disown(desk, held, found, [*possible, *_perhaps(order, listing)])
        return None
    seen = next((row for row in listing if row.order_id == wish.broker_order_id), None)
    why = unlike(desk, order, seen, wish.broker_order_id)
    if seen is None or why is not None:
        others = f"; those that can be it: {', '.join(map(str, sorted(possible)))}" if possible else "; none can be it"
        return Verdict(done=False, text=f"order {wish.broker_order_id} is not {order.intent_id}: {why}{others}")
    verdict = Verdict(done=True, text=f"{order.intent_id} is broker order {wish.broker_order_id} and settled as ours")
    given = held.update(answered(wish, verdict, desk.clock.now()))
    adopted = adopt(desk, found, wish.broker_order_id, seen, given, cause="the owner says that it is this one")
    _journal(desk, wish, verdict)
    book_seen(desk, adopted, seen)
    return None


def _perhaps(order: Order, listing: Listing) -> list[int]:
    """Give the listed orders that cannot be read fully and might be this one."""
    return [row.order_id for row in listing if row.order_id is not None and may_be(order, row)]


def _disown(desk: TradingDesk, held: Held[Ask], found: Held[Order], yours: Sequence[int]) -> None:
    """Call an order not placed, and remember which broker orders the owner keeps as their own."""
    order = found.value
    names = tuple(sorted({*order.not_ours, *yours}))
    which = f"; yours are {', '.join(map(str, names))}" if names else ""
    verdict = Verdict(done=True, text=f"{order.intent_id} is NOT_PLACED{which}; what was reserved for it is free")
    given = held.update(answered(held.value, verdict, desk.clock.now()))
    cause = "the owner says that no order at the broker is this one"
    move(desk, found, State.NOT_PLACED, given, cause=cause, codes=("BY_OWNER",), not_ours=names)
    _journal(desk, held.value, verdict)
