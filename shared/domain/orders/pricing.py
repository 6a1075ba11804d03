"""Prices of our orders, in USD on their tick; each rounding is stated.

Sources: strategy.md, Entry order and Exits.
"""

from decimal import Decimal

from shared.domain.base.values import price_down, price_up
from shared.domain.control.config import StrategyConfig

_WHOLE = Decimal(10_000)


def entry_limit(*, ask: Decimal, decision_price: Decimal, config: StrategyConfig) -> Decimal:
    """Give the buy limit: a little above the ask, never further above the decision's price; rounded down."""
    entry = config.entry
    at_ask = ask * (_WHOLE + entry.ask_cushion_bps) / _WHOLE
    chased = decision_price * (_WHOLE + entry.chase_max_bps) / _WHOLE
    return price_down(min(at_ask, chased))


def initial_stop(*, average_cost: Decimal, stop_distance: Decimal) -> Decimal:
    """Give the first stop level; rounded down, so it is never nearer than the distance."""
    return price_down(average_cost - stop_distance)


def target(*, average_cost: Decimal, stop_distance: Decimal, config: StrategyConfig) -> Decimal:
    """Give the bid at which the profit is taken; rounded up, so it is never less than the factor asks."""
    return price_up(average_cost + config.exits.target_factor * stop_distance)


def arms_breakeven(*, average_cost: Decimal, stop_distance: Decimal, config: StrategyConfig) -> Decimal:
    """Give the bid from which the entry is protected; rounded up."""
    return price_up(average_cost + config.exits.breakeven_factor * stop_distance)


def breakeven_level(*, average_cost: Decimal, spread_paid: Decimal) -> Decimal:
    """Give the stop level that loses nothing: above the entry by the spread paid; rounded up."""
    return price_up(average_cost + spread_paid)


def trail_level(*, high_water: Decimal, config: StrategyConfig) -> Decimal:
    """Give the trailing stop level under the best bid since the entry; rounded down."""
    return price_down(high_water * (1 - config.exits.trail_pct / 100))


def sell_limit(*, bid: Decimal, config: StrategyConfig) -> Decimal:
    """Give the limit of a sell that is no flatten: a little under the bid; rounded down.

    It fills at the bid while it can, also when the bid slips by a tick while the stop is being cancelled, and
    unlike a market order it has a floor; what does not fill is priced again after `reprice_s`.
    """
    return price_down(bid * (_WHOLE - config.exits.sell_cushion_bps) / _WHOLE)


def flatten_limit(*, bid: Decimal) -> Decimal:
    """Give the limit of a flatten before its market phase: the bid; rounded down."""
    return price_down(bid)
