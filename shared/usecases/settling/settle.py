"""Settlement: bring the book in line with the broker, and keep it there while something is in motion.

What can go wrong: two settlements at once (a lease lets one work; another that was woken by an order leaves as soon as
the holder shows that it lives; a tick stays and takes over, so that work never rests until the next one; a holder that
died is replaced when its lease runs out); the broker lists late; a commit meets another writer (read again at the next
poll); one order or position is not as it can be (the others are worked on all the same).
What this promises: each poll starts from the documents alone, so that any death resumes; fills are booked, unknown
outcomes resolved and uncovered shares protected before anything else is done (shared/README.md, One signal, step 5).
Where no broker works the orders (`TradingDesk.meet`), what rests meets the market before each poll, and while anything
rests polls are two seconds apart.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import TypeVar

from shared.domain.base.calendar import TradingSession, is_open, session_at
from shared.domain.base.values import Side
from shared.domain.broker.brokerage import BrokerOrder
from shared.domain.control.asks import Ask
from shared.domain.control.control import TradingState
from shared.domain.orders.orders import AT_BROKER, IN_DOUBT, STOPS, UNSENT, Kind, Order, State
from shared.domain.orders.positions import Position
from shared.errors import (
    AnotherVenue,
    BrokerError,
    Busy,
    Conflict,
    DeskError,
    InvariantBroken,
    Malformed,
    StoreError,
)
from shared.ports import Severity, Where
from shared.usecases.base import leases
from shared.usecases.base.desk import Held, held_rows, not_before
from shared.usecases.base.trading import TradingDesk, require_our_venue
from shared.usecases.control.control import tighten
from shared.usecases.orders import account
from shared.usecases.orders.cancel import ask_cancel
from shared.usecases.orders.fills import book_seen, rows_of
from shared.usecases.orders.losses import open_positions, watch_losses
from shared.usecases.orders.moves import live_sells, move
from shared.usecases.orders.odd_rows import tell_holdings, tell_orders
from shared.usecases.settling import asks, hands
from shared.usecases.settling.late import given_up, make_room, take_late
from shared.usecases.settling.look import Look, look_around
from shared.usecases.settling.overdue import reason_to_cancel
from shared.usecases.settling.protect import protect, wanted_now
from shared.usecases.settling.resolve import resolve
from shared.usecases.settling.unlisted import settle_unlisted

T = TypeVar("T")
SETTLING = "leases/settle"
LEASE = timedelta(seconds=15)
LOOKING = timedelta(seconds=30)
"""Longer than three answers that do not come."""
WORK_AT_MOST = timedelta(seconds=50)
LOOK_EVERY = timedelta(seconds=2)
LAST_LOOK = timedelta(milliseconds=500)
"""So long before it gives up it looks once more at what is still in motion, where a whole pause is not left."""
CLOSING = "leases/close"
"""The lease of the close, from before it waits for its turn until the day is sealed."""
CLOSE_WAITS = timedelta(seconds=1)
REST = timedelta(seconds=5)
POSITION_UNREAD = "a position cannot be read"
LATE_FILL = timedelta(minutes=10)
PRICE_MAY_COME = timedelta(days=7)
# Nobody goes on with an entry after its signal's life, with an exit after EXIT_LIFE, or with a stop after its poll.
_SWEEP_AFTER = {
    Kind.ENTRY: timedelta(seconds=180),
    Kind.EXIT: timedelta(seconds=60),
    Kind.PROTECT: timedelta(seconds=60),
    Kind.MOVE: timedelta(seconds=60),
}


def settle(desk: TradingDesk, *, must_run: bool = False, list_first: bool = False) -> Look | None:
    """Poll until the book is quiet, 50 s at most; leaves when another invocation is at it and alive.

    `list_first` (a tick) asks the broker even when nothing seems in motion, and stays to take over from another
    invocation; in the session it gives what the account showed, None when it did not come to look. With `must_run` (the
    close) it waits for its turn, which every other one gives it, and raises Busy without one. What is open at another
    venue is not touched: it stops entries, and raises AnotherVenue.
    """
    session, look = session_at(desk.clock.now()), None
    if session is None:
        return None
    ticks, worked = list_first and is_open(desk.clock.now()), False
    give_up = desk.clock.now() + WORK_AT_MOST
    while desk.clock.now() < give_up and (must_run or not _close_waits(desk, session)):
        lease = leases.take(desk, SETTLING, lasts=LEASE)
        if lease is None:
            if must_run:
                desk.clock.sleep_until(desk.clock.now() + CLOSE_WAITS)
            elif leases.outlives(desk, SETTLING) and not list_first:
                return None
            continue
        worked = True
        try:
            look = _work(desk, session, lease, give_up, list_first=list_first, ends=not must_run) or look
        except AnotherVenue as problem:
            tighten(desk, TradingState.REDUCE_ONLY, reason="; ".join(problem.problems))
            raise
        finally:
            leases.give_back(desk, lease)
        if not _in_motion(live_orders(desk)) or (not must_run and _sealed(desk, session)):
            break
        list_first, last = False, give_up - LAST_LOOK
        if desk.clock.now() + LOOK_EVERY >= give_up:
            if desk.clock.now() >= last:
                break
            desk.clock.sleep_until(last)
    if must_run and not worked:
        raise Busy("another settlement is at work")
    if ticks and look is None and not open_positions(desk):
        # Nothing is held, and so nothing can be missing: no lease is kept from an order that is placed meanwhile.
        return _look(desk, session, account.to_sell(desk, session.day).value.key, go_on=_before(desk, give_up))
    return look


def _close_waits(desk: TradingDesk, session: TradingSession) -> bool:
    """Tell whether the close waits for its turn, or works: then nobody else settles."""
    return desk.clock.now() >= session.closes_at and leases.busy(desk, CLOSING)


def _sealed(desk: TradingDesk, session: TradingSession) -> bool:
    """Tell whether the day is over and sealed: then a look each minute is enough."""
    return desk.clock.now() >= session.closes_at and desk.store.get(f"seals/{session.day.isoformat()}") is not None


def live_orders(desk: TradingDesk) -> list[Held[Order]]:
    """Read every order that is not at its end, oldest first."""
    rows = desk.store.query("orders", Where("live", "==", True))
    held = held_rows(desk, Order, rows, on_bad=lambda: _stop_entries(desk, "a live order cannot be read"))
    require_our_venue(desk, [row.value for row in held])
    return sorted(held, key=lambda row: (row.value.created_at, row.value.intent_id))


def _stop_entries(desk: TradingDesk, reason: str) -> None:
    """Take no new entries; a trading state that cannot be read licenses none anyway, and keeps no stop away."""
    try:
        tighten(desk, TradingState.REDUCE_ONLY, reason=reason)
    except (StoreError, Malformed) as problem:
        kind = type(problem).__name__
        desk.journal.line("entries_not_stopped", Severity.WARNING, kind=kind, detail=problem.detail)


def _work(
    desk: TradingDesk, session: TradingSession, lease: Held[leases.Lease], give_up: datetime, *, list_first: bool,
    ends: bool,
) -> Look | None:  # fmt: skip
    """Poll until nothing is in motion; one that `ends` also stops where the close waits, or the day is sealed."""
    record, look = account.to_sell(desk, session.day).value, None
    if list_first:
        _watch_losses(desk, session)
    looks, looked_at = list_first and is_open(desk.clock.now()), desk.clock.now()
    while True:
        blind, rests = False, desk.meet()
        try:
            busy = _poll(desk, session, record.key, lease, list_first=list_first)
        except InvariantBroken as problem:
            desk.journal.line("invariant_broken", Severity.CRITICAL, kind=type(problem).__name__, detail=problem.detail)
            tighten(desk, TradingState.HALTED, reason=problem.detail)
            busy = True
        except (Conflict, BrokerError) as problem:
            desk.journal.line("poll_again", Severity.WARNING, kind=type(problem).__name__, detail=problem.detail)
            busy, blind = True, isinstance(problem, BrokerError)
        list_first = False
        pause = LOOK_EVERY if busy or rests else REST
        positions, now = open_positions(desk), desk.clock.now()
        if looks and (blind or now + pause >= give_up or (positions and not busy)):
            looks, looked_at = False, now
            leases.extend(desk, lease, until=now + LOOKING)
            look = _look(desk, session, record.key, go_on=_before(desk, give_up, quiet=not busy))
            _by_hand(desk, lease, look, session, account_key=record.key)
        elif is_open(now) and hands.look_again(positions, looked_at=looked_at, now=now):
            looked_at = now
            _by_hand(desk, lease, hands.look(desk, record.key), session, account_key=record.key)
        now = desk.clock.now()
        if now + pause >= give_up or not (busy or positions or rests):
            return look
        if ends and (_close_waits(desk, session) or _sealed(desk, session)):
            return look
        leases.extend(desk, lease, until=now + pause + LEASE)
        desk.clock.sleep_until(now + pause)


def _watch_losses(desk: TradingDesk, session: TradingSession) -> None:
    """Watch the losses; a trading state that cannot be read keeps no fill from its book and no share from its stop."""
    try:
        watch_losses(desk, session)
    except (StoreError, Malformed) as problem:
        kind = type(problem).__name__
        desk.journal.line("losses_not_watched", Severity.WARNING, kind=kind, detail=problem.detail)


def _look(desk: TradingDesk, session: TradingSession, account_key: str, *, go_on: Callable[[], bool]) -> Look:
    """Look at everything once: when nothing is in motion, or the list cannot be read, or this invocation ends."""
    look = look_around(desk, account_key, session=session.day, go_on=go_on)
    tell_holdings(desk, look.holdings or (), session=session.day)
    return look


def _before(desk: TradingDesk, give_up: datetime, *, quiet: bool = False) -> Callable[[], bool]:
    """Give what tells whether to ask on: there is time, and what was `quiet` still is, for a fill comes first."""
    return lambda: desk.clock.now() < give_up and not (quiet and _in_motion(live_orders(desk)))


def _poll(
    desk: TradingDesk, session: TradingSession, account_key: str, lease: Held[leases.Lease], *, list_first: bool
) -> bool:
    """Look once: gives whether something is still in motion."""
    orders = live_orders(desk)
    positions = open_positions(desk, on_bad=lambda: _stop_entries(desk, POSITION_UNREAD))
    absent = given_up(desk, session.day) if list_first else []
    ended = _just_ended(desk) if list_first else []
    wishes = asks.waiting(desk)
    if not (orders or positions or absent or ended or wishes):
        if list_first:
            _price_late(desk, session, account_key, None)
        return False
    moves = _in_motion(orders) or any(_needs_work(desk, held, orders) for held in positions)
    if not (list_first or wishes or moves):
        return False
    since = _since(orders, session)
    try:
        listing = desk.lists.fresh(account_key, since=since)
    except BrokerError:
        settle_unlisted(
            desk, [row for row in orders if _moves(row.value)], account_key=account_key,
            then=lambda held: _cancel_again(desk, held, account_key=account_key, listed=False),
            alive=lambda: leases.extend(desk, lease, until=desk.clock.now() + LEASE),
        )  # fmt: skip
        raise
    troubles = [
        *_each(
            desk, lease, [*ended, *orders], lambda order: _settle_order(desk, order, listing, account_key=account_key)
        ),
        *_each(desk, lease, absent, lambda order: _settle_late(desk, order, listing, account_key=account_key)),
        *_each(desk, lease, wishes, lambda wish: _wish(desk, wish, listing, session, lease, account_key=account_key)),
        *_each(desk, lease, open_positions(desk), lambda held: _protect(desk, held, listing, account_key=account_key)),
    ]
    tell_orders(desk, listing, session=session.day)
    if list_first:
        _price_late(desk, session, account_key, listing)
    if troubles:
        raise troubles[0]
    orders = live_orders(desk)
    if wishes and asks.waiting(desk):
        return True
    return _in_motion(orders) or any(_needs_work(desk, held, orders) for held in open_positions(desk))


def _wish(
    desk: TradingDesk, wish: Held[Ask], listing: tuple[BrokerOrder, ...], session: TradingSession,
    lease: Held[leases.Lease], *, account_key: str,
) -> None:  # fmt: skip
    def compare() -> Look:
        look = hands.look(desk, account_key)
        _by_hand(desk, lease, look, session, account_key=account_key)
        return look

    asks.work(desk, wish, listing, account_key=account_key, compare=compare)


def _by_hand(
    desk: TradingDesk, lease: Held[leases.Lease], look: Look, session: TradingSession, *, account_key: str
) -> None:  # fmt: skip
    """Compare what we hold with the portfolio; one that misses shares counts with a list from after it.

    What goes wrong is journalled and left for the next look.
    """
    listing: tuple[BrokerOrder, ...] = ()
    if hands.misses(look, open_positions(desk)):
        rows = live_orders(desk)
        try:
            listing = desk.lists.fresh(account_key, since=_since(rows, session))
        except BrokerError as problem:
            desk.journal.line("missed_unseen", Severity.WARNING, kind=type(problem).__name__, detail=problem.detail)
            return
        _each(desk, lease, rows, lambda row: _settle_order(desk, row, listing, account_key=account_key))
    work = partial(hands.compare, desk, seen=look, listing=listing, account_key=account_key)
    _each(desk, lease, open_positions(desk), work)


def _since(orders: Sequence[Held[Order]], session: TradingSession) -> date:
    """Give the New York day from which on a list shows every order that is not at its end."""
    return min([held.value.session for held in orders], default=session.day)


def _just_ended(desk: TradingDesk) -> list[Held[Order]]:
    """Read the orders that ended a little while ago with shares open: a list may show their last fill late."""
    rows = held_rows(desk, Order, desk.store.query("orders", not_before("updated_at", desk.clock.now() - LATE_FILL)))
    return [row for row in rows if row.value.state in (State.CANCELLED, State.EXPIRED) and row.value.broker_order_id]


def _price_late(
    desk: TradingDesk, session: TradingSession, account_key: str, listing: tuple[BrokerOrder, ...] | None
) -> None:
    """Look for the price of ended orders that filled without one; `listing` is today's, or None to have one read."""
    rows = held_rows(desk, Order, desk.store.query("orders", Where("provisional", "==", True)))
    first = session.day - PRICE_MAY_COME
    ended = [row for row in rows if not row.value.live and row.value.session >= first]
    if not ended:
        return
    since = min(row.value.session for row in ended)
    if listing is None or since < session.day:
        listing = desk.lists.recent(account_key, since=since)
    for row in ended:
        for seen in rows_of(row.value, listing):
            book_seen(desk, row, seen)


def _each(
    desk: TradingDesk, lease: Held[leases.Lease], rows: Sequence[T], work: Callable[[T], None]
) -> list[DeskError]:
    """Work on each row, whatever happens to the others: one bad order must not leave another's shares naked.

    Gives what went wrong, our own bugs first; a store or a login that is gone is gone for all and is raised at once.
    """
    troubles: list[DeskError] = []
    for row in rows:
        leases.extend(desk, lease, until=desk.clock.now() + LEASE)
        try:
            work(row)
        except (Conflict, BrokerError, InvariantBroken) as problem:
            desk.journal.line("row_failed", Severity.WARNING, kind=type(problem).__name__, detail=problem.detail)
            troubles.append(problem)
    return sorted(troubles, key=lambda problem: not isinstance(problem, InvariantBroken))


def _protect(desk: TradingDesk, held: Held[Position], listing: tuple[BrokerOrder, ...], *, account_key: str) -> None:
    sells = live_sells(desk, held.value.symbol)
    protect(desk.protecting, held, sells, account_key=account_key, listing=listing)


def _settle_order(desk: TradingDesk, held: Held[Order], listing: tuple[BrokerOrder, ...], *, account_key: str) -> None:
    order = held.value
    now = desk.clock.now()
    if order.state in UNSENT:
        if now - order.updated_at > _SWEEP_AFTER[order.kind]:
            move(desk, held, State.VOIDED, cause="nobody went on with it", codes=("SWEPT",))
        return
    if order.state in IN_DOUBT:
        held = resolve(desk, held, listing, account_key=account_key)
    make_room(desk, held, listing, account_key=account_key)
    for seen in rows_of(held.value, listing):
        held = book_seen(desk, held, seen)
    _cancel_again(desk, held, account_key=account_key)


def _settle_late(desk: TradingDesk, held: Held[Order], listing: tuple[BrokerOrder, ...], *, account_key: str) -> None:
    """Settle an order that was given up and came late as any other."""
    taken = take_late(desk, held, listing, account_key=account_key)
    if taken is not None:
        _settle_order(desk, taken, listing, account_key=account_key)


def _cancel_again(desk: TradingDesk, held: Held[Order], *, account_key: str, listed: bool = True) -> None:
    """Cancel what is to be cancelled now."""
    why = reason_to_cancel(desk, held.value, listed=listed)
    if why is not None:
        ask_cancel(desk, held, account_key=account_key, cause=why)


def _in_motion(orders: list[Held[Order]]) -> bool:
    return any(_moves(held.value) for held in orders)


def _moves(order: Order) -> bool:
    """Tell whether an order may change within seconds: all but a stop that rests and a case for a person."""
    if order.state is State.MANUAL:
        return False
    return not (order.kind in STOPS and order.state is State.WORKING)


def _needs_work(desk: TradingDesk, held: Held[Position], orders: list[Held[Order]]) -> bool:
    position = held.value
    stops = [
        row.value for row in orders
        if row.value.symbol == position.symbol and row.value.side is Side.SELL and row.value.state in AT_BROKER
    ]  # fmt: skip
    covered = sum(stop.quantity - stop.filled for stop in stops)
    if covered < position.present or position.missing is not None:
        return covered < position.present
    wanted = wanted_now(desk, position).stop_wanted
    return any(stop.stop_price is not None and stop.stop_price < wanted for stop in stops)
