"""The fast path: one day's decisions, limits, exits and fills in one process, without messages, HTTP and store.

What can go wrong: it decides otherwise than the live system, so that what it shows is true of nothing. What this
promises: every decision is made by the functions that the live system runs (`decide`, `exits.judge`, the risk rules,
sizing, the last check, the book), on the same facts, at the instants of one stated timing model; on one-second quotes
signals, sizes, orders, fills and exits equal those of the graph in that model, to the cent and the second
(tests/backtest/test_equality.py). It is for one account that the owner does not trade in beside the system, and whose
broker answers: no call fails here, no token ends, nobody halts by hand.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from infra.backtest.day import Day, Resolution, Tick
from infra.backtest.looking import Looking
from infra.backtest.placing import Placing
from infra.backtest.played import Carried, Fills, Overnight, Played
from infra.backtest.room import Room
from infra.backtest.settling import Settling
from infra.backtest.splits import known_on, over_night
from infra.backtest.timing import TIMES, Timing
from infra.brokersim.orders import Action
from infra.results.ends import skipped
from infra.results.facts import Point
from infra.results.receipts import decisions
from shared.domain.control.config import StrategyConfig
from shared.domain.orders.orders import Order
from shared.strategies.form import Bound

MINUTE = timedelta(minutes=1)
LAST_SECOND = 59
SETTLES_FOR = 6 * MINUTE
"""So long after the close settlement still looks."""
_DAYS_COUNTED = 10
_ZERO, _NONE = Decimal(0), timedelta(0)


def play(
    day: Day, carried: Carried, config: StrategyConfig, strategies: tuple[Bound, ...], fills: Fills, *,
    timing: Timing = TIMES,
) -> Played:  # fmt: skip
    """Play one day from its open to its end, with a model of the market that is fit for its resolution.

    A day of minute bars has the same times: the scan looks at the end of each minute only, and what it decides reaches
    the market in the next one. A strategy that does what none may is left out, and the others go on.
    """
    carried, divided = over_night(carried, day)
    room = Room(day=day, carried=carried, config=config, timing=timing, fills=fills, now=day.session.opens_at)
    settling = Settling(room)
    looking = Looking(room, Placing(room, settling), strategies)
    look = _each_second if day.resolution is Resolution.TICK else _each_minute
    at, closes = day.session.opens_at, day.session.closes_at
    while at < closes + SETTLES_FOR:
        room.plan(at + timing.settle_tick, settling.settle(ticks=True))
        at += MINUTE
    worth: list[Point] = []
    for tick in day.ticks():
        room.run(tick.at)
        room.now = tick.at
        room.shown.show(tick)
        fills.show(tick)
        look(room, looking, tick)
        if tick.at.second == 0:
            worth.append(_worth(room))
    room.run(closes + SETTLES_FOR)
    known = {symbol: known_on(one, day.session.day) for symbol, one in day.history.items() if one.splits}
    return replace(_played(room, worth), left_out=looking.left_out, splits=known, divided=divided)


def _each_second(room: Room, looking: Looking, tick: Tick) -> None:
    """Look as the scan does in each second: what is held is read now and then, marks are left at a minute's end."""
    timing, second = room.timing, tick.at.second
    if second % timing.held_every == 0:
        looking.read_held()
    first = tick.at == room.day.session.opens_at
    looking.look(tick.quotes, tick.at, late=timing.first_look if first else _NONE)
    if second in (timing.hands_over, LAST_SECOND):
        looking.leave_marks()


def _each_minute(room: Room, looking: Looking, tick: Tick) -> None:
    """Look at the end of a minute that is known by its bars."""
    del room
    looking.read_held()
    looking.take(tick.bars)
    looking.look(tick.quotes, tick.at)
    looking.leave_marks()


def _worth(room: Room) -> Point:
    room.meet()
    invested = room.worth()
    return Point(at=room.now, equity=room.account.cash + invested, invested=invested)


def _played(room: Room, worth: list[Point]) -> Played:
    session = room.day.session
    worth.append(_worth(room))
    receipts = decisions(room.signals, orders=room.orders.values(), events=(), fills=())
    positions = sorted((*room.ended, *room.positions.values()), key=lambda one: (one.opened_at, one.symbol))
    return Played(
        session=session, signals=tuple(room.signals), orders=tuple(_todays(room)), fills=tuple(room.booked),
        positions=tuple(one for one in positions if one.session == session.day), traded=tuple(room.traded),
        skipped=skipped(receipts), equity=tuple(worth), carried=_carried(room),
    )  # fmt: skip


def _todays(room: Room) -> Iterator[Order]:
    """Give the orders that the day has seen: those that ended before it are of an earlier one."""
    return (one for one in room.orders.values() if one.live or one.updated_at >= room.day.session.opens_at)


def _carried(room: Room) -> Carried:
    """Give what the next day begins with, with what was sold and has not settled yet."""
    before, today = room.carried, room.day.session.day
    bought = {one.ticket.symbol for one in room.traded if one.ticket.action is Action.BUY}
    made = sum(one.filled > 0 for one in room.at_market.values() if one.ticket.action is Action.BUY) if bought else 0
    ledgers = before.ledgers if room.ledger is None else (*before.ledgers, room.ledger)
    return Carried(
        capital=before.capital, cash=room.account.cash, mode=before.mode, ledgers=ledgers,
        unsettled=tuple(sorted(room.account.unsettled.items())),
        day_trades=(*before.day_trades, (today, made))[-_DAYS_COUNTED:], positions=room.positions,
        control=None if room.control.epoch == 0 else room.control, overnight=_overnight(room),
        placed=before.placed - len(before.overnight.resting) + len(room.account.orders),
    )  # fmt: skip


def _overnight(room: Room) -> Overnight:
    """Give what is held over the close, with all orders over it and those of them that rest until they are cancelled.

    An order for the day has ended by now, so what still lives at the market is a stop.
    """
    held = {one.position_id: one.symbol for one in room.open_positions()}
    ours = tuple(one for one in room.orders.values() if one.position_id in held)
    rest = (room.at_market[one.intent_id] for one in ours if one.live and one.intent_id in room.at_market)
    return Overnight(
        shares=room.account.positions, last={symbol: room.shown.last(symbol) for symbol in room.account.positions},
        orders=ours, resting=tuple(one for one in rest if one.live),
        watches={symbol: room.watches[symbol] for symbol in held.values() if symbol in room.watches},
    )  # fmt: skip
