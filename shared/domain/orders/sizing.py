"""How many shares to buy: whole shares within every limit, or denied with what it would take.

Source: strategy.md, Sizing and limits.
"""

from decimal import ROUND_CEILING, Decimal

from shared.domain.base.values import CENT
from shared.domain.control.config import StrategyConfig
from shared.frozen import frozen

_PERCENT = Decimal(100)


@frozen
class Denied:
    """Our own refusal: a stable code and one sentence for the owner."""

    code: str
    text: str


@frozen
class Means:
    """What an entry can draw on, in USD.

    `equity` as `equity` computes it; `cash` the broker's usable figure less what live entries reserve;
    `exposure` the cost of open positions plus those reservations; `in_symbol` the part of it in the symbol
    itself. `own` is what equity would be if the broker let us use all of it, never more
    than the account's value: intended sizes are measured on it.
    """

    own: Decimal
    equity: Decimal
    cash: Decimal
    exposure: Decimal
    in_symbol: Decimal


def equity(*, own: Decimal, usable: Decimal, invested: Decimal) -> Decimal:
    """Give the equity in USD: our own, but never more than the broker would let us use.

    Our own is capital plus realised and open profit. The broker's usable cash has already paid for our
    positions, so their cost (`invested`) counts as usable too: otherwise equity would shrink with every
    entry, and the size of the next one with it.
    """
    return max(min(own, usable + invested), Decimal(0))


@frozen
class Sized:
    """How many shares to buy, and in one sentence what limited them, with its figures."""

    shares: int
    text: str


def size(*, symbol: str, price: Decimal, votes: int, means: Means, config: StrategyConfig) -> Sized | Denied:
    """Give the number of shares to buy at a limit of `price` USD, at least one, or the denial.

    `SIZE_ZERO`: one share is more than there is room for; `SIZE_TOO_SMALL`: below the smallest position, or so small a
    part of what is intended that it would not follow the strategy.
    """
    if not price.is_finite() or price <= 0:
        return Denied(code="PRICE_UNKNOWN", text=f"{symbol} cannot be sized without a price.")
    share, shares_max = _share_pct(votes, config), config.limits.order_shares_max
    rooms = _rooms(means, share, config)
    tightest = min(rooms, key=lambda name: rooms[name])
    room, intended = max(rooms[tightest], Decimal(0)), _intended(means, share, price, config)
    shares = min(int(room // price), shares_max)
    limited = f"{tightest} leaves {room:,.2f} USD{_of_equity(means)}"
    if shares < 1 or shares * price < config.sizing.min_usd:
        needed = smallest_capital(price=price, votes=votes, config=config)
        code = "SIZE_ZERO" if shares < 1 else "SIZE_TOO_SMALL"
        text = f"{symbol} at {price} USD: {limited}; the smallest capital that would trade it is {needed:,.2f} USD."
        return Denied(code=code, text=text)
    if shares * price * _PERCENT < intended * config.sizing.least_pct:
        least = f"less than {config.sizing.least_pct} % of the intended {intended:,.2f} USD"
        return Denied(code="SIZE_TOO_SMALL", text=f"{symbol} at {price} USD: {limited}, {least}.")
    if shares == shares_max:
        limited = f"the largest order is {shares_max} shares"
    return Sized(shares=shares, text=f"{limited}; the intended size is {intended:,.2f} USD.")


def smallest_capital(*, price: Decimal, votes: int, config: StrategyConfig) -> Decimal:
    """Give the capital in USD, rounded up, at which an otherwise empty account buys the fewest shares."""
    fewest = max(Decimal(1), (config.sizing.min_usd / price).to_integral_value(rounding=ROUND_CEILING))
    return (fewest * price * _PERCENT / _share_pct(votes, config)).quantize(CENT, rounding=ROUND_CEILING)


def _share_pct(votes: int, config: StrategyConfig) -> Decimal:
    """Give the percent of equity that so many votes earn, never more than the largest position."""
    sizing = config.sizing
    bonus = Decimal(0)
    if votes >= 4:
        bonus = sizing.four_votes_bonus_pct
    elif votes == 3:
        bonus = sizing.three_votes_bonus_pct
    return min(sizing.base_pct * (1 + bonus / _PERCENT), sizing.max_pct)


def _intended(means: Means, share_pct: Decimal, price: Decimal, config: StrategyConfig) -> Decimal:
    """Give the USD that an entry is to cost by the strategy and the largest order, whatever is free just now."""
    largest = min(config.limits.order_usd_max, config.limits.order_shares_max * price)
    return min(max(means.own, Decimal(0)) * share_pct / _PERCENT, largest)


def _of_equity(means: Means) -> str:
    """Say by how much equity is less than our own, where the broker lets less be used."""
    if means.equity >= means.own:
        return ""
    return f" (equity counts as {means.equity:,.2f} USD, not {means.own:,.2f}: the broker lets no more be used now)"


def _rooms(means: Means, share_pct: Decimal, config: StrategyConfig) -> dict[str, Decimal]:
    sizing = config.sizing
    tradable = means.equity * (_PERCENT - sizing.reserve_pct) / _PERCENT
    return {
        "the share of equity for one position": means.equity * share_pct / _PERCENT,
        "the largest position": means.equity * sizing.max_pct / _PERCENT - means.in_symbol,
        "the cash reserve": tradable - means.exposure,
        "the broker's usable cash": means.cash,
        "the largest order": config.limits.order_usd_max,
    }
