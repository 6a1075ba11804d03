"""Ask settlement for something and wait for its answer: a document, which the owner writes and the desk answers.

What can go wrong: nobody runs, or the desk looks at no wish at this hour; it is signed out; the answer takes longer
than somebody waits. What this promises: nothing is asked of a desk that does not run or that looks at no wish now; a
wish that is not answered in time stays where it is, is worked within its ten minutes or not at all, and whoever waited
is told both.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from infra.operations import look, systems
from infra.operations.profiles import Hand
from infra.simulated_day.hours import NEW_YORK
from infra.simulated_day.problems import UserError
from shared.domain.base.calendar import session_at
from shared.domain.control.asks import Ask, AskKind
from shared.domain.orders.orders import Order
from shared.settings import Mode
from shared.usecases.base.desk import read
from shared.usecases.settling import asks
from shared.usecases.sign_in import token

EVERY_S = 0.5
FIRST_HOUR, LAST_HOUR = 9, 16
Rest = Callable[[float], None]


def order_to_cancel(hand: Hand, name: str) -> Order:
    """Find the order that is to be cancelled; raises UserError for one that no command cancels."""
    order = look.find(hand.desk.store, name)
    why = asks.not_cancelled(order, hand.desk.clock.now())
    if why is not None:
        raise UserError(why, remedy="`strategy orders` lists what is open")
    return order


def wish_of(hand: Hand, kind: AskKind, order: Order | None = None) -> Ask:
    """Make a wish of this moment."""
    now = hand.desk.clock.now()
    name = f"{now:%Y%m%dT%H%M%S}-{hand.desk.chance.token(8)}"
    return Ask(ask_id=name, kind=kind, at=now, intent_id=None if order is None else order.intent_id)


def ask(
    hand: Hand, wish: Ask, *, wait_s: float, tell: Callable[[str], object], rest: Rest = time.sleep
) -> Ask:  # fmt: skip
    """Write a wish down, wait for the answer, and give it, still waiting when there is none in time; raises UserError.

    What settlement waits for is told as it changes.
    """
    _require_somebody(hand)
    store = hand.desk.store
    asks.ask(hand.desk, wish)
    if not token.stage(store, hand.desk.clock.now()).signs:
        tell("Asked. NOBODY IS SIGNED IN: nothing is done before `strategy login`, and nothing after ten minutes.")
    else:
        tell("Asked; the system looks within a minute.")
    seen = wish
    for _ in range(max(1, int(wait_s / EVERY_S))):
        held = read(store, Ask, asks.path(wish.ask_id))
        now = seen if held is None else held.value
        if not now.waiting:
            return now
        if now.progress != seen.progress:
            tell(f"{now.progress}.")
        seen = now
        rest(EVERY_S)
    return seen


def doubt(hand: Hand, order: Order, number: int | None) -> Ask:
    """Make the wish that ends a doubt: it is the broker's order of this number, or none."""
    return replace(wish_of(hand, AskKind.RESOLVE, order), broker_order_id=number)


def confirmed(hand: Hand, shown: Ask) -> Ask:
    """Make the wish that books what a reconcile has shown."""
    return replace(wish_of(hand, shown.kind), confirmed=True)


def _require_somebody(hand: Hand) -> None:
    """Refuse where nobody would work a wish; raises UserError."""
    by_hand = "" if hand.mode == Mode.PAPER or hand.simulated else "; what cannot wait you do in E*TRADE's app"
    if not hand.running:
        systems.require_unended(Path(hand.name))
        undone = "nobody would do it; nothing was asked"
        raise systems.resting(Path(hand.name), undone, f"{systems.START_FIRST}{by_hand}")
    now = hand.desk.clock.now()
    if session_at(now) is None or not FIRST_HOUR <= now.astimezone(NEW_YORK).hour <= LAST_HOUR:
        what = f"the system takes requests from {FIRST_HOUR}:00 to {LAST_HOUR}:59 New York on trading days"
        raise UserError(f"{what}; nothing was asked", remedy=f"ask then{by_hand}")
