"""End the day's token: revoked at E*TRADE, dead in the record, destroyed in the vault.

What can go wrong: something still needs the token (an order that nobody knows, a day order that works, a late fill);
E*TRADE does not answer; the process dies between the steps; the owner signs in at the same moment. What this promises:
a token goes only when its session is sealed and quiet, or at the latest hour, when the owner is told what stays open;
every step may be done twice, and a record that points at a newer token is left alone.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.base.calendar import TradingSession
from shared.domain.base.values import Term
from shared.domain.broker.tokens import TokenRecord
from shared.domain.orders.explain import WORDS
from shared.domain.orders.orders import Order, State
from shared.domain.orders.positions import Position
from shared.domain.telling.notices import TokenEnded
from shared.errors import StoreDown
from shared.frozen import frozen
from shared.ports import Authority, Severity, Vault, Where
from shared.topology import ACCESS_TOKEN
from shared.usecases.base import leases
from shared.usecases.base.desk import Desk, Held, held_rows
from shared.usecases.sign_in import renew, token
from shared.usecases.telling.notices import announce

QUIET = timedelta(minutes=15)
"""Longer than settlement looks for the late fills of an order that ended."""


@frozen
class Evening:
    """Whether a session is settled, and what of it is still open, a name each."""

    settled: bool
    left_open: tuple[str, ...]


def look(desk: Desk, session: TradingSession | None) -> Evening:
    """Read how far settlement is with a session; without one there is nothing to settle."""
    unreadable: list[str] = []

    def unread() -> None:
        unreadable.append("a document that cannot be read")

    live = held_rows(desk, Order, desk.store.query("orders", Where("live", "==", True)), on_bad=unread)
    held = held_rows(desk, Position, desk.store.query("positions", Where("is_open", "==", True)), on_bad=unread)
    orders = [f"{row.value.symbol} {row.value.kind} {WORDS[row.value.state]}" for row in live if not _rests(row.value)]
    positions = [f"{row.value.symbol} {row.value.quantity} shares" for row in held]
    day_orders = [*unreadable, *sorted(orders)]
    left_open = (*day_orders, *sorted(positions))
    if session is None:
        return Evening(settled=not day_orders, left_open=left_open)
    day = session.day.isoformat()
    sealed = desk.store.get(f"seals/{day}") is not None
    rows = held_rows(desk, Order, desk.store.query("orders", Where("session", "==", day)))
    quiet = not any(_moved_lately(row.value, desk.clock.now()) for row in rows)
    return Evening(settled=sealed and not day_orders and quiet, left_open=left_open)


def end_day(desk: Desk, authority: Authority, vault: Vault, held: Held[TokenRecord], evening: Evening) -> None:
    """Revoke the token and destroy it, unless somebody else is at work on it: then the next tick does.

    Raises AuthError, BrokerError, StoreError where it should be tried again.
    """
    lease = leases.take(desk, renew.LEASE, lasts=renew.LASTS)
    if lease is None:
        return
    try:
        if token.current(desk.store) != held:
            return
        authority.revoke()
        now = desk.clock.now()
        rows = []
        if evening.left_open:
            notice = TokenEnded(left_open=evening.left_open, at=now)
            rows = [announce(desk, notice)]
        desk.store.commit([held.update(replace(held.value, dies_at=now, ended_at=now)), *rows])
    finally:
        leases.give_back(desk, lease)
    desk.journal.line("token_ended", left_open=len(evening.left_open))
    clear(desk, vault)


def clear(desk: Desk, vault: Vault) -> None:
    """Destroy every version in the vault but that of the record's living token; what fails is done at the next tick.

    While the owner is signing in nothing is destroyed: a version that is there may be the one that comes. So a token
    that came to nothing, or came twice because an answer was lost, goes some five minutes later.
    """
    try:
        versions = vault.versions(ACCESS_TOKEN)
    except StoreDown as problem:
        desk.journal.line("token_not_destroyed", Severity.ERROR, detail=problem.detail)
        return
    # Only now: a sign-in that begins after this look has nothing among these versions.
    for version in token.unneeded(desk.store, versions, desk.clock.now()):
        if not token.discard(vault, ACCESS_TOKEN, version):
            desk.journal.line("token_not_destroyed", Severity.ERROR, version=version)


def _rests(order: Order) -> bool:
    """Tell whether a live order needs nobody over night: a stop that the broker keeps until it is cancelled."""
    return order.state is State.WORKING and order.term is Term.GOOD_UNTIL_CANCEL


def _moved_lately(order: Order, now: datetime) -> bool:
    """Tell whether settlement may still look for this order: it ended a little while ago, or was given up today."""
    return order.state is State.NOT_PLACED or (not order.live and now - order.updated_at < QUIET)
