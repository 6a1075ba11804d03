"""What the owner's own account allows: rules of the broker and of the law that limit entries, and never an exit.

What can go wrong: the system makes the day trade too many, buys while a margin call is open or while the broker has
restricted the account, or sells at a loss and buys back without anybody knowing. What this promises: each denies an
entry with a code of its own, or marks it; what is not known denies where a rule rests on it. No sell is asked any of
them.

Good-faith violations cannot happen in a cash account: an entry spends settled cash alone (`Balance.usable`), so nothing
that is bought and sold today was paid for with proceeds that are not settled. Source: order-safety.md R18, R20, R26.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime

from shared.domain.base.calendar import new_york_day
from shared.domain.broker import day_trades
from shared.domain.broker.brokerage import Balance, BrokerOrder, is_cash
from shared.domain.broker.day_trades import DayTradeRule
from shared.domain.control.config import StrategyConfig
from shared.domain.orders.orders import Order
from shared.domain.risk.facts import RiskFacts

WASH_SALE_DAYS = 30
_UNRESTRICTED = frozenset({"", "NO_PDT", "PDT"})


def day_trades_spent(facts: RiskFacts, config: StrategyConfig) -> bool:
    """R20: this entry could become the fourth day trade of five sessions in a small margin account."""
    balance = facts.balance
    if balance is None:
        return True
    if _rule(facts, config) is not DayTradeRule.LEGACY_PDT or not day_trades.is_counted(balance):
        return False
    found = facts.day_trades
    return found is None or day_trades.is_flagged(balance) or found.together >= day_trades.MOST


def intraday_margin(facts: RiskFacts, config: StrategyConfig) -> bool:
    """R20 in its new form: what we hold and enter would need more margin than the account is worth."""
    balance = facts.balance
    if balance is None:
        return True
    if _rule(facts, config) is not DayTradeRule.INTRADAY_MARGIN or is_cash(balance.account_mode):
        return False
    if balance.account_value is None or facts.exposure is None or facts.notional is None:
        return True
    return (facts.exposure + facts.notional) * day_trades.MAINTENANCE_PCT > balance.account_value * 100


def day_trader_status(facts: RiskFacts, _config: StrategyConfig) -> bool:
    """R20: the broker calls the account something else than unrestricted; a word that is not known is a restriction."""
    return facts.balance is None or _restricts(facts.balance)


def margin_call(facts: RiskFacts, _config: StrategyConfig) -> bool:
    """R19: a call of the broker is open, or cannot be read."""
    return facts.balance is None or bool(facts.balance.calls)


def account_restricted(facts: RiskFacts, _config: StrategyConfig) -> bool:
    """R27: the broker refused an order of this session because the account is restricted."""
    return facts.restriction is None or facts.restriction != ""


ACCOUNT_RULES: Mapping[str, Callable[[RiskFacts, StrategyConfig], bool]] = {
    "DAY_TRADES": day_trades_spent,
    "INTRADAY_MARGIN": intraday_margin,
    "DAY_TRADER_STATUS": day_trader_status,
    "MARGIN_CALL": margin_call,
    "ACCOUNT_RESTRICTED": account_restricted,
}


def said_against(balance: Balance) -> dict[str, str]:
    """Give the codes of the rules that a balance alone denies by, with the broker's words."""
    found = {"DAY_TRADER_STATUS": balance.day_trader_status} if _restricts(balance) else {}
    return found | ({"MARGIN_CALL": ", ".join(balance.calls)} if balance.calls else {})


def because(code: str, facts: RiskFacts) -> str:
    """Say what stands behind a denial by one of these rules, in the broker's own words and figures."""
    counted = facts.day_trades
    if code == "DAY_TRADES" and counted is not None:
        return f"{counted.before} in the sessions before, {counted.today} today"
    if code == "ACCOUNT_RESTRICTED" and facts.restriction:
        return f"code {facts.restriction} for an order of this session"
    return "not known" if facts.balance is None else said_against(facts.balance).get(code, "not known")


def day_trades_today(listing: Iterable[BrokerOrder], entries: Iterable[Order], day: date) -> int:
    """Count what today is a day trade or may become one: the list's purchases, and live `entries` that it lacks yet."""
    rows = tuple(listing)
    shown = {row.order_id for row in rows if row.order_id is not None}
    unseen = [entry for entry in entries if entry.broker_order_id is None or entry.broker_order_id not in shown]
    return day_trades.purchases(rows, day) + len(unseen)


def may_be_wash_sale(*, lost_at: datetime | None, now: datetime) -> bool:
    """R26: shares of the symbol were sold at a loss within the last 30 days; a mark for the owner's taxes."""
    return lost_at is not None and (new_york_day(now) - new_york_day(lost_at)).days <= WASH_SALE_DAYS


def _restricts(balance: Balance) -> bool:
    return balance.day_trader_status not in _UNRESTRICTED


def _rule(facts: RiskFacts, config: StrategyConfig) -> DayTradeRule:
    return day_trades.rule_on(new_york_day(facts.now), config.account.day_trade_rule)
