"""Whether the prices of two days can be of the same share.

A split, a reverse split or a symbol that was given to another company makes yesterday's prices those of something else:
"up 910 %" is then no rise. No source of such events exists yet, so none is known, and a jump beyond the limit is taken
for one. Prices are compared as a ratio, the larger over the smaller, so a limit means the same in both directions.
Where both speak of the same session, broker and history have to agree much closer: else one of them is wrong.
"""

from decimal import Decimal

from shared.domain.market.quotes import Quote

_ZERO, _PERCENT = Decimal(0), Decimal(100)
AGREE_PCT = Decimal(1)
"""How far the last daily close may lie from the previous close of a quote whose prices the broker has adjusted."""


def is_of_another(quote: Quote, *, daily_close: Decimal | None, jump_max_pct: Decimal) -> bool:
    """Tell whether a quote cannot be compared with what was before it; `daily_close` is the last daily bar's, in USD.

    It cannot without a previous close, and when previous close, last daily close and last price lie further apart than
    the limit. Prices that the broker has adjusted (`Quote.adjusted`) count only where the daily bars agree with them.
    """
    close = quote.previous_close
    if daily_close is None or close is None:
        return quote.adjusted or apart(quote.last, close, jump_max_pct)
    if not (quote.last.is_finite() and close.is_finite() and daily_close.is_finite()):
        return True
    lowest, highest = min(quote.last, close, daily_close), max(quote.last, close, daily_close)
    if apart(lowest, highest, jump_max_pct):
        return True
    return quote.adjusted and apart(daily_close, close, AGREE_PCT)


def disagree(quote: Quote, *, prior_close: Decimal | None, limit_pct: Decimal) -> bool:
    """Tell whether broker and history give the close of the session before differently; one that is missing cannot.

    `prior_close` is the daily bar's of that very session, in USD and in shares as they are today.
    """
    return (
        prior_close is not None and quote.previous_close is not None
        and apart(prior_close, quote.previous_close, limit_pct)
    )  # fmt: skip


def apart(one: Decimal, other: Decimal | None, limit_pct: Decimal) -> bool:
    """Tell whether two prices lie further apart than a limit, in percent of the lower; what is no price does."""
    if other is None or not (one.is_finite() and other.is_finite() and one > _ZERO and other > _ZERO):
        return True
    return one != other and abs(one - other) * _PERCENT > limit_pct * min(one, other)
