"""The report of one session of a system, out of what it stored: while the session runs, at its end, or days later.

What can go wrong: nobody measured the equity; a position was carried over from a session before; what the owner is told
differs from `strategy trades`; a document cannot be read. What this promises: trades are those of `strategy trades`;
the equity of each minute is made of the capital, of what earlier sessions realised, of fills as the system learned of
them and of its own minute bars, which the report says; what is left out and what does not agree is said first. Nothing
is asked of the broker.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from infra.operations.look import WRITTEN_WITHIN, last_balance, typed
from infra.operations.trips import Money, moved
from infra.results.ends import skipped
from infra.results.equity import MINUTE, Move, curve, minutes, taken_out, traded
from infra.results.facts import NOT_MODELLED, SIMULATED, Count, Facts, Mark, Point, Trade
from infra.results.receipts import Decision, decisions, why_not
from infra.results.trades import stop_lines, trades
from infra.results.watched import watched
from infra.results.words import clock, dollars, looked
from infra.simulated_day.account import said_of
from infra.simulated_day.book import Receipt, receipts_on
from shared.domain.base.audit import AuditEvent
from shared.domain.base.calendar import TradingSession, new_york_day
from shared.domain.broker.brokerage import LastBalance
from shared.domain.broker.day_trades import DayTradeRule
from shared.domain.market.bars import Bar
from shared.domain.market.sight import Sight, looks
from shared.domain.orders.orders import Order
from shared.domain.orders.positions import Fill
from shared.domain.orders.signals import Signal
from shared.domain.orders.versions import FILE
from shared.domain.telling.wording import count, few
from shared.errors import ConfigError, Malformed
from shared.frozen import frozen
from shared.ports import Where
from shared.settings import Mode
from shared.strategies import config as configurations
from shared.usecases.base.desk import Desk
from shared.usecases.control import configuration
from shared.usecases.market.minutes import Minute
from shared.usecases.market.minutes import since as minutes_since
from shared.usecases.market.own_bars import all_minutes

EQUITY_MADE = "made each minute of fills, as the system learned of them, and of its own minute bars"
NO_CAPITAL = "the capital is not known before settlement has read the balance for the first time"
NO_MINUTES = "no minute of the session is over"
NOT_KNOWN = "not known"
"""What is said of E*TRADE's fees: no answer of its that is kept has them."""
MOST_NAMED = 5


@frozen
class System:
    """Which system is reported: its name, the configuration that it was started with, its mode and broker.

    `mode` is paper or live, None where nobody on this machine knows; `simulated` says that its broker is the simulator.
    """

    name: str
    configuration: str
    mode: str | None
    simulated: bool

    @property
    def said(self) -> str:
        """Whose prices and money it trades, "" where that is not known here."""
        if self.simulated:
            return SIMULATED
        if self.mode == Mode.PAPER:
            return "Paper: orders are filled in the system's own book at E*TRADE's quotes, none is sent to E*TRADE."
        return ""

    @property
    def fees_unknown(self) -> str:
        """Why fees are in no figure of it."""
        return NOT_MODELLED if self.simulated or self.mode == Mode.PAPER else NOT_KNOWN


@frozen
class _Read:
    """What was read of a session until `ends`; `unread` grows by the paths of what cannot be read.

    `sights` are what was seen in its minutes, all of which are written down until `seen_until`.
    """

    desk: Desk
    session: TradingSession
    money: Money
    signals: Sequence[Signal]
    balance: LastBalance | None
    receipts: Sequence[Receipt]
    sights: Sequence[Sight]
    ends: datetime
    unread: list[str]

    @property
    def seen_until(self) -> datetime:
        """The end of the last minute of which a sight must be there."""
        over = self.desk.clock.now() >= self.session.closes_at + WRITTEN_WITHIN
        return (self.ends if over else self.ends - WRITTEN_WITHIN).replace(second=0, microsecond=0)

    @property
    def orders(self) -> list[Order]:
        """The session's orders."""
        return [one for one in self.money.orders if one.session == self.session.day]


def session_facts(desk: Desk, session: TradingSession, system: System) -> Facts:
    """Give the facts of a session of a system; raises StoreDown."""
    money, unread = moved(desk.store), list[str]()
    signals = typed(Signal, desk.store.query("signals", _of(session)), unread)
    ends = max(min(desk.clock.now(), session.closes_at), session.opens_at)
    was = _Read(
        desk=desk, session=session, money=money, signals=signals, balance=last_balance(desk.store, unread),
        receipts=list(receipts_on(desk.store, session.day, unread)), sights=_sights(desk, session), ends=ends,
        unread=unread,
    )  # fmt: skip
    every = trades(orders=money.orders, fills=money.fills, taken=money.taken, signals=signals)
    found = [trade for trade in every if _touches(trade, session)]
    bars, damaged = all_minutes(desk, session)
    prices = {symbol: tuple(_marks(those)) for symbol, those in bars.items() if those}
    receipts, reasons = _decisions(was), why_not(was.receipts, prices)
    starting, equity, made = _equity(was, found, prices)
    unread += [*money.unread, *(f"the minutes of {symbol}" for symbol in damaged)]
    return Facts(
        title=f"{session.day:%A, %-d %B %Y}", begins=session.opens_at, ends=ends, resolution="one-second quotes",
        source=system.name, configuration=_configuration(system, was.receipts), starting_equity=starting, equity=equity,
        equity_made=made, trades=tuple(found), signals=len(signals), skipped=skipped(receipts), prices=prices,
        said=tuple(_said(was, system)), stops=stop_lines(was.orders, ends), decisions=tuple(receipts),
        why_not=tuple(reasons), fees_unknown=system.fees_unknown, machine=tuple(_machine(was)),
        watched=watched(was.sights, session.opens_at, was.seen_until),
    )  # fmt: skip


def _of(session: TradingSession) -> Where:
    return Where("session", "==", session.day.isoformat())


def _touches(trade: Trade, session: TradingSession) -> bool:
    """Tell whether a trade was entered, held or left in a session."""
    entered = new_york_day(trade.entered_at) <= session.day
    return entered and (trade.left_at is None or new_york_day(trade.left_at) >= session.day)


def _marks(bars: Sequence[Bar]) -> Iterator[Mark]:
    """Give the open of the first minute, one at least, and the close of each."""
    yield Mark(at=bars[0].end - MINUTE, price=bars[0].open)
    yield from (Mark(at=bar.end, price=bar.close) for bar in bars)


def _equity(
    was: _Read, found: Sequence[Trade], prices: Mapping[str, tuple[Mark, ...]]
) -> tuple[Decimal, tuple[Point, ...], str]:  # fmt: skip
    """Give the starting equity in USD, the curve, and how it was made, or why there is none."""
    money, opens = was.money, was.session.opens_at
    if was.balance is None:
        return Decimal(0), (), NO_CAPITAL
    before = sum((one.realized for one in money.ledgers if one.session < was.session.day), Decimal(0))
    starting = was.balance.capital + before
    instants = minutes(opens, was.ends)
    if len(instants) <= 1:
        return starting, (), NO_MINUTES
    ours = {trade.position_id for trade in found}
    fills = [fill for fill in money.fills if fill.position_id in ours]
    taken = [one for one in money.taken if one.position_id in ours]
    moves = [*(_move(fill) for fill in fills), *taken_out(taken, found)]
    # What a carried position realised before is in the starting equity already, and comes again with its moves.
    again = sum((fill.realized for fill in fills if fill.at < opens), Decimal(0))
    again += sum((one.realized for one in taken if one.at < opens), Decimal(0))
    return starting, curve(moves, prices, starting - again, instants), EQUITY_MADE


def _move(fill: Fill) -> Move:
    return traded(fill.at, fill.symbol, buys=fill.side == "BUY", quantity=fill.quantity, price=fill.price)


def _decisions(was: _Read) -> list[Decision]:
    """Give the receipts of a session, with the steps of those orders that belong to something bought."""
    store, bought, events = was.desk.store, {fill.position_id for fill in was.money.fills}, list[AuditEvent]()
    for order in was.orders:
        if order.position_id in bought:
            events += typed(AuditEvent, store.query("audit", Where("chain", "==", order.intent_id)), was.unread)
    return decisions(was.signals, orders=was.orders, events=events, fills=was.money.fills)


def _sights(desk: Desk, session: TradingSession) -> list[Sight]:
    rows = typed(Minute, minutes_since(desk.store, session.opens_at), [])
    return [one.sight for one in rows if one.sight is not None and one.sight.begins < session.closes_at]


def _configuration(system: System, receipts: Sequence[Receipt]) -> str:
    """Name each configuration that a minute was scanned with, in their order, of several with since when."""
    begun = [next(those) for _, those in groupby(receipts, key=lambda one: one.configuration)]
    names = [f"version {one.configuration}" if one.configuration else system.configuration for one in begun]
    if len(begun) <= 1:
        return names[0] if names else system.configuration
    since = [clock(datetime.fromisoformat(one.minute)) for one in begun]
    return few([f"{name} since {at}" for name, at in zip(names, since, strict=True)], MOST_NAMED)


def _rule(was: _Read, system: System) -> DayTradeRule | None:
    """Give the day-trade rule of the configuration that counted last, None where that is not known here."""
    number = was.receipts[-1].configuration if was.receipts else FILE
    if system.mode is None and number == FILE:
        return None
    try:
        chosen = configuration.version(was.desk.store, number, configurations.load(system.configuration))
    except (ConfigError, Malformed):
        return None
    return chosen.account.day_trade_rule


def _said(was: _Read, system: System) -> Iterator[str]:
    """Say what must be known before any figure."""
    now, left_out = was.desk.clock.now(), was.unread
    if system.said:
        yield system.said
    if was.balance is not None and (kind := said_of(was.balance.balance.account_mode, _rule(was, system))):
        yield f"Traded in {kind}."
    if now < was.session.closes_at:
        yield f"The session is not over: figures until {clock(now)} New York."
    if left_out:
        yield f"Left out, because it cannot be read: {few(left_out, MOST_NAMED)}."
    for one in was.money.sessions:
        if one.session == was.session.day and not one.agrees:
            ledger = "there is no ledger" if one.ledger is None else f"its ledger says {dollars(one.ledger)}"
            yield f"Different: the trades realised {dollars(one.realized)}, {ledger}."


def _machine(was: _Read) -> Iterator[Count]:
    orders = was.orders
    intents = {one.intent_id for one in orders}
    sent = sum(1 for one in orders if one.broker_order_id is not None)
    filled = sum(1 for one in was.money.fills if one.intent_id in intents)
    yield Count(name="Signals", text=f"{len(was.signals):,}")
    yield Count(
        name="Orders",
        text=f"{len(orders):,} decided (entries, stops and exits), {count(sent, 'order')} at the broker, "
        f"{count(filled, 'fill')}",
    )
    if was.sights:
        seen = looks(was.sights, was.session.opens_at, was.seen_until)
        yield Count(name="Seconds looked at", text=looked(seen))
