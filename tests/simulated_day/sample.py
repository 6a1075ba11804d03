"""A small day made by hand: a market, what the simulator recorded, and the book that agrees with it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from infra.results.facts import Beside
from infra.results.figures import figures
from infra.results.page import render
from infra.simulated_day.book import Book, Receipt
from infra.simulated_day.facts import Prices, Ran, day_facts
from infra.simulated_day.folder import Card
from infra.simulated_day.hours import Hours, hours
from infra.simulated_day.journal import Counts
from infra.simulated_day.ledger import BrokerEvent, BrokerLedger, LedgerFill, LedgerOrder, PlaceRequest
from infra.simulated_day.result import DayResult
from infra.simulated_day.summary import summarise
from infra.simulated_day.timing import looks_of, timing
from infra.simulated_day.violations import violations
from shared.domain.base.audit import AuditEvent
from shared.domain.base.ids import intent_id, signal_id
from shared.domain.base.values import PriceType, Side, Term, Venue
from shared.domain.orders.orders import Kind, Order, PreviewRecord, State, advance, born
from shared.domain.orders.positions import Fill, Ledger, Position
from shared.domain.orders.signals import Signal, Vote

DAY = date(2013, 10, 7)
HOURS: Hours = hours(DAY)
CASH = Decimal(100_000)
SYMBOLS = ("AIG", "BAC", "IBM", "SPY")
BASE = {"AIG": 48.2, "BAC": 13.9, "IBM": 182.4, "SPY": 167.6}


@dataclass(frozen=True, slots=True)
class Tick:
    """What the market showed: the last trade in USD."""

    last: Decimal


class Tape:
    """A market whose prices follow a smooth made-up path."""

    def quote(self, symbol: str, at: datetime) -> Tick:
        """Give the price of a symbol at an instant."""
        minutes = (at - HOURS.opens).total_seconds() / 60
        wave = 0.0035 * math.sin(minutes / 31) + 0.0008 * math.sin(minutes * 1.7) + minutes / 390 * 0.006
        return Tick(Decimal(round(BASE[symbol] * (1 + wave), 2)).quantize(Decimal("0.01")))


@dataclass(slots=True)
class Sample:
    """Collects trades on both sides: what the simulator saw, and what our book says."""

    orders: list[Order] = field(default_factory=list)
    events: list[AuditEvent] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)
    positions: list[Position] = field(default_factory=list)
    broker_orders: list[LedgerOrder] = field(default_factory=list)
    broker_fills: list[LedgerFill] = field(default_factory=list)
    requests: list[PlaceRequest] = field(default_factory=list)

    def trade(self, symbol: str, *, at: datetime, held: timedelta, quantity: int, stop_after_s: float = 4) -> None:
        """Enter, protect, leave: `stop_after_s` seconds lie between the fill and the working stop."""
        bought, sold = Tape().quote(symbol, at).last, Tape().quote(symbol, at + held).last
        stop_level = (bought * Decimal("0.99")).quantize(Decimal("0.01"))
        signal = self._signal(symbol, at, bought)
        position = f"P{signal.signal_id}"
        entered, leaves = at + timedelta(seconds=2), at + held
        entry = self._order(Kind.ENTRY, position, signal, side=Side.BUY, quantity=quantity, at=at, limit=bought)
        self._fill(entry, entered, bought, Decimal(0))
        stops = entered + timedelta(seconds=stop_after_s)
        stop = self._order(Kind.PROTECT, position, signal, side=Side.SELL, quantity=quantity, at=stops, stop=stop_level)
        self._end(stop, leaves - timedelta(seconds=1))
        leave = self._order(Kind.EXIT, position, signal, side=Side.SELL, quantity=quantity, at=leaves, limit=sold)
        self._fill(leave, leaves + timedelta(seconds=1), sold, (sold - bought) * quantity)
        gained = (sold - bought) * quantity
        self._position(position, symbol, opened=entered, closed=leaves, cost=bought, realized=gained)

    def denied(self, symbol: str, *, at: datetime, codes: tuple[str, ...]) -> None:
        """A signal that our own rules turned down."""
        signal = self._signal(symbol, at, Tape().quote(symbol, at).last)
        order = _intent(
            Kind.ENTRY,
            f"P{signal.signal_id}",
            signal,
            side=Side.BUY,
            quantity=10,
            at=at,
            limit=signal.decision_price,
            stop=None,
        )
        first, event = born(order, actor="order_placement", cause="signal received")
        last, second = advance(
            first,
            State.DENIED,
            at=at + timedelta(seconds=1),
            actor="order_placement",
            cause="risk",
            codes=codes,
        )
        self.orders.append(last)
        self.events += [event, second]

    def book(self) -> Book:
        """Give the system's side."""
        realized = sum((fill.realized for fill in self.fills), Decimal(0))
        receipts = [
            Receipt(
                session=DAY.isoformat(),
                minute="0931",
                symbols={symbol: tuple(marks) for symbol, marks in _MARKS},
            )
        ]
        return Book(
            orders=tuple(self.orders),
            fills=tuple(self.fills),
            positions=tuple(self.positions),
            ledgers=(Ledger(session=DAY, realized=realized),),
            signals=tuple(self.signals),
            receipts=tuple(receipts),
            events=tuple(self.events),
            seals={order.intent_id: order.audit_head for order in self.orders},
        )

    def ledger(self) -> BrokerLedger:
        """Give the simulator's side."""
        signs = {"BUY": -1, "SELL": 1}
        moved = sum((signs[fill.action] * fill.quantity * fill.price for fill in self.broker_fills), Decimal(0))
        return BrokerLedger(
            cash=CASH + moved,
            settled_cash=CASH,
            positions={},
            orders=tuple(self.broker_orders),
            fills=tuple(self.broker_fills),
            calls={"quotes": 23_010, "orders": 812, "place": 9, "preview": 9},
            throttled=0,
            place_requests=tuple(self.requests),
            realized_pnl=sum((fill.realized for fill in self.fills), Decimal(0)),
        )

    def _signal(self, symbol: str, at: datetime, price: Decimal) -> Signal:
        name = signal_id(strategy="momentum", symbol=symbol, side="BUY", session=DAY, slot=len(self.signals))
        vote = Vote(strategy="momentum", confidence=Decimal("0.82"), reasons=("up 0.6 % on the day", "volume 1.9 x"))
        signal = Signal(
            signal_id=name,
            strategy="momentum",
            symbol=symbol,
            side=Side.BUY,
            session=DAY,
            slot=len(self.signals),
            decided_at=at,
            decision_price=price,
            stop_distance=price / 100,
            confidence=Decimal("0.82"),
            quality=Decimal("0.9"),
            votes=(vote,),
        )
        self.signals.append(signal)
        return signal

    def _order(
        self,
        kind: Kind,
        position: str,
        signal: Signal,
        *,
        side: Side,
        quantity: int,
        at: datetime,
        limit: Decimal | None = None,
        stop: Decimal | None = None,
    ) -> Order:
        order = _intent(kind, position, signal, side=side, quantity=quantity, at=at, limit=limit, stop=stop)
        number = 401 + len(self.broker_orders)
        order, event = born(order, actor="order_placement", cause="signal received")
        self.events.append(event)
        record = PreviewRecord(
            preview_ids=(7,), at=at, request_hash=order.request_hash, estimated_total=Decimal(1), attempt=0
        )
        for state, changes in (
            (State.RESERVED, {}),
            (State.PREVIEWED, {"preview": record}),
            (State.PLACING, {}),
            (State.WORKING, {"broker_order_id": number, "placed_at": at}),
        ):
            order, event = advance(order, state, at=at, actor="order_placement", cause=state.lower(), **changes)
            self.events.append(event)
        self.orders.append(order)
        history = tuple(BrokerEvent(at=at, event=event) for event in ("placed", "working"))
        self.broker_orders.append(
            LedgerOrder(
                order_id=number,
                client_order_id=order.intent_id,
                symbol=order.symbol,
                action=side.value,
                quantity=quantity,
                filled=0,
                price_type=order.price_type.value,
                term=order.term.value,
                limit_price=limit,
                stop_price=stop,
                status="OPEN",
                placed_at=at,
                history=history,
            )
        )
        self.requests.append(PlaceRequest(at=at, client_order_id=order.intent_id, preview_id=7, outcome="placed"))
        return order

    def _fill(self, order: Order, at: datetime, price: Decimal, realized: Decimal) -> None:
        number = order.broker_order_id or 0
        self._log(number, BrokerEvent(at=at, event="fill", quantity=order.quantity, price=price), order.quantity)
        self.broker_fills.append(
            LedgerFill(
                at=at,
                order_id=number,
                client_order_id=order.intent_id,
                symbol=order.symbol,
                action=order.side.value,
                quantity=order.quantity,
                price=price,
            )
        )
        self._advance(order, State.FILLED, at, filled=order.quantity, average_price=price)
        self.fills.append(
            Fill(
                intent_id=order.intent_id,
                broker_order_id=number,
                position_id=order.position_id,
                symbol=order.symbol,
                side=order.side.value,
                quantity=order.quantity,
                price=price,
                cumulative=order.quantity,
                realized=realized,
                reason=order.reason,
                at=at,
            )
        )

    def _end(self, order: Order, at: datetime) -> None:
        self._log(order.broker_order_id or 0, BrokerEvent(at=at, event="cancelled"), 0)
        self._advance(order, State.CANCELLED, at)

    def _advance(self, order: Order, state: State, at: datetime, **changes: int | Decimal) -> None:
        moved, event = advance(order, state, at=at, actor="order_settlement", cause="the broker says so", **changes)
        self.orders[self.orders.index(order)] = moved
        self.events.append(event)

    def _log(self, number: int, event: BrokerEvent, filled: int) -> None:
        place = number - 401
        order = self.broker_orders[place]
        self.broker_orders[place] = replace(order, history=(*order.history, event), filled=order.filled + filled)

    def _position(
        self, name: str, symbol: str, *, opened: datetime, closed: datetime, cost: Decimal, realized: Decimal
    ) -> None:
        self.positions = [one for one in self.positions if one.symbol != symbol]
        self.positions.append(
            Position(
                position_id=name,
                symbol=symbol,
                venue=Venue.SANDBOX,
                strategy="momentum",
                session=DAY,
                quantity=0,
                average_cost=cost,
                opened_at=opened,
                stop_distance=cost / 100,
                spread_paid=Decimal("0.01"),
                stop_wanted=cost,
                stop_set_at=opened,
                realized=realized,
                is_open=False,
                closed_at=closed,
            )
        )


_MARKS: tuple[tuple[str, list[tuple[int, str]]], ...] = (
    ("AIG", [(0, "NO_VOTE"), (9, "RSI_OUTSIDE_GATE")]),
    ("BAC", [(0, "VOLUME_TOO_LOW+NO_VOTE")]),
    ("IBM", [(0, "NO_VOTE"), (12, "signal:S1"), (13, "held")]),
    ("SPY", [(0, "BEFORE_OPENING_RANGE"), (57, "SPREAD_TOO_WIDE")]),
)
_REASONS = {Kind.ENTRY: "signal", Kind.PROTECT: "stop", Kind.MOVE: "trail", Kind.EXIT: "target"}


def _intent(
    kind: Kind,
    position: str,
    signal: Signal,
    *,
    side: Side,
    quantity: int,
    at: datetime,
    limit: Decimal | None,
    stop: Decimal | None,
) -> Order:
    name = intent_id(kind=kind, cause=position, session=DAY)
    return Order(
        intent_id=name,
        kind=kind,
        position_id=position,
        signal_id=signal.signal_id if kind is Kind.ENTRY else None,
        strategy="momentum",
        reason=_REASONS[kind],
        symbol=signal.symbol,
        side=side,
        venue=Venue.SANDBOX,
        quantity=quantity,
        price_type=PriceType.STOP if stop is not None else PriceType.LIMIT,
        term=Term.GOOD_FOR_DAY,
        limit_price=limit,
        stop_price=stop,
        stop_distance=signal.stop_distance,
        spread=Decimal("0.01"),
        session=DAY,
        decided_at=at,
        created_at=at,
        updated_at=at,
        payload_hash="",
    )


def at(hour: int, minute: int, second: int = 0) -> datetime:
    """Give an instant of the sample's session by its New York wall-clock time."""
    return HOURS.opens + timedelta(hours=hour - 9, minutes=minute - 30, seconds=second)


def quiet_day() -> Sample:
    """Give a clean day: two trades and a denied signal."""
    sample = Sample()
    sample.trade("IBM", at=at(10, 5), held=timedelta(minutes=52), quantity=54)
    sample.trade("AIG", at=at(11, 20), held=timedelta(minutes=40), quantity=207)
    sample.denied("BAC", at=at(12, 1), codes=("SPREAD_TOO_WIDE", "DAILY_LOSS"))
    return sample


def result_of(
    sample: Sample, folder: Path, *, found: Iterable[str] | None = None, beside: tuple[Beside, ...] = (),
    market: Prices | None = None, **changes: Any,
) -> DayResult:  # fmt: skip
    """Wrap a sample as the result of a run with the demo configuration; `changes` are of what its report is made of."""
    book, ledger = sample.book(), sample.ledger()
    sentences = (
        violations(ledger=ledger, book=book, undeclared=(), starting_cash=CASH, hours=HOURS)
        if found is None
        else list(found)
    )
    counts = Counts(ticks=23_010, quotes=92_040, asked=4_000, served=3_100)
    summary = summarise(
        ledger=ledger, book=book, counts=counts, violations=sentences, wall_s=41.7, network="slow",
        looks=looks_of(book, HOURS),
    )  # fmt: skip
    ran = Ran(
        card=Card(market="2013-10-07", config="demo", seed=1), hours=HOURS, watch_list=SYMBOLS, summary=summary,
        timing=timing(ledger, book, HOURS), book=book, ledger=ledger, starting=CASH, troubles={}, beside=beside,
    )  # fmt: skip
    ran = replace(ran, **changes)
    facts = day_facts(ran, Tape() if market is None else market)
    return DayResult(
        folder=folder, card=ran.card, hours=HOURS, watch_list=SYMBOLS, summary=summary, timing=ran.timing,
        book=ran.book, ledger=ran.ledger, troubles=ran.troubles, crashed=False, moved_to=None, facts=facts,
        figures=figures(facts), account=ran.account,
    )  # fmt: skip


def page_of(result: DayResult) -> str:
    """Render a result's report."""
    return render(result.facts, result.figures)
