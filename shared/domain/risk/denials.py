"""Each denial of an entry in a sentence: the rule, the figure that it found and the one that it asks.

What can go wrong: a rule denies because a fact is missing, and a figure is made up for it. What this promises: every
rule of `shared.domain.risk.risk` has its words; what is not known is said as not known; nothing is decided here.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from shared.domain.base.calendar import NEW_YORK
from shared.domain.base.values import cents
from shared.domain.control.config import StrategyConfig
from shared.domain.control.control import Control
from shared.domain.orders.orders import Kind
from shared.domain.risk.account_rules import ACCOUNT_RULES, because
from shared.domain.risk.facts import RiskFacts
from shared.domain.risk.risk import as_known

Words = Callable[[RiskFacts, StrategyConfig], str]
_UNKNOWN = "not known"
_PERCENT = Decimal(100)


def sentences(codes: Iterable[str], facts: RiskFacts, config: StrategyConfig) -> str:
    """Give a sentence for each code that is a rule's, in their order; "" for none."""
    known = as_known(facts)
    return " ".join(f"{WORDS[code](known, config)}." for code in dict.fromkeys(codes) if code in WORDS)


def halted(found: Control | None) -> str:
    """Say which trading state keeps entries out, since when, and who said so why."""
    if found is None:
        return "The trading state is not known"
    why = found.reason.rstrip(".")
    return f"Trading is {found.state} since {found.at.astimezone(NEW_YORK):%H:%M:%S} New York, by {found.by}: {why}"


def usd(amount: Decimal | None) -> str:
    """Say an amount of money to the cent, also one that is not known."""
    return _UNKNOWN if amount is None or not amount.is_finite() else f"{cents(amount):,.2f} USD"


def at_clock(at: datetime | None) -> str:
    """Say an instant of a known day in New York's time, also one that is not known."""
    return _UNKNOWN if at is None else f"{at.astimezone(NEW_YORK):%H:%M:%S} New York"


def _age(facts: RiskFacts, since: datetime | None) -> str:
    return _UNKNOWN if since is None else f"{(facts.now - since).total_seconds():.1f} s"


def _of(part: Decimal, whole: Decimal | None) -> Decimal | None:
    return None if whole is None else part * whole / _PERCENT


def _spread(facts: RiskFacts, config: StrategyConfig) -> str:
    quote, most = facts.quote, config.universe.spread_max_bps
    if quote is None or not quote.mid:
        return f"The spread is {_UNKNOWN}, at most {most / 100} % is allowed"
    return f"The spread is {quote.spread * 100 / quote.mid:.3f} %, at most {most / 100} % is allowed"


def _collar(facts: RiskFacts, config: StrategyConfig) -> str:
    quote = facts.quote
    near = _UNKNOWN if quote is None else f"last {quote.last} and middle {quote.mid}"
    return f"The limit {usd(facts.limit_price)} is further than {config.entry.collar_pct} % from {near}"


def _jump(facts: RiskFacts, config: StrategyConfig) -> str:
    bid = _UNKNOWN if facts.quote is None else str(facts.quote.bid)
    before = _UNKNOWN if facts.daily_close is None else str(facts.daily_close)
    most = config.universe.jump_max_pct
    return f"The bid {bid} against the last daily close {before} is more than {most} % apart, or a split lies between"


def _positions(facts: RiskFacts, config: StrategyConfig) -> str:
    held = None if facts.positions is None else len({one.symbol for one in facts.positions})
    entering = len({order.symbol for order in facts.live_entries})
    found = _UNKNOWN if held is None else f"{held} and {entering} being entered"
    return f"Positions open: {found}, at most {config.limits.positions_max} are allowed"


def _entries(facts: RiskFacts, config: StrategyConfig) -> str:
    found = _UNKNOWN if facts.ledger is None else str(facts.ledger.entries)
    return f"Entries of the day: {found}, at most {config.limits.entries_per_day} are allowed"


def _orders(facts: RiskFacts, config: StrategyConfig) -> str:
    found = _UNKNOWN if facts.live_orders is None else str(len(facts.live_orders))
    return f"Live orders: {found}, at most {config.limits.live_orders_max} are allowed"


def _buying(facts: RiskFacts, _config: StrategyConfig) -> str:
    reserved = None if facts.ledger is None else facts.ledger.reserved
    return f"The order costs {usd(facts.notional)} and {usd(reserved)} are reserved, {usd(facts.usable)} may be spent"


def _in_symbol(facts: RiskFacts, config: StrategyConfig) -> str:
    most = _of(config.sizing.max_pct, facts.equity)
    return (
        f"With {usd(facts.notional)} more than {usd(most)} would be in it, {config.sizing.max_pct} % of equity: "
        f"{usd(facts.in_symbol)} are"
    )


def _exposure(facts: RiskFacts, config: StrategyConfig) -> str:
    most = _of(_PERCENT - config.sizing.reserve_pct, facts.equity)
    return (
        f"With {usd(facts.notional)} more than {usd(most)} would be invested, which leaves no "
        f"{config.sizing.reserve_pct} % of equity in cash: {usd(facts.exposure)} are"
    )


def _loss(facts: RiskFacts, config: StrategyConfig) -> str:
    began = None if facts.capital is None or facts.realized_before is None else facts.capital + facts.realized_before
    limit = _of(config.limits.daily_loss_pct, began)
    return f"The session stands at {usd(facts.session_profit)}, its loss may come to {usd(limit)}"


def _drawdown(facts: RiskFacts, config: StrategyConfig) -> str:
    return (
        f"Equity is {usd(facts.own_equity)}, its highest was {usd(facts.equity_peak)}, and it may lie at most "
        f"{config.limits.drawdown_pct} % below"
    )


def _balance(facts: RiskFacts, config: StrategyConfig) -> str:
    since = None if facts.balance is None else facts.balance.at
    most = config.entry.balance_age_max_s
    return f"The balance is {_age(facts, since)} old, or older than our last fill; {most} s are allowed"


def _row(facts: RiskFacts, config: StrategyConfig) -> str:
    ledger = facts.ledger
    if ledger is None:
        return f"Losses in a row: {_UNKNOWN}"
    # What was held then may have ended in a profit since: the row is over, and the pause goes on.
    row = max(ledger.losses_in_a_row, config.limits.losses_in_a_row)
    until, session = ledger.cooldown_until, facts.session
    if until is not None and session is not None and until >= session.closes_at:
        return f"After {row} losses in a row nothing more is bought today"
    return f"After {row} losses in a row nothing is bought until {at_clock(until)}"


def _quote_age(facts: RiskFacts, config: StrategyConfig) -> str:
    since = None if facts.quote is None else facts.quote.at
    return f"The quote is {_age(facts, since)} old, at most {config.entry.quote_age_max_s} s are allowed"


def _short(facts: RiskFacts, _config: StrategyConfig) -> str:
    if facts.kind is Kind.ENTRY:
        return "An entry buys"
    return f"It would sell {facts.quantity} shares, more of {facts.symbol} than are held and free of other orders"


def _account(code: str) -> Words:
    return lambda facts, _config: f"The account's rule {code.replace('_', ' ').lower()}: {because(code, facts)}"


WORDS: Mapping[str, Words] = {
    "KILL_SWITCH": lambda facts, _: halted(facts.control),
    "SESSION_CLOSED": lambda facts, _: f"The session is not open at {at_clock(facts.now)}",
    "LATE_ENTRY": lambda _, config: f"The session's last {config.entry.late_minutes} minutes take no entry",
    "SIGNAL_STALE": lambda facts, config: (
        f"The decision is {_age(facts, facts.decided_at)} old, at most {config.entry.signal_age_max_s} s are allowed"
    ),
    "QUOTE_STALE": _quote_age,
    "QUOTE_BAD": lambda _facts, _config: "The quote has a fault: crossed, zero, delayed or not E*TRADE's own",
    "PRICE_COLLAR": _collar,
    "MARKET_ORDER_FORBIDDEN": lambda _facts, _config: "An entry is a limit order with a limit",
    "SPREAD_TOO_WIDE": _spread,
    "PRICE_JUMP": _jump,
    "QTY": lambda facts, config: (
        f"{facts.quantity} shares are no number from 1 to {config.limits.order_shares_max}, the largest order"
    ),
    "NOTIONAL_MAX_ORDER": lambda facts, config: (
        f"The order costs {usd(facts.notional)}, at most {usd(config.limits.order_usd_max)} are allowed"
    ),
    "NOTIONAL_MAX_SYMBOL": _in_symbol,
    "EXPOSURE_MAX_ACCOUNT": _exposure,
    "MAX_OPEN_POSITIONS": _positions,
    "MAX_OPEN_ORDERS": _orders,
    "ONE_LIVE_INTENT_PER_SYMBOL": lambda facts, _: f"{facts.symbol} is held or has a live order already",
    "ENTRIES_PER_DAY": _entries,
    "BUYING_POWER": _buying,
    "BALANCE_STALE": _balance,
    "NO_SHORT": _short,
    "DAILY_LOSS": _loss,
    "DRAWDOWN": _drawdown,
    "CONSECUTIVE_LOSSES": _row,
    "COOLDOWN_SYMBOL": lambda facts, config: (
        f"{facts.symbol} was sold at {at_clock(facts.closed_at)}, and is bought again after "
        f"{config.limits.symbol_cooldown_minutes} minutes"
    ),
    "LEDGER_MISMATCH": lambda _facts, _config: "The account holds fewer shares than the book says are ours",
    "UNKNOWN_PRESENT": lambda _facts, _config: "An order of unknown outcome stands in the way",
    "SYMBOL_HELD_BY_OWNER": lambda facts, _: f"The account holds {facts.symbol} beyond our shares, or an odd row of it",
    "CLOCK_SKEW": lambda _facts, _config: "Our clock is too far from E*TRADE's",
    **{code: _account(code) for code in ACCOUNT_RULES},
}
