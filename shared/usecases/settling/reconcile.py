"""Compare the book with the account at the owner's wish: say what would be booked, or book it once that is proven.

It is the comparison that settlement makes each minute (`hands`), at once and with an answer: nothing is booked on less.
"""

from collections.abc import Callable, Sequence

from shared.domain.broker.brokerage import BrokerOrder
from shared.domain.control.asks import Ask, Verdict
from shared.domain.orders.positions import Position
from shared.domain.orders.taken import Taken
from shared.domain.telling.wording import clock, count
from shared.usecases.base.desk import Held, held_rows, not_before
from shared.usecases.base.trading import TradingDesk
from shared.usecases.orders.losses import open_positions
from shared.usecases.settling import hands
from shared.usecases.settling.look import Look


def reconcile(
    desk: TradingDesk, wish: Ask, listing: Sequence[BrokerOrder], compare: Callable[[], Look]
) -> Verdict | str:  # fmt: skip
    """Give the answer, or what it waits for; `compare` looks at the account and does what a look does.

    What is to be booked is booked by the second look, half a minute after the one that missed it.
    """
    now = desk.clock.now()
    if wish.progress and not any(hands.ripe(row.value, now) for row in open_positions(desk)):
        return wish.progress
    seen = compare()
    if seen.holdings is None:
        return wish.progress or Verdict(done=False, text="what the account holds cannot be read now")
    held = open_positions(desk)
    missed = sum(row.value.quantity - row.value.present for row in held)
    if wish.confirmed and missed:
        return f"missing: {count(missed, 'share')}; what a second look misses, too, is booked"
    taken = _since(desk, wish)
    open_lines = [line for row in held if (line := _line(desk, row, seen, listing)) is not None]
    lines = (*(f"{one.symbol}: {_booked(one)}" for one in taken), *open_lines)
    shares = sum(one.quantity for one in taken) if wish.confirmed else missed
    return Verdict(done=not (wish.confirmed and open_lines), text=_text(wish, shares, open_lines), lines=lines,
                   shares=shares)  # fmt: skip


def _text(wish: Ask, shares: int, open_lines: Sequence[str]) -> str:
    if wish.confirmed:
        booked = f"booked as taken out: {count(shares, 'share')}" if shares else "nothing was booked"
        return f"{booked}{'; not everything can be concluded now' if open_lines else ''}"
    return "the account holds less than the book" if open_lines else "the account holds all that the book does"


def _since(desk: TradingDesk, wish: Ask) -> list[Taken]:
    return [row.value for row in held_rows(desk, Taken, desk.store.query("taken", not_before("at", wish.at)))]


def _booked(taken: Taken) -> str:
    at = "" if taken.price is None else f", {taken.quantity - taken.unpriced} of them sold at ${taken.price:,.2f}"
    unknown = f", {taken.unpriced} at a price that is not known" if taken.unpriced else ""
    return f"{count(taken.quantity, 'share')} booked as taken out{at}{unknown}"


def _line(desk: TradingDesk, held: Held[Position], seen: Look, listing: Sequence[BrokerOrder]) -> str | None:
    """Say what the account misses of one position, None where it holds all."""
    position = held.value
    short = hands.short_of(seen, position)
    if not short:
        return None
    missing = f"{position.symbol}: {short} of {count(position.quantity, 'share')} are missing"
    hindrance = hands.hindrance(desk, position, short, seen, listing)
    if position.missing is None:
        return f"{missing}, which proves nothing yet: {hindrance or 'the look comes first'}"
    by_owner = sum(sell.quantity for sell in hands.sells_by_owner(desk, position, listing))
    sold = (
        f"; your own orders sold {by_owner}" if by_owner else "; no order of yours sold them, so their price is unknown"
    )
    return f"{missing} since {clock(position.missing.since)}{sold}"
