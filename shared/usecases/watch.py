"""The dead man's watch: settlement looks each minute whether the scan lives and whether every share has its stop.

What can go wrong: the scan dies, or its schedule does, and nobody decides on an exit any more; a stop is refused again
and again. Both can only be noticed by somebody else. What this promises: it reads documents alone and asks no broker,
so that it works without a token; what lasts is announced each minute under one name, and so told once.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from shared.domain.calendar import TradingSession, session_at
from shared.domain.notices import Notice, PositionUnprotected, ScanSilent
from shared.domain.orders import AT_BROKER, Order
from shared.domain.positions import Position
from shared.domain.values import Side
from shared.errors import StoreError
from shared.ports import Severity, Where
from shared.usecases.desk import held_rows, not_before
from shared.usecases.leases import Lease
from shared.usecases.losses import positions_anywhere
from shared.usecases.notices import announce
from shared.usecases.trading import TradingDesk

SILENT_AFTER = timedelta(minutes=5)
NAKED_AFTER = timedelta(seconds=60)


def watch(desk: TradingDesk) -> None:
    """Announce a scan that is silent and shares without a stop; a store that fails here is journalled, not raised."""
    now = desk.clock.now()
    session = session_at(now)
    if session is None or not session.opens_at <= now < session.closes_at:
        return
    try:
        found = [*_silent(desk, session, now), *_naked(desk, now)]
        if found:
            desk.store.commit([announce(desk, notice) for notice in found])
    except StoreError as problem:
        desk.journal.line("watch_failed", Severity.WARNING, kind=type(problem).__name__, detail=problem.detail)


def _silent(desk: TradingDesk, session: TradingSession, now: datetime) -> Iterator[Notice]:
    """Look for a minute that was scanned lately: the scan takes a lease on each, whether or not it has a token."""
    if now - session.opens_at < SILENT_AFTER or _scanned_until(desk, now - SILENT_AFTER) is not None:
        return
    since = _scanned_until(desk, session.opens_at) or session.opens_at
    desk.journal.line("scan_silent", Severity.ERROR, since=since.isoformat())
    yield ScanSilent(since=since, at=now)


def _scanned_until(desk: TradingDesk, since: datetime) -> datetime | None:
    """Give the end of the last scan's lease that ends at `since` or later."""
    rows = desk.store.query("leases", not_before("until", since))
    scans = held_rows(desk, Lease, [row for row in rows if row.path.startswith("leases/scan:")])
    return max((held.value.until for held in scans), default=None)


def _naked(desk: TradingDesk, now: datetime) -> Iterator[Notice]:
    for held in positions_anywhere(desk):
        position = held.value
        rows = desk.store.query("orders", Where("position_id", "==", position.position_id))
        orders = [row.value for row in held_rows(desk, Order, rows)]
        since = _naked_since(position, orders)
        if since is None or now - since < NAKED_AFTER:
            continue
        desk.journal.line("position_unprotected", Severity.ERROR, symbol=position.symbol, since=since.isoformat())
        yield PositionUnprotected(
            position_id=position.position_id, symbol=position.symbol, quantity=position.quantity, since=since, at=now
        )  # fmt: skip


def _naked_since(position: Position, orders: list[Order]) -> datetime | None:
    """Say since when sells at the broker have not covered all shares, None while they do.

    The last change of an order that the broker had and that is no sell there now: shares came, or their sell went.
    """
    covering = [order for order in orders if order.side is Side.SELL and order.state in AT_BROKER]
    if sum(order.quantity - order.filled for order in covering) >= position.quantity:
        return None
    ended = [order.updated_at for order in orders if order.broker_order_id is not None and order not in covering]
    return max([position.opened_at, *ended])
