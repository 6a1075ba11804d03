"""The risk rules: one pure function each, all evaluated, each denial named by its stable code.

What can go wrong: a limit is missed because an earlier one already failed, or because a fact was not at hand.
What this promises: `deny_codes` evaluates every rule that applies to the kind of order, and a rule whose
facts are missing denies. Each rule answers True for "denied". Source: order-safety.md section 3, whose
numbers are R...
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from shared.domain.base.values import PriceType, Side, Term
from shared.domain.broker.brokerage import Holding
from shared.domain.broker.skew import Off, judged
from shared.domain.control.config import StrategyConfig
from shared.domain.control.control import TradingState
from shared.domain.market.quality import CLOCK_SKEW, faults, is_finite
from shared.domain.market.quotes import Quote
from shared.domain.market.same_share import is_of_another
from shared.domain.orders.orders import Kind, State
from shared.domain.risk.account_rules import ACCOUNT_RULES
from shared.domain.risk.facts import RiskFacts

_PERCENT = Decimal(100)
_ACCOUNT_UNKNOWNS_MAX = 1


Rule = Callable[[RiskFacts, StrategyConfig], bool]


def deny_codes(facts: RiskFacts, config: StrategyConfig) -> tuple[str, ...]:
    """Evaluate every rule for this kind of order and give the codes of those that deny; empty approves."""
    facts = as_known(facts)
    rules = ENTRY_RULES if facts.kind is Kind.ENTRY else SELL_RULES
    return tuple(code for code, rule in rules.items() if rule(facts, config))


def as_known(facts: RiskFacts) -> RiskFacts:
    """Give facts without a quote or a limit that is no number: it is not known."""
    if facts.quote is not None and not is_finite(facts.quote):
        facts = replace(facts, quote=None)
    if facts.limit_price is not None and not (facts.limit_price.is_finite() and facts.limit_price > 0):
        facts = replace(facts, limit_price=None)
    return facts


def kill_switch(facts: RiskFacts, _config: StrategyConfig) -> bool:
    """R01: entries need ACTIVE."""
    return facts.control is None or facts.control.state is not TradingState.ACTIVE


def exits_halted(facts: RiskFacts, _config: StrategyConfig) -> bool:
    """R01 for sells: only a halt that names exits blocks them, and never a protective stop."""
    if facts.kind is not Kind.EXIT:
        return False
    control = facts.control
    return control is None or (control.state is TradingState.HALTED and control.exits_too)


def session_closed(facts: RiskFacts, _config: StrategyConfig) -> bool:
    """R03: the regular session trades now."""
    session = facts.session
    return session is None or not session.opens_at <= facts.now < session.closes_at


def sell_session_closed(facts: RiskFacts, config: StrategyConfig) -> bool:
    """R03 for sells: an order that lives until cancelled may be given at any time."""
    return facts.term is not Term.GOOD_UNTIL_CANCEL and session_closed(facts, config)


def late_entry(facts: RiskFacts, config: StrategyConfig) -> bool:
    """No entry in the session's last minutes."""
    late = timedelta(minutes=config.entry.late_minutes)
    return facts.session is None or facts.session.closes_at - facts.now <= late


def signal_stale(facts: RiskFacts, config: StrategyConfig) -> bool:
    """R04: the decision is not older than its life, and not from the future."""
    age = facts.now - facts.decided_at
    return not -CLOCK_SKEW <= age <= timedelta(seconds=config.entry.signal_age_max_s)


def quote_stale(facts: RiskFacts, config: StrategyConfig) -> bool:
    """R05: the quote is not older than its life."""
    return facts.quote is None or "STALE" in _faults(facts.quote, facts.now, config)


def quote_bad(facts: RiskFacts, config: StrategyConfig) -> bool:
    """R05: the quote has no other fault: crossed, zero, delayed, from another source."""
    return facts.quote is None or any(code != "STALE" for code in _faults(facts.quote, facts.now, config))


def price_collar(facts: RiskFacts, config: StrategyConfig) -> bool:
    """R06: the limit lies within the collar of last and of mid."""
    limit, quote = facts.limit_price, facts.quote
    return limit is None or quote is None or outside_collar(limit, quote, config)


def outside_collar(limit: Decimal, quote: Quote, config: StrategyConfig) -> bool:
    """Tell whether a limit in USD lies further from last or from mid than the collar."""
    return any(abs(limit - near) * _PERCENT > config.entry.collar_pct * near for near in (quote.last, quote.mid))


def market_order_forbidden(facts: RiskFacts, _config: StrategyConfig) -> bool:
    """R07: an entry is a limit order with a limit."""
    return facts.price_type is not PriceType.LIMIT or facts.limit_price is None


def spread_too_wide(facts: RiskFacts, config: StrategyConfig) -> bool:
    """R08: the spread is within its limit of the mid."""
    quote = facts.quote
    return quote is None or quote.spread * 10_000 > config.universe.spread_max_bps * quote.mid


def price_jump(facts: RiskFacts, config: StrategyConfig) -> bool:
    """The quote and the prices of the days before can be of the same share; entries only."""
    limit = config.universe.jump_max_pct
    return facts.quote is None or is_of_another(facts.quote, daily_close=facts.daily_close, jump_max_pct=limit)


def quantity_out_of_range(facts: RiskFacts, config: StrategyConfig) -> bool:
    """R09: whole shares, at least one, at most the largest order."""
    return type(facts.quantity) is not int or not 1 <= facts.quantity <= config.limits.order_shares_max


def quantity_not_positive(facts: RiskFacts, _config: StrategyConfig) -> bool:
    """R09 for sells: whole shares, at least one; what is held may always be sold in one order."""
    return type(facts.quantity) is not int or facts.quantity < 1


def notional_max_order(facts: RiskFacts, config: StrategyConfig) -> bool:
    """R10: the order costs no more than the largest order."""
    return facts.notional is None or facts.notional > config.limits.order_usd_max


def notional_max_symbol(facts: RiskFacts, config: StrategyConfig) -> bool:
    """R11: position, live entries and this order in the symbol stay within the largest position."""
    if facts.notional is None or facts.equity is None or facts.in_symbol is None:
        return True
    return (facts.in_symbol + facts.notional) * _PERCENT > config.sizing.max_pct * facts.equity


def exposure_max_account(facts: RiskFacts, config: StrategyConfig) -> bool:
    """R12: all positions, reservations and this order leave the cash reserve untouched."""
    if facts.notional is None or facts.equity is None or facts.exposure is None:
        return True
    return (facts.exposure + facts.notional) * _PERCENT > (_PERCENT - config.sizing.reserve_pct) * facts.equity


def max_open_positions(facts: RiskFacts, config: StrategyConfig) -> bool:
    """R13: held symbols and symbols being entered stay within their number, with this one."""
    if facts.positions is None or facts.live_orders is None:
        return True
    symbols = {held.symbol for held in facts.positions} | {order.symbol for order in facts.live_entries}
    return len(symbols | {facts.symbol}) > config.limits.positions_max


def max_open_orders(facts: RiskFacts, config: StrategyConfig) -> bool:
    """R14: live orders stay within their number, with this one."""
    return facts.live_orders is None or len(facts.live_orders) >= config.limits.live_orders_max


def one_live_intent(facts: RiskFacts, _config: StrategyConfig) -> bool:
    """R15: no live order and no open position of ours in the symbol; a position is entered once."""
    if facts.positions is None or facts.live_orders is None:
        return True
    held = any(position.symbol == facts.symbol for position in facts.positions)
    return held or any(order.symbol == facts.symbol for order in facts.live_orders)


def entries_per_day(facts: RiskFacts, config: StrategyConfig) -> bool:
    """R16: the day's entries stay within their number, with this one."""
    return facts.ledger is None or facts.ledger.entries >= config.limits.entries_per_day


def buying_power(facts: RiskFacts, _config: StrategyConfig) -> bool:
    """R18 and R19: the order and all reservations fit into what the broker lets us use."""
    if facts.notional is None or facts.usable is None or facts.ledger is None:
        return True
    return facts.notional + facts.ledger.reserved > facts.usable


def balance_stale(facts: RiskFacts, config: StrategyConfig) -> bool:
    """R18: the balance is younger than its life and than our last fill."""
    balance, ledger = facts.balance, facts.ledger
    if balance is None or ledger is None:
        return True
    if facts.now - balance.at > timedelta(seconds=config.entry.balance_age_max_s):
        return True
    return ledger.last_fill_at is not None and balance.at < ledger.last_fill_at


def long_only(facts: RiskFacts, _config: StrategyConfig) -> bool:
    """R21 for entries: an entry buys."""
    return facts.side is not Side.BUY


def no_short(facts: RiskFacts, _config: StrategyConfig) -> bool:
    """R21: a sell is covered by our own shares less what live sells may still take, and by the account's."""
    if facts.side is not Side.SELL or facts.positions is None or facts.live_orders is None:
        return True
    ours = sum(held.quantity for held in facts.positions if held.symbol == facts.symbol)
    pending = sum(
        order.quantity - order.filled
        for order in facts.live_orders
        if order.symbol == facts.symbol and order.side is Side.SELL and order.intent_id != facts.replaces
    )
    if facts.quantity > ours - pending:
        return True
    return facts.holdings is not None and facts.quantity > _held(facts.holdings, facts.symbol)


def daily_loss(facts: RiskFacts, config: StrategyConfig) -> bool:
    """R22: the session's loss is below its limit of the equity that the session began with."""
    if facts.capital is None or facts.realized_before is None or facts.session_profit is None:
        return True
    began = facts.capital + facts.realized_before
    return began <= 0 or -facts.session_profit * _PERCENT >= config.limits.daily_loss_pct * began


def drawdown(facts: RiskFacts, config: StrategyConfig) -> bool:
    """R23: own equity is not further below its peak than the limit."""
    if facts.own_equity is None or facts.equity_peak is None:
        return True
    peak = max(facts.equity_peak, facts.own_equity)
    return peak <= 0 or (peak - facts.own_equity) * _PERCENT >= config.limits.drawdown_pct * peak


def consecutive_losses(facts: RiskFacts, _config: StrategyConfig) -> bool:
    """R24: no cool-down after a row of losses is running."""
    if facts.ledger is None:
        return True
    until = facts.ledger.cooldown_until
    return until is not None and facts.now < until


def cooldown_symbol(facts: RiskFacts, config: StrategyConfig) -> bool:
    """R25: our last position in the symbol closed long enough ago."""
    pause = timedelta(minutes=config.limits.symbol_cooldown_minutes)
    return facts.closed_at is not None and facts.now - facts.closed_at < pause


def ledger_mismatch(facts: RiskFacts, _config: StrategyConfig) -> bool:
    """R29: the account holds at least the shares that we believe are ours, in every symbol of ours."""
    if facts.positions is None or facts.holdings is None:
        return True
    return any(_held(facts.holdings, held.symbol) < held.quantity for held in facts.positions)


def unknown_present(facts: RiskFacts, _config: StrategyConfig) -> bool:
    """R30: no order of unknown outcome in the symbol, and at most one in the account."""
    if facts.live_orders is None:
        return True
    unknown = [order for order in facts.live_orders if order.state in {State.UNKNOWN, State.MANUAL}]
    return len(unknown) > _ACCOUNT_UNKNOWNS_MAX or any(order.symbol == facts.symbol for order in unknown)


def symbol_held_by_owner(facts: RiskFacts, _config: StrategyConfig) -> bool:
    """The account holds nothing of the symbol, long or short, beyond our shares (strategy.md, Entry order).

    A row of the symbol that is odd, or one that may be of it, is the owner's.
    """
    if facts.positions is None or facts.holdings is None:
        return True
    if any(row.odd and row.symbol in ("", facts.symbol) for row in facts.holdings):
        return True
    ours = sum(held.quantity for held in facts.positions if held.symbol == facts.symbol)
    held = _held(facts.holdings, facts.symbol)
    return held > ours or held < 0


def clock_skew(facts: RiskFacts, _config: StrategyConfig) -> bool:
    """R34: our clock is not surely so far from the broker's that quotes and signals cannot be judged; entries only."""
    return judged(facts.clock_ahead) in {Off.NO_ENTRIES, Off.HALTED}


ENTRY_RULES: Mapping[str, Rule] = {
    "KILL_SWITCH": kill_switch,
    "SESSION_CLOSED": session_closed,
    "LATE_ENTRY": late_entry,
    "SIGNAL_STALE": signal_stale,
    "QUOTE_STALE": quote_stale,
    "QUOTE_BAD": quote_bad,
    "PRICE_COLLAR": price_collar,
    "MARKET_ORDER_FORBIDDEN": market_order_forbidden,
    "SPREAD_TOO_WIDE": spread_too_wide,
    "PRICE_JUMP": price_jump,
    "QTY": quantity_out_of_range,
    "NOTIONAL_MAX_ORDER": notional_max_order,
    "NOTIONAL_MAX_SYMBOL": notional_max_symbol,
    "EXPOSURE_MAX_ACCOUNT": exposure_max_account,
    "MAX_OPEN_POSITIONS": max_open_positions,
    "MAX_OPEN_ORDERS": max_open_orders,
    "ONE_LIVE_INTENT_PER_SYMBOL": one_live_intent,
    "ENTRIES_PER_DAY": entries_per_day,
    "BUYING_POWER": buying_power,
    "BALANCE_STALE": balance_stale,
    "NO_SHORT": long_only,
    "DAILY_LOSS": daily_loss,
    "DRAWDOWN": drawdown,
    "CONSECUTIVE_LOSSES": consecutive_losses,
    "COOLDOWN_SYMBOL": cooldown_symbol,
    "LEDGER_MISMATCH": ledger_mismatch,
    "UNKNOWN_PRESENT": unknown_present,
    "SYMBOL_HELD_BY_OWNER": symbol_held_by_owner,
    "CLOCK_SKEW": clock_skew,
    **ACCOUNT_RULES,
}
SELL_RULES: Mapping[str, Rule] = {
    "KILL_SWITCH": exits_halted,
    "SESSION_CLOSED": sell_session_closed,
    "QTY": quantity_not_positive,
    "NO_SHORT": no_short,
}


def _faults(quote: Quote, now: datetime, config: StrategyConfig) -> tuple[str, ...]:
    return faults(quote, now=now, max_age_s=config.entry.quote_age_max_s)


def _held(holdings: tuple[Holding, ...], symbol: str) -> int:
    return sum(holding.quantity for holding in holdings if holding.symbol == symbol)
