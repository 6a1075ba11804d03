"""`strategy explain`: one order's story, from its signal to what happens next."""

from datetime import date, datetime
from pathlib import Path

from infra.cli.hand import show
from infra.cli.laid_out import pairs, table
from infra.cli.looked import looked_at
from infra.operations import look
from infra.results.ends import came_to, cut_short
from infra.results.words import KINDS, plain, price, why_made
from infra.simulated_day.hours import NEW_YORK, day_and_time
from shared.domain.orders.explain import WASH_SALE, WORDS, step

_BY = {"order_placement": "ordering", "order_settlement": "bookkeeping", "market_scan": "price check"}
"""Who moved an order, by the function's name, as its owner reads it."""


def explain(order: str, profile: str, state: Path | None, *, json: bool) -> None:
    """Tell one order's story."""
    with looked_at(profile, state, opens=not json) as hand:
        story = look.story(hand.desk.store, order)
    show(story, lambda: _story(story), json=json)


def _story(story: look.Story) -> None:
    order = story.order
    made = ", ".join(dict.fromkeys((KINDS[order.kind].lower(), why_made(order))))
    pairs((
        ("Order", f"{order.intent_id}: {order.side} {order.quantity} {order.symbol}, {made}"),
        ("Decided", f"{day_and_time(order.decided_at)} New York"),
        ("State", f"{WORDS[order.state]}: {story.stands}"),
        *((("In short", cut_short(order)),) if cut_short(order) else ()),
        ("Next", story.next_step),
        *((("Signal", f"{story.signal.signal_id} of {plain(story.signal.strategy)}"),) if story.signal else ()),
        *((("Because", came_to(order)),) if order.codes else ()),
        *((("Size", order.sized),) if order.sized else ()),
        *((("Taxes", WASH_SALE),) if order.possible_wash_sale else ()),
    ))  # fmt: skip
    table(("New York", "By", "What happened"), (
        (_on(order.session, one.at), _BY.get(one.actor, plain(one.actor)), step(one.after, one.cause, order.venue))
        for one in story.events
    ))  # fmt: skip
    if story.fills:
        table(("Filled, New York", "Shares", "Average price", "Realised"), (
            (_on(order.session, one.at), one.quantity, price(one.price), one.realized) for one in story.fills
        ))  # fmt: skip


def _on(day: date, at: datetime) -> str:
    """Write an instant in New York, to the millisecond, with its date where that is another than `day`."""
    there = at.astimezone(NEW_YORK)
    return f"{there:{'' if there.date() == day else '%Y-%m-%d '}%H:%M:%S.%f}"[:-3]
