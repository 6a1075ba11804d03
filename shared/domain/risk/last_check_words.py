"""What the last check found, in a sentence for each code: the figure that it found and the one that it asks.

What can go wrong: the order is a forged one, whose figures are anything. What this promises: every code has its words,
whatever the figures are; nothing is decided here.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from shared.domain.market.quality import FAULTS, faults
from shared.domain.orders.orders import Kind, Order
from shared.domain.risk.denials import at_clock, usd
from shared.domain.risk.last_check import QUOTE_LIFE, Found, Known, Owner, committed, free_shares

Words = Callable[[Order, Known | None, Owner], str]


def worded(found: Found, order: Order, owner: Owner, known: Known | None = None) -> Found:
    """Give what was found with its sentences; `known` is None where the document alone was judged."""
    said = (f"{WORDS[code](order, known, owner)}." for code in (*found.refused, *found.void))
    return replace(found, note=" ".join(said))


def _cost(order: Order) -> str:
    limit = order.limit_price
    return usd(None if limit is None or not limit.is_finite() else limit * order.quantity)


def _side(order: Order, _known: Known | None, _owner: Owner) -> str:
    wanted = "An entry buys" if order.kind is Kind.ENTRY else "What is held is sold"
    return f"{wanted}, and this order says {order.side}"


def _capital(order: Order, known: Known | None, owner: Owner) -> str:
    beside = "" if known is None else f", {usd(committed(known))} are held or reserved"
    return f"The order costs {_cost(order)}{beside}, the capital is {usd(owner.capital)}"


def _stale(order: Order, known: Known | None, owner: Owner) -> str:
    quote = None if known is None else known.quote
    if known is None or quote is None:
        return f"The age of the quote of {order.symbol} is not known"
    at, came = ((known.now - since).total_seconds() for since in (quote.at, quote.received_at))
    return (
        f"The quote is {at:.1f} s old and came {came:.1f} s ago, {owner.config.entry.quote_age_max_s} s were allowed "
        f"when it came and {QUOTE_LIFE.total_seconds():.0f} s since"
    )


def _bad(order: Order, known: Known | None, owner: Owner) -> str:
    quote = None if known is None else known.quote
    if quote is None:
        return f"The quote of {order.symbol} is not known"
    wrong = faults(quote, now=quote.received_at, max_age_s=owner.config.entry.quote_age_max_s)
    return f"The quote cannot be used: {'; '.join(FAULTS[code] for code in wrong if code != 'STALE')}"


def _collar(order: Order, known: Known | None, owner: Owner) -> str:
    quote = None if known is None else known.quote
    near = "the quote, which is not known" if quote is None else f"last {quote.last} and middle {quote.mid}"
    return f"The limit {usd(order.limit_price)} is further than {owner.config.entry.collar_pct} % from {near}"


def _short(order: Order, known: Known | None, _owner: Owner) -> str:
    free = "not known" if known is None else f"{free_shares(known):,}"
    return f"It sells {order.quantity} shares, those held that no other order may sell are {free}"


def _closed(_order: Order, known: Known | None, _owner: Owner) -> str:
    return f"The session is not open at {at_clock(None if known is None else known.now)}"


WORDS: Mapping[str, Words] = {
    "SIDE": _side,
    "FORM": lambda *_: "Price type, term, price or names are none that we give to an order of its kind",
    "QTY": lambda order, *_: f"{order.quantity} is no number of shares, 1 or more are asked",
    "SENT_BEFORE": lambda *_: "By its own document it was sent before",
    "RESERVATION": lambda order, *_: f"{usd(order.reserved)} are reserved for it, and it costs {_cost(order)}",
    "ORDER_SHARES_MAX": lambda order, _, owner: (
        f"It is of {order.quantity} shares, at most {owner.config.limits.order_shares_max} are allowed"
    ),
    "NOTIONAL_MAX_ORDER": lambda order, _, owner: (
        f"The order costs {_cost(order)}, at most {usd(owner.config.limits.order_usd_max)} are allowed"
    ),
    "CAPITAL_MAX": _capital,
    "LIMITS_CHANGED": lambda *_: "Your limits are others than those that it was approved by",
    "SESSION_CLOSED": _closed,
    "NO_QUOTE": lambda order, *_: f"E*TRADE gave no quote of {order.symbol} that is a number",
    "QUOTE_STALE": _stale,
    "QUOTE_BAD": _bad,
    "PRICE_COLLAR": _collar,
    "NOT_HELD": lambda order, *_: f"The position of {order.symbol} that it is to sell is not held",
    "NO_SHORT": _short,
    "OUTDATED": lambda order, *_: f"What is held of {order.symbol} changed after it was approved",
}
