"""Values that the tests start from: one good quote, one open session, one config."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from shared.domain.calendar import TradingSession, session_of
from shared.domain.quotes import Quote, QuoteStatus

OPENS = datetime(2013, 10, 7, 13, 30, tzinfo=UTC)


def session() -> TradingSession:
    """Give the session of 7 October 2013, 13:30 to 20:00 UTC."""
    found = session_of(OPENS.date())
    assert found is not None
    return found


def at(minutes: float) -> datetime:
    """Give the instant so many minutes after the open."""
    return OPENS + timedelta(minutes=minutes)


def quote(
    last: str = "100.00",
    *,
    bid: str | None = None,
    ask: str | None = None,
    when: datetime = OPENS,
    volume: int = 5_000_000,
    previous_close: str = "99.00",
    status: QuoteStatus = QuoteStatus.REALTIME,
    source: str = "etrade",
    size: int = 100,
) -> Quote:
    """Give a quote with a spread of two cents around its last price."""
    price = Decimal(last)
    return Quote(
        symbol="IBM",
        bid=Decimal(bid) if bid else price - Decimal("0.01"),
        bid_size=size,
        ask=Decimal(ask) if ask else price + Decimal("0.01"),
        ask_size=size,
        last=price,
        day_volume=volume,
        previous_close=Decimal(previous_close),
        at=when,
        received_at=when,
        status=status,
        source=source,
    )
