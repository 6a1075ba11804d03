"""One fresh quote for a decision about money: the scan's own when it is a moment old, else asked of the broker."""

from datetime import timedelta

from shared.domain.quotes import Quote
from shared.usecases.desk import read
from shared.usecases.trading import TradingDesk


def fresh_quote(desk: TradingDesk, symbol: str, *, within: timedelta) -> Quote | None:
    """Give a quote received at most `within` ago; None when the broker does not know the symbol."""
    held = read(desk.store, Quote, f"quotes/{symbol}")
    served = held is not None and desk.clock.now() - held.value.received_at <= within
    desk.journal.line("cache", kind="quote", asked=1, served=int(served))
    if held is not None and served:
        return held.value
    return desk.broker.quotes([symbol]).get(symbol)
