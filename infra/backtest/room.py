"""One played day's book and account: the documents of the live system as values, and the broker beside them.

What can go wrong: the fast path books something otherwise than the functions do. What this promises: an order moves
along the same arrows, a fill goes through the same book, the account is the simulated broker's own; what is here is
only that they lie in dictionaries instead of a store. Nothing in it knows a later instant than `now`.
"""

from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from heapq import heappop, heappush
from itertools import count
from typing import Any, Literal, cast

from infra.backtest.day import Day
from infra.backtest.played import Carried, Fills
from infra.backtest.shown import Shown
from infra.backtest.timing import Timing
from infra.brokersim import orders as market_orders
from infra.brokersim.account import Account
from infra.brokersim.chance import stream
from infra.brokersim.desk import FIRST_ORDER_ID, Desk
from infra.brokersim.exchange import Exchange
from infra.brokersim.orders import Fill as MarketFill
from infra.brokersim.orders import Order as MarketOrder
from infra.brokersim.settings import SimulatorSettings
from infra.brokersim.wire import Refused
from shared.domain.base.settlement import settles_on
from shared.domain.base.values import CENT, Side, Venue
from shared.domain.broker.brokerage import Balance, BrokerStatus, Holding
from shared.domain.control.config import StrategyConfig
from shared.domain.control.control import Control, TradingState, of_a_new_book
from shared.domain.market.quotes import Quote
from shared.domain.orders import book
from shared.domain.orders.booking import folded, next_state
from shared.domain.orders.orders import AT_BROKER, TERMINAL, Kind, Order, State, moved
from shared.domain.orders.own_rows import Said
from shared.domain.orders.positions import Fill, Ledger, Position
from shared.domain.orders.signals import Signal
from shared.domain.orders.watches import PositionWatch

Steps = Generator[datetime, None, None]
"""Work that waits: it gives the instant at which it goes on."""
Who = Literal["order_placement", "order_settlement"]
VENUE = Venue.PRODUCTION
_MAY_FILL_LATE = frozenset({State.CANCELLED, State.EXPIRED})
_TICK = Decimal("0.0001")
_MILLISECOND = timedelta(milliseconds=1)
_ACTIVE = of_a_new_book(by="order_placement", at=datetime.fromtimestamp(0, UTC))


@dataclass(slots=True, kw_only=True)
class Room:
    """A day under way. `marks` are the quotes that the scan has left for the others, `at_market` our orders there."""

    day: Day
    carried: Carried
    config: StrategyConfig
    timing: Timing
    fills: Fills
    now: datetime
    shown: Shown = field(init=False)
    account: Account = field(init=False)
    desk: Desk = field(init=False)
    ledger: Ledger | None = None
    control: Control = _ACTIVE
    orders: dict[str, Order] = field(default_factory=dict)
    live: dict[str, Order] = field(default_factory=dict)
    at_market: dict[str, MarketOrder] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    watches: dict[str, PositionWatch] = field(default_factory=dict)
    marks: dict[str, Quote] = field(default_factory=dict)
    signals: list[Signal] = field(default_factory=list)
    booked: list[Fill] = field(default_factory=list)
    ended: list[Position] = field(default_factory=list)
    _agenda: list[tuple[datetime, int, Steps]] = field(default_factory=list)
    _until: datetime = field(init=False)
    _numbers: Any = field(default_factory=count)
    _lists: dict[str, tuple[datetime, dict[int, Said]]] = field(default_factory=dict)
    _over: dict[int, Said] = field(default_factory=dict)

    def __post_init__(self) -> None:
        today, carried, night = self.day.session.day, self.carried, self.carried.overnight
        self.shown = Shown(self.day, night.last)
        self.account = Account(
            account_id="1", key="account", mode=carried.mode, description="", cash=carried.cash,
            settles=settles_on, unsettled={day: usd for day, usd in carried.unsettled if day > today},
            positions={symbol: replace(one) for symbol, one in night.shares.items()},
        )  # fmt: skip
        self.fills.begin(self.day, self.shown, lambda _, fill: self.account.book(fill))
        self.desk = Desk(
            market=self.shown, exchange=cast(Exchange, self.fills), settings=_settings(self.timing),
            chance=stream(0, "desk"), first_order_id=FIRST_ORDER_ID + carried.placed - len(night.resting),
        )  # fmt: skip
        self.positions, self.watches = dict(carried.positions), dict(night.watches)
        self.orders = {one.intent_id: one for one in night.orders}
        for one in night.resting:
            order, resting = self.orders[one.ticket.client_order_id], replace(one, events=[*one.events])
            self.live[order.intent_id], self.at_market[order.intent_id] = order, resting
            self.account.orders[resting.order_id] = resting
            if resting.live:
                self.fills.enter(resting)
        if carried.control is not None:
            self.control = carried.control

    # What happens when.

    def plan(self, at: datetime, work: Steps) -> None:
        """Let work begin, or go on, at an instant; what is due at one instant goes in the order of planning."""
        heappush(self._agenda, (at, next(self._numbers), work))

    def run(self, until: datetime) -> None:
        """Do everything that is due before an instant."""
        agenda, self._until = self._agenda, until
        while agenda and agenda[0][0] < until:
            at, _, work = heappop(agenda)
            self.now = max(self.now, at)
            goes_on = next(work, None)
            if goes_on is not None:
                self.plan(goes_on, work)

    def skipped_to(self, step: timedelta, before: datetime) -> datetime:
        """Give the last of the instants, a step apart, at which nobody else has done anything yet; a step is the least.

        They are before another work that is planned, before the next instant of the market, and before `before`.
        """
        next_work = self._agenda[0][0] if self._agenda else self._until
        steps = (min(next_work, self._until, before) - self.now - timedelta.resolution) // step
        return self.now + max(steps, 1) * step

    # The book.

    def begin(self, order: Order) -> Order:
        """Write a new order."""
        self.orders[order.intent_id] = self.live[order.intent_id] = order
        return order

    def move(self, order: Order, to: State, *, cause: str = "", ledger: Ledger | None = None, **changes: Any) -> Order:
        """Move an order along one arrow; the end of an entry gives its reserved cash back."""
        held_cash = order.state not in TERMINAL | {State.NEW}
        frees = to in TERMINAL and held_cash and order.kind is Kind.ENTRY
        if frees:
            changes["reserved"] = Decimal(0)
        after = moved(order, to, at=self.now, cause=cause, **changes)
        if ledger is not None:
            self.ledger = ledger
        if frees:
            self.ledger = book.released(self.todays, order.reserved)
        self.orders[after.intent_id] = after
        if after.live:
            self.live[after.intent_id] = after
        else:
            self.live.pop(after.intent_id, None)
        return after

    @property
    def todays(self) -> Ledger:
        """The session's ledger."""
        return self.ledger or Ledger(session=self.day.session.day)

    def open_positions(self) -> list[Position]:
        """Give every open position, by symbol."""
        return [one for _, one in sorted(self.positions.items()) if one.is_open]

    def live_orders(self) -> list[Order]:
        """Give every order that is not at its end, oldest first."""
        return sorted(self.live.values(), key=lambda order: (order.created_at, order.intent_id))

    def live_sells(self, symbol: str) -> list[Order]:
        """Give every sell of a symbol that is not at its end."""
        return [one for one in self.live.values() if one.symbol == symbol and one.side is Side.SELL]

    def tighten(self, to: TradingState, reason: str) -> None:
        """Go to a stricter trading state; one that is as strict stays."""
        if to.severity > self.control.state.severity:
            self.control = replace(
                self.control, state=to, reason=reason, by="order_settlement", at=self.now, epoch=self.control.epoch + 1
            )

    def known_marks(self, positions: list[Position]) -> dict[str, Decimal]:
        """Give the bid that the scan left last of each of these, unless that is long ago."""
        oldest = self.now - self.timing.mark_life
        kept = {one.symbol: self.marks.get(one.symbol) for one in positions}
        return {symbol: one.bid for symbol, one in kept.items() if one is not None and one.received_at >= oldest}

    # The broker.

    def meet(self) -> None:
        """Let everything happen at the market that happens up to now: before anybody looks at it."""
        self.fills.advance(self.now)

    def preview(self, order: Order) -> int | str:
        """Ask whether an order would be taken: the preview's number, or the broker's code where it refuses."""
        self.meet()
        try:
            return self.desk.preview(self.account, ticket_of(order), self.now).preview_id
        except Refused as refusal:
            return str(refusal.code)

    def place(self, order: Order, preview_id: int) -> str | None:
        """Place a previewed order in this instant; gives the broker's code where it refuses."""
        try:
            placed = self.desk.place(self.account, ticket_of(order), preview_id, self.now)
        except Refused as refusal:
            return str(refusal.code)
        self.at_market[order.intent_id] = placed
        return None

    def ask_cancel(self, order: Order, cause: str) -> Order:
        """Write a cancel down and ask for it; that it comes too late is for the next look to say."""
        order = self.move(order, State.CANCEL_REQ, cause=cause)
        self.meet()
        with suppress(Refused):
            self.desk.cancel(self.account, self.at_market[order.intent_id].order_id, self.now)
        return order

    def list_orders(self, who: Who) -> dict[int, Said]:
        """Read the list of all orders as the broker shows them now, and keep it for whoever asks again soon."""
        self.meet()
        over = self._over
        listing = {one.order_id: over.get(one.order_id) or self._shown(one) for one in self.at_market.values()}
        self._lists[who] = (self.now, listing)
        return listing

    def _shown(self, order: MarketOrder) -> Said:
        """Give what the broker says of an order, and keep what it says of one that is over: that stays the same."""
        found = _said(order)
        if not order.live:
            self._over[order.order_id] = found
        return found

    def recent_list(self, who: Who) -> dict[int, Said]:
        """Give a list of the last seconds, or read one."""
        last = self._lists.get(who)
        if last is not None and self.now - last[0] <= self.timing.list_life:
            return last[1]
        return self.list_orders(who)

    def see(self, order: Order, listing: dict[int, Said]) -> Order:
        """Bring an order in line with a list, by its own answer where that lacks it, and book its fills."""
        if order.broker_order_id is None or not (order.state in AT_BROKER or order.state in _MAY_FILL_LATE):
            return order
        self.meet()
        shown = listing.get(order.broker_order_id) or _said(self.at_market[order.intent_id])
        if shown.filled < order.filled:
            return order
        late = order.state in _MAY_FILL_LATE and shown.filled > order.filled
        if order.state not in AT_BROKER and not late:
            return order
        to = order.state if late else next_state(order, shown)
        if shown.filled == order.filled:
            return order if to is order.state else self.move(order, to, cause=f"the broker shows {shown.status}")
        return self._book(order, shown, to)

    def _book(self, order: Order, shown: Said, to: State) -> Order:
        average = shown.average_price or Decimal(0)
        new = book.newly_filled(order, filled=shown.filled, average_price=average)
        if new is None or order.broker_order_id is None:
            return order
        quantity, price = new
        before = self.positions.get(order.symbol)
        position, profit = folded(order, before, quantity, price, at=self.now, exits=self.config.exits)
        if before is not None and before.position_id != position.position_id:
            self.ended.append(before)
        self.positions[order.symbol] = position
        self.booked.append(Fill(
            intent_id=order.intent_id, broker_order_id=order.broker_order_id, position_id=order.position_id,
            symbol=order.symbol, side=order.side, quantity=quantity, price=price, cumulative=shown.filled,
            realized=profit, reason=order.reason, at=self.now,
        ))  # fmt: skip
        ledger = book.booked(self.todays, position, profit=profit, at=self.now, config=self.config)
        cause = f"the broker shows {shown.status}"
        return self.move(order, to, cause=cause, ledger=ledger, filled=shown.filled, average_price=average)

    def holdings(self) -> tuple[Holding, ...]:
        """Give what the account holds."""
        self.meet()
        held = self.account.positions.items()
        return tuple(Holding(symbol=name, quantity=one.quantity, cost_per_share=None) for name, one in held)

    def balance(self) -> Balance:
        """Give what the account can spend, to the cent as the broker says it."""
        self.meet()
        account, now = self.account, self.now
        settled = account.settled_cash(now) - account.reserved_cash()
        return Balance(
            at=now, account_mode=account.mode, settled_cash=settled.quantize(CENT),
            cash_buying_power=account.buying_power(now).quantize(CENT),
            account_value=(account.cash + self.worth()).quantize(CENT),
        )  # fmt: skip

    def worth(self) -> Decimal:
        """Give what the account's shares are worth at their last price, in USD."""
        last = self.shown.last
        return sum((one.quantity * last(name).price for name, one in self.account.positions.items()), Decimal(0))

    @property
    def traded(self) -> list[MarketFill]:
        """The day's fills as the market made them."""
        return self.account.fills


def _said(order: MarketOrder) -> Said:
    average = order.average_price
    return Said(
        filled=order.filled, average_price=None if average is None else average.quantize(_TICK),
        status=BrokerStatus(order.status.value), unread=(),
    )  # fmt: skip


def ticket_of(order: Order) -> market_orders.Ticket:
    """Give an order as the simulated broker is asked for it."""
    return market_orders.Ticket(
        client_order_id=order.intent_id, symbol=order.symbol, action=market_orders.Action(order.side.value),
        quantity=order.quantity, price_type=market_orders.PriceType(order.price_type.value),
        term=market_orders.Term(order.term.value), limit_price=order.limit_price, stop_price=order.stop_price,
    )  # fmt: skip


def _settings(timing: Timing) -> SimulatorSettings:
    cancel_ms = timing.cancel_takes // _MILLISECOND
    return SimulatorSettings(
        consumer_key="", consumer_secret="", fill_latency_ms=timing.fill_latency // _MILLISECOND,
        fill_latency_spread_ms=0, cancel_delay_min_ms=cancel_ms, cancel_delay_max_ms=cancel_ms,
    )  # fmt: skip
