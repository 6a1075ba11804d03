"""What a report compares over a split: prices, trades and stops in shares of one day.

What can go wrong: a price of before a split stands beside one of after it, and their ratio passes for a gain. What this
promises: all is divided by the splits between its own day and the day asked for, and by nothing else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from math import prod

from infra.results.facts import Mark, StopLine, Trade
from shared.domain.base.calendar import new_york_day
from shared.domain.market.series import Split


def between(splits: Iterable[Split], after: date, until: date) -> Decimal:
    """Give how many shares of the day `until` one share of the day `after` is."""
    return prod((one.ratio for one in splits if after < one.day <= until), start=Decimal(1))


def marks_on(marks: Sequence[Mark], splits: Sequence[Split], until: date) -> tuple[Mark, ...]:
    """Give prices in shares as they are on a day."""
    if not splits:
        return tuple(marks)
    return tuple(replace(one, price=one.price / between(splits, new_york_day(one.at), until)) for one in marks)


def trade_on(trade: Trade, splits: Sequence[Split], ends: datetime) -> Trade:
    """Give a trade in shares as they are at the end of a run: it is in those of the day on which it ended."""
    ratio = between(splits, new_york_day(trade.left_at or ends), new_york_day(ends))
    left = None if trade.exit_price is None else trade.exit_price / ratio
    return replace(
        trade, shares=round(trade.shares * ratio), entry_price=trade.entry_price / ratio, exit_price=left
    )  # fmt: skip


def stop_on(stop: StopLine, splits: Sequence[Split], ends: datetime) -> StopLine:
    """Give a stop's level in shares as they are at the end of a run: it is in those of its own day."""
    return replace(stop, level=stop.level / between(splits, new_york_day(stop.begins), new_york_day(ends)))
