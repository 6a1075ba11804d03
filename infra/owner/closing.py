"""Sell what is held by the owner's wish, on the way that every exit takes.

What can go wrong: nothing is held, or it is sold already; the market is closed; the owner's own halt blocks exits; the
scan writes the position at the same moment; nobody runs who would sell. What this promises: the wish is the position's
pending exit, as if the scan had decided it (shared.usecases.asking), so that no second way to sell exists: the stop is
cancelled and confirmed first, what does not fill is priced anew, and an exit that comes to nothing (the broker refuses
it, the function that sends it freezes) is decided again until nothing is held. It needs no configuration: the limit is
the bid of the scan's last quote, and without a sound one of the last three minutes it is sold at the market.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from infra.day.problems import UserError
from infra.owner import look, systems
from infra.owner.profiles import Hand
from shared.domain import pricing
from shared.domain.calendar import is_open
from shared.domain.exits import OWNER, ExitNow
from shared.domain.positions import Position
from shared.domain.quality import faults
from shared.domain.quotes import Quote
from shared.domain.values import PriceType
from shared.errors import DeskError, Malformed
from shared.usecases.asking import ask_exit
from shared.usecases.control import exits_blocked
from shared.usecases.desk import Desk, persist, read
from shared.usecases.losses import MARK_LIFE

REASON = OWNER


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What became of one symbol: `limit_price` in USD is None at the market.

    `already` says that an exit was decided before, for its own `reason`; `problem` that nothing was asked for, and why.
    """

    symbol: str
    quantity: int = 0
    reason: str = REASON
    exit_id: str = ""
    price_type: PriceType | None = None
    limit_price: Decimal | None = None
    already: bool = False
    problem: str | None = None


def close(hand: Hand, symbol: str | None, *, unread: list[str]) -> list[Closing]:
    """Ask for the exit of one symbol, or of all that is held; raises UserError where there is nothing to ask for.

    One that fails stops no other; a position that cannot be read is added to `unread`.
    """
    _require_able(hand)
    held = {one.symbol: one for one in look.positions(hand.desk.store, every=False, unread=unread)}
    wanted = sorted(held) if symbol is None else [symbol.strip().upper()]
    if not wanted or wanted[0] not in held:
        what = "nothing is held" if symbol is None else f"{wanted[0]} is not held"
        raise UserError(f"{what} by {hand.name}", remedy="`strategy positions` lists what is held")
    return [_attempt(hand.desk, one) for one in wanted]


def _require_able(hand: Hand) -> None:
    """Refuse where no exit would be sold; raises UserError."""
    by_hand = "what has to go at once you sell on E*TRADE's own page"
    if not hand.running:
        systems.require_unended(Path(hand.name))
        what = f"{hand.name} does not run, so nobody would sell"
        raise UserError(what, remedy=f"start it with `strategy up`; {by_hand}")
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
        raise UserError(what, remedy=f'let exits go with `strategy resume --exits-only --reason "..."`; {by_hand}')


def _attempt(desk: Desk, symbol: str) -> Closing:
    try:
        return persist(lambda: _ask(desk, symbol))
    except DeskError as problem:
        return Closing(symbol=symbol, problem=f"{problem.detail}: nothing was asked for, say it again")


def _ask(desk: Desk, symbol: str) -> Closing:
    held = read(desk.store, Position, f"positions/{symbol}")
    if held is None or not held.value.is_open:
        return Closing(symbol=symbol, problem="it was sold meanwhile")
    pending, quantity = held.value.pending_exit, held.value.quantity
    if pending is None:
        now = desk.clock.now()
        pending = ask_exit(desk, held, _decision(_sound_quote(desk, symbol)), now, closing=True).pending
        already = False
    else:
        already = True
        desk.store.commit([held.update(replace(held.value, closing=True))])
    return Closing(
        symbol=symbol, quantity=quantity, reason=pending.reason, exit_id=pending.exit_id,
        price_type=pending.price_type, limit_price=pending.limit_price, already=already,
    )  # fmt: skip


def _decision(quote: Quote | None) -> ExitNow:
    if quote is None:
        return ExitNow(reason=REASON, price_type=PriceType.MARKET, limit_price=None)
    limit = pricing.flatten_limit(bid=quote.bid)
    return ExitNow(reason=REASON, price_type=PriceType.LIMIT, limit_price=limit)


def _sound_quote(desk: Desk, symbol: str) -> Quote | None:
    """Give the scan's last quote unless something is wrong with it or it is older than three minutes."""
    try:
        held = read(desk.store, Quote, f"quotes/{symbol}")
    except Malformed:
        return None
    if held is None:
        return None
    wrong = faults(held.value, now=desk.clock.now(), max_age_s=int(MARK_LIFE.total_seconds()))
    return None if wrong else held.value


def failed(results: Iterable[Closing]) -> bool:
    """Tell whether anything was not asked for."""
    return any(one.problem is not None for one in results)
