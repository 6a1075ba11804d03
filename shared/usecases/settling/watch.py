"""The dead man's watch: settlement looks each minute whether the scan lives and sees, and every share has its stop.

What can go wrong: the scan dies, or its schedule does, or it goes on and no quote is usable (a clock that is wrong, an
account without real-time quotes), and nobody decides on an exit any more; a stop is refused again and again; E*TRADE's
answers cannot be read for minutes; shares stay held although the market is about to close. All of it can only be
noticed by somebody else. What this promises: it reads documents alone and asks no broker,
so that it works without a token; what lasts is announced each minute under one name, and so told once.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial

from shared.domain.base.calendar import TradingSession, is_open, session_at
from shared.domain.base.values import Side
from shared.domain.broker.reads import lasting
from shared.domain.market.sight import BLIND_AFTER, UNSEEN_AFTER, Sight, lasts_since
from shared.domain.orders.orders import AT_BROKER, Order, State
from shared.domain.telling.notices import HeldUnseen, Notice, PositionUnprotected, ScanBlind, ScanSilent
from shared.domain.telling.unseen import AnswerUnread, StaysHeld
from shared.errors import StoreError
from shared.ports import Severity
from shared.usecases.base.desk import held_rows
from shared.usecases.base.reads import unread
from shared.usecases.base.trading import TradingDesk
from shared.usecases.market import minutes
from shared.usecases.market.minutes import Minute
from shared.usecases.orders.losses import positions_anywhere
from shared.usecases.settling.cover import may_be_naked, naked_since, orders_of
from shared.usecases.telling.notices import announce

SILENT_AFTER = timedelta(minutes=5)
LOOKS_BACK = timedelta(minutes=7)
"""Scanned minutes of this while are asked for: the five that count, with the one under way and one that was lost."""
NAKED_AFTER = timedelta(seconds=60)
UNREAD_AFTER = timedelta(minutes=3)
NEAR_THE_CLOSE = timedelta(minutes=5)


def watch(desk: TradingDesk) -> None:
    """Announce a scan that is silent or blind and shares without a stop; a failing store is journalled."""
    now = desk.clock.now()
    session = session_at(now)
    if session is None or not session.opens_at <= now < session.closes_at:
        return
    try:
        _tell(desk, [*_unwatched(desk, session, now), *_naked(desk, now), *_stays(desk, session, now)])
        _tell(desk, _unread(desk, now))
    except StoreError as problem:
        desk.journal.line("watch_failed", Severity.WARNING, kind=type(problem).__name__, detail=problem.detail)


def watch_sight(desk: TradingDesk) -> None:
    """Announce what nobody sees, right after the minute's look at it; a failing store is journalled.

    The scan's last minute is written down by then, too, when its calls ended late.
    """
    now = desk.clock.now()
    session = session_at(now)
    if session is None or not is_open(now):
        return
    try:
        _tell(desk, [*_unwatched(desk, session, now), *_unread(desk, now)])
    except StoreError as problem:
        desk.journal.line("watch_failed", Severity.WARNING, kind=type(problem).__name__, detail=problem.detail)


def _tell(desk: TradingDesk, found: Iterable[Notice]) -> None:
    if rows := [announce(desk, notice) for notice in found]:
        desk.store.commit(rows)


def scans_since(desk: TradingDesk, since: datetime) -> list[Minute]:
    """Read the scan's minutes whose lease ends at `since` or later, in their order."""
    held = held_rows(desk, Minute, minutes.since(desk.store, since))
    return sorted((one.value for one in held), key=lambda minute: minute.until)


def _unwatched(desk: TradingDesk, session: TradingSession, now: datetime) -> Iterator[Notice]:
    """Look at the minutes that were scanned lately; before the session is that old there is nothing to tell."""
    if now - session.opens_at >= SILENT_AFTER:
        scans = scans_since(desk, now - LOOKS_BACK)
        yield from _silent(desk, session, scans, now)
        yield from _blind(desk, session, scans, now)


def _silent(desk: TradingDesk, session: TradingSession, scans: list[Minute], now: datetime) -> Iterator[Notice]:
    """Look for a minute that was scanned lately: the scan takes a lease on each, whether or not it has a token."""
    if scans and scans[-1].until >= now - SILENT_AFTER:
        return
    earlier = scans_since(desk, session.opens_at)
    since = earlier[-1].until if earlier else session.opens_at
    desk.journal.line("scan_silent", Severity.ERROR, since=since.isoformat())
    yield ScanSilent(since=since, at=now)


def _blind(desk: TradingDesk, session: TradingSession, scans: list[Minute], now: datetime) -> Iterator[Notice]:
    """Look for minutes without one usable quote, of all symbols or of one that is held; each is one event."""
    lately = sights_of(scans)
    dark = lasts_since(lately, _dark, minutes=BLIND_AFTER) is not None
    held = lately[-1].unseen if lately else {}
    hidden = [symbol for symbol in sorted(held) if lasts_since(lately, partial(_misses, symbol), minutes=UNSEEN_AFTER)]
    if not dark and not hidden:
        return
    today = sights_of(scans_since(desk, session.opens_at))
    if dark and (since := lasts_since(today, _dark, minutes=BLIND_AFTER)) is not None:
        faults = lately[-1].faults
        desk.journal.line("scan_blind", Severity.ERROR, since=since.isoformat(), faults="+".join(faults))
        yield ScanBlind(faults=faults, held=tuple(sorted(held)), since=since, at=now)
        return
    for symbol in hidden:
        if (since := lasts_since(today, partial(_misses, symbol), minutes=UNSEEN_AFTER)) is not None:
            desk.journal.line("held_unseen", Severity.WARNING, symbol=symbol, since=since.isoformat())
            yield HeldUnseen(symbol=symbol, faults=held[symbol], since=since, at=now)


def _dark(sight: Sight) -> bool:
    return sight.blind


def _misses(symbol: str, sight: Sight) -> bool:
    return symbol in sight.unseen


def sights_of(scans: list[Minute]) -> list[Sight]:
    """Give what was seen in each minute; one in which nothing was asked for says nothing."""
    return [minute.sight for minute in scans if minute.sight is not None and minute.sight.symbols]


def _naked(desk: TradingDesk, now: datetime) -> Iterator[Notice]:
    for held in positions_anywhere(desk):
        position = held.value
        since = naked_since(position, orders_of(desk, position))
        if since is None or now - since < NAKED_AFTER:
            continue
        desk.journal.line("position_unprotected", Severity.ERROR, symbol=position.symbol, since=since.isoformat())
        yield PositionUnprotected(
            position_id=position.position_id, symbol=position.symbol, quantity=position.quantity, since=since, at=now
        )  # fmt: skip


def _unread(desk: TradingDesk, now: datetime) -> Iterator[Notice]:
    """Look for answers that nobody could read for a while, whoever asked."""
    lasted = [note for note in lasting(unread(desk), now=now) if now - note.since >= UNREAD_AFTER]
    naked = may_be_naked(desk) if lasted else ()
    for note in lasted:
        since = note.since.isoformat()
        desk.journal.line("answer_unread", Severity.ERROR, what=note.what, since=since, why=note.why)
        yield AnswerUnread(what=note.what, why=note.why, naked=naked, since=note.since, at=now)


def _stays(desk: TradingDesk, session: TradingSession, now: datetime) -> Iterator[Notice]:
    """Near the close, look at what is still held: what our orders know of its sells, and which numbers they have."""
    if now < session.closes_at - NEAR_THE_CLOSE:
        return
    for held in positions_anywhere(desk):
        position = held.value
        known = [order for order in orders_of(desk, position) if order.side is Side.SELL and order.state in AT_BROKER]
        desk.journal.line("stays_held", Severity.ERROR, symbol=position.symbol, quantity=position.quantity)
        yield StaysHeld(
            session=session.day, position_id=position.position_id, symbol=position.symbol, quantity=position.quantity,
            sells=tuple(_said(order) for order in known),
            order_ids=tuple(order.broker_order_id for order in known if order.broker_order_id is not None),
            closes_at=session.closes_at, at=now,
        )  # fmt: skip


def _said(order: Order) -> str:
    price = order.stop_price if order.stop_price is not None else order.limit_price
    level = "" if price is None else f" at {price}"
    going = ", whose cancel was asked for" if order.state is State.CANCEL_REQ else ""
    shares = order.quantity - order.filled
    return f"order {order.broker_order_id}, a {order.price_type.lower()} sell of {shares} shares{level}{going}"
