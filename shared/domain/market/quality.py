"""Quote quality: what is wrong with a quote, as stable codes, and what it is worth to look at, 0 to 1.

Only a quote without any fault may open risk. A caller that protects or closes may live with some faults and says so by
naming the codes. The grade is for people who look at a quote; nothing is decided on it.
Source: order-safety.md R05.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import cast

from shared.domain.market.quotes import Quote, QuoteStatus
from shared.frozen import frozen

BROKER = "etrade"
CLOCK_SKEW = timedelta(seconds=2)
_EARLIEST = -CLOCK_SKEW
FAULTS = {
    "NAN": "a price was no number",
    "ZERO": "a price was zero or less",
    "CROSSED": "the bid was above the ask",
    "NO_SIZE": "nothing was bid, or nothing offered",
    "HALTED": "E*TRADE says that trading in it is halted",
    "STALE": "the quote was too old",
    "FUTURE": "the quote was ahead of our clock",
    "DELAYED": "the quote was delayed: real-time quotes need the agreement on E*TRADE's page",
    "NOT_REALTIME": "the quote was not a real-time one",
    "SOURCE": "the quote was not E*TRADE's own",
}
"""Every fault of a quote, in words."""
_WORTH = {
    "NO_SIZE": Decimal("0.4"), "STALE": Decimal("0.3"), "DELAYED": Decimal("0.4"), "NOT_REALTIME": Decimal("0.4"),
    "SOURCE": Decimal("0.4"),
}  # fmt: skip
_LESS = Decimal("0.25")
_STEP = Decimal("0.01")
_ZERO, _ONE = Decimal(0), Decimal(1)


class Sound(Quote):
    """A quote that was found without a fault: all that an entry, a target, a trail or a stop level is decided on.

    None is ever made: `sound` calls a quote so, which stays what it is.
    """


@frozen
class Grade:
    """What a quote is worth to look at, from 0 to 1, and in words why it is not 1."""

    value: Decimal
    reasons: tuple[str, ...]


def graded(quote: Quote, *, now: datetime, max_age_s: int, spread_max_bps: Decimal) -> Grade:
    """Grade a quote: 1 is fresh, real-time and without a spread; 0 is one whose prices cannot be believed.

    Without a fault it is 0.5 or more: up to 0.25 are taken off for its age, up to `max_age_s`, and as much for its
    spread, up to `spread_max_bps`. With a fault it is less than 0.5: old, delayed, without sizes or of another source.
    """
    found = faults(quote, now=now, max_age_s=max_age_s)
    words = tuple(FAULTS[code] for code in found)
    if any(code not in _WORTH for code in found):
        return Grade(value=_ZERO, reasons=words)
    value, reasons = _ONE, []
    for part, why in _shortfalls(quote, now, max_age_s, spread_max_bps):
        value -= _LESS * min(part, _ONE)
        reasons.append(why)
    for code in found:
        value *= _WORTH[code]
    return Grade(value=value.quantize(_STEP), reasons=(*words, *reasons))


def _shortfalls(quote: Quote, now: datetime, max_age_s: int, spread_max_bps: Decimal) -> Iterator[tuple[Decimal, str]]:
    """Give how much of what is allowed its age and its spread use up, and each in words, where it shows."""
    age = Decimal(str(max((now - quote.at).total_seconds(), 0)))
    if age >= _ONE:
        yield age / max_age_s, f"{age:.0f} s old, {max_age_s} s is the limit"
    spread = quote.spread * 10_000 / quote.mid
    if spread > 0:
        yield spread / spread_max_bps, f"a spread of {spread / 100:.3f} %, {spread_max_bps / 100} % is the limit"


def faults(quote: Quote, *, now: datetime, max_age_s: int) -> tuple[str, ...]:
    """Name every fault of a quote; empty when it is good.

    NAN not a number; ZERO a price of zero or less; CROSSED bid above ask (equal is valid); NO_SIZE nothing
    bid or offered; HALTED by the broker's word; STALE older than `max_age_s` seconds; FUTURE more than 2 s
    ahead of `now`; DELAYED by the broker's word; NOT_REALTIME any other status but REALTIME; SOURCE not the broker's.
    """
    bid, ask, last = quote.bid, quote.ask, quote.last
    if (
        bid.is_finite() and ask.is_finite() and last.is_finite()
        and _ZERO < bid <= ask and last > _ZERO and quote.bid_size > 0 and quote.ask_size > 0
        and _EARLIEST <= now - quote.at <= _seconds(max_age_s)
        and quote.status is QuoteStatus.REALTIME and quote.source == BROKER and not quote.halted
    ):  # fmt: skip
        return ()
    return _price_faults(quote) + _origin_faults(quote, now=now, max_age_s=max_age_s)


@lru_cache(maxsize=16)
def _seconds(many: int) -> timedelta:
    return timedelta(seconds=many)


def sound(quote: Quote | None, found: tuple[str, ...]) -> Sound | None:
    """Give a quote as one to decide on, None when it is missing or anything was found wrong with it."""
    return None if quote is None or found else cast(Sound, quote)


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
    found = ["HALTED"] if quote.halted else []
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
