"""Fills on bars, by the model of `bar_market`: what becomes of orders while a bar runs that nobody has seen yet.

What can go wrong: an order fills at a price that was over when it arrived, takes more than a bar traded, or at the best
price of a bar; a stop is overlooked that a bar ran through. What this promises: the market alone looks one bar ahead,
never a decision. In each bar there are two moments. At its open, or at their arrival in its first half, orders meet the
open; in its middle those that still work meet its range: a stop at once, a limit only in a bar that begins after it
arrived, because a bar's high or low may be older than the order. Whatever ends an order before its moment comes first.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from infra.backtest.bar_market import HALF, got, paid, shares_of, touch
from infra.backtest.day import Day, Tick
from infra.backtest.played import Book
from infra.brokersim.market import Market
from infra.brokersim.orders import AT_ONCE, Action, Event, EventKind, Fill, Order, PriceType, Status, Term
from shared.domain.market.bars import Bar

_MEETS, _CANCELS, _CLOSES = range(3)


@dataclass(slots=True)
class _Live:
    """An order at the market: which moments of the bar under way it has met, and when its cancel becomes true."""

    order: Order
    met_open: bool = False
    met_range: bool = False
    cancels: datetime | None = None


class BarFills:
    """Satisfies `played.Fills` on bars; orders of one day only."""

    def begin(self, day: Day, market: Market, book: Book) -> None:
        """See `played.Fills.begin`; the bars are the day's own, a bar ahead of what it shows."""
        del market
        self._book = book
        self._closes = day.session.closes_at
        self._ahead: Iterator[Tick] = day.ticks()
        self._begins = day.session.opens_at
        self._bars: Tick | None = next(self._ahead, None)
        self._live: list[_Live] = []
        self._taken: dict[tuple[str, Action], int] = {}
        self._quiet_until = self._begins

    def show(self, tick: Tick) -> None:
        """See `played.Fills.show`."""
        self.advance(tick.at)

    def enter(self, order: Order) -> None:
        """See `played.Fills.enter`."""
        self._live.append(_Live(order))
        self._quiet_until = self._begins

    def cancel(self, order: Order, effective: datetime) -> None:
        """See `played.Fills.cancel`."""
        next(live for live in self._live if live.order is order).cancels = effective
        self._quiet_until = self._begins

    def advance(self, now: datetime) -> None:
        """See `played.Fills.advance`."""
        while self._bars is not None and now >= self._bars.at:
            self._run(self._bars.at)
            self._begins, self._bars = self._bars.at, next(self._ahead, None)
            self._taken.clear()
            self._quiet_until = self._begins
            for live in self._live:
                live.met_open = live.met_range = False
        self._run(now)

    def _run(self, until: datetime) -> None:
        """Let the bar under way run to an instant; until the next moment of any order nothing is looked at again."""
        while self._live and until >= self._quiet_until:
            steps = [step for live in self._live for step in self._steps(live)]
            at, kind, live, meet = min(steps, key=_when, default=(self._closes, _CLOSES, None, self._open))
            if at > until or live is None:
                self._quiet_until = at
                return
            order = live.order
            if kind == _MEETS:
                meet(live, at)
            elif kind == _CANCELS:
                order.end(at, Status.CANCELLED, EventKind.CANCELLED)
            else:
                order.end(at, Status.EXPIRED, EventKind.EXPIRED)
            if not order.live:
                self._live.remove(live)

    def _steps(self, live: _Live) -> Iterator[tuple[datetime, int, _Live, Callable[[_Live, datetime], None]]]:
        """Give what may come next of one order, each with its instant."""
        works, middle = live.order.works_from, self._begins + HALF
        if self._bars is not None and works < middle:
            if not live.met_open:
                yield max(self._begins, works), _MEETS, live, self._open
            elif not live.met_range and _may_meet_range(live.order, self._begins):
                yield middle, _MEETS, live, self._range
        if live.cancels is not None:
            yield live.cancels, _CANCELS, live, self._open
        if live.order.ticket.term is not Term.GOOD_UNTIL_CANCEL:
            yield self._closes, _CLOSES, live, self._open

    def _open(self, live: _Live, at: datetime) -> None:
        """Let an order meet the open; one that is for now only ends here."""
        order, live.met_open = live.order, True
        if not order.events or order.events[-1].kind is EventKind.PLACED:
            order.events.append(Event(at=at, kind=EventKind.WORKING))
        bar = self._bar(order)
        if bar is not None:
            price = _at_open(order, bar)
            self._fill(order, bar, price, at)
        if order.live and order.ticket.term in AT_ONCE:
            order.end(at, Status.CANCELLED, EventKind.CANCELLED)

    def _range(self, live: _Live, at: datetime) -> None:
        """Let an order that works in the middle of a bar meet its high and low."""
        order, live.met_range = live.order, True
        bar = self._bar(order)
        if bar is not None:
            self._fill(order, bar, _in_range(order, bar), at)

    def _bar(self, order: Order) -> Bar | None:
        bar = None if self._bars is None else self._bars.bars.get(order.ticket.symbol)
        return bar if bar is not None and bar.volume else None

    def _fill(self, order: Order, bar: Bar, price: Decimal | None, at: datetime) -> None:
        ticket = order.ticket
        had = self._taken.get((ticket.symbol, ticket.action), 0)
        quantity = min(order.remaining, shares_of(bar) - had)
        if price is None or quantity <= 0 or (ticket.term is Term.FILL_OR_KILL and quantity < order.remaining):
            return
        self._taken[ticket.symbol, ticket.action] = had + quantity
        fill = Fill(at=at, order_id=order.order_id, ticket=ticket, quantity=quantity, price=price)
        order.take(fill)
        self._book(order, fill)


def _when(step: tuple[datetime, int, _Live, Callable[[_Live, datetime], None]]) -> tuple[datetime, int]:
    return step[:2]


def _at_open(order: Order, bar: Bar) -> Decimal | None:
    """Give the price at which an order fills at a bar's open, None where it does not."""
    ticket = order.ticket
    if ticket.stop_price is not None and not order.triggered:
        order.triggered = bar.open <= ticket.stop_price
        if not order.triggered:
            return None
    buys, limit = ticket.action is Action.BUY, ticket.limit_price
    price = paid(bar.open) if buys else got(bar.open)
    if limit is None:
        return price
    bid, ask = touch(bar.open)
    if buys:
        return min(price, limit) if ask <= limit else None
    return max(price, limit) if bid >= limit else None


def _may_meet_range(order: Order, begins: datetime) -> bool:
    """Tell whether an order meets the range of a bar that begins so: a limit, unlike a stop, gains by what was over."""
    return order.ticket.limit_price is None or order.works_from <= begins


def _in_range(order: Order, bar: Bar) -> Decimal | None:
    """Give the price at which an order that rests fills within a bar, None where it does not."""
    ticket = order.ticket
    if ticket.price_type is PriceType.STOP and not order.triggered and ticket.stop_price is not None:
        order.triggered = bar.low <= ticket.stop_price
        return got(ticket.stop_price) if order.triggered else None
    limit = ticket.limit_price
    if limit is None:
        return None
    if ticket.action is Action.BUY:
        return limit if touch(bar.low)[1] <= limit else None
    return limit if touch(bar.high)[0] >= limit else None
