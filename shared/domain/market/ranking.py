"""The watch list in the order in which its symbols are worth looking at, from daily bars and the last known spreads.

Each part (liquidity, volatility, momentum, quality of the spread) is the symbol's percentile rank within the list: the
part of the others that it is better than, equal ones counted half. The parts times their weights, which are percent,
make a score from 0 to 100. What can go wrong: a part of a symbol is not known, for it has too few daily bars or was not
quoted. What this promises: such a part earns nothing and is named; equal scores stand in the order of the watch list,
so that one list and one set of figures give one rank, whoever reckons it.
Source: strategy.md, Universe.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise

from shared.domain.market.bars import DailyBar
from shared.domain.market.quotes import Quote
from shared.domain.market.series import LEAST_DAYS, Series, adjusted_bars, unbroken
from shared.frozen import frozen

DAYS = LEAST_DAYS
"""The last daily bars that a rank is made of; with fewer a symbol is not bought, and its parts are not known."""
SPREAD = "spread"
RANKED_OUT, LISTED_OUT = "RANKED_OUT", "LISTED_OUT"
"""Why a symbol of the watch list is not looked at: by its rank, or by its place where there is no rank."""
_HUNDREDTH = Decimal("0.01")
_SHARE = Decimal("0.0001")


@frozen
class Measures:
    """What a symbol is ranked by, each None where it is not known.

    `liquidity` is the mean USD traded a day, `volatility` the mean true range and `momentum` the rise from the first to
    the last close, both in percent, over the last `DAYS` daily bars; `spread` is the last known one in basis points.
    """

    symbol: str
    liquidity: Decimal | None = None
    volatility: Decimal | None = None
    momentum: Decimal | None = None
    spread: Decimal | None = None


@frozen
class Part:
    """One part of a score: the figure, its percentile rank from 0 to 1, and the points that it earns."""

    name: str
    value: Decimal | None
    rank: Decimal
    points: Decimal


@frozen
class Place:
    """A symbol's place in the list, from 1, its score from 0 to 100, and what that is made of."""

    place: int
    symbol: str
    score: Decimal
    parts: tuple[Part, ...]

    @property
    def unknown(self) -> tuple[str, ...]:
        """The parts of which nothing is known."""
        return tuple(part.name for part in self.parts if part.value is None)


def measures(symbol: str, bars: Sequence[DailyBar], *, spread: Decimal | None) -> Measures:
    """Measure a symbol by its daily bars, oldest first and in shares of one size; with fewer than `DAYS` by none."""
    last = bars[-DAYS:]
    if len(last) < DAYS:
        return Measures(symbol=symbol, spread=spread)
    ranges = [max(bar.high, before.close) - min(bar.low, before.close) for before, bar in pairwise(last)]
    traded = sum((bar.close * bar.volume for bar in last), Decimal(0)) / len(last)
    moved = sum((100 * one / bar.close for one, bar in zip(ranges, last[1:], strict=True)), Decimal(0)) / len(ranges)
    return Measures(
        symbol=symbol, liquidity=traded.quantize(_HUNDREDTH), volatility=moved.quantize(_SHARE),
        momentum=(100 * (last[-1].close / last[0].close - 1)).quantize(_SHARE), spread=spread,
    )  # fmt: skip


def known_measures(symbol: str, series: Series | None, session: date, *, spread: Decimal | None) -> Measures:
    """Measure a symbol by what was known of it before a session, in shares as they are on its day."""
    bars = () if series is None else unbroken(series.bars, before=session)
    splits = () if series is None else series.splits
    return measures(symbol, adjusted_bars(bars, splits, on=session), spread=spread)


def spread_bps(quote: Quote) -> Decimal | None:
    """Give a quote's spread in basis points, None where bid and ask make none."""
    prices = (quote.bid, quote.ask)
    if not all(price.is_finite() and price > 0 for price in prices) or quote.bid > quote.ask:
        return None
    return (quote.spread * 10_000 / quote.mid).quantize(_HUNDREDTH)


def ranked(measured: Sequence[Measures], weights: Mapping[str, Decimal]) -> tuple[Place, ...]:
    """Rank the symbols of a watch list, which stand in its order, by the weights of their parts; best first."""
    ranks = {name: _percentiles({one.symbol: getattr(one, name) for one in measured}, name) for name in weights}
    scored = []
    for one in measured:
        parts = tuple(
            Part(
                name=name, value=getattr(one, name), rank=ranks[name][one.symbol],
                points=(ranks[name][one.symbol] * weight).quantize(_HUNDREDTH),
            )
            for name, weight in weights.items()
        )  # fmt: skip
        scored.append((one.symbol, sum((part.points for part in parts), Decimal(0)), parts))
    scored.sort(key=lambda row: -row[1])
    return tuple(
        Place(place=place, symbol=symbol, score=score, parts=parts)
        for place, (symbol, score, parts) in enumerate(scored, start=1)
    )


def _percentiles(values: Mapping[str, Decimal | None], name: str) -> dict[str, Decimal]:
    """Give each symbol's percentile rank; of spreads the small ones are the good ones."""
    good = {
        symbol: (-value if name == SPREAD else value) for symbol, value in values.items() if value is not None
    }  # fmt: skip
    order = sorted(good.values())
    others = len(order) - 1
    ranks = dict.fromkeys(values, Decimal(0))
    for symbol, value in good.items():
        worse, up_to = bisect_left(order, value), bisect_right(order, value)
        half = Decimal(up_to - worse - 1) / 2
        ranks[symbol] = ((worse + half) / others if others else Decimal(1)).quantize(_SHARE)
    return ranks
