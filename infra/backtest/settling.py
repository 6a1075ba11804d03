"""What settlement does in one process: book what the broker shows, keep shares behind a stop, watch the losses.

The looks come at the same instants as those of `usecases.settling.settle`: each minute's tick looks and goes on while
anything is in motion or held, an order that was placed wakes another one, and a lease lets one of them work. What a
look does is that of `fills`, `protect`, `overdue`, `hands` and `cancel`.
"""

from collections.abc import Generator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from infra.backtest.room import Room, Steps, Who
from infra.backtest.sending import send
from shared.domain.base.calendar import is_open
from shared.domain.base.values import Side
from shared.domain.control.control import TradingState
from shared.domain.orders import backoff, book
from shared.domain.orders.made import stop_of
from shared.domain.orders.orders import AT_BROKER, STOPS, TERMINAL, UNSENT, Kind, Order, State
from shared.domain.orders.own_rows import Said
from shared.domain.orders.positions import Position
from shared.domain.orders.watches import wanted
from shared.usecases.settling.overdue import CANCEL_AGAIN, EXIT_RESTS, EXIT_RESTS_AT_MOST

_WHO: Who = "order_settlement"
_SWEPT_ENTRY, _SWEPT = timedelta(seconds=180), timedelta(seconds=60)
_FORGIVEN = timedelta(seconds=10)


class Settling:
    """Settlement of a played day; the lease's number grows whenever its holder shows that it lives."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._until = datetime.min.replace(tzinfo=room.now.tzinfo)
        self._shown = 0
        self._quiet: tuple[object, ...] = ()

    def settle(self, *, ticks: bool) -> Steps:
        """Poll until the book is quiet; leave where another one is at it and alive, unless this is a minute's tick."""
        room, timing, first = self._room, self._room.timing, ticks
        give_up = room.now + timing.works
        while room.now < give_up:
            if self._until > room.now:
                alive = yield from self._outlives()
                if alive and not first:
                    return
                continue
            self._extend(room.now + timing.lease)
            yield from self._work(give_up, ticks=first)
            self._extend(room.now)
            if not any(map(_moves, room.live.values())):
                return
            first, last = False, give_up - timing.last_look
            if room.now + timing.look_every >= give_up:
                if room.now >= last:
                    return  # what moves still, as where the data end, is for the next minute's tick
                yield last

    def cancel_and_confirm(self, order: Order, who: Who) -> Steps:
        """Cancel one order and look until it has ended."""
        room, timing = self._room, self._room.timing
        order = room.see(order, room.recent_list(who))
        if order.state not in AT_BROKER:
            return
        order = room.ask_cancel(order, "another takes its place")
        give_up = room.now + timing.confirm_within
        while order.state in AT_BROKER and room.now < give_up:
            yield room.now + timing.confirm
            order = room.see(room.orders[order.intent_id], room.list_orders(who))

    def _outlives(self) -> Generator[datetime, None, bool]:
        """Wait until the holder of the lease shows that it lives, or the lease has run out; gives whether it lives."""
        room, first = self._room, self._shown
        while self._until > room.now:
            yield min(self._until, room.now + room.timing.watch_every)
            if self._shown != first:
                return self._until > room.now
        return False

    def _extend(self, until: datetime) -> None:
        self._until = until
        self._shown += 1

    def _work(self, give_up: datetime, *, ticks: bool) -> Steps:
        room, timing = self._room, self._room.timing
        if ticks:
            self._watch_losses()
        looks, looked_at = ticks and is_open(room.now), room.now
        while True:
            busy = yield from self._poll(ticks=ticks)
            ticks = False
            pause = timing.look_every if busy else timing.rest
            positions = room.open_positions()
            if looks and (room.now + pause >= give_up or (positions and not busy)):
                looks, looked_at = False, room.now
                self._extend(room.now + timing.looking)
                self._by_hand(positions)
            elif any(_refused_since(one, looked_at) for one in positions) and is_open(room.now):
                looked_at = room.now
                self._by_hand(positions)
            if room.now + pause >= give_up or not (busy or positions):
                return
            goes_on = room.now + pause
            if not (busy or looks) and self._is_quiet():
                goes_on = room.skipped_to(pause, give_up - pause)
            self._extend(goes_on + timing.lease)
            yield goes_on

    def _watch_losses(self) -> None:
        room = self._room
        if room.ledger is None:
            return
        positions = room.open_positions()
        marks = room.known_marks(positions)
        profits = (book.open_profit(one, marks[one.symbol]) for one in positions if one.symbol in marks)
        found = book.restriction(
            -(room.ledger.realized + sum(profits, Decimal(0))), capital=room.carried.capital, limits=room.config.limits
        )  # fmt: skip
        if found is not None:
            room.tighten(*found)

    def _poll(self, *, ticks: bool) -> Generator[datetime, None, bool]:
        """Look once: gives whether something is still in motion."""
        room = self._room
        if not ticks and self._is_quiet():
            return False
        orders, positions = room.live_orders(), room.open_positions()
        ended = self._just_ended() if ticks else []
        if not (orders or positions or ended):
            return False
        if not (ticks or any(map(_moves, orders)) or any(map(self._needs_work, positions))):
            # With a refusal of a while ago time alone makes work; without one, only another document does.
            self._quiet = () if any(one.move_refused_at for one in positions) else self._documents()
            return False
        listing = room.list_orders(_WHO)
        for order in (*ended, *orders):
            self._extend(room.now + room.timing.lease)
            self._settle_order(order, listing)
        for position in room.open_positions():
            self._extend(room.now + room.timing.lease)
            yield from self._protect(position.symbol)
        return any(map(_moves, room.live.values())) or any(map(self._needs_work, room.open_positions()))

    def _documents(self) -> tuple[object, ...]:
        room = self._room
        return (*room.live.values(), *room.positions.values(), *room.watches.values())

    def _is_quiet(self) -> bool:
        """Tell whether a look would find what the last one found that had nothing to do."""
        return self._documents() == self._quiet

    def _just_ended(self) -> list[Order]:
        room, since = self._room, self._room.now - self._room.timing.late_fill
        lately = (one for one in room.orders.values() if one.updated_at >= since and one.broker_order_id is not None)
        return [one for one in lately if one.state in (State.CANCELLED, State.EXPIRED)]

    def _settle_order(self, order: Order, listing: dict[int, Said]) -> None:
        room, order = self._room, self._room.orders[order.intent_id]
        if order.state in UNSENT:
            if room.now - order.updated_at > (_SWEPT_ENTRY if order.kind is Kind.ENTRY else _SWEPT):
                room.move(order, State.VOIDED, cause="nobody went on with it", codes=("SWEPT",))
            return
        order = room.see(order, listing)
        if (why := self._reason_to_cancel(order)) is not None:
            room.ask_cancel(order, why)

    def _reason_to_cancel(self, order: Order) -> str | None:
        room = self._room
        if order.state is State.CANCEL_REQ:
            return "asked for again" if room.now - order.updated_at > CANCEL_AGAIN else None
        if order.state is not State.WORKING or order.placed_at is None:
            return None
        rests = room.now - order.placed_at
        if order.kind is Kind.EXIT and self._rested(order, rests):
            return "the exit rested without filling: the stop is put back"
        if order.kind is not Kind.ENTRY:
            return None
        if rests > timedelta(seconds=room.config.entry.cancel_after_s):
            return "the entry did not fill in time"
        return "trading is halted" if room.control.state is TradingState.HALTED else None

    def _rested(self, order: Order, rests: timedelta) -> bool:
        room = self._room
        flattens = room.day.session.closes_at - timedelta(minutes=room.config.exits.flatten_minutes)
        if room.now >= flattens or rests <= EXIT_RESTS:
            return False
        return rests > EXIT_RESTS_AT_MOST or not self._covers_better(order)

    def _covers_better(self, order: Order) -> bool:
        room = self._room
        held, last = room.positions.get(order.symbol), room.marks.get(order.symbol)
        if last is None or held is None or room.now - last.received_at > room.timing.mark_life:
            return False
        return order.limit_price is None or order.limit_price <= last.bid or last.bid <= held.stop_wanted

    def _by_hand(self, positions: list[Position]) -> None:
        """Book what a portfolio shows to be gone."""
        room = self._room
        there = {one.symbol: one.quantity for one in room.holdings()}
        if any(there.get(one.symbol, 0) < one.quantity for one in positions):
            listing = room.list_orders(_WHO)
            for order in room.live_orders():
                self._settle_order(order, listing)

    def _needs_work(self, position: Position) -> bool:
        stops = [one for one in self._room.live_sells(position.symbol) if one.state in AT_BROKER]
        if _covered(stops) < position.present:
            return True
        level = self._wanted(position).stop_wanted
        return any(one.stop_price is not None and one.stop_price < level for one in stops)

    def _wanted(self, position: Position) -> Position:
        room = self._room
        refused_at = position.move_refused_at
        if refused_at is not None and room.now - refused_at < room.timing.moves_again:
            return position
        return wanted(position, room.watches.get(position.symbol))

    def _protect(self, symbol: str) -> Steps:
        room, position = self._room, self._room.positions[symbol]
        if not position.is_open:
            return
        sells = room.live_sells(symbol)
        resting = [one for one in sells if one.state in AT_BROKER]
        uncovered, pending = position.present - _covered(resting), position.pending_exit
        if pending is not None:
            sell = room.orders.get(pending.exit_id)
            if sell is not None and not self._has_had_its_time(position, sell, uncovered):
                return
            if sell is not None:
                count_refusal(room, sell)
        for sell in sells:
            if sell.state in UNSENT:
                room.move(sell, State.VOIDED, cause="left behind before it was sent", codes=("SWEPT",))
        position = room.positions[symbol]
        if uncovered > 0 and backoff.may_ask(position.stop_refused, room.now):
            self._stop(position, uncovered, Kind.PROTECT, replaces=None)
            return
        if pending is not None:
            position = room.positions[symbol] = replace(position, pending_exit=None)
        if uncovered <= 0:
            self._settled(position, resting)
            yield from self._raise_stops(symbol, resting)

    def _settled(self, position: Position, resting: list[Order]) -> None:
        """Make the level of each stop that rests the position's own, and forget refusals of a while ago."""
        room = self._room
        for stop in resting:
            if stop.state is State.WORKING:
                self._take_over(stop)
        refused = position.stop_refused
        if refused is not None and room.now - refused.last_at > _FORGIVEN:
            room.positions[position.symbol] = replace(room.positions[position.symbol], stop_refused=None)

    def _has_had_its_time(self, position: Position, sell: Order, uncovered: int) -> bool:
        room = self._room
        if sell.state in TERMINAL:
            return True
        bare = uncovered > 0 and room.now - self._bare_since(position) > room.timing.bare
        return bare and backoff.may_ask(position.stop_refused, room.now)

    def _bare_since(self, position: Position) -> datetime:
        mine = [one for one in self._room.orders.values() if one.position_id == position.position_id]
        gone = [one for one in mine if one.broker_order_id and (one.side is Side.BUY or one.state not in AT_BROKER)]
        refused = [] if position.stop_refused is None else [position.stop_refused.last_at]
        return max([position.opened_at, *map(_changed, gone), *refused])

    def _raise_stops(self, symbol: str, resting: list[Order]) -> Steps:
        room = self._room
        level = self._wanted(room.positions[symbol]).stop_wanted
        every = timedelta(seconds=room.config.exits.stop_move_every_s)
        for stop in resting:
            is_new = stop.placed_at is not None and room.now - stop.placed_at < every
            if stop.state is State.WORKING and stop.stop_price is not None and stop.stop_price < level and not is_new:
                yield from self.cancel_and_confirm(stop, _WHO)
                if room.orders[stop.intent_id].state is State.CANCELLED:
                    self._replace(stop)
                return

    def _replace(self, old: Order) -> None:
        position = self._room.positions[old.symbol]
        if position.pending_exit is None and position.is_open:
            uncovered = position.present - _covered(self._room.live_sells(old.symbol))
            if uncovered > 0:
                self._stop(position, uncovered, Kind.MOVE, replaces=old.intent_id)

    def _stop(self, position: Position, quantity: int, kind: Kind, *, replaces: str | None) -> None:
        room, level = self._room, self._wanted(position).stop_wanted
        order = stop_of(position, quantity, kind, level=level, replaces=replaces, now=room.now, number=0)
        room.positions[position.symbol] = replace(position, stops_asked=position.stops_asked + 1, pending_exit=None)
        order = send(room, room.move(room.begin(order), State.RESERVED), None)
        count_refusal(room, order)
        if order.state is State.WORKING:
            self._take_over(order)

    def _take_over(self, stop: Order) -> None:
        room, level = self._room, stop.stop_price
        position = room.positions[stop.symbol]
        if level is None or position.position_id != stop.position_id or level <= position.stop_wanted:
            return
        found = wanted(position, room.watches.get(stop.symbol))
        set_at = found.stop_set_at if found.stop_wanted == level else stop.created_at
        room.positions[stop.symbol] = replace(position, stop_wanted=level, stop_set_at=set_at)


def count_refusal(room: Room, order: Order) -> None:
    """Count a sell that the broker refused, once, in the position that it was for."""
    position = room.positions.get(order.symbol)
    if order.state is not State.REJECTED or position is None or position.position_id != order.position_id:
        return
    of_exit = order.kind is Kind.EXIT
    before = position.exit_refused if of_exit else position.stop_refused
    if not position.is_open or (before is not None and before.last_at >= order.updated_at):
        return
    refusal = backoff.refused(before, at=order.updated_at, reason=", ".join(order.codes))
    after = replace(position, exit_refused=refusal) if of_exit else replace(position, stop_refused=refusal)
    if order.stop_price is not None and order.stop_price > position.stop_wanted:
        after = replace(after, move_refused_at=order.updated_at)
    room.positions[order.symbol] = after


def _moves(order: Order) -> bool:
    return not (order.kind in STOPS and order.state is State.WORKING)


def _changed(order: Order) -> datetime:
    since = order.state_since if order.state is State.CANCEL_REQ else None
    return since or order.updated_at


def _covered(sells: list[Order]) -> int:
    return sum(one.quantity - one.filled for one in sells)


def _refused_since(position: Position, looked_at: datetime) -> bool:
    stop, leave = position.stop_refused, position.exit_refused
    return (stop is not None and stop.last_at > looked_at) or (leave is not None and leave.last_at > looked_at)
