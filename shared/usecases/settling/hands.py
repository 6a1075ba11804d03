"""Shares that leave the account by the owner's hand: missed twice, freed of our sells, then booked as taken out.

What can go wrong: the list lags behind a fill of ours that explains what is missing; the portfolio lags behind a fill;
a sell of ours is in doubt, or its cancel is; a row of the portfolio cannot be read; the process dies between the
cancel of a stop and the booking. What this promises: nothing is booked before two complete portfolios `LOOKS_APART`
did not hold it, each followed by a complete list; a portfolio that never showed the shares proves nothing for
`PORTFOLIO_LAG`, unless the owner's own sells explain them; before the booking every sell of ours over them has ended
by list, so that none can fill them afterwards; the booking is one commit, and what a portfolio holds beyond ours is
not ours and not touched. From the first miss on no new stop is asked for over what is missing, and none that rests is
moved (`protect`); a miss that cannot be confirmed for `MISSED_AT_MOST` is forgotten.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.base.calendar import new_york_day
from shared.domain.base.values import Side
from shared.domain.broker.brokerage import BrokerOrder
from shared.domain.orders.orders import IN_DOUBT, UNSENT, Order, State
from shared.domain.orders.positions import Fill, Ledger, Missing, Position
from shared.domain.orders.taken import OwnersSell, Taken, counted, owners_sells, sealed, take_out
from shared.domain.telling.hand_notices import SharesTaken
from shared.errors import BrokerError
from shared.ports import Severity, Where
from shared.usecases.base.desk import Held, create, held_rows, persist
from shared.usecases.base.trading import TradingDesk
from shared.usecases.orders.cancel import cancel_and_confirm
from shared.usecases.orders.claims import claimed
from shared.usecases.orders.fills import held_position
from shared.usecases.orders.moves import ledger_write, live_sells, move
from shared.usecases.settling.look import Look
from shared.usecases.telling.notices import announce

LOOKS_APART = timedelta(seconds=30)
PORTFOLIO_LAG = timedelta(minutes=10)
MISSED_AT_MOST = timedelta(seconds=60)
"""What no portfolio has confirmed by then, because none can be read, counts as held: it must not lie bare for that."""
Listing = Sequence[BrokerOrder]


def look(desk: TradingDesk, account_key: str) -> Look:
    """Ask for the portfolio alone; what fails is journalled and shows nothing."""
    asked_at, holdings = desk.clock.now(), None
    try:
        holdings = desk.broker.portfolio(account_key)
    except BrokerError as problem:
        desk.journal.line("look_failed", Severity.WARNING, kind=type(problem).__name__, detail=problem.detail)
    return Look(asked_at=asked_at, holdings=holdings, balance=None, listing=None)


def look_again(held: Sequence[Held[Position]], *, looked_at: datetime, now: datetime) -> bool:
    """Tell whether the next minute's look is too late: a miss can be confirmed, or a sell was refused since the last.

    The broker refuses to sell shares that are no longer there, and what is left of them waits for its stop.
    """
    return any(ripe(row.value, now) or _refused(row.value, looked_at) for row in held)


def ripe(position: Position, now: datetime) -> bool:
    """Tell whether a second look at what is missing counts by now."""
    return position.missing is not None and now - position.missing.since >= LOOKS_APART


def _refused(position: Position, looked_at: datetime) -> bool:
    refusals = (position.stop_refused, position.exit_refused)
    return position.missing is None and any(one is not None and one.last_at > looked_at for one in refusals)


def misses(seen: Look, held: Sequence[Held[Position]]) -> bool:
    """Tell whether a portfolio holds less than one of our positions."""
    there = [(row.value, _shares(seen, row.value.symbol)) for row in held]
    return any(shares is not None and shares < position.quantity for position, shares in there)


def compare(desk: TradingDesk, held: Held[Position], *, seen: Look, listing: Listing, account_key: str) -> None:
    """Compare one position with a portfolio; where it misses shares, `listing` was read after it and is booked.

    Raises Conflict where somebody else changed the position meanwhile; the next look judges anew.
    """
    position = held.value
    there = _shares(seen, position.symbol)
    if there is None:
        if position.missing is not None and seen.asked_at - position.missing.since >= MISSED_AT_MOST:
            desk.store.commit([held.update(replace(position, missing=None))])
        return
    short = max(position.quantity - max(there, 0), 0)
    if not short:
        if position.shown < position.quantity or position.missing is not None:
            desk.store.commit([held.update(replace(position, shown=position.quantity, missing=None))])
        return
    if hindrance(desk, position, short, seen, listing) is not None:
        return
    noted = position.missing
    if noted is None:
        missing = Missing(quantity=short, since=seen.asked_at)
        desk.store.commit([held.update(replace(position, missing=missing))])
        desk.journal.line("shares_missed", Severity.WARNING, symbol=position.symbol, quantity=short, held=there)
    elif seen.asked_at - noted.since >= LOOKS_APART:
        quantity = min(short, noted.quantity)
        sells = live_sells(desk, position.symbol)
        listing = end_surplus(
            desk, sells, left=position.quantity - quantity, cause="its shares were taken out by hand", code="TAKEN_OUT",
            account_key=account_key,
        ) or listing  # fmt: skip
        persist(lambda: _book(desk, position, noted, seen, listing))


def hindrance(desk: TradingDesk, position: Position, short: int, seen: Look, listing: Listing) -> str | None:
    """Say why a miss proves nothing now, or None: a sell of ours may have taken the shares, or the portfolio lags."""
    for sell in live_sells(desk, position.symbol):
        if sell.value.state in IN_DOUBT:
            return f"our sell {sell.value.intent_id} is in doubt"
        if sell.value.state is State.CANCEL_REQ:
            return f"the cancel of our sell {sell.value.intent_id} is not confirmed"
    if not _proven(desk, position, short, sells_by_owner(desk, position, listing), seen.asked_at):
        return "no portfolio has shown these shares yet"
    return None


def short_of(seen: Look, position: Position) -> int:
    """Count the shares of a position that a portfolio does not hold; none where it does not tell."""
    there = _shares(seen, position.symbol)
    return 0 if there is None else max(position.quantity - max(there, 0), 0)


def takings(desk: TradingDesk, position: Position) -> list[Taken]:
    """Read what was taken out of a position so far."""
    rows = desk.store.query("taken", Where("position_id", "==", position.position_id))
    return [row.value for row in held_rows(desk, Taken, rows)]


def _shares(seen: Look, symbol: str) -> int | None:
    """Count the account's shares of a symbol; None when the portfolio, or a row that may be of it, does not tell."""
    rows = [row for row in seen.holdings or () if row.symbol == symbol]
    unread = seen.holdings is None or any(row.uncounted for row in seen.holdings if row.symbol in ("", symbol))
    return None if unread else sum(row.quantity for row in rows)


def _proven(
    desk: TradingDesk, position: Position, short: int, owners: Sequence[OwnersSell], at: datetime
) -> bool:  # fmt: skip
    """Tell whether a portfolio that does not hold shares says more than that it lags behind their purchase."""
    if position.shown >= position.quantity or sum(sell.quantity for sell in owners) >= short:
        return True
    rows = desk.store.query("fills", Where("position_id", "==", position.position_id))
    bought = [row.value.at for row in held_rows(desk, Fill, rows) if row.value.side == Side.BUY]
    return at - max(bought, default=position.opened_at) >= PORTFOLIO_LAG


def sells_by_owner(desk: TradingDesk, position: Position, listing: Listing) -> tuple[OwnersSell, ...]:
    """Give the owner's sells of the symbol that no earlier taking has counted."""
    there = [row.order_id for row in listing if row.symbol == position.symbol and row.filled]
    ours = [order_id for order_id in there if order_id is not None and claimed(desk, order_id)]
    if len(ours) == len(there):
        return ()
    earlier = takings(desk, position)
    return owners_sells(listing, position.symbol, since=position.session, ours=ours, earlier=earlier)


def end_surplus(
    desk: TradingDesk, sells: Sequence[Held[Order]], *, left: int, cause: str, code: str, account_key: str
) -> Listing | None:
    """End the sells that offer more than the shares that are left, and give the last list that was read for it."""
    listing: Listing | None = None
    for sell in sorted(sells, key=lambda one: one.value.quantity - one.value.filled):
        offered = sell.value.quantity - sell.value.filled
        if sell.value.state in UNSENT:
            move(desk, sell, State.VOIDED, cause=cause, codes=(code,))
        elif offered <= left:
            left -= offered
        else:
            _, listing = cancel_and_confirm(desk, sell, account_key=account_key, cause=cause)
    return listing


def _book(desk: TradingDesk, before: Position, noted: Missing, seen: Look, listing: Listing) -> None:
    """Book what is missing as taken out, in one commit; nothing while a sell of ours may still fill it."""
    held = held_position(desk, before.symbol)
    if held is None or not held.value.is_open or held.value.position_id != before.position_id:
        return
    position = held.value
    there = _shares(seen, position.symbol)
    if there is None or position.missing != noted:
        return
    short = position.quantity - max(there, 0)
    quantity = min(short, noted.quantity)
    offered = sum(one.value.quantity - one.value.filled for one in live_sells(desk, position.symbol))
    if quantity <= 0 or offered > position.quantity - quantity:
        return
    now = desk.clock.now()
    after, taken = take_out(
        position, quantity=quantity, sells=sells_by_owner(desk, position, listing), since=noted.since, at=now,
        session=new_york_day(now),
    )  # fmt: skip
    taken, event = sealed(taken, actor=desk.actor)
    rest = Missing(quantity=short - quantity, since=seen.asked_at) if short > quantity else None

    def booked(ledger: Ledger) -> Ledger:
        return counted(ledger, taken)

    desk.store.commit([
        held.update(replace(after, missing=rest)), create(f"taken/{taken.taken_id}", taken),
        create(f"audit/{event.chain}:{event.seq:06d}", event), ledger_write(desk, taken.session, booked),
        announce(desk, _notice(after, taken)),
    ])  # fmt: skip
    desk.journal.line(
        "taken_out", Severity.WARNING, symbol=taken.symbol, quantity=quantity, unpriced=taken.unpriced,
        price=None if taken.price is None else str(taken.price), realized=str(taken.realized),
    )  # fmt: skip


def _notice(after: Position, taken: Taken) -> SharesTaken:
    return SharesTaken(
        position_id=taken.position_id, symbol=taken.symbol, quantity=taken.quantity, unpriced=taken.unpriced,
        price=taken.price, left=after.quantity, since=taken.since, at=taken.at,
    )  # fmt: skip
