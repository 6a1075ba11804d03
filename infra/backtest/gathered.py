"""Played days gathered into the facts of a report, a day at a time: what a year leaves is its trades and a thin curve.

What can go wrong: memory grows with each quote of the span; fees are shown and not paid; a curve has a point where it
suits. What this promises: of a day that is over its trades, its skipped signals and some points are kept, nothing else;
fees are taken off what the account has when they fall due, and off what the next day begins with; the curve has a point
each minute up to `MINUTELY` sessions, and beyond that at the end of each half hour; the two points between which it
fell most are kept in any case, so that the largest drawdown is that of all minutes.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from infra.backtest.day import Day, Resolution, Tick
from infra.backtest.fees import sale_fees
from infra.backtest.played import Carried, Divided, Played
from infra.backtest.splits import held_over, restated
from infra.brokersim.orders import Action
from infra.results.facts import Beside, Facts, Mark, Point, Skipped, StopLine, Trade
from infra.results.figures import fallen
from infra.results.splits import marks_on
from infra.results.trades import stop_lines, trades
from shared.domain.base.calendar import new_york_day
from shared.domain.base.values import Side
from shared.domain.market.quotes import Quote
from shared.domain.market.series import Split
from shared.domain.orders.orders import Order
from shared.domain.orders.positions import Fill
from shared.domain.orders.signals import Signal

MINUTELY = 10
_HALF_HOUR = timedelta(minutes=30)
_MARKED_EVERY = timedelta(minutes=5)
_ZERO = Decimal(0)
WORDS: Mapping[Resolution, str] = {Resolution.TICK: "one-second quotes", Resolution.MINUTE: "bars of a minute"}
EACH_MINUTE = "end of each minute"
EACH_HALF_HOUR = "end of each half hour, and where its largest drawdown began and ended,"
EQUITY_MADE = "made at the {step} of cash after fees and of what is held at its last price"


class Gathered:
    """What was played so far under one configuration."""

    def __init__(self, capital: Decimal, *, sessions: int) -> None:
        self.capital = capital
        self.trades: list[Trade] = []
        self._minutely = sessions <= MINUTELY
        self._open = _Documents((), (), (), {}, {})
        self._held: list[Trade] = []
        self._points: list[Point] = []
        self._falls: tuple[Point, ...] = ()
        self._skipped: list[Skipped] = []
        self._stops: list[StopLine] = []
        self._marks: dict[str, list[Mark]] = {}
        self._splits: dict[str, tuple[Split, ...]] = {}
        self._held_over: list[str] = []
        self._signals = 0
        self._span: tuple[datetime, datetime] | None = None

    def add(self, played: Played, marks: Mapping[str, Sequence[Mark]]) -> Carried:
        """Take a day, and give what the next one begins with, its fees paid."""
        session, due = played.session, _fees(played)
        self._splits |= played.splits
        self._held_over += [held_over(one, session.day) for one in played.divided]
        self._take_trades(played, due)
        self._signals += len(played.signals)
        self._skipped += played.skipped
        points = tuple(_after_fees(played, due))
        self._falls = _of_falls((*self._falls, *points))
        self._points += self._thinned(points, session.opens_at)
        if self._minutely:
            anew = {one.after.symbol for one in played.divided}
            stops = (one for one in played.orders if one.symbol not in anew or one.created_at >= session.opens_at)
            self._stops += stop_lines(stops, session.closes_at, session.opens_at)
        for symbol, own in marks.items():
            held = self._marks.setdefault(symbol, [])
            held += own if self._minutely or not held else own[-1:]
        self._span = (self._span[0] if self._span else session.opens_at, session.closes_at)
        owed, carried = sum((usd for _, usd in due.values()), _ZERO), played.carried
        return replace(carried, cash=carried.cash - owed, capital=carried.capital - owed)

    @property
    def equity(self) -> Decimal:
        """What the account was worth at the last point."""
        return self._points[-1].equity if self._points else self.capital

    def facts(
        self, *, title: str, resolution: Resolution, source: str, configuration: str, said: tuple[str, ...],
        beside: tuple[Beside, ...] = (),
    ) -> Facts:  # fmt: skip
        """Give the facts of all that was played; one day at least was."""
        if self._span is None:
            raise ValueError("nothing was played")
        last = new_york_day(self._span[1])
        prices = {name: marks_on(marks, self._splits.get(name, ()), last) for name, marks in self._marks.items()}
        return Facts(
            title=title, begins=self._span[0], ends=self._span[1], resolution=WORDS[resolution], source=source,
            configuration=configuration, starting_equity=self.capital, equity=self._curve(),
            equity_made=EQUITY_MADE.format(step=EACH_MINUTE if self._minutely else EACH_HALF_HOUR),
            trades=(*self.trades, *self._valued(prices)), signals=self._signals, skipped=tuple(self._skipped),
            prices=prices, said=(*said, *self._of_splits(last)), beside=beside, stops=tuple(self._stops),
            splits=self._splits,
        )  # fmt: skip

    def _of_splits(self, last: date) -> Iterator[str]:
        """Say which splits lie between prices of the span, and what was held over one."""
        for symbol, marks in sorted(self._marks.items()):
            first = new_york_day(marks[0].at)
            for one in self._splits.get(symbol, ()):
                if first < one.day <= last:
                    yield (
                        f"{symbol} was split on {one.day}, one share into {one.ratio.normalize():f}: its prices and "
                        f"buy-and-hold are in shares of the last session, and what ended before is listed as it traded."
                    )
        yield from self._held_over

    def _valued(self, prices: Mapping[str, Sequence[Mark]]) -> Iterator[Trade]:
        """Give what is still held with the last price that there was."""
        for one in self._held:
            marks = prices.get(one.symbol)
            yield replace(one, last_price=marks[-1].price) if marks else one

    def _take_trades(self, played: Played, due: Mapping[int, tuple[datetime, Decimal]]) -> None:
        """Take the day's trades, and what is still held with its documents, to which the next day adds."""
        left = self._open
        for held in played.divided:
            left = left.restated(held)
        when = defaultdict[int, list[datetime]](list, left.filled_at)
        for one in played.traded:
            when[one.order_id] = [*when[one.order_id], one.at]
        orders, fills = (*left.orders, *played.orders), (*left.fills, *played.fills)
        signals = (*left.signals, *played.signals)
        owed = defaultdict[str, Decimal](Decimal, left.fees)
        position_of = {fill.broker_order_id: fill.position_id for fill in played.fills}
        for order_id, (_, usd) in due.items():
            owed[position_of.get(order_id, "")] += usd
        made = trades(orders=orders, fills=fills, signals=signals, filled_at=when)
        found = [replace(one, fees=owed[one.position_id]) for one in made]
        self.trades += [one for one in found if one.is_over]
        self._held = [one for one in found if not one.is_over]
        still = {one.position_id for one in self._held}
        kept = [order for order in orders if order.position_id in still]
        named = {order.signal_id for order in kept}
        self._open = _Documents(
            orders=tuple(kept), fills=tuple(fill for fill in fills if fill.position_id in still),
            signals=tuple(signal for signal in signals if signal.signal_id in named),
            fees={position: owed[position] for position in still},
            filled_at={fill.broker_order_id: when[fill.broker_order_id] for fill in fills if fill.position_id in still},
        )  # fmt: skip

    def _curve(self) -> tuple[Point, ...]:
        """Give the equity's points in their order, with those between which it fell most."""
        points = {one.at: one for one in (*self._points, *fallen(self._falls))}
        return tuple(points[at] for at in sorted(points))

    def _thinned(self, points: Sequence[Point], opens: datetime) -> Iterator[Point]:
        for point in points:
            if self._minutely or point is points[-1] or not (point.at - opens) % _HALF_HOUR:
                yield point


def _of_falls(points: Sequence[Point]) -> tuple[Point, ...]:
    """Give of the points so far those that a later one is compared with: where they fell most, and the highest."""
    highest = max(points, key=lambda point: (point.equity, point.at))
    return tuple(sorted({*fallen(points), highest}, key=lambda point: point.at))


def _after_fees(played: Played, due: Mapping[int, tuple[datetime, Decimal]]) -> Iterator[Point]:
    """Give a day's points with the fees taken off that were due by then."""
    for worth in played.equity:
        owed = sum((usd for at, usd in due.values() if at <= worth.at), _ZERO)
        yield replace(worth, equity=worth.equity - owed)


class _Documents(NamedTuple):
    """What positions that are still held are made of, the fees that they cost so far, and when their orders filled."""

    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]
    signals: tuple[Signal, ...]
    fees: Mapping[str, Decimal]
    filled_at: Mapping[int, list[datetime]]

    def restated(self, one: Divided) -> "_Documents":
        """Give them in the shares of a position after a split: its entry slipped as much as before."""
        of = {order.intent_id: order for order in self.orders}
        decided = {signal.signal_id: signal.decision_price for signal in self.signals}
        bought = [fill for fill in self.fills if fill.position_id == one.after.position_id and fill.side == Side.BUY]
        fills = restated(self.fills, one)
        shares = sum(fill.quantity for fill in fills if fill.intent_id == bought[0].intent_id)
        name = of[bought[0].intent_id].signal_id or ""
        slipped = sum(((fill.price - decided[name]) * fill.quantity for fill in bought), _ZERO)
        price = one.after.average_cost - slipped / shares
        signals = (
            replace(signal, decision_price=price) if signal.signal_id == name else signal for signal in self.signals
        )  # fmt: skip
        return self._replace(fills=fills, signals=tuple(signals))


def _fees(played: Played) -> dict[int, tuple[datetime, Decimal]]:
    """Give what each sale of a day cost, by the broker's number, and when it was over."""
    sold: dict[int, tuple[datetime, int, Decimal]] = {}
    for one in played.traded:
        if one.ticket.action is Action.SELL:
            _, shares, usd = sold.get(one.order_id, (one.at, 0, _ZERO))
            sold[one.order_id] = (one.at, shares + one.quantity, usd + one.quantity * one.price)
    day = played.session.day
    return {number: (at, sale_fees(day, shares=shares, usd=usd)) for number, (at, shares, usd) in sold.items()}


def noting(day: Day) -> tuple[Day, Mapping[str, Sequence[Mark]]]:
    """Give a day whose prices are noted as it is played, and the notes: the first, and the last of each few minutes.

    Neither holds the other, so that a day that is over leaves the memory at once.
    """
    marks: dict[str, list[Mark]] = {}
    return replace(day, play=lambda: _noted(day, marks)), marks


def _noted(day: Day, marks: dict[str, list[Mark]]) -> Iterator[Tick]:
    marks.clear()
    opens, last = day.session.opens_at, dict[str, Quote]()
    for tick in day.ticks():
        last |= tick.quotes
        if not (tick.at - opens) % _MARKED_EVERY or not marks:
            _note(marks, tick.at, last)
        yield tick
    _note(marks, day.session.closes_at, last)


def _note(marks: dict[str, list[Mark]], at: datetime, quotes: Mapping[str, Quote]) -> None:
    for symbol, quote in quotes.items():
        held = marks.setdefault(symbol, [])
        if not held or held[-1].at < at:
            held.append(Mark(at=at, price=quote.last))
