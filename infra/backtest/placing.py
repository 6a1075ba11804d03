"""What the order function does with a signal or an exit, in one process: judge, size, free shares, send.

The same rules on the same facts at the same instants as `enter` and `leave` of `usecases.placing` and `send` and
`cancel` of `usecases.orders`; one at a time, exits first, as the turnstile of its door lets them in.
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from infra.backtest.room import VENUE, Room, Steps, Who
from infra.backtest.sending import send
from infra.backtest.settling import Settling, count_refusal
from shared.domain.base.calendar import is_open
from shared.domain.base.values import PriceType, Side, Term
from shared.domain.broker import day_trades
from shared.domain.broker.brokerage import Balance
from shared.domain.broker.day_trades import DayTradeRule, DayTrades
from shared.domain.market.quotes import Quote
from shared.domain.orders import book, pricing
from shared.domain.orders.made import entry_of, exit_of
from shared.domain.orders.orders import AT_BROKER, UNSENT, Kind, Order, State
from shared.domain.orders.positions import PendingExit, Position
from shared.domain.orders.signals import Signal
from shared.domain.orders.watches import ExitDecision
from shared.domain.risk import denials
from shared.domain.risk.account_rules import ACCOUNT_RULES, may_be_wash_sale
from shared.domain.risk.entries import Denial, judged
from shared.domain.risk.facts import RiskFacts
from shared.domain.risk.risk import deny_codes

_WHO: Who = "order_placement"


class Placing:
    """The order function of a played day."""

    def __init__(self, room: Room, settling: Settling) -> None:
        self._room = room
        self._settling = settling
        self._waiting: list[tuple[int, int]] = []
        self._inside: tuple[int, int] | None = None
        self._issued = 0

    def enter(self, signal: Signal) -> Steps:
        """Work one signal: at most one entry."""
        room = self._room
        lives = timedelta(seconds=room.config.entry.signal_age_max_s)
        if room.now > signal.decided_at + lives:
            self._too_old(signal)
            return
        ticket = self._ticket(1)
        while not self._enters(ticket):
            yield room.now + room.timing.turn
        if room.now > signal.decided_at + lives:
            self._too_old(signal)
        else:
            self._enter(signal)
        self._inside = None

    def leave(self, symbol: str, position_id: str, decision: ExitDecision) -> Steps:
        """Work one exit decision: cancel what rests on the shares, see it end, sell them."""
        room = self._room
        ticket = self._ticket(0)
        while not self._enters(ticket):
            yield room.now + room.timing.turn
        yield from self._leave(symbol, position_id, decision)
        self._inside = None

    def _ticket(self, rank: int) -> tuple[int, int]:
        self._issued += 1
        self._waiting.append((rank, self._issued))
        return rank, self._issued

    def _enters(self, ticket: tuple[int, int]) -> bool:
        if self._inside is not None or min(self._waiting) != ticket:
            return False
        self._waiting.remove(ticket)
        self._inside = ticket
        return True

    def _intent(self, signal: Signal) -> Order:
        return self._room.begin(entry_of(signal, venue=VENUE, now=self._room.now, number=0, payload=signal.signal_id))

    def _too_old(self, signal: Signal) -> None:
        order = self._intent(signal)
        self._room.move(order, State.VOIDED, cause="the signal waited too long", codes=("SIGNAL_STALE",))

    def _enter(self, signal: Signal) -> None:
        room = self._room
        order, ledger = self._intent(signal), room.todays
        room.ledger = ledger
        seen = room.shown.quotes.get(signal.symbol)
        quote = None if seen is None else replace(seen, received_at=room.now)
        facts = self._facts(signal, order, quote)
        barred = tuple(code for code, rule in ACCOUNT_RULES.items() if rule(facts, room.config))
        found = judged(facts, barred, votes=len(signal.votes), config=room.config)
        if isinstance(found, Denial):
            codes = tuple(dict.fromkeys(found.codes))
            room.move(order, State.DENIED, codes=codes, note=found.note)
            return
        wash = may_be_wash_sale(lost_at=facts.lost_at, now=room.now)
        order = room.move(
            order, State.RESERVED, ledger=book.reserved(ledger, found.cost), quantity=found.shares,
            limit_price=found.limit, reserved=found.cost, spread=found.spread, sized=found.sized,
            possible_wash_sale=wash,
        )  # fmt: skip
        self._send(order, quote)

    def _facts(self, signal: Signal, order: Order, quote: Quote | None) -> RiskFacts:
        room = self._room
        positions = tuple(room.open_positions())
        before = room.positions.get(signal.symbol)
        live = tuple(
            one for one in room.live.values() if one.intent_id != order.intent_id and one.state is not State.NEW
        )
        limit = None
        if quote is not None:
            limit = pricing.entry_limit(ask=quote.ask, decision_price=signal.decision_price, config=room.config)
        earlier, balance = room.carried.ledgers, room.balance()
        return RiskFacts(
            now=room.now, kind=Kind.ENTRY, symbol=signal.symbol, side=signal.side, price_type=PriceType.LIMIT,
            term=Term.IMMEDIATE_OR_CANCEL, quantity=0, limit_price=limit, decided_at=signal.decided_at,
            closed_at=before.closed_at if before else None, daily_close=signal.daily_close,
            session=room.day.session, control=room.control, quote=quote, ledger=room.todays, positions=positions,
            live_orders=live, holdings=room.holdings(), balance=balance, capital=room.carried.capital,
            realized_before=sum((past.realized for past in earlier), Decimal(0)),
            equity_peak=book.peak(room.carried.capital, earlier), marks=room.known_marks(list(positions)),
            day_trades=self._day_trades() if self._counts(balance) else None, restriction="",
            lost_at=before.lost_at if before else None,
        )  # fmt: skip

    def _counts(self, balance: Balance) -> bool:
        room = self._room
        rule = day_trades.rule_on(room.day.session.day, room.config.account.day_trade_rule)
        return rule is DayTradeRule.LEGACY_PDT and day_trades.is_counted(balance)

    def _day_trades(self) -> DayTrades:
        room = self._room
        days = day_trades.sessions_before(room.day.session.day)
        buys = (one for one in room.at_market.values() if one.ticket.action.value == Side.BUY.value)
        today = sum(1 for one in buys if one.filled or one.live)
        return DayTrades(before=sum(made for day, made in room.carried.day_trades if day in days), today=today)

    def _send(self, order: Order, quote: Quote | None) -> Order:
        """Check an order for the last time and place it; settlement is woken."""
        room = self._room
        order = send(room, order, quote)
        if order.state is State.WORKING:
            room.plan(room.now + room.timing.order_placed, self._settling.settle(ticks=False))
        return order

    def _wish(self, symbol: str, position_id: str, decision: ExitDecision) -> Position | None:
        """Give the position while it is open and its watch names this decision."""
        position, watch = self._room.positions.get(symbol), self._room.watches.get(symbol)
        if position is None or not position.is_open or position.position_id != position_id:
            return None
        if watch is None or watch.position_id != position_id or watch.exit is None:
            return None
        return position if watch.exit.exit_id == decision.exit_id else None

    def _leave(self, symbol: str, position_id: str, decision: ExitDecision) -> Steps:
        room = self._room
        position = self._wish(symbol, position_id, decision)
        if position is None or room.now > decision.decided_at + room.timing.exit_life or not is_open(room.now):
            return
        if not position.present or decision.exit_id in room.orders:
            return
        order = self._begin(position, decision)
        yield from self._free_shares(symbol, order)
        order, after = room.orders[order.intent_id], self._wish(symbol, position_id, decision)
        under_way = after is not None and after.pending_exit is not None
        if after is None or not under_way or after.pending_exit is None:
            self._outdated(order)
            return
        if after.pending_exit.exit_id != decision.exit_id or order.state not in UNSENT:
            self._outdated(order)
            return
        order = self._approved(order, after)
        if order.state is State.RESERVED:
            count_refusal(room, self._send(order, None))

    def _outdated(self, order: Order) -> None:
        if order.state in UNSENT:
            self._room.move(order, State.VOIDED, codes=("OUTDATED",))

    def _begin(self, position: Position, decision: ExitDecision) -> Order:
        room, before = self._room, position.pending_exit
        told = before is not None and before.told and before.first_at == decision.first_at
        pending = PendingExit(exit_id=decision.exit_id, first_at=decision.first_at, told=told)
        room.positions[position.symbol] = replace(position, pending_exit=pending)
        return room.begin(exit_of(position, decision, now=room.now, number=0))

    def _free_shares(self, symbol: str, order: Order) -> Steps:
        """End every other live sell of the symbol."""
        room = self._room
        for sell in room.live_sells(symbol):
            if sell.intent_id == order.intent_id:
                continue
            if sell.state in UNSENT:
                room.move(sell, State.VOIDED, cause="an exit takes its place", codes=("REPLACED",))
            elif sell.state in AT_BROKER:
                yield from self._settling.cancel_and_confirm(sell, _WHO)

    def _approved(self, order: Order, position: Position) -> Order:
        room = self._room
        others = tuple(one for one in room.live_sells(order.symbol) if one.intent_id != order.intent_id)
        facts = RiskFacts(
            now=room.now, kind=Kind.EXIT, symbol=order.symbol, side=Side.SELL, price_type=order.price_type,
            term=order.term, quantity=position.present, limit_price=order.limit_price, decided_at=order.decided_at,
            session=room.day.session, control=room.control, positions=(position,), live_orders=others,
        )  # fmt: skip
        codes = deny_codes(facts, room.config)
        if codes:
            return room.move(order, State.DENIED, codes=codes, note=denials.sentences(codes, facts, room.config))
        return room.move(order, State.RESERVED, quantity=position.present)
