"""All that the owner's key is asked for, and whose answers these are; `key` builds what asks."""

from collections.abc import Callable, Sequence
from datetime import date

from infra.operations.profiles import Hand
from shared.domain.broker.brokerage import Account, Balance, BrokerOrder, Holding, Ticket
from shared.domain.broker.outcomes import PreviewAnswer
from shared.domain.market.quotes import Quotes
from shared.frozen import frozen


@frozen
class Reads:
    """All that a key alone may ask of E*TRADE; there is no word here that places or cancels."""

    accounts: Callable[[], tuple[Account, ...]]
    balance: Callable[[str], Balance]
    portfolio: Callable[[str], tuple[Holding, ...]]
    quotes: Callable[[Sequence[str]], Quotes]
    preview: Callable[[str, Ticket], PreviewAnswer]
    orders: Callable[[str, date], tuple[BrokerOrder, ...]]


def source_of(hand: Hand) -> str:
    """Say whose answers these are."""
    if hand.simulated:
        return "the simulator"
    return f"E*TRADE's {'sandbox' if hand.sandbox else 'production'}"
