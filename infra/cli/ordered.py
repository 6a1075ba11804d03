"""`strategy orders`: what is open and what the day ordered: when, at what price, and why it came to nothing."""

import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from infra.cli.exits import say_unread
from infra.cli.hand import show
from infra.cli.laid_out import table
from infra.cli.looked import looked_at
from infra.cli.whose import by_hand
from infra.operations import look
from infra.results.ends import came_to, cut_short
from infra.results.words import price, why_made
from infra.simulated_day.hours import clock
from infra.simulated_day.problems import UserError
from shared.domain.base.calendar import new_york_day
from shared.domain.orders.explain import WORDS
from shared.domain.orders.orders import Order, State

COLUMNS = ("Order", "Time", "Symbol", "Side", "Shares", "Filled", "Asked", "Fill", "State", "Why")


def orders(
    profile: str, state: Path | None, *, every: bool, symbol: str | None, state_is: str | None, last: int | None,
    json: bool,
) -> None:  # fmt: skip
    """List open orders and those of the New York day, the newest last; raises UserError for a state that is none."""
    wanted, unread = frozenset(State) if state_is is None else _states(state_is), list[str]()
    with looked_at(profile, state, opens=not json) as hand:
        # Ids are as long as makes them unique among all.
        known, today = look.orders(hand.desk.store, every=True, unread=unread), new_york_day(hand.desk.clock.now())
    say_unread(unread, by_hand("look", hand.broker, hand.mode))
    rows = [
        one for one in known
        if (every or one.live or new_york_day(one.created_at) == today)
        and (symbol is None or one.symbol == symbol.upper())
        and one.state in wanted
    ]  # fmt: skip
    rows = rows if last is None else rows[-last:]
    such = " such" if symbol is not None or state_is is not None else ""
    none = f"No{such} orders{'' if every else f' open or of {today}; --all lists those of every day'}.\n"
    none = none if known else "No orders yet.\n"
    show(rows, lambda: _in_words(rows, look.shortest([one.intent_id for one in known]), none), json=json)


def why(order: Order) -> str:
    """Say why an order exists, what came of it where it is not all that was ordered, and why, in words."""
    ended = f"{WORDS[order.state]}: {came_to(order)}" if order.codes else ""
    wash_sale = "possible wash sale" if order.possible_wash_sale else ""
    return "; ".join(part for part in (why_made(order), cut_short(order), ended, wash_sale) if part)


def _states(name: str) -> frozenset[State]:
    """Give the states that the table or the JSON calls so; raises UserError where neither does."""
    asked = name.lower().replace("-", " ").replace("_", " ")
    found = frozenset(one for one in State if asked in (WORDS[one], one.lower().replace("_", " ")))
    if not found:
        raise UserError(f"there is no state {name!r}", remedy=f"choose {', '.join(dict.fromkeys(WORDS.values()))}")
    return found


def _in_words(rows: Sequence[Order], length: int, none: str) -> None:
    if not rows:
        sys.stdout.write(none)
    for day, those in groupby(rows, key=lambda one: new_york_day(one.created_at)):
        sys.stdout.write(f"{day}, New York\n")
        table(COLUMNS, (_row(one, length) for one in those))


def _row(one: Order, length: int) -> tuple[object, ...]:
    asked = one.stop_price or one.limit_price
    return (
        one.intent_id[:length], clock(one.created_at), one.symbol, one.side, one.quantity, one.filled, asked,
        price(one.average_price), WORDS[one.state], why(one),
    )  # fmt: skip
