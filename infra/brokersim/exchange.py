"""Fills, expires and cancels live orders along the market's rows, each at the exact instant it happens.

What can go wrong: an order that fills before its request could have reached the exchange, one fill too many
because two callers looked at the same second, a cancel that takes effect although the fill came first, a day
order that fills after the bell. So time only moves forward here, in one place, through one merged sequence of
instants. At equal instants the tape comes first, then orders that begin to work, then cancels, then the
close: the owner loses ties.

Nothing is computed until somebody asks (`advance`), and with no live order asking costs nothing. A row's
displayed size is shared by all orders that take from it. Source: fact sheet, sections 4.2, 4.9, 4.12.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from heapq import heappop, heappush, merge
from typing import NamedTuple

from infra.brokersim.market import Market, Row
from infra.brokersim.orders import AT_ONCE, Action, Event, EventKind, Fill, Order, PriceType, Status, Term

_ROW, _WORKS, _CANCELS, _CLOSES = range(4)


class _Step(NamedTuple):
    """One instant at which something may happen; sorts by instant, kind, then order or symbol."""

    at: datetime
    kind: int
    number: int
    symbol: str
    row: Row | None


class Exchange:
    """Holds live orders of every account and reports each fill to `book`."""

    def __init__(
        self, market: Market, *, opens: datetime, closes: datetime, book: Callable[[Order, Fill], None]
    ) -> None:
        self._market = market
        self._opens, self._closes = opens, closes
        self._book = book
        self._live: dict[int, Order] = {}
        self._working: dict[int, Order] = {}
        self._timed: list[_Step] = []
        self._upto = datetime.min.replace(tzinfo=UTC)
        self._taken: dict[tuple[str, Action], tuple[datetime, int]] = {}
        self._entries = 0

    def enter(self, order: Order) -> None:
        """Takes a new order; it works from `order.works_from`, or from the open if that is later.

        One placed after the close is queued for a next session, which a one-day market does not have; one
        placed just before the close that arrives too late expires on arrival.
        """
        self._entries += 1
        self._live[self._entries] = order
        starts = max(order.works_from, self._opens)
        if starts < self._closes:
            self._schedule(starts, _WORKS, self._entries)
        if order.ticket.term is not Term.GOOD_UNTIL_CANCEL and order.placed_at < self._closes:
            self._schedule(max(starts, self._closes), _CLOSES, self._entries)

    def cancel(self, order: Order, effective: datetime) -> None:
        """Takes a cancel request that becomes true at `effective` unless the order fills first."""
        number = next(number for number, live in self._live.items() if live is order)
        self._schedule(effective, _CANCELS, number)

    def replace(self, old: Order, new: Order, at: datetime) -> None:
        """Takes an order out of the market and another one in, in one instant: no fill comes between."""
        number = next(number for number, live in self._live.items() if live is old)
        old.replaced_by, new.replaces = new.order_id, old.order_id
        self._end(_Step(at, _CANCELS, number, "", None), Status.CANCELLED, EventKind.CANCELLED)
        self.enter(new)

    def advance(self, now: datetime) -> None:
        """Plays everything between the last call and `now`; going back in time does nothing."""
        if not self._live:
            self._upto = max(self._upto, now)
            return
        if now <= self._upto:
            return
        for step in merge(*self._rows_until(now), self._timed_until(now)):
            match step.kind:
                case 0:
                    self._offer_row(step)
                case 1:
                    self._begin(step)
                case 2:
                    self._end(step, Status.CANCELLED, EventKind.CANCELLED)
                case _:
                    self._end(step, Status.EXPIRED, EventKind.EXPIRED)
        self._upto = now

    def _schedule(self, at: datetime, kind: int, number: int) -> None:
        heappush(self._timed, _Step(at, kind, number, "", None))

    def _timed_until(self, now: datetime) -> Iterator[_Step]:
        while self._timed and self._timed[0].at <= now:
            yield heappop(self._timed)

    def _rows_until(self, now: datetime) -> list[Iterator[_Step]]:
        symbols = sorted({order.ticket.symbol for order in self._live.values()})
        return [self._rows_of(place, symbol, now) for place, symbol in enumerate(symbols)]

    def _rows_of(self, place: int, symbol: str, now: datetime) -> Iterator[_Step]:
        for row in self._market.rows(symbol, self._upto, min(now, self._closes)):
            yield _Step(row.at, _ROW, place, symbol, row)

    def _in_session(self, at: datetime) -> bool:
        return self._opens <= at < self._closes

    def _offer_row(self, step: _Step) -> None:
        """Offers a new row to every order that works in its symbol, oldest first."""
        if not self._in_session(step.at) or step.row is None:
            return
        for number, order in list(self._working.items()):
            if order.ticket.symbol == step.symbol:
                self._try(number, order, step.row, step.at)

    def _begin(self, step: _Step) -> None:
        """An order reaches the exchange: it meets the standing quote; an immediate one ends here."""
        order = self._live.get(step.number)
        if order is None:
            return
        order.events.append(Event(at=step.at, kind=EventKind.WORKING))
        self._working[step.number] = order
        row = self._market.quote(order.ticket.symbol, step.at)
        if row is not None:
            self._try(step.number, order, row, step.at)
        if order.live and order.ticket.term in AT_ONCE:
            self._end(step, Status.CANCELLED, EventKind.CANCELLED)

    def _end(self, step: _Step, status: Status, kind: EventKind) -> None:
        order = self._live.pop(step.number, None)
        self._working.pop(step.number, None)
        if order is not None:
            order.end(step.at, status, kind)

    def _try(self, number: int, order: Order, row: Row, at: datetime) -> None:
        """Fills what this row allows: at the touch, at most the displayed size that is left."""
        ticket = order.ticket
        if ticket.price_type is PriceType.STOP and not order.triggered:
            order.triggered = _reached(ticket.action, row.last, ticket.stop_price)
            if not order.triggered:
                return
        buys = ticket.action is Action.BUY
        price, displayed = (row.ask, row.ask_size) if buys else (row.bid, row.bid_size)
        if ticket.limit_price is not None and (price > ticket.limit_price if buys else price < ticket.limit_price):
            return
        taken_at, taken = self._taken.get((ticket.symbol, ticket.action), (row.at, 0))
        taken = taken if taken_at == row.at else 0
        quantity = min(order.remaining, displayed - taken)
        if quantity <= 0 or (ticket.term is Term.FILL_OR_KILL and quantity < order.remaining):
            return
        self._taken[ticket.symbol, ticket.action] = (row.at, taken + quantity)
        self._fill(number, order, Fill(at=at, order_id=order.order_id, ticket=ticket, quantity=quantity, price=price))

    def _fill(self, number: int, order: Order, fill: Fill) -> None:
        order.take(fill)
        if not order.live:
            del self._live[number], self._working[number]
        self._book(order, fill)


def _reached(action: Action, last: Decimal, stop: Decimal | None) -> bool:
    """Whether the tape has reached a stop: at or below it for a sell, at or above it for a buy."""
    if stop is None:
        return False
    return last <= stop if action is Action.SELL else last >= stop
