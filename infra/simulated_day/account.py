"""Which of the simulated owner's accounts a day trades, and what of it decides how large an entry can be.

What can go wrong: the sizes of a day are taken for those of the strategy, while the account shrank them. What this
promises: each run says which account it had. The demonstration has a margin account without leverage, whose day-trade
rule is off, so that its sizes follow its configuration; every other configuration has a cash account, whose proceeds
settle on a later day.
"""

from infra.brokersim.account import CASH_ACCOUNT_KEY, MARGIN_ACCOUNT_KEY
from shared.domain.broker.brokerage import is_cash, is_margin
from shared.domain.broker.day_trades import DayTradeRule

_MARGIN = frozenset({"demo"})
"""The configurations that trade the margin account."""
_MARGIN_MODE, _CASH_MODE = "MARGIN", "CASH"


def account_of(config: str) -> str:
    """Give the key of the account that a configuration which ships trades, by its name."""
    return MARGIN_ACCOUNT_KEY if config in _MARGIN else CASH_ACCOUNT_KEY


def mode_of(config: str) -> str:
    """Give the broker's word for that account, for who plays a day without a broker."""
    return _MARGIN_MODE if config in _MARGIN else _CASH_MODE


def told(key: str, rule: DayTradeRule) -> str:
    """Say what kind of account it is, when its proceeds can be spent, and which day-trade rule counts."""
    return said_of(_MARGIN_MODE if key == MARGIN_ACCOUNT_KEY else _CASH_MODE, rule)


def said_of(mode: str, rule: DayTradeRule | None) -> str:
    """Say that of an account by the broker's word for its kind, "" for one that is not known; the rule where it is."""
    if is_margin(mode):
        said = "a margin account without leverage: what is sold is spent again at once"
        return said if rule is None else f"{said}; day-trade rule {rule.value}"
    settles = "a cash account: what is sold settles on a later day, so entries shrink through the day"
    return settles if is_cash(mode) else ""
