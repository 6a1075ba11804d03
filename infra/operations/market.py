"""The one interface to the market's data, over a desk as its owner reaches it, signed in or not."""

from infra.operations.profiles import Hand
from infra.operations.reads import Reads, source_of
from shared.usecases.market.market_data import MarketData


def market_data(hand: Hand, reads: Reads | None = None) -> MarketData:
    """Give the market's data: with `reads` quotes are asked anew, without them what is stored is all there is."""
    return MarketData(hand.desk, broker=source_of(hand), ask=None if reads is None else reads.quotes)
