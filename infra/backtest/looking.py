"""What the scan does at each look of a played day: what is held is judged first, then strategies are asked.

The same functions on the same quotes as `scan` and `hold` of `usecases.scanning`; what they decide is handed to the
order function after the message's way.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from infra.backtest.day import Day, Resolution
from infra.backtest.placing import Placing
from infra.backtest.room import Room
from shared.domain.base.values import PriceType
from shared.domain.control.config import StrategyConfig
from shared.domain.market import halts
from shared.domain.market.bars import Bar
from shared.domain.market.daybook import DayBook
from shared.domain.market.quality import Sound, sound
from shared.domain.market.quotes import Quote
from shared.domain.market.ranking import known_measures, ranked
from shared.domain.orders import backoff, pricing
from shared.domain.orders.exits import ExitNow, Hold, MoveStop, Unquoted, decided, is_over, judge, stop_passed
from shared.domain.orders.orders import State
from shared.domain.orders.positions import Position
from shared.domain.orders.signals import Signal
from shared.domain.orders.versions import held_by
from shared.domain.orders.watches import PositionWatch, following
from shared.domain.telling.left_out import LeftOut
from shared.strategies.form import Bound
from shared.strategies.panel import Panel
from shared.strategies.view import View
from shared.strategies.watch import Watch

_NONE = timedelta(0)


class Looking:
    """The scan of a played day: a watch over each symbol, what is held as it was last read, and what was signalled."""

    def __init__(self, room: Room, placing: Placing, strategies: tuple[Bound, ...]) -> None:
        self._room = room
        self._placing = placing
        self._panel = Panel.of(strategies, room.config)
        self._bars_only = room.day.resolution is Resolution.MINUTE
        session, history = room.day.session, room.day.history
        self._scanned = scanned(room.day, room.config)
        looked_at = self._scanned | {one.symbol for one in room.open_positions()}
        symbols = [one for one in room.day.symbols if one in looked_at]
        self._watches = {one: Watch(one, DayBook(session), history.get(one)) for one in symbols}
        self._held: dict[str, Position] = {}
        self._turns: tuple[str, ...] = tuple(symbols)
        self._marks: dict[str, Quote] = {}
        self._signalled: set[str] = set()

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """The strategies that did what none may, and were asked no more."""
        return tuple(self._panel.left.values())

    def read_held(self) -> None:
        """Read what is held; until the next reading it is that."""
        held = {one.symbol: one for one in self._room.open_positions()}
        self._held = {one: held[one] for one in self._watches if one in held}
        self._turns = (*self._held, *(one for one in self._watches if one not in held))

    def leave_marks(self) -> None:
        """Leave the last quotes of what is held to whoever reckons with them, as the end of a minute does."""
        self._room.marks.update(self._marks)
        self._marks = {}

    def take(self, bars: Mapping[str, Bar]) -> None:
        """Take the bars of a minute that is over."""
        for symbol, watch in self._watches.items():
            if symbol in bars:
                watch.take(bars[symbol])

    def look(self, quotes: Mapping[str, Quote], at: datetime, *, late: timedelta = _NONE) -> None:
        """Look at every symbol, so much later than at the look's own instant: what is held first, then strategies."""
        held, config = self._held, self._room.config
        staying, views = list[View](), list[View]()
        for symbol in self._turns:
            quote, watch = quotes.get(symbol), self._watches[symbol]
            if quote is not None and late:
                quote = replace(quote, received_at=at + late)
            believed = sound(quote, watch.doubt(quote, at, config))
            if symbol in held:
                view = self._hold(watch, held[symbol], believed, at, late)
                staying += [] if view is None else [view]
            elif believed is not None and symbol in self._scanned:
                views.append(watch.view(believed, at) if self._bars_only else watch.see(believed, at))
        for view in staying:
            self._ask_to_leave(view, held[view.symbol], late)
        for view in views:
            found = self._panel.signal(view, config)
            if found is not None and found.signal_id not in self._signalled:
                self._signal(found, view.quote, at + late)

    def _ask_to_leave(self, view: View, position: Position, late: timedelta) -> None:
        """Sell what is held for a strategy's reason."""
        config, mine = self._room.config, self._room.watches[view.symbol]
        reason = self._panel.leaves(view, position, config)
        if reason:
            limit = pricing.sell_limit(bid=view.quote.bid, config=config)
            wish = ExitNow(reason=reason, price_type=PriceType.LIMIT, limit_price=limit)
            self._wish(position, mine, wish, view.at, late)

    def _signal(self, signal: Signal, quote: Sound, now: datetime) -> None:
        room = self._room
        self._signalled.add(signal.signal_id)
        room.signals.append(signal)
        room.marks[signal.symbol] = quote
        room.plan(now + room.timing.signal, self._placing.enter(signal))

    def _hold(
        self, watch: Watch, position: Position, quote: Sound | None, at: datetime, late: timedelta
    ) -> View | None:
        """Judge a held symbol; gives what strategies may see of it where it stays held and trades."""
        room, symbol, view = self._room, position.symbol, None
        if quote is not None:
            view = watch.view(quote, at) if self._bars_only else watch.see(quote, at)
            self._marks[symbol] = quote
        seen: Sound | Unquoted
        if quote is None or any(sign.code == halts.FROZEN for sign in watch.signs):
            halted = watch.book.halts.shows(at, room.config.quotes)
            seen = Unquoted(lasts=at - watch.book.seen_at, halted=halted)
        else:
            seen = quote
        mine = following(room.watches.get(symbol), position)
        position, mine, live = self._decided(position, mine, at)
        judged = judge(
            position, mine, seen, rsi=watch.rsi(at), now=at, session=room.day.session,
            config=held_by(position, room.config), exit_live=live,
        )  # fmt: skip
        if isinstance(judged, Hold) and mine.exit is None and _trades(position, room, at):
            judged = self._without_a_stop(position, mine, seen, at) or judged
        match judged:
            case Hold():
                same = judged.high_water == mine.high_water
                room.watches[symbol] = mine if same else replace(mine, high_water=judged.high_water)
            case MoveStop():
                room.watches[symbol] = replace(
                    mine, stop_wanted=judged.level, high_water=judged.high_water, breakeven=judged.breakeven,
                    stop_set_at=at,
                )  # fmt: skip
            case ExitNow():
                self._wish(position, mine, judged, at, late)
                return None
        return None if isinstance(seen, Unquoted) or mine.exit is not None else view

    def _wish(self, position: Position, mine: PositionWatch, judged: ExitNow, at: datetime, late: timedelta) -> None:
        """Keep a decision to sell and hand it on, unless the broker has refused one a moment ago."""
        room, symbol = self._room, position.symbol
        room.watches[symbol] = mine
        if backoff.may_ask(position.exit_refused, at):
            wish = decided(position, mine, judged, at=at)
            room.watches[symbol] = replace(mine, exit=wish)
            room.plan(at + late + room.timing.exit, self._placing.leave(symbol, position.position_id, wish))

    def _decided(self, position: Position, mine: PositionWatch, at: datetime) -> tuple[Position, PositionWatch, bool]:
        """Give the position, its watch without a decision that is over, and whether the decision's order is live."""
        decision = mine.exit
        if decision is None:
            return position, mine, False
        order = self._room.orders.get(decision.exit_id)
        if order is not None and order.live:
            return position, mine, order.state is not State.NEW
        position = self._room.positions.get(position.symbol, position)
        if is_over(decision, position, at=at, begun=order is not None):
            mine = replace(mine, exit=None)
        return position, mine, False

    def _without_a_stop(
        self, position: Position, mine: PositionWatch, quote: Sound | Unquoted, at: datetime
    ) -> ExitNow | None:
        """Sell what has no sell of ours while the bid is at its level or below."""
        config = self._room.config
        if isinstance(quote, Unquoted) or not stop_passed(mine, quote, at=at, config=config):
            return None
        if self._room.live_sells(position.symbol):
            return None
        limit = pricing.sell_limit(bid=quote.bid, config=config)
        return ExitNow(reason="stop_missed", price_type=PriceType.LIMIT, limit_price=limit)


def scanned(day: Day, config: StrategyConfig) -> frozenset[str]:
    """Give the symbols that the scan looks at beside what is held: the first of the day's rank, as known before it."""
    most = config.universe.scanned_max
    if len(day.symbols) <= most:
        return frozenset(day.symbols)
    known = (known_measures(one, day.history.get(one), day.session.day, spread=None) for one in day.symbols)
    return frozenset(place.symbol for place in ranked(tuple(known), config.universe.weights)[:most])


def _trades(position: Position, room: Room, at: datetime) -> bool:
    session = room.day.session
    return position.is_open and session.opens_at <= at < session.closes_at
