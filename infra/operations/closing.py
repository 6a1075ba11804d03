"""Sell what is held by the owner's wish, on the way that every exit takes.

What can go wrong: nothing is held, or it is sold already; the market is closed; the owner's own halt blocks exits;
somebody writes the position at the same moment; nobody runs who would sell. What this promises: the wish is one word in
the position (`closing`), and the scan, which looks at what is held each two seconds, decides on the exit as on any
other, so that no second way to sell exists: the stop is cancelled and confirmed first, what does not fill is priced
anew, and an exit that comes to nothing (the broker refuses it, the function that sends it freezes) is decided again
until nothing is held. It needs no configuration and no quote: prices are the scan's.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from infra.operations import look, systems
from infra.operations.profiles import Hand
from infra.simulated_day.problems import UserError
from shared.domain.base.calendar import is_open
from shared.domain.orders.positions import Position
from shared.errors import DeskError, Malformed
from shared.frozen import frozen
from shared.settings import Mode
from shared.usecases.base.desk import Desk, persist, read
from shared.usecases.control.control import exits_blocked


@frozen
class Closing:
    """What became of one symbol, with the shares that are held.

    `venue` is where it is held; `already` says that it was asked for before; `problem` that nothing was asked for, and
    why.
    """

    symbol: str
    quantity: int = 0
    venue: str = ""
    already: bool = False
    problem: str | None = None


def close(hand: Hand, symbol: str | None, *, unread: list[str]) -> list[Closing]:
    """Ask for the exit of one symbol, or of all that is held; raises UserError where there is nothing to ask for.

    One that fails stops no other; a position that cannot be read is added to `unread`.
    """
    _require_able(hand)
    held = {one.symbol: one for one in look.positions(hand.desk.store, unread=unread)}
    wanted = sorted(held) if symbol is None else [symbol.strip().upper()]
    if not wanted or wanted[0] not in held:
        what = "nothing is held" if symbol is None else f"{wanted[0]} is not held"
        raise UserError(f"{what} by {hand.name}", remedy="`strategy positions` lists what is held")
    return [_attempt(hand.desk, one) for one in wanted]


def _require_able(hand: Hand) -> None:
    """Refuse where no exit would be sold; raises UserError."""
    theirs = hand.mode != Mode.PAPER and not hand.simulated
    by_hand = "; what has to go at once you sell on E*TRADE's own page" if theirs else ""
    if not hand.running:
        systems.require_unended(Path(hand.name))
        raise systems.resting(Path(hand.name), "nobody would sell", f"{systems.START_FIRST}{by_hand}")
    if not is_open(hand.desk.clock.now()):
        raise UserError(
            "the market is closed, and no exit is sent outside the session", remedy="ask again when it opens"
        )
    try:
        blocked = exits_blocked(hand.desk)
    except Malformed:
        blocked = False  # whoever works the exit reads it again
    if blocked:
        what = "your halt blocks exits too"
        raise UserError(what, remedy=f'let exits go with `strategy resume --exits-only --reason "..."`{by_hand}')


def _attempt(desk: Desk, symbol: str) -> Closing:
    try:
        return persist(lambda: _ask(desk, symbol))
    except DeskError as problem:
        return Closing(symbol=symbol, problem=f"{problem.detail}: nothing was asked for, repeat the command")


def _ask(desk: Desk, symbol: str) -> Closing:
    held = read(desk.store, Position, f"positions/{symbol}")
    if held is None or not held.value.is_open:
        return Closing(symbol=symbol, problem="it was sold meanwhile")
    position = held.value
    if not position.closing:
        desk.store.commit([held.update(replace(position, closing=True))])
    return Closing(symbol=symbol, quantity=position.quantity, venue=position.venue, already=position.closing)


def failed(results: Iterable[Closing]) -> bool:
    """Tell whether anything was not asked for."""
    return any(one.problem is not None for one in results)
