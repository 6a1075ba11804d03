"""What an entry is judged on: the broker's word of this moment, and our own book read again at every try."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from shared.domain.base.calendar import session_of
from shared.domain.base.values import PriceType, Term
from shared.domain.broker.brokerage import AccountRecord, Balance, BrokerOrder, Holding
from shared.domain.broker.day_trades import DayTrades
from shared.domain.control.control import Control
from shared.domain.market.quotes import Quote
from shared.domain.orders import book, pricing
from shared.domain.orders.orders import Kind, Order, State
from shared.domain.orders.positions import Ledger
from shared.domain.orders.signals import Signal
from shared.domain.risk import account_rules
from shared.domain.risk.facts import RiskFacts
from shared.domain.telling.notices import FOREIGN
from shared.frozen import frozen
from shared.ports import Severity, Where
from shared.usecases.base.desk import held_rows
from shared.usecases.base.trading import TradingDesk, require_our_venue
from shared.usecases.orders import account
from shared.usecases.orders.claims import claimed
from shared.usecases.orders.fills import held_position
from shared.usecases.orders.losses import marks, open_positions


@frozen
class Means:
    """What the account holds and can spend, as the broker says; a fill after `asked_at` may be missing."""

    asked_at: datetime
    holdings: tuple[Holding, ...]
    balance: Balance


@frozen
class Seen:
    """The broker's word on one signal: a quote when it knows the symbol, and a complete order list."""

    quote: Quote | None
    listing: Sequence[BrokerOrder]
    means: Means


def ask_means(desk: TradingDesk, record: AccountRecord) -> Means:
    """Ask for holdings and balance; raises AuthError, BrokerError."""
    asked_at = desk.clock.now()
    holdings = desk.broker.portfolio(record.key)
    return Means(asked_at=asked_at, holdings=holdings, balance=account.balance(desk, record))


def ask_broker(desk: TradingDesk, signal: Signal, record: AccountRecord) -> Seen:
    """Ask for everything that only the broker knows; raises AuthError, BrokerError.

    The list comes as late as costs no turn of the rate limits: it becomes the baseline, and holds what the owner
    placed just now. The quote is the broker's own and not the scan's, which is another function's word: the last check
    takes it as long as it is new.
    """
    asked_at = desk.clock.now()
    holdings = desk.broker.portfolio(record.key)
    listing = desk.lists.recent(record.key, since=signal.session)
    quote = desk.broker.quotes([signal.symbol]).get(signal.symbol)
    means = Means(asked_at=asked_at, holdings=holdings, balance=account.balance(desk, record))
    return Seen(quote=quote, listing=listing, means=means)


def gather(
    desk: TradingDesk,
    signal: Signal,
    seen: Seen,
    *,
    ledger: Ledger,
    earlier: Sequence[Ledger],
    control: Control,
    record: AccountRecord,
) -> RiskFacts:
    """Put the broker's word and our book together; `earlier` are the ledgers of the sessions before, oldest first.

    The quantity is 0 until it is sized.
    """
    positions = tuple(row.value for row in open_positions(desk))
    before = held_position(desk, signal.symbol)
    found = desk.store.query("orders", Where("live", "==", True))
    rows = [row.value for row in held_rows(desk, Order, found)]
    require_our_venue(desk, rows)
    # What is only written down holds nothing yet: two signals of one symbol must not deny each other.
    live = tuple(one for one in rows if one.signal_id != signal.signal_id and one.state is not State.NEW)
    limit = None
    if seen.quote is not None:
        limit = pricing.entry_limit(ask=seen.quote.ask, decision_price=signal.decision_price, config=desk.config)
    entries = (one for one in live if one.kind is Kind.ENTRY)
    today = account_rules.day_trades_today(seen.listing, entries, signal.session)
    return RiskFacts(
        now=desk.clock.now(), kind=Kind.ENTRY, symbol=signal.symbol, side=signal.side, price_type=PriceType.LIMIT,
        term=Term.IMMEDIATE_OR_CANCEL, quantity=0, limit_price=limit, decided_at=signal.decided_at,
        closed_at=before.value.closed_at if before else None, daily_close=signal.daily_close,
        session=session_of(signal.session), control=control, quote=seen.quote, ledger=ledger, positions=positions,
        live_orders=live if len(rows) == len(found) else None, holdings=seen.means.holdings,
        balance=seen.means.balance, capital=desk.mandate.capital_usd,
        realized_before=sum((past.realized for past in earlier), Decimal(0)),
        equity_peak=book.peak(desk.mandate.capital_usd, earlier), marks=marks(desk, positions),
        day_trades=None if record.day_trades is None else DayTrades(before=record.day_trades, today=today),
        restriction=record.restricted, lost_at=before.value.lost_at if before else None,
        clock_ahead=desk.clock_ahead(),
    )  # fmt: skip


def foreign(desk: TradingDesk, symbol: str, listing: Sequence[BrokerOrder]) -> tuple[str, ...]:
    """Deny a symbol in which the account has an order of this session that is not ours (order-safety.md 1.5)."""
    strange = [
        seen.order_id for seen in listing
        if seen.symbol == symbol and not claimed(desk, seen.order_id)
    ]  # fmt: skip
    if not strange:
        return ()
    desk.journal.line("foreign_order", Severity.WARNING, symbol=symbol, orders=len(strange))
    return (FOREIGN,)
