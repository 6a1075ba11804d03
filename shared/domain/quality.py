"""Quote quality: what is wrong with a quote, as stable codes. Only a quote without any fault may open risk.

A caller that protects or closes may live with some faults and says so by naming the codes.
Source: order-safety.md R05.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from shared.domain.quotes import Quote, QuoteStatus

BROKER = "etrade"
CLOCK_SKEW = timedelta(seconds=2)
_ZERO = Decimal(0)


def faults(quote: Quote, *, now: datetime, max_age_s: int) -> tuple[str, ...]:
    """Name every fault of a quote; empty when it is good.

    NAN not a number; ZERO a price of zero or less; CROSSED bid above ask (equal is valid); NO_SIZE nothing
    bid or offered; STALE older than `max_age_s` seconds; FUTURE more than 2 s ahead of `now`; DELAYED by the
    broker's word; NOT_REALTIME any other status but REALTIME; SOURCE not from the broker.
    """
    bid, ask, last = quote.bid, quote.ask, quote.last
    if (
        bid.is_finite() and ask.is_finite() and last.is_finite()
        and _ZERO < bid <= ask and last > _ZERO and quote.bid_size > 0 and quote.ask_size > 0
        and -CLOCK_SKEW <= now - quote.at <= timedelta(seconds=max_age_s)
        and quote.status is QuoteStatus.REALTIME and quote.source == BROKER
    ):  # fmt: skip
        return ()
    return _price_faults(quote) + _origin_faults(quote, now=now, max_age_s=max_age_s)


def is_finite(quote: Quote) -> bool:
    """Tell whether every price is a number, so that prices can be compared at all."""
    return quote.bid.is_finite() and quote.ask.is_finite() and quote.last.is_finite()


def _price_faults(quote: Quote) -> tuple[str, ...]:
    if not is_finite(quote):
        return ("NAN",)
    found = []
    if min(quote.bid, quote.ask, quote.last) <= _ZERO:
        found.append("ZERO")
    if quote.bid > quote.ask:
        found.append("CROSSED")
    if quote.bid_size <= 0 or quote.ask_size <= 0:
        found.append("NO_SIZE")
    return tuple(found)


def _origin_faults(quote: Quote, *, now: datetime, max_age_s: int) -> tuple[str, ...]:
    found = []
    if now - quote.at > timedelta(seconds=max_age_s):
        found.append("STALE")
    if quote.at - now > CLOCK_SKEW:
        found.append("FUTURE")
    if quote.status is QuoteStatus.DELAYED:
        found.append("DELAYED")
    elif quote.status is not QuoteStatus.REALTIME:
        found.append("NOT_REALTIME")
    if quote.source != BROKER:
        found.append("SOURCE")
    return tuple(found)
