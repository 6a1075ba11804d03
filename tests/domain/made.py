"""Values that the tests start from: each is good, and a test changes what it is about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from shared.domain.base.calendar import TradingSession, session_of
from shared.domain.base.values import PriceType, Side, Term, Venue
from shared.domain.broker.brokerage import Balance, Holding
from shared.domain.control.config import StrategyConfig, parse
from shared.domain.control.control import Control, TradingState
from shared.domain.market.quality import Sound
from shared.domain.market.quotes import Quote, QuoteStatus
from shared.domain.orders.orders import Kind, Order
from shared.domain.orders.positions import Ledger, Position
from shared.domain.risk.facts import RiskFacts
from shared.domain.risk.risk import deny_codes
from shared.strategies.config import _table, load

OPENS = datetime(2013, 10, 7, 13, 30, tzinfo=UTC)


def session() -> TradingSession:
    """Give the session of 7 October 2013, 13:30 to 20:00 UTC."""
    found = session_of(OPENS.date())
    assert found is not None
    return found


def at(minutes: float) -> datetime:
    """Give the instant so many minutes after the open."""
    return OPENS + timedelta(minutes=minutes)


def quote(
    last: str = "100.00",
    *,
    bid: str | None = None,
    ask: str | None = None,
    when: datetime = OPENS,
    volume: int = 5_000_000,
    previous_close: str = "99.00",
    status: QuoteStatus = QuoteStatus.REALTIME,
    source: str = "etrade",
    size: int = 100,
) -> Sound:
    """Give a quote with a spread of two cents around its last price; whatever a test makes of it passes as sound."""
    price = Decimal(last)
    made = Quote(
        symbol="IBM",
        bid=Decimal(bid) if bid else price - Decimal("0.01"),
        bid_size=size,
        ask=Decimal(ask) if ask else price + Decimal("0.01"),
        ask_size=size,
        last=price,
        day_volume=volume,
        previous_close=Decimal(previous_close),
        at=when,
        received_at=when,
        status=status,
        source=source,
    )
    return cast(Sound, made)


DEFAULT = load("default")
NOON = at(150)


def config(**changes: Any) -> StrategyConfig:
    """Give the default settings with changes such as `limits__positions_max=3`."""
    table: dict[str, Any] = _table("default")
    for path, value in changes.items():
        group, name = path.split("__")
        table[group][name] = value
    return parse(table)


def order(**changes: Any) -> Order:
    """Give a live entry for ten shares of IBM at 100.10 USD."""
    made = Order(
        intent_id="I1", kind=Kind.ENTRY, position_id="P1", signal_id="S1", strategy="momentum",
        reason="entry", symbol="IBM", side=Side.BUY, venue=Venue.SANDBOX, quantity=10, price_type=PriceType.LIMIT,
        term=Term.GOOD_FOR_DAY, limit_price=Decimal("100.10"), stop_price=None, stop_distance=Decimal("1.00"),
        spread=Decimal("0.02"),
        session=OPENS.date(), decided_at=NOON, created_at=NOON, updated_at=NOON, payload_hash="0",
        reserved=Decimal("1001.00"),
    )  # fmt: skip
    return replace(made, **changes)


def position(**changes: Any) -> Position:
    """Give ten shares of IBM bought at 100 USD an hour after the open, stop at 99."""
    made = Position(
        position_id="P1", symbol="IBM", venue=Venue.SANDBOX, strategy="momentum", session=OPENS.date(), quantity=10,
        average_cost=Decimal("100.00"), opened_at=at(60), stop_distance=Decimal("1.00"),
        spread_paid=Decimal("0.02"), stop_wanted=Decimal("99.00"),
        stop_set_at=at(60),
    )  # fmt: skip
    return replace(made, **changes)


def held(symbol: str, quantity: int = 10) -> Holding:
    """Give shares that the account holds."""
    return Holding(symbol=symbol, quantity=quantity, cost_per_share=Decimal(100))


def balance(usable: str = "100000", when: datetime = NOON) -> Balance:
    """Give a cash account's balance."""
    cash = Decimal(usable)
    return Balance(at=when, account_mode="CASH", settled_cash=cash, cash_buying_power=cash, account_value=cash)


def control(state: TradingState = TradingState.ACTIVE, *, exits_too: bool = False) -> Control:
    """Give a trading state."""
    return Control(state=state, exits_too=exits_too, epoch=1, reason="test", by="owner", at=OPENS)


def facts(**changes: Any) -> RiskFacts:
    """Give an entry that every rule approves: ten IBM for an empty account of 100,000 USD."""
    made = RiskFacts(
        now=NOON, kind=Kind.ENTRY, symbol="IBM", side=Side.BUY, price_type=PriceType.LIMIT,
        term=Term.GOOD_FOR_DAY, quantity=10, limit_price=Decimal("100.10"), decided_at=NOON,
        session=session(), control=control(), quote=quote(when=NOON), ledger=Ledger(session=OPENS.date()),
        positions=(), live_orders=(), holdings=(), balance=balance(), capital=Decimal(100_000),
        realized_before=Decimal(0), equity_peak=Decimal(100_000), marks={}, restriction="",
    )  # fmt: skip
    return replace(made, **changes)


def sell_facts(**changes: Any) -> RiskFacts:
    """Give the facts of an exit that every rule approves: all ten shares of IBM at a limit."""
    base: dict[str, Any] = {
        "kind": Kind.EXIT, "side": Side.SELL, "positions": (position(),), "holdings": (held("IBM"),),
    }  # fmt: skip
    return facts(**{**base, **changes})


def codes(**changes: Any) -> tuple[str, ...]:
    """Give the codes that deny a good entry with these changes."""
    return deny_codes(facts(**changes), DEFAULT)


def sell_codes(**changes: Any) -> tuple[str, ...]:
    """Give the codes that deny a good exit with these changes."""
    return deny_codes(sell_facts(**changes), DEFAULT)
