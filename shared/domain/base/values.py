"""The words that every other module speaks: sides, price types, prices on their tick."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_UP, Decimal
from enum import StrEnum

CENT = Decimal("0.01")
_SUB_DOLLAR_TICK = Decimal("0.0001")
_DOLLAR = Decimal(1)


class Side(StrEnum):
    """What an order does to the position."""

    BUY = "BUY"
    SELL = "SELL"


class Venue(StrEnum):
    """Where orders go: into our own paper book, whoever quotes, or to one of E*TRADE's two hosts."""

    PAPER = "paper"
    SANDBOX = "sandbox"
    PRODUCTION = "production"


class PriceType(StrEnum):
    """How an order is priced (etrade-api.md 4.1)."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"


class Term(StrEnum):
    """How long an order lives (etrade-api.md 4.1)."""

    GOOD_FOR_DAY = "GOOD_FOR_DAY"
    GOOD_UNTIL_CANCEL = "GOOD_UNTIL_CANCEL"
    IMMEDIATE_OR_CANCEL = "IMMEDIATE_OR_CANCEL"


def tick(price: Decimal) -> Decimal:
    """Give the smallest price step at this price in USD (etrade-api.md 4.2)."""
    return CENT if price >= _DOLLAR else _SUB_DOLLAR_TICK


def price_down(price: Decimal) -> Decimal:
    """Round a price down to its tick."""
    return price.quantize(tick(price), rounding=ROUND_DOWN)


def price_up(price: Decimal) -> Decimal:
    """Round a price up to its tick."""
    return price.quantize(tick(price), rounding=ROUND_UP)


def cents(amount: Decimal) -> Decimal:
    """Round an amount of money to whole cents, half to even."""
    return amount.quantize(CENT, rounding=ROUND_HALF_EVEN)
