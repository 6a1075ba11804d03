"""Sells that the broker refused: counted in the position that they were for, and told to the owner.

What can go wrong: a stop is refused for an hour and asked for each few seconds; the process dies between the refusal
and its count; the list rejects later what the broker took at first. What this promises: a refusal is counted once,
from the order's own document, by whoever finds it; the count says when the broker is asked again (`backoff`), and each
episode is told once: an exit's at its first refusal, a stop's when asking again has not helped, or has to wait for the
next session.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.base.calendar import is_open
from shared.domain.orders import backoff
from shared.domain.orders.backoff import Refusal
from shared.domain.orders.orders import Kind, Order, State
from shared.domain.orders.positions import Position
from shared.domain.telling.notices import ExitRefused, Notice, StopRefused
from shared.ports import Severity
from shared.usecases.base.desk import Held, persist
from shared.usecases.base.trading import TradingDesk
from shared.usecases.orders.fills import held_position
from shared.usecases.telling.notices import announce

STOP_TOLD_AT = 3
"""The broker books bought shares some seconds after their fill, and refuses a stop over them until then."""
TAKEN_AFTER = timedelta(seconds=10)
"""What the broker takes it may still reject some seconds later."""


def count(desk: TradingDesk, held: Held[Position], order: Order) -> Held[Position]:
    """Count an order that ended REJECTED, unless it is counted already; gives the position as it then is."""
    of_exit = order.kind is Kind.EXIT
    before = held.value.exit_refused if of_exit else held.value.stop_refused
    if order.state is not State.REJECTED or (before is not None and before.last_at >= order.updated_at):
        return held
    refusal = backoff.refused(before, at=order.updated_at, reason=_reason(order))
    after = replace(held.value, exit_refused=refusal) if of_exit else replace(held.value, stop_refused=refusal)
    if order.stop_price is not None and order.stop_price > held.value.stop_wanted:
        after = replace(after, move_refused_at=order.updated_at)
    notice = _notice(order, refusal, desk.clock.now())
    rows = [] if notice is None else [announce(desk, notice)]
    version = desk.store.commit([held.update(after), *rows])[0]
    desk.journal.line(
        "sell_refused", Severity.ERROR, symbol=order.symbol, kind=order.kind, times=refusal.times, why=refusal.reason
    )  # fmt: skip
    return Held(path=held.path, value=after, version=version)


def count_at_once(desk: TradingDesk, order: Order) -> None:
    """Count a sell that was just sent, if it was refused."""

    def attempt() -> None:
        held = held_position(desk, order.symbol)
        if held is not None and held.value.is_open and held.value.position_id == order.position_id:
            count(desk, held, order)

    if order.state is State.REJECTED:
        persist(attempt)


def forget(desk: TradingDesk, held: Held[Position]) -> Held[Position]:
    """End the episode of a position whose shares are covered again, and have been since a while after the refusal."""
    refusal = held.value.stop_refused
    if refusal is None or desk.clock.now() - refusal.last_at <= TAKEN_AFTER:
        return held
    after = replace(held.value, stop_refused=None)
    return Held(path=held.path, value=after, version=desk.store.commit([held.update(after)])[0])


def _reason(order: Order) -> str:
    code = order.codes[0].partition(":")[2] if order.codes else ""
    words = order.note or "E*TRADE's order list shows it as rejected"
    return f"{words} ({code})" if code else words


def _notice(order: Order, refusal: Refusal, now: datetime) -> Notice | None:
    name, symbol, quantity = order.position_id, order.symbol, order.quantity
    if order.kind is Kind.EXIT:
        if refusal.times > 1:
            return None
        return ExitRefused(
            position_id=name, symbol=symbol, quantity=quantity, why=refusal.reason, since=refusal.since, at=now
        )  # fmt: skip
    if refusal.times != STOP_TOLD_AT and is_open(now):
        return None
    return StopRefused(
        position_id=name, symbol=symbol, quantity=quantity, why=refusal.reason, since=refusal.since, at=now
    )  # fmt: skip
