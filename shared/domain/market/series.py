"""Daily bars with what is known beside them: who gave them, how they were made, and the splits and dividends.

What can go wrong: a split makes yesterday's price another share's, so that an average over both is of neither; a
dividend that is taken out of old closes moves a price that was paid; bars of two sources are mixed in silence. What
this promises: bars are kept as they were traded; only `adjusted_bars` divides, by the splits up to its instant, never
by dividends; a series that holds bars of two makes says so. What a source gives is judged before it is used: days out
of order, a day twice or a price that cannot be make the whole answer unusable, and nothing of it is mended.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from shared.domain.market.bars import DailyBar
from shared.frozen import frozen

LEAST_DAYS = 20
"""With fewer daily bars a symbol is not bought: its quality is minimal (strategies.view)."""
LONGEST_GAP = timedelta(days=10)
"""Between two bars that belong together: September 2001 left seven days, more than any closing since 1933."""


@frozen
class Split:
    """From `day` on one share of before is `ratio` shares: 2 for a split of two for one, 0.1 for one for ten."""

    day: date
    ratio: Decimal


@frozen
class Dividend:
    """What a share of the day before earns on `day`, in USD."""

    day: date
    usd: Decimal


@frozen
class Series:
    """Daily bars of one symbol as they were traded, oldest first, each day once.

    `source` is who gave them, `made` how they came to be, `at` when the source was asked. `mixed` says that bars of two
    makes are in it. `doubted` are days whose close lies so far from what the next morning said of it that a split or a
    distribution is possible.
    """

    symbol: str
    bars: tuple[DailyBar, ...]
    source: str
    made: str
    at: datetime
    splits: tuple[Split, ...] = ()
    dividends: tuple[Dividend, ...] = ()
    mixed: bool = False
    doubted: tuple[date, ...] = ()

    @property
    def unexplained(self) -> tuple[date, ...]:
        """The doubted days that no known split follows at the next bar."""
        after = {one.day: other.day for one, other in pairwise(self.bars)}
        splits = {split.day for split in self.splits}
        return tuple(
            day for day in self.doubted if not any(day < split <= after.get(day, date.max) for split in splits)
        )


def adjusted_closes(bars: Sequence[DailyBar], splits: Sequence[Split], *, on: date) -> tuple[Decimal, ...]:
    """Give the closes in shares as they are on a day: divided by each later split that is in force by then."""
    return tuple(bar.close for bar in adjusted_bars(bars, splits, on=on))


def adjusted_bars(bars: Sequence[DailyBar], splits: Sequence[Split], *, on: date) -> tuple[DailyBar, ...]:
    """Give the bars in shares as they are on a day: prices divided, volume multiplied by each later split by then."""
    made = []
    for bar in bars:
        now = bar
        for split in splits:
            if bar.day < split.day <= on:
                ratio = split.ratio
                now = DailyBar(
                    day=now.day, open=now.open / ratio, high=now.high / ratio, low=now.low / ratio,
                    close=now.close / ratio, volume=int((now.volume * ratio).to_integral_value()),
                )  # fmt: skip
        made.append(now)
    return tuple(made)


def unbroken(bars: Sequence[DailyBar], *, before: date) -> Sequence[DailyBar]:
    """Give the bars that lead up to a day without a gap longer than `LONGEST_GAP`, oldest first."""
    later = before
    for index in range(len(bars) - 1, -1, -1):
        if later - bars[index].day > LONGEST_GAP:
            return bars[index + 1 :]
        later = bars[index].day
    return bars


def unsound(series: Series, *, before: date) -> str | None:
    """Say what makes a source's answer unusable, None when nothing does; bars of `before` or later do."""
    days = [bar.day for bar in series.bars]
    for one, other in pairwise(days):
        if one >= other:
            return f"{other} stands twice" if one == other else f"{other} stands after {one}"
    if days and days[-1] >= before:
        return f"a bar of {days[-1]}, which was not asked for"
    for bar in series.bars:
        if (wrong := unsound_bar(bar)) is not None:
            return f"{bar.day}: {wrong}"
    if any(not (split.ratio.is_finite() and split.ratio > 0) for split in series.splits):
        return "a split whose ratio is no positive number"
    return None


def unsound_bar(bar: DailyBar) -> str | None:
    """Say why a bar can be of no trading day, None when it can: prices above 0, low and high around open and close."""
    prices = (bar.open, bar.high, bar.low, bar.close)
    if not all(price.is_finite() and price > 0 for price in prices):
        return "a price that is no positive number"
    if not bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high:
        return "low and high do not lie around open and close"
    return "a volume below zero" if bar.volume < 0 else None


def merged(parts: Sequence[Series]) -> Series:
    """Join what several sources gave of one symbol: of each day the first one's bar, of each split and dividend too.

    It is as old as the oldest part that gave a bar, and mixed when two gave some. Takes one part at least.
    """
    bars: dict[date, DailyBar] = {}
    splits: dict[date, Split] = {}
    dividends: dict[date, Dividend] = {}
    gave: list[Series] = []
    for part in parts:
        new = {bar.day: bar for bar in part.bars if bar.day not in bars}
        bars |= new
        splits = {one.day: one for one in part.splits} | splits
        dividends = {one.day: one for one in part.dividends} | dividends
        gave += [part] * bool(new)
    gave = gave or [parts[0]]
    return Series(
        symbol=parts[0].symbol, bars=tuple(bars[day] for day in sorted(bars)), at=min(part.at for part in gave),
        source="+".join(part.source for part in gave), made="; ".join(dict.fromkeys(part.made for part in gave)),
        splits=tuple(splits[day] for day in sorted(splits)),
        dividends=tuple(dividends[day] for day in sorted(dividends)),
        mixed=len(gave) > 1 or gave[0].mixed,
        doubted=tuple(sorted({day for part in gave for day in part.doubted})),
    )  # fmt: skip


def cut(series: Series, *, start: date, before: date) -> Series:
    """Leave the bars from `start` on and strictly before a day; splits and dividends stay."""
    return replace(series, bars=tuple(bar for bar in series.bars if start <= bar.day < before))
