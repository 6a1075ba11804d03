"""Settlement while no order list can be read: what can be known of single orders is, and shares are covered.

What can go wrong: the order list fails for half an hour while everything else works, and fills are not booked, cancels
not confirmed, bought shares not protected. What this promises: each order that may change and has a number is asked for
by itself, its fills are booked and its end is seen; a cancel of which nothing came is asked for again; shares that no
sell covers get their stop. Nothing that rests is moved, and nothing that is in doubt is resolved: that takes a list.
"""

from collections.abc import Callable, Sequence
from functools import partial

from shared.domain.orders.orders import AT_BROKER, Order
from shared.errors import BrokerError, Conflict, InvariantBroken, Unseen
from shared.ports import Severity
from shared.usecases.base.desk import Held
from shared.usecases.base.trading import TradingDesk
from shared.usecases.orders.cancel import by_itself
from shared.usecases.orders.losses import open_positions
from shared.usecases.orders.moves import live_sells
from shared.usecases.settling.protect import protect


def settle_unlisted(
    desk: TradingDesk, moving: Sequence[Held[Order]], *, account_key: str, then: Callable[[Held[Order]], None],
    alive: Callable[[], None],
) -> None:  # fmt: skip
    """Work on the orders that move and on every position, each whatever becomes of the others.

    `then` does what an order needs once it was seen, `alive` is called before each piece of work. An order that cannot
    be seen ends the asking: no other will be. Raises InvariantBroken at the end where one was.
    """
    bugs: list[InvariantBroken] = []

    def guarded(work: Callable[[], None]) -> None:
        alive()
        try:
            work()
        except Unseen:
            raise
        except (Conflict, BrokerError, InvariantBroken) as problem:
            desk.journal.line("row_failed", Severity.WARNING, kind=type(problem).__name__, detail=problem.detail)
            bugs.extend([problem] if isinstance(problem, InvariantBroken) else [])

    def ask(held: Held[Order]) -> None:
        then(by_itself(desk, held, account_key=account_key))

    try:
        for held in moving:
            if held.value.state in AT_BROKER:
                guarded(partial(ask, held))
    except Unseen as problem:
        desk.journal.line("order_unseen", Severity.WARNING, detail=problem.detail)
    cover = partial(protect, desk.protecting, account_key=account_key, listing=None)
    for row in open_positions(desk):
        guarded(partial(cover, row, live_sells(desk, row.value.symbol)))
    if bugs:
        raise bugs[0]
